import type { WideArray } from '../arrays.js';
import type { ArgmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf, skipSmall } from './rows.js';

/** argmax in plain loops: the first of equals, NaN being the largest. */
export function argmax(heaps: Heaps, elementBytes: 4 | 8, { x, y, outer, n, inner }: ArgmaxOperands): void {
  const heap = heaps.floats(elementBytes);
  const { i32 } = heaps;
  const start = indexOf(x, elementBytes);
  const to = y >>> 2;
  for (let row = 0, rows = outer * inner; row < rows; row++) {
    const first = start + firstOf(row, n, inner);
    i32[to + row] = n < LONG ? rowArgmax(heap, first, n, inner) : longArgmax(heap, first, n, inner);
  }
}

/** How many elements make a row long. */
const LONG = 64;

function rowArgmax(heap: WideArray, first: number, n: number, stride: number): number {
  let largest = heap[first]!;
  let index = 0;
  for (let i = 1, at = first + stride; i < n; i++, at = (at + stride) | 0) {
    const value = heap[at]!;
    // Skips everything but larger values and NaN; once the largest is NaN, nothing is above it.
    if (value <= largest) continue;
    if (Number.isNaN(largest)) break;
    largest = value;
    index = i;
  }
  return index;
}

/** rowArgmax for a long row, most of whose elements are skipped four at a time. */
function longArgmax(heap: WideArray, first: number, n: number, stride: number): number {
  let index = 0;
  for (let i = 0; i < n; i = skipSmall(heap, first, i + 1, n, stride, heap[first + index * stride]!)) {
    if (Number.isNaN(heap[first + index * stride])) break;
    index = i;
  }
  return index;
}
