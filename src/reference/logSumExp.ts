import type { Heaps } from '../runtime/kernel.js';
import { type AxisOperands, forEachProblem } from './axis.js';

/** log-sum-exp in plain loops: max / t + log Σ e^((x_i − max) / t), the terms equal to the maximum counted apart. */
export function logSumExp(heaps: Heaps, elementBytes: 4 | 8, ...operands: AxisOperands): void {
  const [x, y, outer, n, inner, temperature] = operands;
  const heap = heaps.floats(elementBytes);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const first = x / elementBytes + offset;
    const max = maximum(heap, first, n, inner);
    const sum = Number.isFinite(max) ? logSum(heap, first, n, inner, max, temperature) : 0;
    heap[y / elementBytes + problem] = max / temperature + sum;
  });
}

/** The largest of n elements `stride` apart; NaN where one is NaN. */
export function maximum(heap: Float32Array | Float64Array, first: number, n: number, stride: number): number {
  let max = -Infinity;
  for (let j = 0; j < n; j++) max = Math.max(max, heap[first + j * stride]!);
  return max;
}

/** log Σ e^((x_i − max) / t), right to its last digits even when the maximum outweighs all others. */
export function logSum(
  heap: Float32Array | Float64Array,
  first: number,
  n: number,
  stride: number,
  max: number,
  temperature: number,
): number {
  let others = 0;
  let count = 0;
  for (let j = 0; j < n; j++) {
    const value = heap[first + j * stride]!;
    if (value === max) count++;
    else others += Math.exp((value - max) / temperature);
  }
  return Math.log1p(count - 1 + others);
}
