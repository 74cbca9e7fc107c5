import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { expectSame } from './support/compare.js';

describe('special values', () => {
  for (const { name, kernels } of sets) {
    const { softmaxBackward } = kernels;

    test(`${name}: a NaN in either makes its row NaN, and only that`, () => {
      for (const n of [1, 3, 47, 48, 301]) {
        for (const at of [0, n >> 1, n - 1]) {
          const y = new Float32Array(3 * n).fill(1 / n);
          const dy = Float32Array.from(y, (_, i) => i);
          const expected = softmaxBackward(y, dy, { shape: [3, n] });
          expected.fill(NaN, n, 2 * n);
          const spoilt = (values: Float32Array) => values.map((v, i) => (i === n + at ? NaN : v));
          expectSame(softmaxBackward(spoilt(y), dy, { shape: [3, n] }), expected, `NaN in y, ${n}`);
          expectSame(softmaxBackward(y, spoilt(dy), { shape: [3, n] }), expected, `NaN in dy, ${n}`);
        }
      }
    });

    test(`${name}: where y is 0 the gradient is 0`, () => {
      for (const n of [4, 60]) {
        const y = new Float32Array(n);
        y[0] = 0.5;
        y[n - 1] = 0.5;
        const dy = Float32Array.from(y, (_, i) => 1e30 * (i % 2 ? 1 : -1));
        const dx = softmaxBackward(y, dy);
        expect(dx.slice(1, -1).every((value) => value === 0)).toBe(true);
        expect([dx[0], dx[n - 1]]).toEqual([Math.fround(-5e29), Math.fround(5e29)]);
      }
    });

    test(`${name}: an infinite dy follows the formula`, () => {
      for (const n of [3, 20, 60]) {
        for (const array of [Float32Array, Float64Array]) {
          const y = new array(n).fill(1 / n);
          const dy = new array(n).fill(1);
          dy[1] = Infinity;
          const expected = new array(n).fill(-Infinity);
          expected[1] = NaN;
          expectSame(softmaxBackward(y, dy), expected, `${array.name}, ${n}`);
        }
      }
    });

    test(`${name}: finite where the exact result is`, () => {
      for (const n of [2, 60]) {
        const y = new Float32Array(n);
        const dy = new Float32Array(n);
        y.set([0.75, 0.25]);
        dy.set([3e38, -3e38]);
        const dx = softmaxBackward(y, dy);
        expect((dx[0] as number) / 1.125e38).toBeCloseTo(1, 6);
        expect((dx[1] as number) / -1.125e38).toBeCloseTo(1, 6);
      }
    });

    test(`${name}: a certain row has no gradient`, () => {
      expect(softmaxBackward([0, 1, 0], [5, -3, 2]).every((value) => value === 0)).toBe(true);
    });
  }
});
