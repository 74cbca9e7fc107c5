import { typedArrayTag } from './errors.js';
import type { Arena } from './memory.js';
import type { FloatArray } from './types.js';

/**
 * The short way of a call on a few elements in typed arrays: no operand, no stream and no view, but one copy in and one
 * out. What is copied may as well view linear memory, which does not grow here.
 */

/** Elements up to which a call takes the short way, and up to which a loop copies them in and out faster than `set`. */
const SMALL = 1024;
const LOOP_IN = 8;
const LOOP_OUT = 32;

/**
 * Bytes of an element of x if it is a short typed array, and `out`, if given, one like it: the very same range or in
 * another buffer. 0 for anything else.
 */
export function smallBytes(x: unknown, out: unknown): 0 | 4 | 8 {
  const tag = typedArrayTag(x);
  if (tag !== 'Float32Array' && tag !== 'Float64Array') return 0;
  const { length } = x as FloatArray;
  if (length === 0 || length > SMALL) return 0;
  if (out !== undefined && out !== x) {
    if (typedArrayTag(out) !== tag || (out as FloatArray).length !== length) return 0;
    if (mayOverlap(x as FloatArray, out as FloatArray)) return 0;
  }
  return tag === 'Float32Array' ? 4 : 8;
}

/** Of two arrays alike. That they begin alike is asked first: the engine takes its time to name a buffer. */
function mayOverlap(x: FloatArray, out: FloatArray): boolean {
  return x.byteOffset !== out.byteOffset && x.buffer === out.buffer;
}

/** Copies a short array into the scratch: its address there. */
export function placeSmall(arena: Arena, x: FloatArray, elementBytes: 4 | 8): number {
  const { length } = x;
  const heap = arena.floats(elementBytes);
  const at = arena.streamScratch / elementBytes;
  if (length <= LOOP_IN) for (let i = 0; i < length; i++) heap[at + i] = x[i]!;
  else heap.set(x, at);
  return arena.streamScratch;
}

/** Where the result of a short array belongs. */
export function smallResult(arena: Arena): number {
  return arena.streamScratch + SMALL * 8;
}

/** Copies such a result out. */
export function takeSmall(arena: Arena, result: FloatArray, elementBytes: 4 | 8): FloatArray {
  const { length } = result;
  const heap = arena.floats(elementBytes);
  const at = smallResult(arena) / elementBytes;
  if (length <= LOOP_OUT) for (let i = 0; i < length; i++) result[i] = heap[at + i]!;
  else result.set(heap.subarray(at, at + length));
  return result;
}
