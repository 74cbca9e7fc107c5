import type { LogSoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow, indexOf, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of log-softmax in plain loops: dx_i = (dy_i − e^logP_i Σ dy_j) / t. */
export function logSoftmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const [fromY, to] = [(y - dy) / elementBytes, (dx - dy) / elementBytes];
  const row = new Float64Array(n);
  forEachRow(outer, n, inner, (offset) => {
    const first = indexOf(dy, elementBytes) + offset;
    readRow(heap, first, inner, row);
    const sum = sumOf(row, elementBytes) / temperature;
    for (let j = 0, at = first; j < n; j++, at += inner) {
      heap[at + to] = row[j]! / temperature - Math.exp(heap[at + fromY]!) * sum;
    }
  });
}
