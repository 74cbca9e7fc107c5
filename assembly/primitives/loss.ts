// What the losses share: where their results go, and operands that may be absent.

import { roundingOf } from "./row";

/** Bytes of losses of elements that are summed in lanes, chain by chain, before they go to the sum. */
export const SUM_BYTES: usize = 512;

/** Element i of an array, or 1 where there is none. */
// @ts-ignore: decorator
@inline
export function elementOrOne<T>(array: usize, i: usize): f64 {
  return array ? <f64>load<T>(array + i * sizeof<T>()) : 1;
}

/** (a − b) / t, in halves where a − b could overflow and the quotient does not. */
// @ts-ignore: decorator
@inline
export function quotient<T>(a: f64, b: f64, t: f64): f64 {
  return sizeof<T>() == 4 ? (a - b) / t : (a * 0.5 - b * 0.5) / t * 2;
}

/** Stores a problem's loss, or adds it to the sum where losses are reduced (losses 0). */
// @ts-ignore: decorator
@inline
export function emit<T>(losses: usize, sum: usize, problem: usize, loss: f64): void {
  if (losses) store<T>(losses + problem * sizeof<T>(), <T>loss);
  else addToSum<T>(sum, loss);
}

/** Adds to the f64 at sum; what rounding takes from it is added up in the f64 behind it. */
// @ts-ignore: decorator
@inline
export function addToSum<T>(sum: usize, value: f64): void {
  const before = load<f64>(sum), after = before + value;
  store<f64>(sum, after);
  if (sizeof<T>() == 8) store<f64>(sum, load<f64>(sum, 8) + roundingOf<T>(before, value, after), 8);
}
