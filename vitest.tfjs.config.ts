import { defineConfig } from 'vitest/config';
import { install } from './scripts/install.mjs';
import ordinary from './vitest.config.ts';

install('test/tfjs');

// softmax-wasm/tfjs in TensorFlow.js itself: npm run test:tfjs.
export default defineConfig({
  test: {
    ...ordinary.test,
    include: ['test/tfjs/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 300_000,
    typecheck: { enabled: false },
  },
});
