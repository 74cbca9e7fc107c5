import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';

describe('known values', () => {
  for (const set of sets) {
    test(`${set.name}: a probability near 1 keeps its digits`, () => {
      const y = set.kernels.logSoftmax(Float64Array.of(29.2, 0));
      expect(y[0]).toBeCloseTo(-2.0826e-13, 16);
      expect(Math.abs((y[0] as number) / -Math.log1p(Math.exp(-29.2)) - 1)).toBeLessThan(1e-15);
      expect(set.kernels.logSoftmax(Float64Array.of(0, -40))[0]).toBe(-4.248354255291589e-18);
    });

    test(`${set.name}: an exact shift of a row changes nothing`, () => {
      for (const n of [3, 30, 300]) {
        const x = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 64) / 8);
        const shifted = x.map((value) => value + 4096);
        expect(set.kernels.logSoftmax(shifted)[n - 1]).toBeCloseTo(set.kernels.logSoftmax(x)[n - 1] as number, 13);
      }
    });

    // Found by test:hunt: a float64 term at the start, whose sum with each later term rounds in the same direction.
    test(`${set.name}: many terms and one that outweighs them`, () => {
      const low = -1000;
      // biome-ignore format: numbers
      const x = Float64Array.of(695.3364941528368, low, 672.7677589628969, low, 672.7677589628968, low, 672.767758962897, low, 672.7677590481737, low, 672.767758940836, 672.7677590796333, low, 672.7677591071174, 672.7677588996811, low, 672.767758962897, low, low, 672.7677589593261, low, low, low, 672.7677590942801, 672.7677589628973, low, low, low, low, low, low, low, low, 672.7677590573935, low, low, low, low, low, 721.6066558004104, 672.7677589628969, low, low, 672.7677591094746, low, low, low, low, 672.7677589628967);
      // By mpmath.
      const exact = -3.899543405934217e-12;
      const found = set.kernels.logSoftmax(x)[39] as number;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(5 * 2 ** -52 * -exact);
    });
  }
});
