// The last elements of what goes element by element, fewer than a vector. They go through the loop of the whole vectors
// as well, as a vector of copies in scratch: the arithmetic of such a loop is long, and a second form of it for them
// was a third of the module.

import { EXP_BYTES } from "../math/exp";
import { addToSum } from "./loss";
import { laneSum, loadTail, storeTail, tailMask } from "../simd/lanes";

/** Where the vector of operand or result i lies. */
// @ts-ignore: decorator
@inline
export function tailSlot(i: usize, scratch: usize): usize {
  return scratch + EXP_BYTES + (i << 4);
}

/** Copies `rest` elements, `at` bytes into an operand, to a slot, and returns it; 0 for an operand that is not there. */
export function tailOf<T>(operand: usize, at: usize, rest: usize, slot: usize): usize {
  if (!operand) return 0;
  v128.store(slot, loadTail<T>(operand + at, rest));
  return slot;
}

/** Copies the rest from a slot to where it belongs; nowhere if the result is not wanted (0). */
export function storeTailOf<T>(result: usize, at: usize, rest: usize, slot: usize): void {
  if (result) storeTail<T>(result + at, v128.load(slot), rest);
}

/** The same for losses, which are added to the f64 at sum where they are not wanted themselves. */
export function emitTailOf<T>(losses: usize, at: usize, rest: usize, slot: usize, sum: usize): void {
  if (losses) storeTailOf<T>(losses, at, rest, slot);
  else addToSum<T>(sum, laneSum<T>(v128.and(v128.load(slot), tailMask<T>(rest))));
}
