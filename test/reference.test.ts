// The exponential that the reference backend computes of float32 elements; its operations are in the suites.
import { expect, test } from 'vitest';
import { exp32 } from '../src/reference/exponential.js';
import { randomOf } from './support/cases.js';

test('exp32 is within 2^-40 of e^x', () => {
  const random = randomOf(32);
  let worst = 0;
  for (let i = 0; i < 200_000; i++) {
    const x = (random() - 0.5) * [1416, 200, 20, 1e-3][i % 4]!;
    const exact = Math.exp(x);
    worst = Math.max(worst, Math.abs(exp32(x) - exact) / exact);
  }
  expect(worst).toBeLessThan(2 ** -40);
  expect(worst).toBeGreaterThan(0);
});

test('exp32 is exact where e^x is, and 0 far below the float32 numbers', () => {
  for (const x of [0, -0, Infinity, -Infinity, Number.NaN]) expect(exp32(x)).toBe(Math.exp(x));
  expect(exp32(1000)).toBe(Infinity);
  expect(exp32(709)).toBe(Math.exp(709));
  expect(exp32(-708.5)).toBe(0);
  expect(exp32(-1e308)).toBe(0);
});
