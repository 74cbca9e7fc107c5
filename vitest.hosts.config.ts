import { defineConfig } from 'vitest/config';
import { install } from './scripts/install.mjs';
import { shared } from './vitest.config.ts';

install('test/hosts');

// Tensors of other libraries, as these libraries make them: npm run test:hosts.
export default defineConfig({
  test: {
    ...shared,
    include: ['test/hosts/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
  },
});
