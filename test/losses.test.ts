// Every loss and its gradient × backend × dtype, against the oracle.
import { describe, test } from 'vitest';
import { losses } from './operations/index.js';
import { sets } from './support/backends.js';
import { DTYPES } from './support/cases.js';
import { expectAccurateLoss, expectGradientOfLoss, fixtureProblem } from './support/losses.js';
import { once } from './support/once.js';

describe.each(losses)('$name', (operation) => {
  for (const [name, make] of Object.entries(operation.groups)) {
    for (const dtype of DTYPES) {
      const problems = once(() => make(dtype));
      for (const set of sets) {
        test(`${set.name} ${dtype}: ${name}`, () => {
          for (const p of problems()) expectAccurateLoss(set, operation, p);
        });
      }
    }
  }

  describe('fixtures', () => {
    const problems = operation.fixtures.map((c) => fixtureProblem(operation, c));
    for (const set of sets) {
      for (const p of problems) test(`${set.name} ${p.what}`, () => expectAccurateLoss(set, operation, p));
    }
  });

  test.each(sets)('$name: the gradient against differences of the loss', ({ kernels }) => {
    for (const reduction of operation.reductions) {
      for (const variant of operation.choices) {
        for (const shape of operation.differences) {
          const p = operation.make('float64', shape, 1, reduction, { variant, temperature: 2 });
          expectGradientOfLoss(kernels, operation, p);
        }
      }
    }
  });
});
