import type { SoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentialOf } from './exponential.js';
import { forEachMaskedRow, maximum } from './rows.js';
import { sumOf } from './sum.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t), 0 where a mask does not keep x_i. */
export function softmax(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxOperands): void {
  const { x, y, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  const exponential = exponentialOf(elementBytes);
  const e = new Float64Array(n);
  forEachMaskedRow(heaps, elementBytes, operands, (row, first) => {
    const max = row.isKept ? maximum(row) : 0;
    for (let j = 0; j < n; j++) e[j] = exponential(row.at(j), max, temperature);
    const sum = sumOf(e);
    for (let j = 0; j < n; j++) heap[first + j * inner + shift] = row.isKept ? e[j]! / sum : 0;
  });
}
