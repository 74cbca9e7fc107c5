import { describe, expect, test } from 'vitest';
import { softmax } from './operations/softmax.js';
import { compute, measureWorst } from './support/alongAxis.js';
import { sets, wasmSets } from './support/backends.js';
import { limitOf, SUM_BOUND } from './support/bounds.js';
import { DTYPES, type Kind, numbers, problem } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { expectedOf } from './support/expected.js';

const FACTS = { magnitude: 1, scale: 0, temperature: 1, n: 0 };

describe('accuracy lines', () => {
  for (const range of [8, 30, 79]) {
    for (const n of [2, 3, 10, 47, 48, 100, 1000, 4096, 32_000, 2 ** 17]) {
      const p = problem('float32', [Math.ceil(20_000 / n), n], `within ±${range}` as Kind, { seed: n });
      for (const set of wasmSets) {
        test(`${set.name}: rows of ${n} in ±${range}`, () => {
          const limit = limitOf(softmax.bounds, 'float32', set.backend, { ...FACTS, largest: range });
          const worst = measureWorst(set, softmax, p, (facts) => facts.magnitude);
          expect(worst).toBeLessThanOrEqual(limit);
          expect(worst).toBeGreaterThan(0);
        });
      }
    }
  }
});

describe('a row sums to 1', () => {
  for (const set of sets) {
    for (const kind of ['within ±8', 'within ±30', 'within ±79', 'all equal', 'long runs of equals'] as const) {
      test(`${set.name}: ${kind}`, () => {
        for (const n of [1, 2, 5, 47, 48, 500, 4096, 32_000, 2 ** 20]) {
          const y = set.kernels.softmax(numbers('float32', n, kind, n) as Float32Array);
          expect(Math.abs(y.reduce((a, b) => a + b, 0) - 1)).toBeLessThanOrEqual(SUM_BOUND);
        }
      });
    }
  }
});

describe('ranking', () => {
  for (const set of sets) {
    for (const dtype of DTYPES) {
      const ulp = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
      test(`${set.name} ${dtype}: in [0, 1], the largest first, neighbours out of order by at most 1 ULP`, () => {
        for (const kind of ['within ±8', 'within ±79', 'around 1000', 'within ±1e4', 'few values'] as const) {
          for (const n of [2, 3, 7, 16, 40, 100, 3000]) {
            const p = problem(dtype, [n], kind, { seed: n });
            const y = compute(set, softmax, p);
            const order = Array.from({ length: n }, (_, i) => i).sort(
              (a, b) => (p.x[b] as number) - (p.x[a] as number),
            );
            const largest = Math.max(...Array.from(y));
            expect(y[order[0] as number], p.what).toBe(largest);
            for (let i = 1; i < n; i++) {
              const above = y[order[i - 1] as number] as number;
              const below = y[order[i] as number] as number;
              const isTie = p.x[order[i - 1] as number] === p.x[order[i] as number];
              const isOrdered = isTie ? below === above : above >= below * (1 - ulp);
              if (!(below >= 0 && below <= 1 && isOrdered)) {
                expect.fail(`${p.what}: ${below} after ${above}, of ${isTie ? 'equals' : 'smaller ones'}`);
              }
            }
          }
        }
      });
      test(`${set.name} ${dtype}: steps of one ULP keep their order up to 1 ULP`, () => {
        for (const start of [-7.3, -0.9, 0.4, 1.7, 20]) {
          const x = numbers(dtype, 300, 'all equal', 1);
          for (let i = 0; i < x.length; i++) x[i] = start + i * Math.abs(start) * ulp * 2;
          const y = set.kernels.softmax(x);
          for (let i = 1; i < x.length; i++) {
            const [below, above] = [y[i - 1] as number, y[i] as number];
            if (!(above >= below * (1 - ulp))) expect.fail(`${start} and ${i} steps: ${above} after ${below}`);
          }
        }
      });
    }
  }
});

test.each(sets)('$name: in place, with a sparse mask and numbers out of range', ({ kernels }) => {
  for (const dtype of DTYPES) {
    for (const kind of ['around 1000', 'around -100', 'one far above'] as const) {
      const x = numbers(dtype, 4 * 60, kind, 1);
      const options = { shape: [4, 60], mask: Uint8Array.from(x, (_, i) => (i % 3 === 1 ? 0 : 1)) };
      const expected = kernels.softmax(x, options);
      using tensor = kernels.tensor(x, [4, 60]);
      kernels.softmax(tensor, { mask: options.mask, out: tensor });
      expectSame(tensor.data, expected, `${dtype}, ${kind}`);
    }
  }
});

test('one element is exactly 1', () => {
  for (const set of sets) {
    for (const x of [0, 3, -1e30, 88, 1e-40]) {
      expect(set.kernels.softmax([x])).toEqual(Float32Array.of(1));
      expect(set.kernels.softmax(Float64Array.of(x))).toEqual(Float64Array.of(1));
    }
  }
});

test('the oracle is asked once for all backends', () => {
  const p = problem('float32', [5], 'within ±8');
  expect(expectedOf(softmax, p)).toBe(expectedOf(softmax, p));
});

// Some processors take a hundred times as long for a subnormal result, so results may be 0 in its place.
describe('a probability too small for a normal float32 is 0, any other is not', () => {
  const SMALLEST = 2 ** -126;
  const steep = (count: number, most: number) => Float32Array.from({ length: count }, (_, i) => most * Math.sin(i * i));
  const shapes = [
    { shape: [40, 2] },
    { shape: [40, 3] },
    { shape: [70, 10] },
    { shape: [20, 300] },
    { shape: [300, 40], axis: 0 },
    { shape: [300, 5], axis: 0 },
  ];
  /** Expects every value to be 0 or a normal number, and 0 only where the expected value is not normal. */
  const expectNormal = (values: Float32Array, expected: Float32Array) => {
    const isWrong = (value: number, i: number) =>
      value === 0 ? Math.abs(expected[i] as number) > 1.0001 * SMALLEST : Math.abs(value) < SMALLEST;
    expect(values.findIndex(isWrong)).toBe(-1);
  };
  const { reference } = Object.fromEntries(sets.map(({ backend, kernels }) => [backend, kernels]));

  for (const { name, kernels } of wasmSets) {
    for (const most of [42, 50, 63, 90, 300]) {
      test(`${name}: logits up to ±${most}`, () => {
        for (const options of shapes) {
          const x = steep(options.shape[0]! * options.shape[1]!, most);
          const expected = reference!.softmax(x, options);
          expectNormal(kernels.softmax(x, options), expected);
          const inPlace = x.slice();
          expectNormal(kernels.softmax(inPlace, { ...options, out: inPlace }), expected);
          const mask = Uint8Array.from(x, (_, i) => (i % 7 === 3 ? 0 : 1));
          const masked = { ...options, mask: { data: mask, shape: options.shape } };
          expectNormal(kernels.softmax(x, masked), reference!.softmax(x, masked));
        }
      });

      test(`${name}: logits up to ±${most}, a row has the same bits among flat rows`, () => {
        for (const n of [2, 3, 10, 40, 300]) {
          const row = steep(n, most);
          const rows = Float32Array.from({ length: 40 * n }, (_, i) => Math.sin(i));
          rows.set(row, 17 * n);
          const all = kernels.softmax(rows, { shape: [40, n] });
          expectSame(all.subarray(17 * n, 18 * n), kernels.softmax(row), `${n}`);
          const alone = kernels.softmax(rows.subarray(0, n));
          expectSame(all.subarray(0, n), alone, `the first of ${n}`);
        }
      });

      test(`${name}: logits up to ±${most}, the gradient of a cross-entropy`, () => {
        for (const { shape, axis } of shapes) {
          const [rows, n] = axis === 0 ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
          const x = steep(rows * n, most);
          const targets = new Int32Array(rows);
          for (const reduction of ['sum', 'mean'] as const) {
            const options = { shape, axis: axis ?? 1, reduction };
            const { grad } = kernels.crossEntropyWithGrad(x, targets, options);
            const { grad: expected } = reference!.crossEntropyWithGrad(x, targets, options);
            // The gradient at a target, class 0, is computed on its own.
            const isTarget = (_: number, i: number) => (axis === 0 ? i < rows : i % n === 0);
            expectNormal(
              grad.map((value, i) => (isTarget(value, i) ? 0 : value)),
              expected.map((value, i) => (isTarget(value, i) ? 0 : value)),
            );
          }
        }
      });
    }
  }
});
