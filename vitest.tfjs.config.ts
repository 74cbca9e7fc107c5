import { defineConfig } from 'vitest/config';
import { install } from './scripts/install.mjs';
import { shared } from './vitest.config.ts';

install('test/tfjs');

// softmax-wasm/tfjs in TensorFlow.js itself: npm run test:tfjs.
export default defineConfig({
  test: {
    ...shared,
    include: ['test/tfjs/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 300_000,
  },
});
