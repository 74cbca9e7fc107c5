import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { DTYPES, floatsOf, numbers } from './support/cases.js';

describe('known values', () => {
  for (const { name, kernels } of sets) {
    const { sigmoid } = kernels;
    for (const dtype of DTYPES) {
      test(`${name} ${dtype}: exact ones`, () => {
        const x = floatsOf(dtype, [0, -0, Infinity, -Infinity, NaN, 1e4, -1e4, 1e38, -1e38, 40, 5e-324]);
        expect([...sigmoid(x)]).toEqual([0.5, 0.5, 1, 0, NaN, 1, 0, 1, 0, 1, 0.5]);
      });

      test(`${name} ${dtype}: is monotonic up to one unit in the last place`, () => {
        const x = numbers(dtype, 5000, 'within ±79', 1).sort();
        const ulp = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
        const y = sigmoid(x);
        for (let i = 1; i < y.length; i++) expect(y[i]).toBeGreaterThanOrEqual((y[i - 1] as number) * (1 - ulp));
      });
    }

    test(`${name}: accurate up to the largest numbers`, () => {
      const [a, b, c] = sigmoid([-20, -87, -104]);
      expect(a).toBeCloseTo(2.0611537e-9, 15);
      expect(Math.abs((b as number) / 1.6458114e-38 - 1)).toBeLessThan(1e-6);
      expect(c).toBeLessThan(2 ** -126);
      expect(Math.abs((sigmoid(Float64Array.of(-708))[0] as number) / 3.307553003638408e-308 - 1)).toBeLessThan(1e-15);
    });
  }
});
