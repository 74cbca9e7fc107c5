// e^(x / t) for vectors of f32 and f64, t a temperature.
//
// x = n · (t · ln 2) + r, so e^(x / t) = 2^n · p(r / t): n comes out of a magic-number sum, r takes two steps, p is a
// polynomial with constant term 1 (e^0 is exactly 1), and 2^n is an integer added to the exponent bits of p.
// x itself is reduced, never x − max: that subtraction would already cost |x − max| · 2^-24.
//
// Three forms share this arithmetic:
// - unshifted: assumes |x / t| ≤ RANGE for the whole row, which its callers check while they compute. e^(x / t) can
//   then be stored and summed as it is: no maximum has to be known first, nothing has to be flushed;
// - sparse: the same with −∞ where a sparse mask keeps nothing, whose exponential is 0;
// - max-shifted: any row. It reads four more vectors from memory, see prepareLane. For a row within RANGE it gives the
//   bits of the unshifted form.

import { EXP_CENTRE, EXP_EXPONENT, EXP_FLOOR, EXP_POWER } from "../scratch";
import { FUSED, madd, nmadd } from "../simd/arch";
import { addIntegers, lanes, shiftLeft, subIntegers } from "../simd/lanes";
import { LN2, LOG2E, coefficient64, inverseOf, isOrdinary, ln2LowOf, oneVector, significandOf } from "./exp-table";

export const UNSHIFTED: i32 = 0;
export const SPARSE: i32 = 1;
export const MAX_SHIFTED: i32 = 2;

/** The largest |x / t| of the unshifted form: the sum of 2^30 terms e^RANGE and its reciprocal stay normal. */
// @ts-ignore: decorator
@inline
function RANGE<T>(): f64 {
  return sizeof<T>() == 4 ? 64.0 : 512.0;
}

/** The largest |x| of the unshifted form; negative, so that nothing is in range, if the temperature is not ordinary. */
// @ts-ignore: decorator
@inline
export function unshiftedLimit<T>(t: f64): T {
  return isOrdinary<T>(t) ? <T>(RANGE<T>() * t) : <T>-1;
}

/** Up to this |x| every probability in a row of n elements of f32, at least e^(−2 |x / t|) / n, is a normal number. */
export function normalLimit(t: f64, n: usize): f32 {
  return min(unshiftedLimit<f32>(t), <f32>((87 - LN2 * <f64>(32 - clz(<u32>n))) / 2 * t));
}

/**
 * Up to this |maximum / t| the max-shifted form reduces x itself and shifts the exponent, beyond it it reduces x −
 * maximum: from twice FLUSH on, that difference is exact for every x that is not flushed.
 */
// @ts-ignore: decorator
@inline
function CENTRED<T>(): f64 {
  return sizeof<T>() == 4 ? 256.0 : 1500.0;
}

/**
 * The max-shifted form computes 2^HEADROOM · e^(x − maximum), and 0 for x more than FLUSH below the maximum: what it
 * drops is far below the smallest normal number, even in a sum.
 */
const HEADROOM: i32 = 60;

// @ts-ignore: decorator
@inline
function FLUSH<T>(): f64 {
  return sizeof<T>() == 4 ? 128.0 : 749.0;
}

/** e^(x / t) in one of the three forms; `form` is a literal. */
// @ts-ignore: decorator
@inline
export function exponential<T>(
  form: i32, x: v128, scratch: usize, log2e: v128, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  return inSteps<T>(2, form, x, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
}

/**
 * The steps in which a softmax reduces x. With FMA one does for f32: ln 2 as a float32 is off by 1.9e-9,
 * which makes e^x off by n times that. A softmax sees only the difference from the error at the maximum, and its bounds
 * allow far more. (At temperatures other than 1 the 1.9e-9 becomes 2^-24.) The bounds of logarithms and gradients do
 * not grow with the distance from the maximum: they keep two steps.
 */
// @ts-ignore: decorator
@inline
export function SOFTMAX_STEPS<T>(): i32 {
  return FUSED && sizeof<T>() == 4 ? 1 : 2;
}

/** `exponential` for a softmax. */
// @ts-ignore: decorator
@inline
export function softmaxExp<T>(
  form: i32, x: v128, scratch: usize, log2e: v128, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  return inSteps<T>(SOFTMAX_STEPS<T>(), form, x, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
}

/** e^(x / t) for |x / t| ≤ RANGE. */
// @ts-ignore: decorator
@inline
export function unshiftedExp<T>(
  x: v128, scratch: usize, log2e: v128, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  return exponential<T>(UNSHIFTED, x, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
}

// @ts-ignore: decorator
@inline
function inSteps<T>(
  steps: i32, form: i32, x: v128, scratch: usize, log2e: v128, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  if (form == MAX_SHIFTED) return maxShiftedExp<T>(steps, x, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  const shifted = madd<T>(x, log2e, magic);
  const p = significand<T>(steps, x, shifted, scratch, magic, high, c5, c4, c3, c2, c1);
  const e = addIntegers<T>(p, shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
  return form == SPARSE ? v128.and(e, v128.ge<T>(x, v128.load(scratch, EXP_FLOOR))) : e;
}

/** 2^k · e^(x / t), or 0, for any x; k is the row's. */
// @ts-ignore: decorator
@inline
function maxShiftedExp<T>(
  steps: i32, x: v128, scratch: usize, log2e: v128, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  const distance = v128.sub<T>(x, v128.load(scratch, EXP_CENTRE));
  const d = v128.mul<T>(distance, v128.load(scratch, EXP_POWER));
  const shifted = madd<T>(d, log2e, magic);
  const p = significand<T>(steps, d, shifted, scratch, magic, high, c5, c4, c3, c2, c1);
  const n = subIntegers<T>(shifted, v128.load(scratch, EXP_EXPONENT));
  const e = addIntegers<T>(p, shiftLeft<T>(n, sizeof<T>() == 4 ? 23 : 52));
  return v128.and(e, v128.ge<T>(distance, v128.load(scratch, EXP_FLOOR)));
}

/**
 * p(r / t), the significand of e^(x / t), given shifted = x · log2e / t + magic. `steps` of the reduction, 1 or 2, is a
 * literal.
 */
// @ts-ignore: decorator
@inline
function significand<T>(
  steps: i32, x: v128, shifted: v128, scratch: usize, magic: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  const n = v128.sub<T>(shifted, magic);
  let r = nmadd<T>(n, high, x);
  if (steps == 2) r = nmadd<T>(n, ln2LowOf<T>(scratch), r);
  if (sizeof<T>() == 8) return polynomial64(f64x2.mul(r, inverseOf<T>(scratch)), oneVector<T>(scratch));
  const inverse = inverseOf<T>(scratch), one = oneVector<T>(scratch);
  if (FUSED) {
    const q = madd<T>(madd<T>(madd<T>(madd<T>(c5, r, c4), r, c3), r, c2), r, c1);
    return madd<T>(madd<T>(q, r, inverse), r, one);
  }
  // Without FMA the dependency chain is twice as long, more than a processor can overlap: splitting it costs one
  // multiplication and makes a softmax a tenth faster. With FMA the multiplication costs more than it gains.
  const r2 = v128.mul<T>(r, r);
  const q = madd<T>(madd<T>(c5, r2, madd<T>(c4, r, c3)), r2, madd<T>(c2, r, c1));
  return v128.add<T>(madd<T>(q, r2, v128.mul<T>(r, inverse)), one);
}

/** The nine coefficients are loaded at their use: they are more than the registers hold. */
// @ts-ignore: decorator
@inline
function polynomial64(r: v128, one: v128): v128 {
  const r2 = f64x2.mul(r, r);
  let even = madd<f64>(coefficient64(6), r2, coefficient64(4));
  let odd = madd<f64>(coefficient64(7), r2, coefficient64(5));
  even = madd<f64>(madd<f64>(even, r2, coefficient64(2)), r2, coefficient64(0));
  odd = madd<f64>(madd<f64>(odd, r2, coefficient64(3)), r2, coefficient64(1));
  const q = madd<f64>(odd, r, even);
  return f64x2.add(madd<f64>(madd<f64>(q, q, coefficient64(8)), r2, r), one);
}

/** Prepares the sparse form: EXP_FLOOR, below which x is −∞. */
export function prepareSparse<T>(scratch: usize, temperature: f64): void {
  v128.store(scratch, v128.splat<T>(-unshiftedLimit<T>(temperature)), EXP_FLOOR);
}

/**
 * Parameters of the max-shifted form for the row in one lane, from its maximum:
 * - row within RANGE: neutral ones, for the bits of the unshifted form;
 * - maximum near zero: x itself is reduced, and what is FLUSH below the maximum dropped;
 * - maximum far from zero: the usual x − maximum;
 * - maximum NaN or infinite: every result is 0, so that the sum is 0, and its reciprocal times 0 NaN.
 */
export function prepareLane<T>(scratch: usize, lane: usize, maximum: T, inRange: bool, temperature: f64): void {
  let centre: T = 0;
  let reference: i64 = 0;
  let floor = <T>(-Infinity);
  if (!inRange) {
    const scaled = <f64>maximum / temperature;
    if (!isFinite<T>(maximum)) {
      floor = <T>NaN;
    } else {
      if (abs(scaled) > CENTRED<T>()) centre = maximum;
      else reference = <i64>nearest(scaled * LOG2E);
      reference -= HEADROOM;
      floor = <T>(<f64>maximum - <f64>centre - FLUSH<T>() * temperature);
    }
  }
  const power = isOrdinary<T>(temperature) ? 1.0 : significandOf(temperature) / temperature;
  const p = scratch + lane * sizeof<T>();
  store<T>(p, centre, EXP_CENTRE);
  store<T>(p, <T>power, EXP_POWER);
  if (sizeof<T>() == 4) store<i32>(p, <i32>reference, EXP_EXPONENT);
  else store<i64>(p, reference, EXP_EXPONENT);
  store<T>(p, floor, EXP_FLOOR);
}

/** prepareLane for all lanes alike: the lanes run along one row. */
export function prepareRow<T>(scratch: usize, maximum: T, temperature: f64): void {
  for (let lane: usize = 0; lane < lanes<T>(); lane++) prepareLane<T>(scratch, lane, maximum, false, temperature);
}

// e^x elementwise, outside of a softmax; prepareExp was called for temperature 1.
//
// Between −BOUND and BOUND the biased exponent n + bias is not negative, so 2^n can be a float of its own. Multiplying
// by it, instead of adding n to the bits of p, keeps NaN, and gives 0 for the least n. The bias comes with the magic
// number.
const BOUNDED_32 = memory.data<f32>([-88, 88, 12583039], 16);

const BOUNDED_64 = memory.data<f64>([-709, 709, 6755399441056767], 16);

// @ts-ignore: decorator
@inline
function bounded<T>(i: usize): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? BOUNDED_32 : BOUNDED_64) + i * sizeof<T>());
}

/** −BOUND: here and below e^x is subnormal, and is taken to be 0. */
// @ts-ignore: decorator
@inline
export function leastBounded<T>(): v128 {
  return bounded<T>(0);
}

// @ts-ignore: decorator
@inline
export function mostBounded<T>(): v128 {
  return bounded<T>(1);
}

/** The magic number of boundedExp. */
// @ts-ignore: decorator
@inline
export function biasedMagic<T>(): v128 {
  return bounded<T>(2);
}

/** e^x for |x| ≤ BOUND, NaN for NaN; a subnormal result may be 0. */
// @ts-ignore: decorator
@inline
export function boundedExp<T>(
  x: v128, scratch: usize, log2e: v128, biased: v128, high: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  const shifted = madd<T>(x, log2e, biased);
  const p = significand<T>(2, x, shifted, scratch, biased, high, c5, c4, c3, c2, c1);
  return v128.mul<T>(p, shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
}

// The range in which e^x is normal, and the result above it.
const LEAST_32 = memory.data<f32>([-87.33654022216797], 16);

const LEAST_64 = memory.data<f64>([-708.396418532264], 16);
const MOST_32 = memory.data<f32>([88.72283172607422, Infinity], 16);
const MOST_64 = memory.data<f64>([709.782712893384, Infinity], 16);

/** The least x whose e^x is normal; for f64 to its last digit but one. */
// @ts-ignore: decorator
@inline
export function leastExponent<T>(): v128 {
  return v128.load_splat<T>(sizeof<T>() == 4 ? LEAST_32 : LEAST_64);
}

/** e^x for any x: NaN for NaN, 0 where it is subnormal, ∞ where it overflows. `least` is leastExponent. */
// @ts-ignore: decorator
@inline
export function wideExp<T>(
  x: v128, least: v128, scratch: usize,
  log2e: v128, magic: v128, high: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  const shifted = madd<T>(x, log2e, magic);
  const p = significand<T>(2, x, shifted, scratch, magic, high, c5, c4, c3, c2, c1);
  const e = addIntegers<T>(p, shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
  // Adding the integer to NaN may have turned it into a number.
  const flushed = v128.or(v128.and(e, v128.ge<T>(x, least)), v128.ne<T>(x, x));
  const most = sizeof<T>() == 4 ? MOST_32 : MOST_64;
  const over = v128.gt<T>(x, v128.load_splat<T>(most));
  return v128.bitselect(v128.load_splat<T>(most + sizeof<T>()), flushed, over);
}
