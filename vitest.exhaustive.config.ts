import { defineConfig } from 'vitest/config';
import ordinary from './vitest.config.ts';

// What takes minutes: npm run test:exhaustive.
export default defineConfig({
  test: {
    ...ordinary.test,
    include: ['test/exhaustive/**/*.test.ts'],
    exclude: [],
    testTimeout: 3_600_000,
    typecheck: { enabled: false },
  },
});
