import type { LogSoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials } from './exponential.js';
import { forEachMaskedRow } from './rows.js';

/** log-softmax in plain loops: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t), -∞ where a mask does not keep x_i. */
export function logSoftmax(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxOperands): void {
  const { x, y, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  const e = new Float64Array(n);
  // In halves: x − max could overflow where (x − max) / t does not.
  const half = temperature / 2;
  forEachMaskedRow(heaps, elementBytes, operands, (row, max = 0, first) => {
    const log = Math.log1p(exponentials(row, max, temperature, elementBytes, e));
    for (let j = 0, at = first + shift; j < n; j++, at += inner) heap[at] = (row[j]! / 2 - max / 2) / half - log;
  });
}
