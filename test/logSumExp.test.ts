import { describe, expect, test } from 'vitest';
import { describeAlongAxis } from './support/alongAxis.js';
import { sets } from './support/backends.js';

describeAlongAxis('logSumExp');

describe('values to know', () => {
  for (const set of sets) {
    test(`${set.name}: small beside the maximum`, () => {
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
