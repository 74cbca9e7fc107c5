import { defineConfig } from 'vitest/config';

const [major = 0] = process.versions.node.split('.').map(Number);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/exhaustive/**',
      'test/hunt/**',
      'test/tfjs/**',
      'test/hosts/**',
      '**/node_modules/**',
      'test/*/work/**',
    ],
    // Processes rather than threads: V8's flags are for a whole process.
    pool: 'forks',
    // One for each core: Vitest alone leaves one idle, which on two cores is half of them.
    maxWorkers: '100%',
    execArgv: ['--expose-gc', ...(major < 22 ? ['--experimental-wasm-relaxed-simd'] : [])],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: true, include: ['test/*.test-d.ts'], tsconfig: 'test/tsconfig.json' },
  },
});
