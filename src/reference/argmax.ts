import type { ArgmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow, indexOf } from './rows.js';

/** argmax in plain loops: the first of equals, NaN being the largest. */
export function argmax(heaps: Heaps, elementBytes: 4 | 8, { x, y, outer, n, inner }: ArgmaxOperands): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, row) => {
    const first = indexOf(x, elementBytes) + offset;
    let largest = heap[first]!;
    let index = 0;
    for (let i = 1, at = first + inner; i < n; i++, at += inner) {
      const value = heap[at]!;
      // Not above it, and not NaN; nothing is above NaN.
      if (value <= largest) continue;
      if (Number.isNaN(largest)) break;
      largest = value;
      index = i;
    }
    heaps.i32[y / 4 + row] = index;
  });
}
