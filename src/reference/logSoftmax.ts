import type { LogSoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';
import { forEachMaskedRow, maximum } from './rows.js';

/** log-softmax in plain loops: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t), -∞ where a mask does not keep x_i. */
export function logSoftmax(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxOperands): void {
  const { x, y, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const exponential = exponentialOf(elementBytes);
  const shift = (y - x) / elementBytes;
  forEachMaskedRow(heaps, elementBytes, operands, (row, first) => {
    const max = row.isKept ? maximum(row) : 0;
    const sum = !row.isKept ? 0 : Number.isFinite(max) ? logSum(row, max, temperature, exponential) : Number.NaN;
    for (let j = 0; j < n; j++) {
      // In halves: x − max could overflow where (x − max) / t does not.
      heap[first + j * inner + shift] = (row.at(j) / 2 - max / 2) / (temperature / 2) - sum;
    }
  });
}
