import type { Heaps } from '../runtime/kernel.js';
import { logSum, maximum } from './logSumExp.js';

/** log-softmax in plain loops: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t). */
export function logSoftmax(
  heaps: Heaps,
  elementBytes: 4 | 8,
  x: number,
  y: number,
  outer: number,
  n: number,
  inner: number,
  temperature: number,
  _scratch: number,
): void {
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const first = x / elementBytes + o * n * inner + i;
      const max = maximum(heap, first, n, inner);
      const sum = Number.isFinite(max) ? logSum(heap, first, n, inner, max, temperature) : Number.NaN;
      for (let j = 0; j < n; j++) {
        const at = first + j * inner;
        // In halves: x − max could overflow where (x − max) / t does not.
        heap[at + shift] = (heap[at]! / 2 - max / 2) / (temperature / 2) - sum;
      }
    }
  }
}
