// The constants of e^(x / t) for one temperature: a table in scratch, and the coefficients of the polynomial.
// prepareExp writes the table, once in every kernel; exp.ts has the arithmetic.
//
// V8 rebuilds a v128.const in every iteration of a loop, and may sink a splat into one, so constants are loaded from
// the table before the loop and passed in, always named and ordered as in the signature of `exponential`. With two more
// than these V8 would run out of registers (half the speed): late-used constants are loaded at their use to avoid
// spills.

import { EXP_TABLE } from "../scratch";
import { FUSED } from "../simd/arch";

export const LOG2E: f64 = 1.4426950408889634;
export const LN2: f64 = 0.6931471805599453;
/** ln 2 − LN2 */
const LN2_TAIL: f64 = 2.3190468138462996e-17;

// p(r) with constant and linear term 1, on |r| ≤ ln 2 / 2 and a little more; found with Sollya and a search around its
// result, all float32 inputs tried. Worst errors where the result is normal: f32 1.0 ULP with FMA and 1.1 ULP without,
// f64 1.2 ULP. For f32, (q² + c) r + 1 with a cubic q saves an instruction, but at 1.6 and 1.8 ULP a softmax of a few
// classes exceeded its bound once in 10^6 elements. For f64 such a square gives degree 15 for the instructions of 10.
//
// f32:  p = (q r + 1) r + 1,         q = c1 + … + c5 r^4
// f64:  p = ((q² + c8) r² + r) + 1,  q = c0 + … + c7 r^7 in even and odd powers
const COEFFICIENTS_64 = memory.data<f64>([
  0.5924545391225123, 0.14065776836944166, 0.01846728940291954, 0.0026484714839847263, 0.00025554022414361953,
  2.4225520397215625e-05, 1.2945482994166814e-06, 1.212159491734153e-07, 0.14899761907313028
], 16);

/**
 * Temperatures between 1 / ORDINARY and ORDINARY are in the table as they are, others without their power of two: their
 * rows are always max-shifted. For f32 it is the last power of two at which c5 / t^6, the least coefficient, is normal;
 * at its reciprocal none is near overflow.
 */
// @ts-ignore: decorator
@inline
function ORDINARY<T>(): f64 {
  return sizeof<T>() == 4 ? 524288.0 : 16777216.0;
}

// @ts-ignore: decorator
@inline
export function isOrdinary<T>(t: f64): bool {
  return t >= 1 / ORDINARY<T>() && t <= ORDINARY<T>();
}

// The table: elements of T in this order; f32 has its coefficients behind them.
const LOG2E_OVER_T: usize = 0;
const MAGIC: usize = 1;
const HIGH: usize = 2;
const LOW: usize = 3;
const INVERSE: usize = 4;
const ONE: usize = 5;
const FIRST: usize = 6;

// The table for t = 1, which most calls use: copying it is faster than computing it.
const UNIT_32 = FUSED
  ? memory.data<f32>([
      1.4426950408889634, 12582912.0, 0.6931471824645996, -1.904654299957767e-9, 1.0, 1.0,
      0.499999881, 0.166665018, 0.0416690968, 0.00837021228, 0.00137791038, 0.0
    ], 16)
  : memory.data<f32>([
      1.4426950408889634, 12582912.0, 0.693115234375, 3.194618494528623e-05, 1.0, 1.0,
      0.50000006, 0.166665167, 0.0416668728, 0.00836851075, 0.00138632965, 0.0
    ], 16);

/** Writes the table for a temperature to scratch. */
export function prepareExp<T>(temperature: f64, scratch: usize): void {
  const table = scratch + EXP_TABLE;
  if (sizeof<T>() == 4 && temperature == 1) {
    v128.store(table, v128.load(UNIT_32));
    v128.store(table, v128.load(UNIT_32, 16), 16);
    v128.store(table, v128.load(UNIT_32, 32), 32);
    return;
  }
  const t = isOrdinary<T>(temperature) ? temperature : significandOf(temperature);
  const high = ln2High<T>(t);
  store<T>(table, <T>(LOG2E / t), LOG2E_OVER_T * sizeof<T>());
  store<T>(table, sizeof<T>() == 4 ? <T>12582912.0 : <T>6755399441055744.0, MAGIC * sizeof<T>());
  store<T>(table, high, HIGH * sizeof<T>());
  store<T>(table, ln2Low<T>(t, high), LOW * sizeof<T>());
  store<T>(table, <T>(1 / t), INVERSE * sizeof<T>());
  store<T>(table, 1, ONE * sizeof<T>());
  if (sizeof<T>() == 4) scaleCoefficients(table + FIRST * 4, t);
}

/**
 * The f32 coefficients absorb the temperature, c_i / t^(i + 1), so that the polynomial takes t · r and needs no
 * multiplication by 1 / t. Those of f64 stay as they are.
 */
function scaleCoefficients(to: usize, t: f64): void {
  const inverse = 1 / t;
  let factor = inverse * inverse;
  for (let i: usize = 0; i < 20; i += 4, factor *= inverse) {
    store<f32>(to + i, <f32>(<f64>load<f32>(UNIT_32 + i, FIRST << 2) * factor));
  }
}

/** t · ln 2 as a number of T; without FMA cut to 14 or 41 bits, so that n times it is exact (|n| < 2^10, 2^12). */
// @ts-ignore: decorator
@inline
function ln2High<T>(t: f64): T {
  const product = t * LN2;
  if (FUSED) return <T>product;
  const mask: u64 = sizeof<T>() == 4 ? 0xffffff8000000000 : 0xfffffffffffff000;
  return <T>reinterpret<f64>(reinterpret<u64>(product) & mask);
}

/** t · ln 2 − high, high being the ln2High of t. */
// @ts-ignore: decorator
@inline
function ln2Low<T>(t: f64, high: T): T {
  const product = t * LN2;
  return <T>((product - <f64>high) + (productError(t, product) + t * LN2_TAIL));
}

/**
 * t · LN2 − product, the rounding error of the product: n times that would show in e^(x / t). Splits both factors
 * (Dekker).
 */
// @ts-ignore: decorator
@inline
function productError(t: f64, product: f64): f64 {
  const high: f64 = reinterpret<f64>(0x3fe62e42f8000000), low = LN2 - high;
  const split = t * 134217729.0, tHigh = split - (split - t), tLow = t - tHigh;
  return ((tHigh * high - product) + tHigh * low + tLow * high) + tLow * low;
}

/** t without its power of two, in [1, 2). */
export function significandOf(t: f64): f64 {
  return reinterpret<f64>((reinterpret<u64>(t) & 0x000fffffffffffff) | 0x3ff0000000000000);
}

// @ts-ignore: decorator
@inline
function entry<T>(scratch: usize, i: usize): v128 {
  return v128.load_splat<T>(scratch + EXP_TABLE + i * sizeof<T>());
}

// @ts-ignore: decorator
@inline
export function log2eOver<T>(scratch: usize): v128 {
  return entry<T>(scratch, LOG2E_OVER_T);
}

/** 1.5 · 2^(mantissa bits): adding it to a number leaves the nearest integer in the low bits. */
// @ts-ignore: decorator
@inline
export function magicNumber<T>(scratch: usize): v128 {
  return entry<T>(scratch, MAGIC);
}

// @ts-ignore: decorator
@inline
export function ln2HighOf<T>(scratch: usize): v128 {
  return entry<T>(scratch, HIGH);
}

// @ts-ignore: decorator
@inline
export function ln2LowOf<T>(scratch: usize): v128 {
  return entry<T>(scratch, LOW);
}

// @ts-ignore: decorator
@inline
export function inverseOf<T>(scratch: usize): v128 {
  return entry<T>(scratch, INVERSE);
}

// @ts-ignore: decorator
@inline
export function oneVector<T>(scratch: usize): v128 {
  return entry<T>(scratch, ONE);
}

/** Coefficient c_i of the f32 polynomial; f64 loads its own at their use. */
// @ts-ignore: decorator
@inline
export function coefficient<T>(i: usize, scratch: usize): v128 {
  return entry<T>(scratch, FIRST - 1 + i);
}

// @ts-ignore: decorator
@inline
export function coefficient64(i: usize): v128 {
  return v128.load_splat<f64>(COEFFICIENTS_64 + (i << 3));
}
