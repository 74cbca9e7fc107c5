/** Shared by the tests of operations that look up each row's target. */

import { describe, test } from 'vitest';
import type { Kernels } from '../../src/index.js';
import { sets } from './backends.js';
import { newFloats, numbers } from './cases.js';
import { expectSame } from './compare.js';
import { describeErrors } from './failures.js';
import { numbersOf, randomIndices } from './losses.js';

type Run = (logits: unknown, targets: unknown, options: object) => unknown;

/** `choices` are options that take different paths. */
export function describeTargets(operation: 'accuracy' | 'logProbs', choices: readonly object[] = [{}]): void {
  const run = (kernels: Kernels, logits: unknown, targets: unknown, options: object) =>
    numbersOf((kernels[operation] as Run)(logits, targets, options));

  describe.each(sets)('$name', ({ kernels }) => {
    test('reads nothing of the logits that it must not', () => {
      using home = kernels.tensor(newFloats('float32', 400).fill(NaN));
      for (const [rows, n] of [
        [3, 50],
        [17, 7],
        [5, 3],
      ] as const) {
        const source = numbers('float32', rows * n, 'within ±8', n);
        const targets = randomIndices(rows, n, 4);
        const input = home.data.fill(NaN).subarray(5, 5 + rows * n);
        input.set(source);
        for (const choice of choices) {
          const options = { ...choice, shape: [rows, n] };
          expectSame(run(kernels, input, targets, options), run(kernels, source, targets, options), `${n}`);
        }
      }
    });
  });

  const X = [1, 2, 3, 4, 5, 6];
  const shape = [2, 3];
  describeErrors([
    {
      message: `${operation}: targets[1] is 3, expected an integer in [0, 3) or ignoreIndex (-100)`,
      call: (k) => run(k, X, [0, 3], { shape }),
    },
    {
      message: `${operation}: targets is Float32Array(6), expected class indices (integers: Int32Array.from converts)`,
      type: TypeError,
      call: (k) => run(k, X, new Float32Array(6), { shape }),
    },
    ...[undefined, 'cat'].map((given) => ({
      message: `${operation}: targets is ${given && `"${given}"`}, expected class indices (integers: Int32Array.from converts)`,
      type: TypeError,
      call: (k: Kernels) => run(k, X, given, { shape }),
    })),
    {
      message: `${operation}: targets has 3 elements, expected 2, one for each row`,
      call: (k) => run(k, X, [0, 1, 2], { shape }),
    },
    {
      message: `${operation}: targets has shape [1, 2], expected [2], the shape without its axis`,
      call: (k) => run(k, X, { data: Int32Array.of(0, 1), shape: [1, 2] }, { shape }),
    },
    {
      message: `${operation}: ignoreIndex is 0.5, expected an integer`,
      call: (k) => run(k, X, [0, 1], { shape, ignoreIndex: 0.5 }),
    },
  ]);
}
