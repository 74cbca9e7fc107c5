import { describe, expect, test } from 'vitest';
import { logSumExp } from './operations/logSumExp.js';
import { testAccuracy } from './support/alongAxis.js';
import { sets } from './support/backends.js';
import { type Dtype, newFloats, type Problem, problem, randomOf, sizeOf } from './support/cases.js';

describe('known values', () => {
  for (const set of sets) {
    test(`${set.name}: terms that are small relative to the maximum`, () => {
      expect(set.kernels.logSumExp(Float64Array.of(0, -40))).toBe(4.248354255291589e-18);
      expect(set.kernels.logSumExp(Float64Array.of(-40, 0))).toBe(4.248354255291589e-18);
      expect(set.kernels.logSumExp([0, -40])).toBe(Math.fround(4.248354255291589e-18));
    });

    test(`${set.name}: no overflow`, () => {
      expect(set.kernels.logSumExp([1000, 1000])).toBe(Math.fround(1000 + Math.LN2));
      expect(set.kernels.logSumExp(Float64Array.of(-1e300, -1e300))).toBe(-1e300);
    });
  }
});

// If the maximum outweighs the rest of its row together, the kernel searches for it again, wherever it is.
describe('a maximum far above the others', () => {
  testAccuracy(logSumExp, 'in every place', (dtype) =>
    [49, 103, 300].map((n) => {
      const p = problem(dtype, [n, n], 'within ±8', { axis: 1 });
      for (let i = 0; i < n * n; i++) p.x[i] = i % (n + 1) === 0 ? 0 : (p.x[i] as number) - 30;
      return p;
    }),
  );
});

/** A problem with weights of the given shape, a third of them 0; x is NaN or infinite where they are. */
function weighted(dtype: Dtype, shape: readonly number[], own: readonly number[], axis: number): Problem {
  const random = randomOf(sizeOf(own));
  const data = newFloats(dtype, sizeOf(own)).map(() => (random() < 1 / 3 ? 0 : 3 * random()));
  const p = problem(dtype, shape, 'within ±30', { axis, seed: sizeOf(shape), temperature: 1.5 });
  if (own.length === shape.length && sizeOf(own) === sizeOf(shape)) {
    for (let i = 0; i < data.length; i++) if (data[i] === 0) p.x[i] = [NaN, Infinity, -Infinity][i % 3] as number;
  }
  return { ...p, what: `${p.what}, weights [${own}]`, weights: { data, shape: own } };
}

describe('weights', () => {
  testAccuracy(logSumExp, 'of every shape that broadcasts', (dtype) =>
    [1, 7, 50].flatMap((n) =>
      [1, 2, 5].flatMap((inner) =>
        [[2, n, inner], [n, inner], [n, 1], [inner], [2, 1, inner], [2, n, 1], [1]].map((own) =>
          weighted(dtype, [2, n, inner], own, 1),
        ),
      ),
    ),
  );

  testAccuracy(logSumExp, 'with a mask', (dtype) =>
    [5, 60].map((n) => ({
      ...weighted(dtype, [4, n], [4, n], 1),
      mask: Uint8Array.from({ length: 4 * n }, (_, i) => (i % 7 < 4 ? 1 : 0)),
    })),
  );

  // As many axes as possible, because kernels count along them.
  testAccuracy(logSumExp, 'with a mask that lies along the axes that they do not', (dtype) => [
    {
      ...weighted(dtype, [2, 2, 2, 2, 2, 2, 2, 2, 5], [1, 2, 1, 2, 1, 2, 1, 2, 5], 8),
      mask: {
        data: Uint8Array.from({ length: 16 * 5 }, (_, i) => (i % 7 < 4 ? 1 : 0)),
        shape: [2, 1, 2, 1, 2, 1, 2, 1, 5],
      },
    },
  ]);

  // The sum is 1 but for a rounding error, and the result is that error alone.
  testAccuracy(logSumExp, 'of a maximum far above the others', (dtype) =>
    [2, 7, 50].map((n) => {
      const p = problem(dtype, [n], 'within ±8');
      const weights = p.x.map((_, i) => (i === 1 ? 1 : 0.5 + (i % 3)));
      p.x.forEach((value, i) => {
        p.x[i] = i === 1 ? 0 : value - 60;
      });
      return { ...p, weights };
    }),
  );

  testAccuracy(logSumExp, 'of long rows that stream', (dtype) => [weighted(dtype, [300, 1000], [300, 1000], 1)]);

  for (const { name, kernels } of sets) {
    test(`${name}: inputs of every kind`, () => {
      const x = Float32Array.of(1, 2, 3, 4);
      const w = Float32Array.of(0.5, 2, 0, 1);
      const expected = kernels.logSumExp(x, { shape: [2, 2], weights: w });
      using tensor = kernels.tensor(x, [2, 2]);
      using weights = kernels.tensor(w, [2, 2]);
      using y = kernels.logSumExp(tensor, { weights });
      expect(y.toArray()).toEqual(expected);
      const options = { shape: [2, 2] };
      expect(kernels.logSumExp(x, { ...options, weights })).toEqual(expected);
      expect(kernels.logSumExp(x, { ...options, weights: Float64Array.from(w) })).toEqual(expected);
      expect(kernels.logSumExp(x, { ...options, weights: [0.5, 2, 0, 1] })).toEqual(expected);
      expect(kernels.logSumExp(x, { ...options, weights: { data: w, shape: [2, 2] } })).toEqual(expected);
    });
  }
});

test.each(sets)(
  '$name: a weight for each element, of another type than they are and wherever it lies',
  ({ kernels }) => {
    const weights = [1, 2, 0.5, 1.5];
    const shape = [2, 2];
    const half = { data: Uint16Array.of(0x3c00, 0x4000, 0x3800, 0x3e00), shape, type: 'float16' as const };
    for (const [x, dtype] of [
      [Float64Array.of(0, 1, 2, 3), 'float32'],
      [Float32Array.of(0, 1, 2, 3), 'float64'],
    ] as const) {
      const expected = kernels.logSumExp(x, { shape, weights });
      using resident = kernels.tensor(weights, shape, { dtype });
      for (const given of [resident, resident.toArray(), half]) {
        expect(kernels.logSumExp(x, { shape, weights: given })).toEqual(expected);
      }
    }
  },
);
