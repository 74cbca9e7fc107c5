import type { Heaps } from '../wasm/kernel.js';
import { forEachMasked } from './mask.js';

/** Visits the rows of [outer, n, inner]: the index of each one's first element; the others are `inner` apart. */
export function forEachRow(outer: number, n: number, inner: number, visit: (first: number, row: number) => void): void {
  // Whole numbers all along: an index that came of a division slows the loops over a row down by a fifth.
  for (let o = 0, row = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++, row++) visit(o * n * inner + i, row);
  }
}

/** Where rows are, and what is kept of them. */
interface RowOperands {
  readonly x: number;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly mask: number;
}

/**
 * Visits the rows of a kernel's operands: the elements of each in float64, −∞ where a mask does not keep them; the largest
 * of them, NaN where one is NaN, undefined where the mask keeps nothing; the index of the first.
 */
export function forEachMaskedRow(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, outer, n, inner, mask }: RowOperands,
  visit: (row: Float64Array, max: number | undefined, first: number, index: number) => void,
): void {
  const heap = heaps.floats(elementBytes);
  const values = new Float64Array(n);
  forEachRow(outer, n, inner, (offset, index) => {
    const first = indexOf(x, elementBytes) + offset;
    const max = readRow(heap, first, inner, values);
    if (mask === 0) visit(values, max, first, index);
    else visit(values, maskRow(heaps, mask, index, values) ? maximum(values) : undefined, first, index);
  });
}

/** Number of the element at an address. */
export function indexOf(address: number, elementBytes: 4 | 8): number {
  return elementBytes === 4 ? address >>> 2 : address >>> 3;
}

/** Copies elements `stride` apart; returns the largest, NaN where one is NaN. */
export function readRow(
  heap: Float32Array | Float64Array,
  first: number,
  stride: number,
  values: Float64Array,
): number {
  let max = -Infinity;
  for (let j = 0, at = first; j < values.length; j++, at += stride) {
    const value = heap[at]!;
    values[j] = value;
    // Not above it, and not NaN; nothing is above NaN.
    if (!(value <= max) && !Number.isNaN(max)) max = value;
  }
  return max;
}

/** Puts −∞ where a mask does not keep the elements of a row; returns whether it keeps any. */
function maskRow(heaps: Heaps, mask: number, row: number, values: Float64Array): boolean {
  let kept = values.length;
  forEachMasked(heaps, mask, row, values.length, (j) => {
    values[j] = -Infinity;
    kept--;
  });
  return kept > 0;
}

/** The largest element; NaN where one is NaN. */
function maximum(values: Float64Array): number {
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
