import type { SoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, storeShares } from './exponential.js';
import { forEachMaskedRow } from './rows.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t), 0 where a mask does not keep x_i. */
export function softmax(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxOperands): void {
  const { x, y, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  // Of a row of which nothing is kept all elements are −∞, and e^−∞ is 0.
  forEachMaskedRow(heaps, elementBytes, operands, (row, max = 0, first) => {
    const others = exponentials(row, max, temperature, elementBytes, row);
    storeShares(row, 1 + others, 1, heap, first + shift, inner);
  });
}
