// e^(x / t) for vectors of f32 and f64, t a temperature.
//
// x = n · (t · ln 2) + r, so e^(x / t) = 2^n · p(r / t): n comes out of a magic-number sum, p is a polynomial with
// constant term 1 (e^0 is exactly 1), and 2^n is an integer added to the exponent bits of p.
// x itself is reduced, never x − max: that subtraction would already cost |x − max| · 2^-24.
//
// Two forms share this arithmetic:
// - fast: every |x / t| of the problem is at most RANGE; e^(x / t) can then be stored and summed as it is: no maximum
//   has to be known first, nothing has to be flushed;
// - careful: anything else, -∞ and huge values included. It takes four more vectors, from memory: see prepareLane.
//   With a problem of the fast range it gives the very bits of the fast form.
//
// V8 builds a v128.const again in every iteration of a loop, so constants come from a table or the temperature before
// the loop and are passed in: CONSTANTS of a kernel are always named and ordered as in the signature of `fastExp`.

import { FUSED, madd, nmadd } from "../simd/arch";
import { addIntegers, lanes, shiftLeft, subIntegers } from "../simd/lanes";

const LOG2E: f64 = 1.4426950408889634;
const LN2: f64 = 0.6931471805599453;
/** ln 2 − LN2 */
const LN2_TAIL: f64 = 2.3190468138462996e-17;

// p(r) with constant term 1, on |r| ≤ ln 2 / 2 and a little more; found with Sollya and a search around its result,
// all float32 inputs tried. q is a polynomial of half the degree, squared: it gives the accuracy of
// degree 6 (15 for f64) for the instructions of degree 5.
// Worst errors for |x| ≤ 32 and wherever the result is normal: with FMA 2.5 and 4.7 ULP, without 1.8 ULP, f64 1.2 ULP.
//
// f32:  p = (q² + c1) r + 1,         q = ((c5 r + c4) r + c3) r + c2;  5 instructions with FMA, 10 without
// f64:  p = ((q² + c8) r² + r) + 1,  q = c0 + … + c7 r^7 in even and odd powers
const TABLE_32 = FUSED
  ? memory.data<f32>([
      12582912.0, 1.0, 0.407488018, 0.769747913, 0.324779332, 0.0397468135, 0.0103564495
    ], 16)
  : memory.data<f32>([
      12582912.0, 1.0, 0.407487571, 0.769748211, 0.324778855, 0.0397468656, 0.0103598647
    ], 16);
const TABLE_64 = memory.data<f64>([
  6755399441055744.0, 1.0,
  0.5924545391225123, 0.14065776836944166, 0.01846728940291954, 0.0026484714839847263, 0.00025554022414361953,
  2.4225520397215625e-05, 1.2945482994166814e-06, 1.212159491734153e-07, 0.14899761907313028
], 16);

/** Largest |x / t| of the fast form: the sum of 2^30 terms e^RANGE and its reciprocal stay normal. */
// @ts-ignore: decorator
@inline
export function RANGE<T>(): f64 {
  return sizeof<T>() == 4 ? 64.0 : 512.0;
}

/**
 * Up to this |maximum / t| the careful form reduces x itself, beyond it x − maximum: at twice FLUSH and more that
 * difference is exact for every x that is not flushed.
 */
// @ts-ignore: decorator
@inline
function CENTRED<T>(): f64 {
  return sizeof<T>() == 4 ? 256.0 : 1500.0;
}

/**
 * The careful form computes 2^HEADROOM · e^x, and 0 for x more than FLUSH below the maximum: what it drops is then far
 * below the smallest normal number, in a sum as well.
 */
const HEADROOM: i32 = 60;

// @ts-ignore: decorator
@inline
function FLUSH<T>(): f64 {
  return sizeof<T>() == 4 ? 128.0 : 749.0;
}

/** 1.5 · 2^(mantissa bits): adding it to a number leaves the nearest integer in the low bits. */
// @ts-ignore: decorator
@inline
export function magicNumber<T>(): v128 {
  return v128.load_splat<T>(sizeof<T>() == 4 ? TABLE_32 : TABLE_64);
}

// @ts-ignore: decorator
@inline
export function oneVector<T>(): v128 {
  return v128.load_splat<T>((sizeof<T>() == 4 ? TABLE_32 : TABLE_64) + sizeof<T>());
}

/** A coefficient c_i of the polynomial above. */
// @ts-ignore: decorator
@inline
export function coefficient<T>(i: usize): v128 {
  if (sizeof<T>() == 4) return v128.load_splat<f32>(TABLE_32 + ((i + 1) << 2));
  return v128.load_splat<f64>(TABLE_64 + ((i + 2) << 3));
}

// @ts-ignore: decorator
@inline
export function log2eOver<T>(temperature: f64): v128 {
  return v128.splat<T>(<T>(LOG2E / temperature));
}

/** t · ln 2 as a number of T; without FMA cut short, so that n times it is exact. */
// @ts-ignore: decorator
@inline
export function ln2High<T>(temperature: f64): T {
  const product = temperature * LN2;
  if (FUSED) return <T>product;
  // 14 and 41 significant bits, for |n| up to 2^10 and 2^12.
  const mask: u64 = sizeof<T>() == 4 ? 0xffffff8000000000 : 0xfffffffffffff000;
  return <T>reinterpret<f64>(reinterpret<u64>(product) & mask);
}

/** What ln2High leaves out. */
// @ts-ignore: decorator
@inline
export function ln2Low<T>(temperature: f64): T {
  const product = temperature * LN2;
  return <T>((product - <f64>ln2High<T>(temperature)) + (productError(temperature, product) + temperature * LN2_TAIL));
}

/** t · LN2 − product, what rounding took from the product: n times it would show in e^(x / t). LN2 in two halves. */
// @ts-ignore: decorator
@inline
function productError(t: f64, product: f64): f64 {
  const high: f64 = reinterpret<f64>(0x3fe62e42f8000000), low = LN2 - high;
  const split = t * 134217729.0, tHigh = split - (split - t), tLow = t - tHigh;
  return ((tHigh * high - product) + tHigh * low + tLow * high) + tLow * low;
}

/** p(r / t), the significand of e^(x / t) given shifted = x · log2e / t + magic; steps of the reduction: 1 or 2. */
// @ts-ignore: decorator
@inline
function significand<T>(
  x: v128, shifted: v128, steps: i32, unit: bool,
  magic: v128, high: v128, low: v128, inverse: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128
): v128 {
  const n = v128.sub<T>(shifted, magic);
  let r = nmadd<T>(n, high, x);
  if (steps == 2) r = nmadd<T>(n, low, r);
  if (!unit) r = v128.mul<T>(r, inverse);
  if (sizeof<T>() == 8) return polynomial64(r, one);
  const q = madd<T>(madd<T>(madd<T>(c5, r, c4), r, c3), r, c2);
  return madd<T>(madd<T>(q, q, c1), r, one);
}

/** Ten constants are more than the registers hold: they are loaded where they are used. */
// @ts-ignore: decorator
@inline
function polynomial64(r: v128, one: v128): v128 {
  const r2 = f64x2.mul(r, r);
  let even = madd<f64>(coefficient<f64>(6), r2, coefficient<f64>(4));
  let odd = madd<f64>(coefficient<f64>(7), r2, coefficient<f64>(5));
  even = madd<f64>(madd<f64>(even, r2, coefficient<f64>(2)), r2, coefficient<f64>(0));
  odd = madd<f64>(madd<f64>(odd, r2, coefficient<f64>(3)), r2, coefficient<f64>(1));
  const q = madd<f64>(odd, r, even);
  return f64x2.add(madd<f64>(madd<f64>(q, q, coefficient<f64>(8)), r2, r), one);
}

/**
 * Steps of the fast form's reduction: with FMA n · ln2 is exact inside the multiply-add, and one is enough for f32. Not
 * so for n · (t · ln2): ln2 itself happens to lie near an f32, fifteen times nearer than t · ln2 may.
 */
// @ts-ignore: decorator
@inline
function fastSteps<T>(unit: bool): i32 {
  return FUSED && sizeof<T>() == 4 && unit ? 1 : 2;
}

/** e^(x / t) for |x / t| ≤ RANGE; `unit` (a literal) when t = 1, which saves a multiplication. */
// @ts-ignore: decorator
@inline
export function fastExp<T>(
  x: v128, unit: bool,
  log2e: v128, magic: v128, high: v128, low: v128, inverse: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128
): v128 {
  const shifted = madd<T>(x, log2e, magic);
  const p = significand<T>(x, shifted, fastSteps<T>(unit), unit, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
  return addIntegers<T>(p, shiftLeft<T>(shifted, sizeof<T>() == 4 ? 23 : 52));
}

// What the careful form reads from memory, a vector each.
const CENTRE: usize = 0; // subtracted from x first
const REFERENCE: usize = 16; // integers subtracted from n
const FLOOR: usize = 32; // where x − centre is below it (or either is NaN) the result is 0
const LOW: usize = 48; // second step of the reduction
/** Bytes of the careful form's parameters. */
export const CAREFUL_BYTES: usize = 64;

/** e^(x / t) · 2^-reference, or 0: any x. */
// @ts-ignore: decorator
@inline
function carefulExp<T>(
  x: v128, parameters: usize, log2e: v128, magic: v128, high: v128, inverse: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128
): v128 {
  const d = v128.sub<T>(x, v128.load(parameters, CENTRE));
  const shifted = madd<T>(d, log2e, magic);
  const low = v128.load(parameters, LOW);
  const p = significand<T>(d, shifted, 2, false, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
  const n = subIntegers<T>(shifted, v128.load(parameters, REFERENCE));
  const e = addIntegers<T>(p, shiftLeft<T>(n, sizeof<T>() == 4 ? 23 : 52));
  return v128.and(e, v128.ge<T>(d, v128.load(parameters, FLOOR)));
}

/** Either form, by a literal. The fast one ignores the parameters, the careful one `low`. */
// @ts-ignore: decorator
@inline
export function exponential<T>(
  careful: bool, x: v128, parameters: usize,
  log2e: v128, magic: v128, high: v128, low: v128, inverse: v128,
  c5: v128, c4: v128, c3: v128, c2: v128, c1: v128, one: v128
): v128 {
  if (careful) return carefulExp<T>(x, parameters, log2e, magic, high, inverse, c5, c4, c3, c2, c1, one);
  return fastExp<T>(x, false, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
}

/**
 * The careful form's parameters for the problem in one lane, from its maximum:
 * - within the fast range: neutral ones, for the bits of the fast form;
 * - maximum near zero: x itself reduced, what is below 2^-126 of the maximum flushed to 0;
 * - maximum far from zero: the ordinary x − max;
 * - maximum NaN or infinite: every result 0, so that the sum is 0 and its reciprocal times 0 NaN.
 */
export function prepareLane<T>(parameters: usize, lane: usize, maximum: T, fast: bool, temperature: f64): void {
  let centre: T = 0;
  let reference: i64 = 0;
  let floor = <T>(-Infinity);
  if (!fast) {
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
  const p = parameters + lane * sizeof<T>();
  store<T>(p, centre, CENTRE);
  if (sizeof<T>() == 4) store<i32>(p, <i32>reference, REFERENCE);
  else store<i64>(p, reference, REFERENCE);
  store<T>(p, floor, FLOOR);
  store<T>(p, ln2Low<T>(temperature), LOW);
}

/** prepareLane for all lanes at once: one problem along a row. */
export function prepareRow<T>(parameters: usize, maximum: T, temperature: f64): void {
  for (let lane: usize = 0; lane < lanes<T>(); lane++) prepareLane<T>(parameters, lane, maximum, false, temperature);
}
