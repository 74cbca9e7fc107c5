import type { SoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32, exponentials, MODERATE, storeShares, unshifted32 } from './exponential.js';
import { keptLength, keptStride, placeOf } from './mask.js';
import { firstOf, indexOf, memoryForRow, readMaskedRow } from './rows.js';

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
    const to = indexOf(y, elementBytes) + at;
    if (elementBytes === 4) {
      const total =
        mask === 0
          ? unshifted32(heap, from, inner, temperature, values)
          : unshiftedKept(heaps, heap, from, inner, temperature, mask, row, values);
      if (total > 0) {
        storeShares(values, total, 1, heap, to, inner);
        continue;
      }
    }
    // Of a row of which nothing is kept all elements are −∞, and e^−∞ is 0.
    const max = readMaskedRow(heaps, heap, from, inner, values, mask, row) ?? 0;
    const others = exponentials(values, max, temperature, elementBytes, values);
    storeShares(values, 1 + others, 1, heap, to, inner);
  }
}

/** unshifted32 of what a mask keeps, and 0 for the rest; returns 0 where it keeps nothing, too. */
function unshiftedKept(
  heaps: Heaps,
  heap: Float32Array | Float64Array,
  first: number,
  stride: number,
  temperature: number,
  mask: number,
  row: number,
  e: Float64Array,
): number {
  const { u8 } = heaps;
  const length = keptLength(heaps, mask, row, e.length);
  const step = keptStride(heaps, mask);
  const byte = step < 0 ? 0 : placeOf(heaps, mask, row, 0, 1);
  const inverse = 1 / temperature;
  let total = 0;
  for (let j = 0, at = first; j < length; j++, at += stride) {
    if (step >= 0 && u8[byte + j * step] === 0) {
      e[j] = 0;
      continue;
    }
    const d = heap[at]! * inverse;
    if (!(d > -MODERATE && d < MODERATE)) return 0;
    total += e[j] = exp32(d);
  }
  e.fill(0, length);
  return total;
}
