// The elementary functions of the reference backend for float32; the suites test its operations.
import { expect, test } from 'vitest';
import { BASE, STRIDE } from '../src/generated/layout.js';
import { createKernels } from '../src/index.js';
import { exp32, exponentials, unshifted32 } from '../src/reference/exponential.js';
import { log1p32, log32 } from '../src/reference/logarithm.js';
import { placeOf } from '../src/reference/mask.js';
import type { Heaps } from '../src/wasm/kernel.js';
import { randomOf } from './support/cases.js';

test('exp32 is within 2^-34 of e^x', () => {
  const random = randomOf(32);
  let worst = 0;
  for (let i = 0; i < 200_000; i++) {
    const x = (random() - 0.5) * [1416, 200, 20, 1e-3][i % 4]!;
    const exact = Math.exp(x);
    worst = Math.max(worst, Math.abs(exp32(x) - exact) / exact);
  }
  expect(worst).toBeLessThan(2 ** -34);
  expect(worst).toBeGreaterThan(0);
});

test('exp32 is exact where e^x is, and 0 far below the float32 numbers', () => {
  for (const x of [0, -0, Infinity, -Infinity, Number.NaN]) expect(exp32(x)).toBe(Math.exp(x));
  expect(exp32(1000)).toBe(Infinity);
  expect(exp32(709)).toBe(Math.exp(709));
  expect(exp32(-708.5)).toBe(0);
  expect(exp32(-1e308)).toBe(0);
});

test('the loop over a row gives the bits of exp32', () => {
  const random = randomOf(34);
  const row = Float64Array.from({ length: 10_000 }, (_, i) =>
    Math.fround((random() - 0.5) * [2000, 200, 20, 1e-3][i % 4]!),
  );
  row.set([-Infinity, -1e38]);
  const e = new Float64Array(row.length);
  const max = Math.max(...row);
  exponentials(row, max, 1, 4, e);
  expect(e).toEqual(row.map((x) => exp32(x - max)));
});

test('so does the loop without a maximum, which gives 0 if a number is out of range', () => {
  const random = randomOf(35);
  const heap = Float32Array.from({ length: 2000 }, (_, i) => (random() - 0.5) * [599, 200, 20, 1e-3][i % 4]!);
  const e = new Float64Array(999);
  const total = unshifted32(heap, 2, 2, 2, e);
  expect(e).toEqual(Float64Array.from(e, (_, j) => exp32(heap[2 + 2 * j]! / 2)));
  expect(total).toBe(e.reduce((a, b) => a + b));
  for (const x of [300, -300, 1e38, Infinity, -Infinity, Number.NaN]) {
    heap[200] = x;
    expect(unshifted32(heap, 0, 1, 1, e)).toBe(0);
  }
});

test('the sum without the maximum is accurate to 2^-26, whether it is large or 0', () => {
  for (const n of [2, 10, 1000, 2 ** 20]) {
    // Equal terms: if they lose digits when added to the maximum, all lose the same ones.
    for (const distance of [0, 0.3, 3, 11.1, 17.7, 20, 27.7, 30, 700, Infinity]) {
      const row = new Float64Array(n).fill(-distance);
      row[0] = 0;
      const others = exponentials(row, 0, 1, 4, new Float64Array(n));
      const expected = (n - 1) * exp32(-distance);
      expect(Math.abs(others - expected)).toBeLessThanOrEqual(2 ** -26 * expected);
    }
  }
});

const float32 = new Float32Array(1);
const bits = new Int32Array(float32.buffer);

/** Compares log32 of the float32 with these bits with the engine's logarithm. */
function logarithms(of: number): { actual: number; exact: number } {
  bits[0] = of;
  return { actual: log32(float32[0]!, of), exact: Math.log(float32[0]!) };
}

test('log32 is within 2^-38 of log x, around 1 too', () => {
  const random = randomOf(33);
  let worst = 0;
  const check = (of: number) => {
    const { actual, exact } = logarithms(of);
    if (exact !== 0) worst = Math.max(worst, Math.abs((actual - exact) / exact));
    else expect(actual).toBe(0);
  };
  for (let i = 0; i < 200_000; i++) check(Math.floor(random() * 0x7f800000));
  for (let of = 0x3f7f0000; of < 0x3f820000; of++) check(of);
  expect(worst).toBeLessThan(2 ** -38);
  expect(worst).toBeGreaterThan(0);
});

test('log32 of numbers that are not normal is that of the engine', () => {
  for (const x of [0, -0, -1, 1e-42, Infinity, -Infinity, Number.NaN]) {
    float32[0] = x;
    const { actual, exact } = logarithms(bits[0]!);
    expect(actual).toBe(exact);
  }
});

test('log1p32 is within 2^-38 of log(1 + u), also where it changes its method', () => {
  const random = randomOf(36);
  let worst = 0;
  const check = (u: number) => {
    const exact = Math.log1p(u);
    worst = Math.max(worst, Math.abs((log1p32(u) - exact) / exact));
  };
  for (let i = 0; i < 200_000; i++) check(2 ** (random() * 110 - 75));
  for (const edge of [2 ** -8, 2 ** 30, ...Array.from({ length: 30 }, (_, k) => 2 ** (k + 1) - 1)]) {
    for (let i = -500; i < 500; i++) check(edge * (1 + i * 2 ** -12));
  }
  expect(worst).toBeLessThan(2 ** -38);
  expect(worst).toBeGreaterThan(0);
  for (const u of [0, 1e300, Infinity, Number.NaN]) expect(log1p32(u)).toBe(Math.log1p(u));
});

test('a mask above 2 GiB is found', () => {
  const i32 = new Int32Array(64);
  i32[BASE] = 0xc0000000;
  i32[STRIDE] = 1;
  expect(placeOf({ i32 } as Heaps, 0, 0, 5, 1)).toBe(0xc0000005);
});

test('topK sorts a row that is too long for its indices to be packed', () => {
  const { topK } = createKernels({ backend: 'reference' });
  const [n, k] = [2 ** 21 + 100, 70];
  const x = new Float32Array(n);
  for (let i = 0; i < k; i++) x[n - 1 - i] = 1 + i;
  const { values, indices } = topK(x, k);
  expect(indices).toEqual(Int32Array.from({ length: k }, (_, i) => n - k + i));
  expect(values).toEqual(x.slice(n - k));
});
