import type { Heaps } from '../runtime/kernel.js';
import { maximum } from './logSumExp.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t). */
export function softmax(
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
      const end = first + n * inner;
      const max = maximum(heap, first, n, inner);
      const e = (at: number) => Math.exp((heap[at]! - max) / temperature);
      let sum = 0;
      for (let at = first; at < end; at += inner) sum += e(at);
      for (let at = first; at < end; at += inner) heap[at + shift] = e(at) / sum;
    }
  }
}
