import { countOf, elementBytesOf, type FloatArray, type IntegerArray, viewOf, write } from '../arrays.js';

/** Copying between the caller's arrays and linear memory. */

/** An array of the caller's. */
export type Numbers = FloatArray | IntegerArray;

/** A view of the whole linear memory. */
type Heap = FloatArray | Int32Array;

/** Up to this many elements, a loop copies faster than TypedArray.set. */
const SHORT = 16;

/** Copies count elements into the heap, or out of it. */
export function copyRange(
  array: FloatArray | Int32Array,
  start: number,
  heap: Heap,
  at: number,
  count: number,
  isOutput: boolean,
): void {
  if (count <= SHORT) {
    if (isOutput) for (let i = 0; i < count; i++) array[start + i] = heap[at + i]!;
    else for (let i = 0; i < count; i++) heap[at + i] = array[start + i]!;
  } else if (isOutput) {
    write(array, heap.subarray(at, at + count), start);
  } else {
    heap.set(count === countOf(array) ? array : viewOf(array, start, count), at);
  }
}

/** Adds count elements of the heap to those of an array. */
export function addRange(array: FloatArray, start: number, heap: Heap, at: number, count: number): void {
  for (let i = 0; i < count; i++) array[start + i]! += heap[at + i]!;
}

/** Copies a mask into linear memory as bytes; anything but 0 keeps an element. */
export function copyMask(array: IntegerArray, start: number, count: number, u8: Uint8Array, at: number): void {
  if (elementBytesOf(array) === 1) u8.set(viewOf(array as Uint8Array, start, count), at);
  else for (let i = 0; i < count; i++) u8[at + i] = array[start + i] ? 1 : 0;
}
