// e^x as a ratio up / down, where it is part of a quotient anyway: the sigmoid is up / (up + down), and log(1 + e^x)
// takes such a quotient too. x is within the bounds of boundedExp.
//
// x = n · ln 2 + r as in exp.ts, and e^r = (a + r) / (a − r) with a = r coth(r / 2), an even function: it takes two
// coefficients (f64: five) instead of six (ten) for e^r itself.
// Coefficients: Remez, for the least relative error of e^r on |r| ≤ ln 2 / 2 and a little more: f32 6e-10, f64 2e-19.

import { FUSED, madd, nmadd } from "../simd/arch";
import { shiftLeft } from "../simd/lanes";

// The table, elements of T.
export const INVERSE_LN2: usize = 0;
export const HIGH: usize = 1; // ln 2 in two parts; without FMA the first is cut so that n times it is exact
export const LOW: usize = 2;
export const MOST: usize = 3; // the largest x: e^x + 1 rounds to e^x, and up is finite
export const TWO: usize = 4;
export const FIRST: usize = 5; // of the coefficients of a: 2 + c1 r² + c2 r^4 + …

const TABLE_32 = FUSED
  ? memory.data<f32>([
      1.4426950408889634, 0.6931471824645996, -1.904654299957767e-9, 87, 2,
      0.16666617989540100, -0.0027659856714308261871
    ], 16)
  : memory.data<f32>([
      1.4426950408889634, 0.693115234375, 3.1946184945309417e-5, 87, 2,
      0.16666617989540100, -0.0027659856714308261871
    ], 16);
const TABLE_64 = FUSED
  ? memory.data<f64>([
      1.4426950408889634, 0.6931471805599453, 2.3190468138462996e-17, 708, 2,
      0.16666666666666555, -0.002777777777669646, 6.61375625015478e-5, -1.6533837190967367e-6, 4.136048560663455e-8
    ], 16)
  : memory.data<f64>([
      1.4426950408889634, 0.693147180559663, 2.8235290563031577e-13, 708, 2,
      0.16666666666666555, -0.002777777777669646, 6.61375625015478e-5, -1.6533837190967367e-6, 4.136048560663455e-8
    ], 16);

/** An entry of the table in all lanes: loaded before a loop and passed in. */
// @ts-ignore: decorator
@inline
export function constant<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? TABLE_32 : TABLE_64) + i * sizeof<T>());
}

/** r = x − n · ln 2, given shifted = x · log2e + magic, the biased one. */
// @ts-ignore: decorator
@inline
export function remainderOf<T>(x: v128, shifted: v128, magic: v128, high: v128, low: v128): v128 {
  const n = v128.sub<T>(shifted, magic);
  return nmadd<T>(n, low, nmadd<T>(n, high, x));
}

/** a = r coth(r / 2) */
// @ts-ignore: decorator
@inline
export function evenOf<T>(r: v128, two: v128): v128 {
  const z = v128.mul<T>(r, r);
  let p: v128;
  if (sizeof<T>() == 4) p = madd<T>(constant<T>(FIRST + 1), z, constant<T>(FIRST));
  else {
    p = madd<T>(constant<T>(FIRST + 4), z, constant<T>(FIRST + 3));
    p = madd<T>(madd<T>(p, z, constant<T>(FIRST + 2)), z, constant<T>(FIRST + 1));
    p = madd<T>(p, z, constant<T>(FIRST));
  }
  return madd<T>(p, z, two);
}

/** (a + r) · 2^n; e^x is up / (a − r). */
// @ts-ignore: decorator
@inline
export function upOf<T>(a: v128, r: v128, shifted: v128): v128 {
  return v128.mul<T>(v128.add<T>(a, r), shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
}
