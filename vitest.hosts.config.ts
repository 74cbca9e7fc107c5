import { defineConfig } from 'vitest/config';
import { install } from './scripts/install.mjs';
import ordinary from './vitest.config.ts';

install('test/hosts');

// Tensors of other libraries, as these libraries make them: npm run test:hosts.
export default defineConfig({
  test: {
    ...ordinary.test,
    include: ['test/hosts/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    typecheck: { enabled: false },
  },
});
