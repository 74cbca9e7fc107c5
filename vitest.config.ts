import { defineConfig, type ViteUserConfig } from 'vitest/config';

const [major = 0] = process.versions.node.split('.').map(Number);

/** What suites have in common that have a configuration of their own. */
export const shared = {
  // Processes rather than threads: V8's flags are for a whole process.
  pool: 'forks',
  // One for each core: Vitest alone leaves one idle, which on two cores is half of them.
  maxWorkers: '100%',
  execArgv: ['--expose-gc', ...(major < 22 ? ['--experimental-wasm-relaxed-simd'] : [])],
  testTimeout: 60_000,
  hookTimeout: 60_000,
} satisfies ViteUserConfig['test'];

// Of the whole run, not of a project: --maxWorkers would not count.
const { maxWorkers, ...ofProjects } = shared;

/** What needs a process for each file: to collect garbage takes as long as there is much to look at. */
const APART = ['test/reclaiming.test.ts'];

export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      {
        test: {
          ...ofProjects,
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...APART,
            'test/exhaustive/**',
            'test/hunt/**',
            'test/tfjs/**',
            'test/hosts/**',
            '**/node_modules/**',
            'test/*/work/**',
          ],
          // Files share a process, where the library and the oracle are compiled already: a quarter of the time.
          isolate: false,
          typecheck: { enabled: true, include: ['test/*.test-d.ts'], tsconfig: 'test/tsconfig.json' },
        },
      },
      { test: { ...ofProjects, name: 'apart', include: APART } },
    ],
  },
});
