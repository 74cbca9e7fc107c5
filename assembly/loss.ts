// What the losses share: where their results go, and operands that may be absent.

import { roundingOf } from "./math/sum";
import { laneSum } from "./simd/lanes";
import { storeTailCopy, tailMask } from "./simd/tail";

/** A sum of losses: two f64, the second of them at LOSS_SUM_LOST. */
export const LOSS_SUM_BYTES: usize = 16;
export const LOSS_SUM_LOST: usize = 8;

/**
 * Elementwise losses are computed in pieces that begin at a multiple of so many elements, in a kernel as well as in the
 * blocks that TypeScript streams: their sum must not depend on how they are split.
 */
export const BLOCK_MULTIPLE: usize = 256;

/** A vector of zeros in memory, read in place of targets that are absent. */
export const ZEROS = memory.data<f64>([0, 0], 16);
const ONES_32 = memory.data<f32>([1, 1, 1, 1], 16);
const ONES_64 = memory.data<f64>([1, 1], 16);

/** A vector of ones in memory, read in place of weights that are absent. */
// @ts-ignore: decorator
@inline
export function onesAddress<T>(): usize {
  return sizeof<T>() == 4 ? ONES_32 : ONES_64;
}

/** Element i of an array, or 1 if there is no array. */
// @ts-ignore: decorator
@inline
export function elementOrOne<T>(array: usize, i: usize): f64 {
  return array ? <f64>load<T>(array + i * sizeof<T>()) : 1;
}

/** (a − b) / t, computed in halves where a − b could overflow and the quotient does not. */
// @ts-ignore: decorator
@inline
export function quotient<T>(a: f64, b: f64, t: f64): f64 {
  return sizeof<T>() == 4 ? (a - b) / t : (a * 0.5 - b * 0.5) / t * 2;
}

/** Stores a row's loss or, where losses are reduced (losses 0), adds it to the sum. */
// @ts-ignore: decorator
@inline
export function storeLoss<T>(losses: usize, sum: usize, row: usize, loss: f64): void {
  if (losses) store<T>(losses + row * sizeof<T>(), <T>loss);
  else addToSum<T>(sum, loss);
}

/** Adds to the f64 at sum; what rounding takes from it is collected at LOSS_SUM_LOST. The caller adds the two. */
// @ts-ignore: decorator
@inline
export function addToSum<T>(sum: usize, value: f64): void {
  const before = load<f64>(sum), after = before + value;
  store<f64>(sum, after);
  if (sizeof<T>() == 8) {
    store<f64>(sum, load<f64>(sum, LOSS_SUM_LOST) + roundingOf<T>(before, value, after), LOSS_SUM_LOST);
  }
}

/** Adds lanes of f64 to the f64 at sum, and for f64 elements what rounding took from the lanes at LOSS_SUM_LOST. */
export function addLanesToSum<T>(sum: usize, lanes: v128, lost: v128): void {
  addToSum<T>(sum, laneSum<f64>(lanes));
  if (sizeof<T>() == 8) store<f64>(sum, load<f64>(sum, LOSS_SUM_LOST) + laneSum<f64>(lost), LOSS_SUM_LOST);
}

/** Stores the tail of elementwise losses, which a slot in scratch holds, or adds it to the f64 at sum. */
export function storeLossTail<T>(losses: usize, at: usize, rest: usize, slot: usize, sum: usize): void {
  if (losses) storeTailCopy<T>(losses, at, rest, slot);
  else addToSum<T>(sum, laneSum<T>(v128.and(v128.load(slot), tailMask<T>(rest))));
}

/**
 * The shares of classes in a cross-entropy: target probability times class weight, 0 where the probability is 0, even if
 * the weight is infinite or NaN.
 */
// @ts-ignore: decorator
@inline
export function shareOf<T>(probability: v128, weight: v128): v128 {
  return v128.andnot(v128.mul<T>(probability, weight), v128.eq<T>(probability, v128.splat<T>(0)));
}
