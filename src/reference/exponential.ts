import { roundingOf } from './sum.js';

/** e^((x − max) / t). */
export type Exponential = (x: number, max: number, temperature: number) => number;

/** Of float32 elements: what the difference and the quotient lose is far below their last digits. */
function plainExponential(x: number, max: number, temperature: number): number {
  return Math.exp((x - max) / temperature);
}

/** Of float64 elements: what rounding takes from the difference and the quotient is put back. */
function exactExponential(x: number, max: number, temperature: number): number {
  const difference = x - max;
  const quotient = difference / temperature;
  const e = Math.exp(quotient);
  // Where e is neither, everything on the way is an ordinary number.
  if (e === 0 || Number.isNaN(e)) return e;
  const lost = roundingOf(x, -max, difference);
  if (temperature === 1) return e + e * lost;
  return e + e * ((lost + remainderOf(difference, quotient, temperature)) / temperature);
}

export function exponentialOf(elementBytes: 4 | 8): Exponential {
  return elementBytes === 8 ? exactExponential : plainExponential;
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
