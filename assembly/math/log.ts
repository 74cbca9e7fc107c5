// log(1 + x) and log x for vectors of f32 and f64, without tables and branches.
//
// 1 + x = 2^k (1 + f) with 1 + f in [¾, 1½), and f = x · 2^-k + (2^-k − 1) rounds only once.
// With s = f / (2 + f): log(1 + f) = f − s (f − s² P(s²)), where P continues the series of the inverse hyperbolic
// tangent (as in FreeBSD's msun, e_log.c). Coefficients: Sollya.
// Errors: f32 at most 1.1 ULP, all inputs; f64 at most 1.5 ULP (log1p) and 1.6 ULP (log).

import { madd, nmadd, select } from "../simd/arch";
import { toFloats } from "../simd/lanes";

// The coefficients of P, then 2 and ln 2.
const TABLE_32 = memory.data<f32>([
  0.6666671633720398, 0.39978641271591187, 0.29963940382003784, 2, 0.6931471805599453
], 16);
const TABLE_64 = memory.data<f64>([
  0.6666666666666694, 0.3999999999933552, 0.28571428835523954, 0.2222218288215877,
  0.18184602868916347, 0.15283917434611477, 0.15116297628543318, 2, 0.6931471805599453
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
  const s = v128.div<T>(f, v128.add<T>(f, coefficient<T>(sizeof<T>() == 4 ? 3 : 7)));
  const z = v128.mul<T>(s, s);
  const logarithm = nmadd<T>(s, nmadd<T>(z, series<T>(z), f), f);
  return madd<T>(k, coefficient<T>(sizeof<T>() == 4 ? 4 : 8), logarithm);
}

/** P(z) */
// @ts-ignore: decorator
@inline
function series<T>(z: v128): v128 {
  if (sizeof<T>() == 4) return madd<T>(madd<T>(coefficient<T>(2), z, coefficient<T>(1)), z, coefficient<T>(0));
  const w = v128.mul<T>(z, z);
  let even = madd<T>(coefficient<T>(6), w, coefficient<T>(4));
  even = madd<T>(madd<T>(even, w, coefficient<T>(2)), w, coefficient<T>(0));
  const odd = madd<T>(madd<T>(coefficient<T>(5), w, coefficient<T>(3)), w, coefficient<T>(1));
  return madd<T>(z, odd, even);
}

/** log(1 + x) for 0 ≤ x ≤ 2^126 (2^1022 for f64); NaN for NaN. */
// @ts-ignore: decorator
@inline
export function log1p<T>(x: v128): v128 {
  const one = v128.splat<T>(1);
  const u = v128.add<T>(x, one);
  let scale: v128, k: v128;
  if (sizeof<T>() == 4) {
    const h = i32x4.sub(u, bits<T>(0));
    scale = i32x4.sub(one, v128.and(h, bits<T>(1)));
    k = toFloats<T>(i32x4.shr_u(h, 23));
  } else {
    const h = i64x2.sub(u, bits<T>(0));
    scale = i64x2.sub(one, v128.and(h, bits<T>(1)));
    k = toFloats<T>(i64x2.shr_u(h, 52));
  }
  return logReduced<T>(madd<T>(x, scale, v128.sub<T>(scale, one)), k);
}

/** Coefficient of log1pOfRatio for f32. */
// @ts-ignore: decorator
@inline
export function log1pCoefficient(i: usize): v128 {
  return v128.load_splat<f32>(UNIT_32 + (i << 2));
}

// Constants of log1pOfRatio and log beside the coefficients, loaded where they are used: V8 would rebuild a v128.const,
// in three instructions, in every iteration.
const UNIT_32 = memory.data<f32>([0.6666641235351562, 0.4002169966697693, 0.2799912989139557, 0.28024524450302124], 16);
// The least normal number; the factor that makes subnormal numbers normal, and its logarithm; the bias of exponents.
const FLOATS_32 = memory.data<f32>([1.1754943508222875e-38, 8388608.0, 23, 127], 16);
const FLOATS_64 = memory.data<f64>([2.2250738585072014e-308, 4503599627370496.0, 52, 1023], 16);
// ¾ in bits; sign and exponent.
const BITS_32 = memory.data<u32>([0x3f400000, 0xff800000], 16);
const BITS_64 = memory.data<u64>([0x3fe8000000000000, 0xfff0000000000000], 16);

/**
 * log(1 + up / down) for 0 ≤ up ≤ down, down normal; NaN for NaN. With f = up / down it is 2 · artanh(s), s = f / (2 +
 * f) ≤ 1/3: a single division. For f64, 1 + f is halved where f ≥ ½: f becomes (f − 1) / 2, and ln 2 is added. `two` is
 * 2 in all lanes.
 */
// @ts-ignore: decorator
@inline
export function log1pOfRatio<T>(up: v128, down: v128, two: v128): v128 {
  if (sizeof<T>() == 4) {
    const s = f32x4.div(up, madd<f32>(down, two, up));
    const z = f32x4.mul(s, s);
    let p = madd<f32>(log1pCoefficient(3), z, log1pCoefficient(2));
    p = madd<f32>(madd<f32>(p, z, log1pCoefficient(1)), z, log1pCoefficient(0));
    return madd<f32>(f32x4.mul(s, z), p, f32x4.add(s, s));
  }
  const halves = f64x2.ge(f64x2.add(up, up), down);
  const numerator = select<T>(f64x2.sub(up, down), up, halves);
  const denominator = select<T>(f64x2.add(down, down), down, halves);
  const s = f64x2.div(numerator, madd<T>(denominator, two, numerator));
  const z = f64x2.mul(s, s);
  const logarithm = madd<T>(f64x2.mul(s, z), series<T>(z), f64x2.add(s, s));
  return f64x2.add(logarithm, v128.and(halves, coefficient<T>(8)));
}

// @ts-ignore: decorator
@inline
function float<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? FLOATS_32 : FLOATS_64) + i * sizeof<T>());
}

// @ts-ignore: decorator
@inline
function bits<T>(i: usize): v128 {
  if (sizeof<T>() == 4) return v128.load_splat<u32>(BITS_32 + (i << 2));
  return v128.load_splat<u64>(BITS_64 + (i << 3));
}

/** log x for finite x > 0, subnormal numbers too; a number for any other x. */
// @ts-ignore: decorator
@inline
function logOfPositive<T>(x: v128, one: v128): v128 {
  const tiny = v128.lt<T>(x, float<T>(0));
  return logLifted<T>(select<T>(v128.mul<T>(x, float<T>(1)), x, tiny), one, true, v128.and(tiny, float<T>(2)));
}

/** log x − lift · ln 2; `isLifted` is a literal. */
// @ts-ignore: decorator
@inline
function logLifted<T>(x: v128, one: v128, isLifted: bool, lift: v128): v128 {
  let k: v128, f: v128;
  if (sizeof<T>() == 4) {
    const h = i32x4.sub(x, bits<T>(0));
    k = f32x4.convert_i32x4_s(i32x4.shr_s(h, 23));
    f = f32x4.sub(i32x4.sub(x, v128.and(h, bits<T>(1))), one);
  } else {
    // WebAssembly does not convert signed 64-bit lanes to floats.
    const h = i64x2.sub(x, bits<T>(0));
    k = f64x2.sub(toFloats<T>(i64x2.shr_u(i64x2.add(h, one), 52)), float<T>(3));
    f = f64x2.sub(i64x2.sub(x, v128.and(h, bits<T>(1))), one);
  }
  return logReduced<T>(f, isLifted ? v128.sub<T>(k, lift) : k);
}

/** log x for any x: -∞ for 0, NaN below 0 and for NaN. */
// @ts-ignore: decorator
@inline
export function log<T>(x: v128): v128 {
  const one = v128.splat<T>(1), zero = v128.splat<T>(0);
  const regular = select<T>(logOfPositive<T>(x, one), x, v128.lt<T>(x, v128.splat<T>(<T>Infinity)));
  const invalid = select<T>(v128.splat<T>(<T>-Infinity), v128.splat<T>(<T>NaN), v128.eq<T>(x, zero));
  return select<T>(invalid, regular, v128.le<T>(x, zero));
}

/** x · log x for normal x > 0 and ∞, with the bits of xLogX. `one` is 1 in all lanes. */
// @ts-ignore: decorator
@inline
export function xLogXOfNormal<T>(x: v128, one: v128): v128 {
  return v128.mul<T>(x, logLifted<T>(x, one, false, one));
}

/** x · log x for any x: 0 for 0, ∞ for ∞, NaN below 0 and for NaN. */
// @ts-ignore: decorator
@inline
export function xLogX<T>(x: v128, zero: v128, one: v128): v128 {
  // logOfPositive gives a number for ∞ and NaN: the factor x restores them.
  const product = v128.mul<T>(x, logOfPositive<T>(x, one));
  return v128.or(v128.andnot(product, v128.eq<T>(x, zero)), v128.lt<T>(x, zero));
}
