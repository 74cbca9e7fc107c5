// The programs in the documentation: each runs, and gives the results that it shows.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { numbers } from './support/cases.js';
import { programsIn, runDocumented } from './support/documentation.js';
import { readText } from './support/platform.js';

type Library = typeof import('../src/index.js');

/** The names that the programs of a page use without importing or declaring them. */
const GIVEN: Record<string, (library: Library) => Record<string, unknown>> = {
  'README.md': () => ({}),
  'docs/sampling.md': () => ({}),
  'docs/merging.md': () => ({}),
  'docs/calibration.md': (library) => {
    const [rows, classes] = [40, 3];
    const logits = numbers('float32', rows * classes, 'within ±8', 1);
    const predicted = library.argmax(logits, { shape: [rows, classes] });
    // Every other row is right, so that a best temperature exists.
    const labels = predicted.map((best, row) => (row % 2 === 0 ? best : (best + 1) % classes));
    const shards = [{ logits, labels }];
    return { rows, classes, logits, labels, shards, heldOutLogits: logits, heldOutLabels: labels };
  },
};

/** The least numbers of programs on a page and of results that they show. */
const LEAST: Record<string, [programs: number, told: number]> = {
  'README.md': [5, 3],
  'docs/sampling.md': [7, 7],
  'docs/merging.md': [1, 1],
  'docs/calibration.md': [4, 0],
};

for (const [page, given] of Object.entries(GIVEN)) {
  const programs = programsIn(await readText(page));

  describe(page, () => {
    let told = 0;

    // Each page's first program may set up the library.
    beforeEach(() => {
      vi.resetModules();
    });

    test.each(programs)('$name', async (program) => {
      const library = await import('../src/index.js');
      for (const pair of await runDocumented(program, { ...library, ...given(library) })) {
        told++;
        expect(pair.got).toBe(pair.told);
      }
    });

    test('has all of them', () => {
      const [fewest, results] = LEAST[page]!;
      expect(programs.length).toBeGreaterThanOrEqual(fewest);
      expect(told).toBeGreaterThanOrEqual(results);
    });
  });
}
