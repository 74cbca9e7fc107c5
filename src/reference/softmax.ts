import type { SoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, storeShares, unshifted32 } from './exponential.js';
import { firstOf, indexOf, keptPrefix, memoryForRow, readMaskedRow } from './rows.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t), 0 where a mask does not keep x_i. */
export function softmax(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, y, outer, n, inner, temperature, mask }: SoftmaxOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n);
  for (let row = 0; row < outer * inner; row++) {
    const at = firstOf(row, n, inner);
    const from = indexOf(x, elementBytes) + at;
    let total =
      elementBytes === 4 ? unshifted32(heap, from, inner, temperature, keptPrefix(heaps, values, mask, row)) : 0;
    if (total === 0) {
      // Of a row of which nothing is kept all elements are −∞, and e^−∞ is 0.
      const max = readMaskedRow(heaps, heap, from, inner, values, mask, row) ?? 0;
      total = 1 + exponentials(values, max, temperature, elementBytes, values);
    }
    storeShares(values, total, 1, heap, indexOf(y, elementBytes) + at, inner);
  }
}
