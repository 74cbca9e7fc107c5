import { defineConfig } from 'vitest/config';
import { shared } from './vitest.config.ts';

// A search for inputs that miss a bound, which takes minutes: npm run test:hunt.
export default defineConfig({
  test: {
    ...shared,
    include: ['test/hunt/**/*.test.ts'],
    exclude: [],
    testTimeout: 3_600_000,
    // Prints progress while the search runs.
    disableConsoleIntercept: true,
  },
});
