import type { Heaps } from '../wasm/kernel.js';
import { keeps } from './mask.js';

/** Visits the rows of [outer, n, inner]: the index of each one's first element; the others are `inner` apart. */
export function forEachRow(outer: number, n: number, inner: number, visit: (first: number, row: number) => void): void {
  for (let row = 0; row < outer * inner; row++) {
    visit(Math.floor(row / inner) * n * inner + (row % inner), row);
  }
}

/** What a row holds: element j, or -∞ where a mask does not keep it. */
export interface Row {
  readonly n: number;
  readonly at: (j: number) => number;
  /** Whether anything is kept. */
  readonly isKept: boolean;
}

/** Where rows are, and what is kept of them. */
interface RowOperands {
  readonly x: number;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly mask: number;
}

/** Visits what a mask keeps of the rows of a kernel's operands, each with the index of its first element. */
export function forEachMaskedRow(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, outer, n, inner, mask }: RowOperands,
  visit: (row: Row, first: number, index: number) => void,
): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, index) => {
    const first = x / elementBytes + offset;
    const at = (j: number) => (keeps(heaps, mask, index, j, n) ? heap[first + j * inner]! : -Infinity);
    let isKept = mask === 0;
    for (let j = 0; j < n && !isKept; j++) isKept = keeps(heaps, mask, index, j, n);
    visit({ n, at, isKept }, first, index);
  });
}

/** n elements `stride` apart, all of them kept. */
export function rowOf(heap: Float32Array | Float64Array, first: number, n: number, stride: number): Row {
  return { n, at: (j) => heap[first + j * stride]!, isKept: true };
}

/** The largest element; NaN where one is NaN. */
export function maximum({ n, at }: Row): number {
  let max = -Infinity;
  for (let j = 0; j < n; j++) max = Math.max(max, at(j));
  return max;
}
