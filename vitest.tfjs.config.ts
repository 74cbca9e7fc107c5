import { defineConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

// softmax-wasm/tfjs in TensorFlow.js itself, which is installed into test/tfjs/ first: npm run test:tfjs.
export default defineConfig({
  test: {
    ...ordinary.test,
    include: ['test/tfjs/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: 'test/tfjs/install.mjs',
    testTimeout: 300_000,
    typecheck: { enabled: false },
  },
});
