import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { DTYPES, floatsOf, newFloats, numbers } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { logPoints } from './support/fixtures.js';
import * as oracle from './support/oracle.js';

describe('t log t', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: over the whole range of t, subnormal numbers too`, () => {
      const t = Float64Array.from(logPoints.x).filter((x) => x >= 0 && x < 1e300);
      const y = kernels.klDiv(new Float64Array(t.length), t, { reduction: 'none' });
      const { loss } = oracle.klDiv('double-double', new Float64Array(t.length), t, { reduction: 'none' });
      t.forEach((_, i) => {
        const error = Math.abs((y[i] as number) - (loss.hi[i] as number));
        expect(error).toBeLessThanOrEqual(4 * 2 ** -52 * (loss.scale[i] as number) + 2 ** -1073);
      });
      const small = Float32Array.from([1e-45, 3e-40, 1.17e-38, 1.2e-38, 0.5, 0.75, 1, 1.5, 3e38, 0]);
      const result = kernels.klDiv(new Float32Array(small.length), small, { reduction: 'none' });
      small.forEach((value, i) => {
        const exact = value === 0 ? 0 : Math.fround(value * Math.log(value));
        const tolerance = 5e-7 * Math.abs(exact) + 2 ** -149;
        if (Number.isFinite(exact)) expect(Math.abs((result[i] as number) - exact)).toBeLessThanOrEqual(tolerance);
        else expect(result[i]).toBe(exact);
      });
    });

    test(`${name}: an element has the same bits whatever its neighbours are`, () => {
      for (const dtype of DTYPES) {
        const x = numbers(dtype, 600, 'within ±8', 3);
        const ordinary = numbers(dtype, 600, 'within ±8', 4).map((t) => Math.abs(t) + 1e-3);
        const expected = kernels.klDiv(x, ordinary, { reduction: 'none' });
        for (const special of [0, -0, -1, dtype === 'float32' ? 1e-40 : 1e-310, Infinity, NaN]) {
          const targets = ordinary.slice();
          const at = [0, 1, 130, 255, 257, 511, 599];
          for (const i of at) targets[i] = special;
          const loss = kernels.klDiv(x, targets, { reduction: 'none' });
          for (const i of at) loss[i] = expected[i]!;
          expectSame(loss, expected, `${dtype}, ${special}`);
        }
      }
    });

    test(`${name}: an element that differs in kind from all others is handled`, () => {
      // A block is searched four vectors at a time, and its tail one element at a time.
      for (const dtype of DTYPES) {
        const specials = [0, -1, dtype === 'float32' ? 1e-40 : 1e-310, NaN, Infinity];
        const x = numbers(dtype, 300, 'within ±8', 3);
        const alone = specials.map((special) =>
          kernels.klDiv(x.subarray(0, 1), floatsOf(dtype, [special]), { reduction: 'none' }),
        );
        for (const n of [4, 8, 12, 16, 20, 28, 60, 64, 252, 256, 260, 300]) {
          const ordinary = numbers(dtype, n, 'within ±8', 4).map((t) => Math.abs(t) + 1e-3);
          for (let at = 0; at < n; at += n < 64 ? 1 : 3) {
            specials.forEach((special, i) => {
              const targets = ordinary.slice();
              targets[at] = special;
              const logProbs = x.slice(0, n).fill(x[0] as number, at, at + 1);
              const loss = kernels.klDiv(logProbs, targets, { reduction: 'none' });
              expectSame(loss.subarray(at, at + 1), alone[i]!, `${dtype}, ${special} at ${at} of ${n}`);
            });
          }
        }
      }
    });

    test(`${name}: the sum and the mean of an infinite loss are ∞`, () => {
      for (const dtype of DTYPES) {
        for (const n of [1, 5, 40, 600]) {
          for (const at of [0, n - 1]) {
            const logProbs = newFloats(dtype, n).fill(-1);
            logProbs[at] = -Infinity;
            for (const [logTarget, t] of [
              [false, 0.5],
              [true, -1],
            ] as const) {
              const targets = newFloats(dtype, n).fill(t);
              const what = `${dtype}, ${n}, ${at}, ${logTarget}`;
              expect(kernels.klDiv(logProbs, targets, { logTarget, reduction: 'sum' }), what).toBe(Infinity);
              expect(kernels.klDiv(logProbs, targets, { logTarget }), what).toBe(Infinity);
            }
          }
        }
      }
    });

    test(`${name}: e^t outside the range of normal numbers`, () => {
      const t = [-200, -104, -87.4, 88.7, 88.8, 200];
      const { grad } = kernels.klDivWithGrad(new Float32Array(6), t, { logTarget: true, reduction: 'sum' });
      expect(grad[0]).toBe(-0);
      expect(grad[1]).toBeCloseTo(0, 37);
      expect(grad[2]).toBeCloseTo(0, 37);
      expect((grad[3] as number) / -Math.exp(Math.fround(88.7))).toBeCloseTo(1, 6);
      expect([grad[4], grad[5]]).toEqual([-Infinity, -Infinity]);
    });

    test(`${name}: e^t up to the ends of the normal numbers, and of NaN`, () => {
      for (const [dtype, targets] of [
        ['float32', [-87.33, -87.1, 88.61, 88.72]],
        ['float64', [-708.39, -708.1, 709.1, 709.78]],
      ] as const) {
        const t = floatsOf(dtype, [...targets, NaN]);
        const { grad } = kernels.klDivWithGrad(
          t.map(() => 0),
          t,
          { logTarget: true, reduction: 'sum' },
        );
        targets.forEach((_, i) => {
          expect((grad[i] as number) / -Math.exp(t[i] as number), `${dtype}, ${t[i]}`).toBeCloseTo(1, 6);
        });
        expect(grad[4]).toBeNaN();
      }
    });

    test(`${name}: plain numbers have the dtype of the log-probabilities`, () => {
      const logProbs = Float64Array.of(-0.5, -1);
      const targets = [0.6, 0.4];
      const loss = kernels.klDiv(logProbs, targets, { reduction: 'none' });
      expectSame(loss, kernels.klDiv(logProbs, Float64Array.from(targets), { reduction: 'none' }), 'plain');
    });
  }
});

const X = [-1, -2, -3, -4, -5, -6];
const T = [0.1, 0.2, 0.7, 0.3, 0.3, 0.4];
const shape = [2, 3];

describe.each(sets)('$name: batchMean', ({ kernels: { klDiv, klDivWithGrad, distillation } }) => {
  test('divides by the size of the first axis, unless it is the only one', () => {
    const x = Float64Array.of(-2, -1, -0.5, -1);
    const y = Float64Array.of(0.25, 0.25, 0.25, 0.25);
    for (const [shape, divisor] of [
      [[2, 2], 2],
      [[4], 1],
    ] as const) {
      const [batchMean, sum] = (['batchMean', 'sum'] as const).map((reduction) => ({ shape, reduction }));
      expect(klDiv(x, y, batchMean)).toBe((klDiv(x, y, sum) as number) / divisor);
      expect(distillation(x, y, batchMean)).toBe((distillation(x, y, sum) as number) / divisor);
    }
  });

  test('data without a shape: one row of distillation, and no batch of klDiv, whose elements are in no rows', () => {
    const message = 'reduction is "batchMean", expected shape, whose first axis is the batch';
    const batchMean = { reduction: 'batchMean' } as const;
    const x = [-2, -1, -0.5, -1];
    const y = [-1, -2, -3, -4];
    for (const [first, second] of [
      [x, y],
      [Float32Array.from(x), Float32Array.from(y)],
      [Float64Array.from(x), Float64Array.from(y)],
    ] as const) {
      expect(() => klDiv(first, second, batchMean)).toThrow(new RangeError(`klDiv: ${message}`));
      expect(() => klDivWithGrad(first, second, batchMean)).toThrow(new RangeError(`klDivWithGrad: ${message}`));
      const ofOne = distillation(first, second, { ...batchMean, shape: [4] });
      expect(ofOne).toBeGreaterThan(0);
      expect(distillation(first, second, batchMean)).toBe(ofOne);
      expect(distillation(first, second)).toBe(ofOne);
    }
  });
});

describeErrors([
  {
    message: 'klDivWithGrad: targets has 5 elements, expected 6, as logProbs',
    call: (k, out) => k.klDivWithGrad(X, T.slice(1), { shape, out }),
  },
  {
    message: 'klDivWithGrad: targets is float64, expected float32, as logProbs',
    type: TypeError,
    call: (k, out) => k.klDivWithGrad(X, Float64Array.from(T), { shape, out }),
  },
  {
    message: 'klDivWithGrad: logTarget is 1, expected true or false',
    type: TypeError,
    call: (k, out) => k.klDivWithGrad(X, T, { shape, out, logTarget: 1 as never }),
  },
  {
    message: 'klDivWithGrad: reduction is "batchmean", expected one of "mean", "batchMean", "sum", "none"',
    type: TypeError,
    call: (k, out) => k.klDivWithGrad(X, T, { shape, out, reduction: 'batchmean' as never }),
  },
  {
    message: 'klDiv: unknown option "log_target", the name is logTarget here',
    type: TypeError,
    call: (k) => k.klDiv(X, T, { shape, log_target: true } as never),
  },
  {
    message: 'klDiv: unknown option "axis", expected one of shape, logTarget, reduction, out',
    type: TypeError,
    call: (k) => k.klDiv(X, T, { shape, axis: 1 } as never),
  },
  {
    message: 'klDiv: out is given, expected none for reduction "mean", which gives a number',
    type: TypeError,
    call: (k, out) => k.klDiv(X, T, { shape, out: out as Float32Array }),
  },
]);
