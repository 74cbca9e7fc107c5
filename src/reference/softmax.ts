import type { Heaps } from '../runtime/kernel.js';
import { type AxisOperands, forEachProblem } from './axis.js';
import { maximum } from './logSumExp.js';

/** softmax in plain loops: y_i = e^((x_i − max) / t) / Σ e^((x_j − max) / t). */
export function softmax(heaps: Heaps, elementBytes: 4 | 8, ...operands: AxisOperands): void {
  const [x, y, outer, n, inner, temperature] = operands;
  const heap = heaps.floats(elementBytes);
  const shift = (y - x) / elementBytes;
  forEachProblem(outer, n, inner, (offset) => {
    const first = x / elementBytes + offset;
    const end = first + n * inner;
    const max = maximum(heap, first, n, inner);
    const e = (at: number) => Math.exp((heap[at]! - max) / temperature);
    let sum = 0;
    for (let at = first; at < end; at += inner) sum += e(at);
    for (let at = first; at < end; at += inner) heap[at + shift] = e(at) / sum;
  });
}
