import { bufferOf, countOf, type FloatArray, offsetOf, typedArrayTag, write } from '../arrays.js';
import type { Arena } from '../memory/arena.js';

/**
 * The short way of a call on a few elements in typed arrays: no operand, no run and no view, one copy in and one out. What
 * is copied may as well view linear memory, which does not grow here.
 *
 * An element of an array is read before its length and its offset: then the engine knows what it has, and inlines both.
 */

/** Elements up to which a call takes the short way. */
const SMALL = 1024;
/** Elements up to which a loop copies in and out faster than `set`. */
const LOOP_IN = 8;
const LOOP_OUT = 32;

/** Bytes of an element of a typed array of floats, 0 for anything else. */
export function floatBytes(x: unknown): 0 | 4 | 8 {
  const tag = typedArrayTag(x);
  return tag === 'Float32Array' ? 4 : tag === 'Float64Array' ? 8 : 0;
}

/** The length of an array that is short, 0 for any other. */
export function shortLength(x: FloatArray): number {
  const length = x[0] === undefined ? 0 : countOf(x);
  return length <= SMALL ? length : 0;
}

/** Where `out` begins in its buffer, in bytes, if it is an array of so many floats of these bytes; else -1. */
export function offsetOfLike(out: unknown, bytes: 4 | 8, length: number): number {
  const array = out as FloatArray;
  return floatBytes(out) !== bytes || array[0] === undefined || countOf(array) !== length ? -1 : offsetOf(array);
}

/** Whether the array still has that many elements, one at least. */
export function hasStill(x: FloatArray, length: number): boolean {
  return x[length - 1] !== undefined && x[length] === undefined;
}

/** Whether two short arrays of so many bytes, that begin where they do, share some but are not the very same range. */
export function overlap(x: FloatArray, offset: number, out: FloatArray, outOffset: number, bytes: number): boolean {
  const distance = Math.abs(offset - outOffset);
  // Where they begin is asked first: the engine takes its time to name a buffer.
  return distance !== 0 && distance < bytes && bufferOf(x) === bufferOf(out);
}

/** Copies a short array into the scratch: its address there. */
export function placeSmall(arena: Arena, x: FloatArray, elementBytes: 4 | 8, length: number): number {
  const heap = arena.floats(elementBytes);
  const at = elementAt(arena.staging, elementBytes);
  if (length <= LOOP_IN) for (let i = 0; i < length; i++) heap[at + i] = x[i]!;
  else heap.set(x, at);
  return arena.staging;
}

/** Where the result of a short array belongs. */
export function smallResult(arena: Arena): number {
  return arena.staging + SMALL * 8;
}

/** Copies such a result out. */
export function takeSmall(arena: Arena, result: FloatArray, elementBytes: 4 | 8, length: number): FloatArray {
  const heap = arena.floats(elementBytes);
  const at = elementAt(smallResult(arena), elementBytes);
  if (length <= LOOP_OUT) for (let i = 0; i < length; i++) result[i] = heap[at + i]!;
  else write(result, heap.subarray(at, at + length));
  return result;
}

/** Number of the element at an address. A division would take as long as the rest of a copy. */
function elementAt(address: number, elementBytes: 4 | 8): number {
  return elementBytes === 4 ? address >>> 2 : address >>> 3;
}
