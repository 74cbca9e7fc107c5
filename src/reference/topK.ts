import type { TopKOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow } from './rows.js';

/** topK by a whole sort: NaN first, then the largest, equals as they lie. */
export function topK(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, values, indices, outer, n, inner, k }: TopKOperands,
): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, index) => {
    const first = x / elementBytes + offset;
    // A copy, as the values may go where x lies.
    const row = Array.from({ length: n }, (_, i) => heap[first + i * inner]!);
    const order = row.map((_, i) => i).sort((a, b) => compare(row[b]!, row[a]!) || a - b);
    const to = Math.floor(index / inner) * k * inner + (index % inner);
    for (let i = 0; i < k; i++) {
      heap[values / elementBytes + to + i * inner] = row[order[i]!]!;
      heaps.i32[indices / 4 + to + i * inner] = order[i]!;
    }
  });
}

/** Positive when a is above b; NaN is above all numbers. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return Number(a > b) - Number(a < b);
}
