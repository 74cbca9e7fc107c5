import type { Heaps } from '../runtime/kernel.js';
import { type AxisOperands, forEachProblem } from './axis.js';
import { logSum, maximum } from './logSumExp.js';

/** log-softmax in plain loops: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t). */
export function logSoftmax(heaps: Heaps, elementBytes: 4 | 8, ...operands: AxisOperands): void {
  const [x, y, outer, n, inner, temperature] = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  forEachProblem(outer, n, inner, (offset) => {
    const first = x / elementBytes + offset;
    const max = maximum(heap, first, n, inner);
    const sum = Number.isFinite(max) ? logSum(heap, first, n, inner, max, temperature) : Number.NaN;
    for (let j = 0; j < n; j++) {
      const at = first + j * inner;
      // In halves: x − max could overflow where (x − max) / t does not.
      heap[at + shift] = (heap[at]! / 2 - max / 2) / (temperature / 2) - sum;
    }
  });
}
