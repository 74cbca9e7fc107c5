import type { AccuracyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachProblem } from './axis.js';

/** Counts the problems whose target has fewer than k elements before it, in plain loops. */
export function accuracy(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, outer, n, inner, k, hits }: AccuracyOperands,
): void {
  const heap = heaps.floats(elementBytes);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const target = heaps.i32[targets / 4 + problem]!;
    if (target < 0) return;
    const first = x / elementBytes + offset;
    const own = heap[first + target * inner]!;
    let rank = 0;
    for (let i = 0; i < n; i++) {
      const value = heap[first + i * inner]!;
      const isEqual = value === own || (Number.isNaN(value) && Number.isNaN(own));
      if (isEqual ? i < target : !(value < own) && !Number.isNaN(own)) rank++;
    }
    if (rank < k) heaps.i32[hits / 4]!++;
  });
}
