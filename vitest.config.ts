import { defineConfig, type ViteUserConfig } from 'vitest/config';

const [major = 0] = process.versions.node.split('.').map(Number);

/** Settings that the projects below share with the suites that have a configuration of their own. */
export const shared = {
  // Processes rather than threads, because V8's flags apply to a whole process.
  pool: 'forks',
  // One for each core: by default Vitest leaves one core idle, which is half of two.
  maxWorkers: '100%',
  execArgv: ['--expose-gc', ...(major < 22 ? ['--experimental-wasm-relaxed-simd'] : [])],
  testTimeout: 60_000,
  hookTimeout: 60_000,
} satisfies ViteUserConfig['test'];

// The number of workers is set for the whole run: in a project, it would override --maxWorkers.
const { maxWorkers, ...projectSettings } = shared;

/** Files that run in a process of their own, because garbage collection takes longer the more objects there are. */
const APART = ['test/reclaiming.test.ts'];

export default defineConfig({
  test: {
    maxWorkers,
    projects: [
      {
        test: {
          ...projectSettings,
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
      { test: { ...projectSettings, name: 'apart', include: APART } },
    ],
  },
});
