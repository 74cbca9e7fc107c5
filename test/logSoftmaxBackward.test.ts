import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { expectSame } from './support/compare.js';

describe('special values', () => {
  for (const { name, kernels } of sets) {
    const { logSoftmaxBackward } = kernels;

    test(`${name}: a NaN in dy makes its row NaN, one in logP its element`, () => {
      for (const n of [1, 3, 47, 48, 301]) {
        for (const at of [0, n >> 1, n - 1]) {
          const logP = new Float32Array(3 * n).fill(-Math.log(n));
          const dy = Float32Array.from(logP, (_, i) => i);
          const expected = logSoftmaxBackward(logP, dy, { shape: [3, n] });
          const spoilt = (values: Float32Array) => values.map((v, i) => (i === n + at ? NaN : v));
          expectSame(logSoftmaxBackward(spoilt(logP), dy, { shape: [3, n] }), spoilt(expected), `NaN in logP, ${n}`);
          expected.fill(NaN, n, 2 * n);
          expectSame(logSoftmaxBackward(logP, spoilt(dy), { shape: [3, n] }), expected, `NaN in dy, ${n}`);
        }
      }
    });

    test(`${name}: a logP of -∞ counts as probability 0, and far below 0 too`, () => {
      for (const n of [4, 60]) {
        for (const array of [Float32Array, Float64Array]) {
          for (const far of [-Infinity, -1e30, -800]) {
            const logP = new array(n).fill(far);
            logP[0] = 0;
            const dy = new array(n).fill(0.5);
            const dx = logSoftmaxBackward(logP, dy, { temperature: 2 });
            expect(dx[0]).toBe((0.5 - n / 2) / 2);
            expect(dx.subarray(1).every((value) => value === 0.25)).toBe(true);
          }
        }
      }
    });

    test(`${name}: an infinite dy follows the formula`, () => {
      for (const n of [3, 20, 60]) {
        for (const array of [Float32Array, Float64Array]) {
          const logP = new array(n).fill(-Math.log(n));
          const dy = new array(n).fill(1);
          dy[1] = Infinity;
          const expected = new array(n).fill(-Infinity);
          expected[1] = NaN;
          expectSame(logSoftmaxBackward(logP, dy), expected, `${array.name}, ${n}`);
        }
      }
    });

    test(`${name}: a logP above 0 follows the formula`, () => {
      const dx = logSoftmaxBackward([1, 80], [1, 1]);
      expect(dx[0]).toBeCloseTo(1 - 2 * Math.E, 5);
      expect((dx[1] as number) / (-2 * Math.exp(80))).toBeCloseTo(1, 5);
    });

    test(`${name}: gives the gradient of crossEntropy from one-hot rows`, () => {
      const x = Float64Array.of(1, 2, 3, 1, 5, 1);
      const { grad } = kernels.crossEntropyWithGrad(x, [0, 1], { shape: [2, 3], reduction: 'sum' });
      const logP = kernels.logSoftmax(x, { shape: [2, 3] });
      const dx = logSoftmaxBackward(logP, Float64Array.of(-1, 0, 0, 0, -1, 0), { shape: [2, 3] });
      dx.forEach((value, i) => {
        expect(value).toBeCloseTo(grad[i] as number, 14);
      });
    });
  }
});
