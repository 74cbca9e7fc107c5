// Tails: the last elements of a row or an array, fewer than a vector. The only two ways to handle them are here.
//
// - A short loop is followed by one masked step: loadTail, tailMask, storeTail. Nothing past the tail is read or
//   written.
// - A long loop (the elementwise kernels) runs once more over copies: each operand's tail becomes a whole vector in
//   scratch, the results are copied back. A second, masked form of such a loop was a third of the module.

import { TAILS, TAIL_COUNT } from "../scratch";
import { lanes } from "./lanes";

// Sixteen bytes of ones, then sixteen of zeros: a window into it keeps the first bytes of a vector.
const TAIL_MASK = memory.data<u32>([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0, 0], 16);

/** All bits set in the first count lanes. */
// @ts-ignore: decorator
@inline
export function tailMask<T>(count: usize): v128 {
  return v128.load(TAIL_MASK + 16 - count * sizeof<T>());
}

/** The count (less than a vector) elements at p, zero in the other lanes; reads nothing past them. */
// @ts-ignore: decorator
@inline
export function loadTail<T>(p: usize, count: usize): v128 {
  assert(count > 0 && count < lanes<T>(), "a tail is empty or a whole vector");
  let v = v128.load_zero<T>(p);
  if (sizeof<T>() == 4) {
    if (count > 1) v = v128.load_lane<f32>(p, v, 1, 4);
    if (count > 2) v = v128.load_lane<f32>(p, v, 2, 8);
  }
  return v;
}

/** Stores the first count (less than a vector) lanes. */
// @ts-ignore: decorator
@inline
export function storeTail<T>(p: usize, v: v128, count: usize): void {
  assert(count > 0 && count < lanes<T>(), "a tail is empty or a whole vector");
  v128.store_lane<T>(p, v, 0);
  if (sizeof<T>() == 4) {
    if (count > 1) v128.store_lane<f32>(p, v, 1, 4);
    if (count > 2) v128.store_lane<f32>(p, v, 2, 8);
  }
}

/** Address in scratch of the copy of operand or result i. */
// @ts-ignore: decorator
@inline
export function tailSlot(i: usize, scratch: usize): usize {
  assert(i < TAIL_COUNT, "there is no such tail in scratch");
  return scratch + TAILS + (i << 4);
}

/**
 * Copies the `rest` elements that are `at` bytes into an operand to a slot, and returns the slot; 0 for an absent
 * operand.
 */
export function copyTail<T>(operand: usize, at: usize, rest: usize, slot: usize): usize {
  if (!operand) return 0;
  v128.store(slot, loadTail<T>(operand + at, rest));
  return slot;
}

/** Copies a result's tail from its slot to where it belongs, unless the result is not wanted (0). */
export function storeTailCopy<T>(result: usize, at: usize, rest: usize, slot: usize): void {
  if (result) storeTail<T>(result + at, v128.load(slot), rest);
}
