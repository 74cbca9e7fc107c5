import type { WideArray } from '../arrays.js';
import type { Heaps } from '../wasm/kernel.js';
import { keptLength, keptStride, placeOf } from './mask.js';

/** The index of the first element of a row of [outer, n, inner]; the others are `inner` apart. */
export function firstOf(row: number, n: number, inner: number): number {
  if (inner === 1) return row * n;
  // Integer arithmetic only: an index computed by division slows the loops over a row down by a fifth.
  const column = row % inner;
  return (row - column) * n + column;
}

/**
 * Copies elements `stride` apart, −∞ where a mask does not keep them. Returns the largest, NaN where one is NaN, undefined
 * where the mask keeps nothing.
 */
export function readMaskedRow(
  heaps: Heaps,
  heap: WideArray,
  first: number,
  stride: number,
  values: Float64Array,
  mask: number,
  row: number,
): number | undefined {
  // A function of its own: then both are small enough for an engine to inline the one that is called.
  return mask === 0 ? readRow(heap, first, stride, values) : readKept(heaps, heap, first, stride, values, mask, row);
}

function readKept(
  heaps: Heaps,
  heap: WideArray,
  first: number,
  stride: number,
  values: Float64Array,
  mask: number,
  row: number,
): number | undefined {
  const { u8 } = heaps;
  const length = keptLength(heaps, mask, row, values.length);
  const step = keptStride(heaps, mask);
  const byte = step < 0 ? 0 : placeOf(heaps, mask, row, 0, 1);
  let isKept = false;
  let max = -Infinity;
  for (let j = 0, at = first; j < length; j++, at = (at + stride) | 0) {
    if (step >= 0 && u8[byte + j * step] === 0) {
      values[j] = -Infinity;
      continue;
    }
    const value = heap[at]!;
    values[j] = value;
    isKept = true;
    if (!(value <= max) && !Number.isNaN(max)) max = value;
  }
  values.fill(-Infinity, length);
  return isKept ? max : undefined;
}

/**
 * The part of `values` for the elements of a row that a mask keeps, all set to 0; empty unless these are the first
 * elements of the row.
 */
export function keptPrefix(heaps: Heaps, values: Float64Array, mask: number, row: number): Float64Array {
  if (mask === 0) return values;
  const { u8 } = heaps;
  const length = keptLength(heaps, mask, row, values.length);
  const step = keptStride(heaps, mask);
  const byte = step < 0 ? 0 : placeOf(heaps, mask, row, 0, 1);
  let count = 0;
  for (let j = 0; j < length; j++) {
    if (step >= 0 && u8[byte + j * step] === 0) continue;
    if (count < j) return values.subarray(0, 0);
    count++;
  }
  return values.fill(0).subarray(0, count);
}

/** The most elements of a row whose memory is kept for the next call; few vocabularies are larger. */
const KEPT = 2 ** 18;
const kept: Float64Array[] = [];

/**
 * Memory for a row of n elements, valid until the kernel ends; a kernel that needs several numbers them. Allocating it
 * in each call may take as long as the kernel itself.
 */
export function memoryForRow(n: number, number = 0): Float64Array {
  if (n > KEPT) return new Float64Array(n);
  const memory = kept[number];
  return memory?.length === n ? memory : (kept[number] = new Float64Array(n));
}

/**
 * A view of `count` elements from an address on. Elements of several operands have the same index in their views, so
 * that a loop computes it once.
 */
export function viewOf(heap: WideArray, address: number, elementBytes: 4 | 8, count: number): WideArray {
  const first = indexOf(address, elementBytes);
  return heap.subarray(first, first + count);
}

/**
 * The index of the element at an address. It is below 2^30, so loops may add to it with `| 0`, for which V8 omits
 * overflow checks.
 */
export function indexOf(address: number, elementBytes: 4 | 8): number {
  return elementBytes === 4 ? address >>> 2 : address >>> 3;
}

/** Copies elements `stride` apart; returns the largest, NaN where one is NaN. */
export function readRow(heap: WideArray, first: number, stride: number, values: Float64Array): number {
  let max = -Infinity;
  for (let j = 0, at = first; j < values.length; j++, at = (at + stride) | 0) {
    const value = heap[at]!;
    values[j] = value;
    // True for larger values and NaN; once the maximum is NaN it stays.
    if (!(value <= max) && !Number.isNaN(max)) max = value;
  }
  return max;
}

/** The largest element; NaN where one is NaN. */
export function maximum(values: Float64Array): number {
  let max = -Infinity;
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    if (!(value <= max)) {
      if (Number.isNaN(value)) return value;
      max = value;
    }
  }
  return max;
}

/** The first element from i on that may be above `least`, or n. Most elements are not, so four are tested at once. */
export function skipSmall(heap: WideArray, first: number, i: number, n: number, stride: number, least: number): number {
  for (; i + 4 <= n; i += 4) {
    const at = first + i * stride;
    const areSmall =
      heap[at]! <= least &&
      heap[at + stride]! <= least &&
      heap[at + 2 * stride]! <= least &&
      heap[at + 3 * stride]! <= least;
    if (!areSmall) break;
  }
  while (i < n && heap[first + i * stride]! <= least) i++;
  return i;
}
