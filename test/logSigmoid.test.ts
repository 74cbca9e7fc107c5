import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { DTYPES, floatsOf } from './support/cases.js';

describe('known values', () => {
  for (const { name, kernels } of sets) {
    const { logSigmoid } = kernels;
    for (const dtype of DTYPES) {
      test(`${name} ${dtype}: where the result is x`, () => {
        const x = floatsOf(dtype, [-90, -1e4, -3e38, -Infinity, NaN]);
        expect(logSigmoid(x)).toEqual(x);
      });

      test(`${name} ${dtype}: where the sigmoid is almost 1`, () => {
        const [far, farther] = logSigmoid(floatsOf(dtype, [20, Infinity]));
        expect(far).toBeCloseTo(-2.0611536e-9, 15);
        expect(Math.abs(farther as number)).toBe(0);
      });
    }

    test(`${name}: finite where log(sigmoid(x)) is not`, () => {
      expect(Math.log(kernels.sigmoid([-200])[0] as number)).toBe(-Infinity);
      expect([...logSigmoid([-200])]).toEqual([-200]);
    });
  }
});
