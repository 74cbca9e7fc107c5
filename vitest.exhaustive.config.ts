import { defineConfig } from 'vitest/config';
import { shared } from './vitest.config.ts';

// Tests that take minutes: npm run test:exhaustive.
export default defineConfig({
  test: {
    ...shared,
    include: ['test/exhaustive/**/*.test.ts'],
    exclude: [],
    testTimeout: 3_600_000,
  },
});
