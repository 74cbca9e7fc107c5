import { describe, expect, test } from 'vitest';
import { examples, readmePrograms, runExample, runProgram } from './support/examples.js';

describe('examples', () => {
  test.each(examples)(
    '%s runs',
    async (name) => {
      const printed = await runExample(name);
      // What mistakes lead to may well be NaN.
      if (name !== 'common-mistakes.mjs') expect(printed).not.toMatch(/NaN|undefined/);
      if (name === 'train-classifier.mjs') {
        const accuracies = [...printed.matchAll(/^ +\d+ +[\d.]+ +([\d.]+) %$/gm)].map(([, percent]) => Number(percent));
        expect(accuracies.length).toBeGreaterThan(4);
        expect(accuracies.at(-1)).toBeGreaterThan(90);
        expect(printed).toContain('256 × 1024');
      }
    },
    60_000,
  );
});

test.each(readmePrograms)("the README's program that begins with %j runs", async (_, program) => {
  await expect(runProgram(program)).resolves.toBe('');
});
