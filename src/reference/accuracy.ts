import type { WideArray } from '../arrays.js';
import type { AccuracyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf } from './rows.js';

/** Counts the rows whose target has fewer than k elements before it, in plain loops. */
export function accuracy(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, outer, n, inner, k, hits }: AccuracyOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const { i32 } = heaps;
  for (let row = 0; row < outer * inner; row++) {
    const target = i32[targets / 4 + row]!;
    if (target < 0) continue;
    const first = indexOf(x, elementBytes) + firstOf(row, n, inner);
    if (isAmong(k, heap, first, first + n * inner, inner, first + target * inner)) i32[hits / 4]!++;
  }
}

/** Whether fewer than k elements come before the one at `target`: larger ones, NaN, and equal ones ahead of it. */
function isAmong(k: number, heap: WideArray, first: number, end: number, stride: number, target: number): boolean {
  const value = heap[target]!;
  const isUnordered = Number.isNaN(value);
  let rank = 0;
  for (let at = first; at < target && rank < k; at += stride) {
    if (isUnordered ? Number.isNaN(heap[at]) : !(heap[at]! < value)) rank++;
  }
  if (isUnordered) return rank < k;
  for (let at = target; at < end && rank < k; at += stride) if (!(heap[at]! <= value)) rank++;
  return rank < k;
}
