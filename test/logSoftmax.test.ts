import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';

describe('values to know', () => {
  for (const set of sets) {
    test(`${set.name}: a probability of almost 1 keeps its digits`, () => {
      const y = set.kernels.logSoftmax(Float64Array.of(29.2, 0));
      expect(y[0]).toBeCloseTo(-2.0826e-13, 16);
      expect(Math.abs((y[0] as number) / -Math.log1p(Math.exp(-29.2)) - 1)).toBeLessThan(1e-15);
      expect(set.kernels.logSoftmax(Float64Array.of(0, -40))[0]).toBe(-4.248354255291589e-18);
    });

    test(`${set.name}: shifting a row by what is exact changes nothing`, () => {
      for (const n of [3, 30, 300]) {
        const x = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 64) / 8);
        const shifted = x.map((value) => value + 4096);
        expect(set.kernels.logSoftmax(shifted)[n - 1]).toBeCloseTo(set.kernels.logSoftmax(x)[n - 1] as number, 13);
      }
    });
  }
});
