import { typedArrayTag } from './errors.js';
import type { Arena } from './memory.js';
import type { FloatArray } from './types.js';

/**
 * The short way of a call on a few elements in typed arrays: no operand, no stream and no view, but one copy in and one
 * out. What is copied may as well view linear memory, which does not grow here.
 */

/** Elements up to which a call takes the short way, and up to which a loop copies them faster than `set`. */
const SMALL = 1024;
const LOOP_COPY = 32;

/** Whether x is a short typed array, and `out`, if given, one like it that shares no buffer with it. */
export function isSmall(x: unknown, out: unknown): x is FloatArray {
  const tag = typedArrayTag(x);
  if (tag !== 'Float32Array' && tag !== 'Float64Array') return false;
  const { length } = x as FloatArray;
  if (length === 0 || length > SMALL) return false;
  if (out === undefined || out === x) return true;
  return (
    typedArrayTag(out) === tag &&
    (out as FloatArray).length === length &&
    (out as FloatArray).buffer !== (x as FloatArray).buffer
  );
}

/** Copies a short array into the scratch: its address there. */
export function placeSmall(arena: Arena, x: FloatArray): number {
  const { length, BYTES_PER_ELEMENT } = x;
  const heap = arena.floats(BYTES_PER_ELEMENT);
  const at = arena.streamScratch / BYTES_PER_ELEMENT;
  if (length <= LOOP_COPY) for (let i = 0; i < length; i++) heap[at + i] = x[i]!;
  else heap.set(x, at);
  return arena.streamScratch;
}

/** Where the result of a short array belongs. */
export function smallResult(arena: Arena): number {
  return arena.streamScratch + SMALL * 8;
}

/** Copies such a result out. */
export function takeSmall(arena: Arena, result: FloatArray): FloatArray {
  const { length, BYTES_PER_ELEMENT } = result;
  const heap = arena.floats(BYTES_PER_ELEMENT);
  const at = smallResult(arena) / BYTES_PER_ELEMENT;
  if (length <= LOOP_COPY) for (let i = 0; i < length; i++) result[i] = heap[at + i]!;
  else result.set(heap.subarray(at, at + length));
  return result;
}
