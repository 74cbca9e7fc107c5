import type { WideArray } from '../arrays.js';
import { roundingOf } from './sum.js';

/** 2^k for every k that gives a normal number, and 2^(i / 128). */
export const POWERS = /* @__PURE__ */ Float64Array.from({ length: 2046 }, (_, i) => 2 ** (i - 1022));
const ROOTS = /* @__PURE__ */ Float64Array.from({ length: 128 }, (_, i) => 2 ** (i / 128));

/**
 * e^x with a relative error of at most 2^-34, more accurate than float32 elements need: 2^(k / 128) · e^r, with e^r
 * from its series. Math.exp takes four times as long.
 */
export function exp32(x: number): number {
  if (x < -708) return 0;
  if (!(x < 708)) return Math.exp(x);
  const k = (x * (128 * Math.LOG2E)) | 0;
  const r = x - k * (Math.LN2 / 128);
  return POWERS[(k >> 7) + 1022]! * ROOTS[k & 127]! * (1 + r * (1 + r * (0.5 + r * (1 / 6))));
}

/** e^((x − max) / t) for float64 elements, corrected for the rounding of the difference and of the quotient. */
function exactExponential(x: number, max: number, temperature: number): number {
  const difference = x - max;
  const quotient = difference / temperature;
  const e = Math.exp(quotient);
  // If e is neither 0 nor NaN, all intermediate numbers are finite.
  if (e === 0 || Number.isNaN(e)) return e;
  const lost = roundingOf(x, -max, difference);
  if (temperature === 1) return e + e * lost;
  return e + e * ((lost + remainderOf(difference, quotient, temperature)) / temperature);
}

/** e^((x − max) / t). */
export function exponential(x: number, max: number, temperature: number, elementBytes: 4 | 8): number {
  return elementBytes === 4 ? exp32((x - max) / temperature) : exactExponential(x, max, temperature);
}

/**
 * e_j = e^((x_j − max) / t) of a row, which may be e itself. Returns their sum without the term of one maximum, which
 * is 1: so log1p of it is accurate even if that term outweighs all others. NaN without a finite maximum.
 */
export function exponentials(
  row: Float64Array,
  max: number,
  temperature: number,
  elementBytes: 4 | 8,
  e: Float64Array,
): number {
  const others = fill(row, max, temperature, elementBytes, e);
  return Number.isFinite(max) ? others : Number.NaN;
}

/**
 * A function of its own, because V8's Maglev inlines two levels deep and would replace TurboFan's loops by its own
 * slower code.
 */
function fill(row: Float64Array, max: number, temperature: number, elementBytes: 4 | 8, e: Float64Array): number {
  return elementBytes === 4 ? fill32(row, max, temperature, e) : fill64(row, max, temperature, e);
}

// Two loops instead of one: an engine can keep the values of each in registers.

/**
 * exp32 is written out here, without the cases that cannot occur: V8's Maglev would call it and put each result on the
 * heap.
 */
function fill32(row: Float64Array, max: number, temperature: number, e: Float64Array): number {
  const inverse = 1 / temperature;
  let total = 0;
  for (let j = 0; j < row.length; j++) {
    const d = (row[j]! - max) * inverse;
    let value = 0;
    if (d > -708) {
      const k = (d * (128 * Math.LOG2E)) | 0;
      const r = d - k * (Math.LN2 / 128);
      value = POWERS[(k >> 7) + 1022]! * ROOTS[k & 127]! * (1 + r * (1 + r * (0.5 + r * (1 / 6))));
    }
    e[j] = value;
    total += value;
  }
  // Finding the maximum's term in the loop would cost a branch that no processor predicts. Unless the other terms are
  // small next to it, float64 keeps all digits that float32 needs of them: an addition is off by at most 2^-53 of the
  // total.
  return total - 1 > row.length * 2 ** -26 ? total - 1 : sumWithoutMaximum(e);
}

/** For |x| below this, any number of e^x can be added up in float64 without overflow or underflow. */
const MODERATE = 300;

/**
 * e_j = e^(x_j / t) of float32 elements `stride` apart; returns their sum, or 0 if one of them is not below MODERATE.
 * In float64 nothing is lost by not subtracting the maximum, and finding it takes a third of the time, or half of it in
 * short rows, where no processor predicts which element is larger than those before.
 */
export function unshifted32(
  heap: WideArray,
  first: number,
  stride: number,
  temperature: number,
  e: Float64Array,
): number {
  const inverse = 1 / temperature;
  let total = 0;
  for (let j = 0, at = first; j < e.length; j++, at = (at + stride) | 0) {
    const d = heap[at]! * inverse;
    if (!(Math.abs(d) < MODERATE)) return 0;
    const k = (d * (128 * Math.LOG2E)) | 0;
    const r = d - k * (Math.LN2 / 128);
    const value = POWERS[(k >> 7) + 1022]! * ROOTS[k & 127]! * (1 + r * (1 + r * (0.5 + r * (1 / 6))));
    e[j] = value;
    total += value;
  }
  return total;
}

/**
 * The index of the element that is nearly all of the total, or -1: log1p of the others over it is then more accurate
 * than the logarithm of the total.
 */
export function dominantOf(e: Float64Array, total: number): number {
  const most = total * (15 / 16);
  for (let j = 0; j < e.length; j++) if (e[j]! > most) return j;
  return -1;
}

/** Σ e without one of the maxima. */
function sumWithoutMaximum(e: Float64Array): number {
  const top = e.indexOf(1);
  let others = 0;
  for (let j = 0; j < e.length; j++) if (j !== top) others += e[j]!;
  return others;
}

/** Adds with compensation. */
function fill64(row: Float64Array, max: number, temperature: number, e: Float64Array): number {
  let others = 0;
  let lost = 0;
  let isLeftOut = false;
  for (let j = 0; j < row.length; j++) {
    const x = row[j]!;
    const value = exactExponential(x, max, temperature);
    e[j] = value;
    if (x === max && !isLeftOut) {
      isLeftOut = true;
      continue;
    }
    const total = others + value;
    lost += roundingOf(others, value, total);
    others = total;
  }
  return others + lost;
}

/** Writes factor · e_j / total, `stride` apart. */
export function storeShares(
  e: Float64Array,
  total: number,
  factor: number,
  heap: WideArray,
  first: number,
  stride: number,
): void {
  const scale = factor / total;
  for (let j = 0, at = first; j < e.length; j++, at = (at + stride) | 0) heap[at] = e[j]! * scale;
}

/** a − quotient · b as if nothing of the product were rounded: its factors in two halves, whose products are exact. */
export function remainderOf(a: number, quotient: number, b: number): number {
  const product = quotient * b;
  const [q, qLow] = halvesOf(quotient);
  const [h, bLow] = halvesOf(b);
  return a - product - (q * h - product + q * bLow + qLow * h + qLow * bLow);
}

/** A number as the sum of two of half its digits each (Veltkamp's splitting). */
function halvesOf(x: number): [high: number, low: number] {
  const shifted = x * (2 ** 27 + 1);
  const high = shifted - (shifted - x);
  return [high, x - high];
}
