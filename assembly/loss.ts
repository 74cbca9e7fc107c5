// What the losses share: where their results go, and operands that may be absent.

import { roundingOf } from "./math/sum";
import { laneSum } from "./simd/lanes";
import { storeTailOf, tailMask } from "./simd/tail";

/** Bytes of losses of elements that are summed in lanes, chain by chain, before they go to the sum. */
export const SUM_BYTES: usize = 512;

/** Elements of such a sum that lanes take before float64 does. */
export const BLOCK: usize = 256;

export const ZEROS = memory.data<f64>([0, 0], 16);
const ONES_32 = memory.data<f32>([1, 1, 1, 1], 16);
const ONES_64 = memory.data<f64>([1, 1], 16);

/** A vector of ones in memory, to be read again and again where there are no weights. */
// @ts-ignore: decorator
@inline
export function ones<T>(): usize {
  return sizeof<T>() == 4 ? ONES_32 : ONES_64;
}

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

/** The same for losses, which are added to the f64 at sum where they are not wanted themselves. */
export function emitTailOf<T>(losses: usize, at: usize, rest: usize, slot: usize, sum: usize): void {
  if (losses) storeTailOf<T>(losses, at, rest, slot);
  else addToSum<T>(sum, laneSum<T>(v128.and(v128.load(slot), tailMask<T>(rest))));
}
