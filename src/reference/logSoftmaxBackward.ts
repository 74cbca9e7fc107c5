import type { LogSoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of log-softmax in plain loops: dx_i = (dy_i − e^logP_i Σ dy_j) / t. */
export function logSoftmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const at = (array: number, i: number) => heap[array / elementBytes + i]!;
  const row = new Float64Array(n);
  forEachRow(outer, n, inner, (first) => {
    for (let j = 0; j < n; j++) row[j] = at(dy, first + j * inner);
    const sum = sumOf(row) / temperature;
    for (let i = first; i < first + n * inner; i += inner) {
      heap[dx / elementBytes + i] = at(dy, i) / temperature - Math.exp(at(y, i)) * sum;
    }
  });
}
