import type { LogSoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { firstOf, memoryForRow, viewOf } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of log-softmax in plain loops: dx_i = (dy_i − e^logP_i Σ dy_j) / t. */
export function logSoftmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: LogSoftmaxBackwardOperands): void {
  const { outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const count = outer * n * inner;
  const y = viewOf(heap, operands.y, elementBytes, count);
  const dy = viewOf(heap, operands.dy, elementBytes, count);
  const dx = viewOf(heap, operands.dx, elementBytes, count);
  const row = memoryForRow(n);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  for (let index = 0; index < outer * inner; index++) {
    const first = firstOf(index, n, inner);
    for (let j = 0, at = first; j < n; j++, at = (at + inner) | 0) row[j] = dy[at]!;
    const sum = sumOf(row, elementBytes) / temperature;
    for (let j = 0, at = first; j < n; j++, at = (at + inner) | 0) {
      dx[at] = row[j]! / temperature - exp(y[at]!) * sum;
    }
  }
}
