import type { AxisOperands } from '../runtime/call.js';
import type { Heaps } from '../runtime/kernel.js';
import { forEachRow, maximum } from './axis.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t), 0 where a mask does not keep x_i. */
export function softmax(heaps: Heaps, elementBytes: 4 | 8, ...operands: AxisOperands): void {
  const [x, y, , n, inner, temperature] = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  forEachRow(heaps, elementBytes, operands, (row, first) => {
    const max = row.isKept ? maximum(row) : 0;
    const e = (j: number) => Math.exp((row.at(j) - max) / temperature);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += e(j);
    for (let j = 0; j < n; j++) heap[first + j * inner + shift] = row.isKept ? e(j) / sum : 0;
  });
}
