// log(1 + x) and log x for vectors of f32 and f64, without tables and branches.
//
// 1 + x = 2^k (1 + f) with 1 + f in [¾, 1½), and f = x · 2^-k + (2^-k − 1) rounds only once.
// With s = f / (2 + f): log(1 + f) = f − s (f − s² P(s²)), where P continues the series of the inverse hyperbolic
// tangent (as in FreeBSD's msun, e_log.c). Coefficients: Sollya.
// Errors: f32 at most 1.1 ULP, all inputs; f64 at most 1.5 ULP (log1p) and 1.6 ULP (log).

import { madd, nmadd } from "../simd/arch";
import { toFloats } from "../simd/lanes";

const LN2: f64 = 0.6931471805599453;

const TABLE_32 = memory.data<f32>([0.6666671633720398, 0.39978641271591187, 0.29963940382003784], 16);
const TABLE_64 = memory.data<f64>([
  0.6666666666666694, 0.3999999999933552, 0.28571428835523954, 0.2222218288215877,
  0.18184602868916347, 0.15283917434611477, 0.15116297628543318
], 16);

// @ts-ignore: decorator
@inline
function coefficient<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? TABLE_32 : TABLE_64) + i * sizeof<T>());
}

/** log(1 + f) + k · ln 2 */
// @ts-ignore: decorator
@inline
function logReduced<T>(f: v128, k: v128): v128 {
  const s = v128.div<T>(f, v128.add<T>(f, v128.splat<T>(2)));
  const z = v128.mul<T>(s, s);
  let p: v128;
  if (sizeof<T>() == 4) {
    p = madd<T>(madd<T>(coefficient<T>(2), z, coefficient<T>(1)), z, coefficient<T>(0));
  } else {
    const w = v128.mul<T>(z, z);
    let even = madd<T>(coefficient<T>(6), w, coefficient<T>(4));
    even = madd<T>(madd<T>(even, w, coefficient<T>(2)), w, coefficient<T>(0));
    const odd = madd<T>(madd<T>(coefficient<T>(5), w, coefficient<T>(3)), w, coefficient<T>(1));
    p = madd<T>(z, odd, even);
  }
  const logarithm = nmadd<T>(s, nmadd<T>(z, p, f), f);
  return madd<T>(k, v128.splat<T>(<T>LN2), logarithm);
}

/** log(1 + x) for 0 ≤ x ≤ 2^126 (2^1022 for f64); NaN for NaN. */
// @ts-ignore: decorator
@inline
export function log1p<T>(x: v128): v128 {
  const one = v128.splat<T>(1);
  const u = v128.add<T>(x, one);
  let scale: v128, k: v128;
  if (sizeof<T>() == 4) {
    const h = i32x4.sub(u, i32x4.splat(0x3f400000));
    scale = i32x4.sub(one, v128.and(h, i32x4.splat(0xff800000)));
    k = toFloats<T>(i32x4.shr_u(h, 23));
  } else {
    const h = i64x2.sub(u, i64x2.splat(0x3fe8000000000000));
    scale = i64x2.sub(one, v128.and(h, i64x2.splat(0xfff0000000000000)));
    k = toFloats<T>(i64x2.shr_u(h, 52));
  }
  return logReduced<T>(madd<T>(x, scale, v128.sub<T>(scale, one)), k);
}

/** log(1 + x) for 0 ≤ x ≤ 1, in fewer instructions; NaN for NaN. */
// @ts-ignore: decorator
@inline
export function log1pOfUnit<T>(x: v128, one: v128): v128 {
  const half = v128.splat<T>(0.5);
  const halves = v128.ge<T>(x, half);
  const f = v128.bitselect(v128.mul<T>(v128.sub<T>(x, one), half), x, halves);
  return logReduced<T>(f, v128.and(halves, one));
}

/** log x for any x: subnormals too, -∞ for 0, NaN below 0 and for NaN. */
// @ts-ignore: decorator
@inline
export function log<T>(x: v128): v128 {
  const one = v128.splat<T>(1), zero = v128.splat<T>(0);
  let h: v128, k: v128, f: v128;
  if (sizeof<T>() == 4) {
    const tiny = f32x4.lt(x, f32x4.splat(1.1754943508222875e-38));
    const y = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608.0)), x, tiny);
    h = i32x4.add(y, i32x4.splat(0x3f800000 - 0x3f400000));
    k = f32x4.sub(toFloats<T>(i32x4.shr_u(h, 23)), v128.bitselect(f32x4.splat(150), f32x4.splat(127), tiny));
    f = i32x4.add(v128.and(h, i32x4.splat(0x007fffff)), i32x4.splat(0x3f400000));
  } else {
    const tiny = f64x2.lt(x, f64x2.splat(2.2250738585072014e-308));
    const y = v128.bitselect(f64x2.mul(x, f64x2.splat(4503599627370496.0)), x, tiny);
    h = i64x2.add(y, i64x2.splat(0x3ff0000000000000 - 0x3fe8000000000000));
    k = f64x2.sub(toFloats<T>(i64x2.shr_u(h, 52)), v128.bitselect(f64x2.splat(1075), f64x2.splat(1023), tiny));
    f = i64x2.add(v128.and(h, i64x2.splat(0x000fffffffffffff)), i64x2.splat(0x3fe8000000000000));
  }
  const finite = logReduced<T>(v128.sub<T>(f, one), k);
  const regular = v128.bitselect(finite, x, v128.lt<T>(x, v128.splat<T>(<T>Infinity)));
  const invalid = v128.bitselect(v128.splat<T>(<T>-Infinity), v128.splat<T>(<T>NaN), v128.eq<T>(x, zero));
  return v128.bitselect(invalid, regular, v128.le<T>(x, zero));
}
