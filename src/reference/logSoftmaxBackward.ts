import type { LogSoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { firstOf, indexOf, memoryForRow, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of log-softmax in plain loops: dx_i = (dy_i − e^logP_i Σ dy_j) / t. */
export function logSoftmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const start = indexOf(dy, elementBytes);
  const [fromY, to] = [indexOf(y, elementBytes) - start, indexOf(dx, elementBytes) - start];
  const row = memoryForRow(n);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  for (let index = 0; index < outer * inner; index++) {
    const first = start + firstOf(index, n, inner);
    readRow(heap, first, inner, row);
    const sum = sumOf(row, elementBytes) / temperature;
    for (let j = 0, at = first; j < n; j++, at += inner) {
      heap[at + to] = row[j]! / temperature - exp(heap[at + fromY]!) * sum;
    }
  }
}
