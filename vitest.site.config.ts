import { defineConfig } from 'vitest/config';
import { shared } from './vitest.config.ts';

// The built site in Chromium and Firefox: npm run test:site builds it first.
export default defineConfig({
  resolve: { alias: { 'softmax-wasm': new URL('dist/index.js', import.meta.url).pathname } },
  test: {
    ...shared,
    include: ['site/test/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
