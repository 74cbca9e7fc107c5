import type { Heaps } from '../runtime/kernel.js';

/** log-sum-exp in plain loops: max / t + log Σ e^((x_i − max) / t), the terms equal to the maximum counted apart. */
export function logSumExp(
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
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const first = x / elementBytes + o * n * inner + i;
      const max = maximum(heap, first, n, inner);
      const sum = Number.isFinite(max) ? logSum(heap, first, n, inner, max, temperature) : 0;
      heap[y / elementBytes + o * inner + i] = max / temperature + sum;
    }
  }
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
