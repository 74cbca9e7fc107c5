import type { AccuracyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow } from './rows.js';

/** Counts the rows whose target has fewer than k elements before it, in plain loops. */
export function accuracy(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, outer, n, inner, k, hits }: AccuracyOperands,
): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, row) => {
    const target = heaps.i32[targets / 4 + row]!;
    if (target < 0) return;
    const first = x / elementBytes + offset;
    const targetLogit = heap[first + target * inner]!;
    let rank = 0;
    for (let i = 0; i < n; i++) {
      const value = heap[first + i * inner]!;
      const isEqual = value === targetLogit || (Number.isNaN(value) && Number.isNaN(targetLogit));
      if (isEqual ? i < target : !(value < targetLogit) && !Number.isNaN(targetLogit)) rank++;
    }
    if (rank < k) heaps.i32[hits / 4]!++;
  });
}
