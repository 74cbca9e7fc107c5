import type { ApplyMaskOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachMasked } from './mask.js';
import { firstOf, indexOf } from './rows.js';

/** Replaces what a mask does not keep, in plain loops. */
export function applyMask(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, outer, n, inner, mask, value }: ApplyMaskOperands,
): void {
  const heap = heaps.floats(elementBytes);
  for (let row = 0; row < outer * inner; row++) {
    const first = indexOf(x, elementBytes) + firstOf(row, n, inner);
    forEachMasked(heaps, mask, row, n, (j) => {
      heap[first + j * inner] = value;
    });
  }
}
