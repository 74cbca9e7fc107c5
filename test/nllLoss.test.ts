import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { DTYPES, floatsOf, numbers } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { randomIndices } from './support/losses.js';

describe('only the targets are read', () => {
  for (const set of sets) {
    test(`${set.name}: from an array outside or inside linear memory`, () => {
      const { kernels } = set;
      const x = new Float32Array(30 * 40).fill(NaN);
      const targets = randomIndices(30, 40, 3);
      targets.forEach((t, row) => {
        x[row * 40 + t] = -1 - row;
      });
      const expected = Float32Array.from({ length: 30 }, (_, row) => 1 + row);
      const options = { shape: [30, 40], reduction: 'none' } as const;
      expectSame(kernels.nllLoss(x, targets, options), expected, 'array');
      const tensor = kernels.tensor(x, [30, 40]);
      const losses = kernels.nllLoss(tensor, targets, { reduction: 'none' });
      expectSame(losses.data, expected, 'tensor');
      expectSame(kernels.nllLoss(tensor.data, targets, options), expected, 'view');
      losses.dispose();
      tensor.dispose();
    });
  }
});

describe('known values', () => {
  for (const { name, kernels } of sets) {
    const { nllLossWithGrad } = kernels;
    for (const dtype of DTYPES) {
      const x = floatsOf(dtype, [-1, -2, -3, -Infinity, NaN, 5, 0, -1e-40, -6]);
      const shape = [3, 3];

      test(`${name} ${dtype}: the element at the target decides alone, whatever it is`, () => {
        const given = nllLossWithGrad(x, [1, 0, 2], { shape, reduction: 'none' });
        expect(given.loss).toEqual(floatsOf(dtype, [2, Infinity, 6]));
        expectSame(
          given.grad.map((g) => g + 0),
          [0, -1, 0, -1, 0, 0, 0, 0, -1],
          'gradient',
        );
        expect([...nllLossWithGrad(x, [0, 1, 0], { shape, reduction: 'none' }).loss]).toEqual([1, NaN, -0]);
        // A positive log-probability follows the formula.
        expect(nllLossWithGrad(x, [2, 2, -100], { shape, reduction: 'sum' }).loss).toBe(-2);
      });

      test(`${name} ${dtype}: every row ignored, or no rows`, () => {
        for (const [reduction, expected] of [
          ['mean', NaN],
          ['sum', 0],
        ] as const) {
          const ignored = nllLossWithGrad(x, [-100, -100, -100], { shape, reduction });
          expect(ignored.loss).toBe(expected);
          expectSame(ignored.grad, new Float64Array(9), 'gradient');
          const empty = nllLossWithGrad(floatsOf(dtype, []), [], { shape: [0, 3], reduction });
          expect(empty.loss).toBe(expected);
          expect(empty.grad.length).toBe(0);
        }
        const none = nllLossWithGrad(x, [7, 7, 7], { shape, reduction: 'none', ignoreIndex: 7 });
        expect(none.loss).toEqual(floatsOf(dtype, [0, 0, 0]));
      });

      test(`${name} ${dtype}: a class with weight 0`, () => {
        const weight = floatsOf(dtype, [0, 4, 1]);
        const mean = nllLossWithGrad(x, [1, 1, 2], { shape, weight, ignoreIndex: 1 });
        expect(mean.loss).toBe(6);
        const none = nllLossWithGrad(x, [0, -100, 2], { shape, weight });
        expect(none.loss).toBe(6);
        expectSame(
          none.grad.map((g) => g + 0),
          [0, 0, 0, 0, 0, 0, 0, 0, -1],
          'gradient',
        );
      });
    }
  }
});

test('from log-softmax it is cross-entropy', () => {
  for (const { kernels } of sets) {
    const x = numbers('float64', 60, 'within ±8', 5);
    const targets = randomIndices(6, 10, 7);
    const shape = [6, 10];
    const loss = kernels.nllLoss(kernels.logSoftmax(x, { shape }), targets, { shape });
    expect(Math.abs(loss - kernels.crossEntropy(x, targets, { shape }))).toBeLessThan(1e-14);
  }
});

const X = [-1, -2, -3, -4, -5, -6];
const shape = [2, 3];

describeErrors([
  {
    message: 'nllLossWithGrad: targets is Float32Array(2), expected class indices (integers: Int32Array.from converts)',
    type: TypeError,
    call: (k, out) => k.nllLossWithGrad(X, new Float32Array(2) as never, { shape, ignoreIndex: 0, out }),
  },
  {
    message: 'nllLossWithGrad: targets is undefined, expected class indices (integers: Int32Array.from converts)',
    type: TypeError,
    call: (k, out) => k.nllLossWithGrad(X, undefined as never, { shape, out }),
  },
  {
    message: 'nllLossWithGrad: targets[1] is 3, expected an integer in [0, 3) or ignoreIndex (-100)',
    call: (k, out) => k.nllLossWithGrad(X, [0, 3], { shape, out }),
  },
  {
    message: 'nllLossWithGrad: targets is Float32Array(6), expected class indices (integers: Int32Array.from converts)',
    type: TypeError,
    call: (k, out) => k.nllLossWithGrad(X, new Float32Array(6) as never, { shape, out }),
  },
  {
    message: 'nllLossWithGrad: weight has 2 elements, expected 3, one for each class',
    call: (k, out) => k.nllLossWithGrad(X, [0, 1], { shape, out, weight: [1, 2] }),
  },
  {
    message: 'nllLossWithGrad: targets has 3 elements, expected 2, one for each row',
    call: (k, out) => k.nllLossWithGrad(X, [0, 1, 2], { shape, out }),
  },
  {
    message:
      'nllLoss: unknown option "labelSmoothing", expected one of shape, axis, weight, ignoreIndex, reduction, out',
    type: TypeError,
    call: (k) => k.nllLoss(X, [0, 1], { shape, labelSmoothing: 0.1 } as never),
  },
  {
    message: 'nllLoss: reduction is "batchMean", expected one of "mean", "sum", "none"',
    type: TypeError,
    call: (k) => k.nllLoss(X, [0, 1], { shape, reduction: 'batchMean' } as never),
  },
]);
