import type { LogProbsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachProblem, maximum, rowOf } from './axis.js';
import { exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';

/** The log-probability of each problem's target in plain loops, 0 where it is ignored. */
export function logProbs(heaps: Heaps, elementBytes: 4 | 8, operands: LogProbsOperands): void {
  const { x, targets, losses, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const exponential = exponentialOf(elementBytes);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const first = x / elementBytes + offset;
    const target = heaps.i32[targets / 4 + problem]!;
    let value = 0;
    if (target >= 0) {
      const row = rowOf(heap, first, n, inner);
      const max = maximum(row);
      const log = Number.isFinite(max) ? logSum(row, max, temperature, exponential) : Number.NaN;
      // In halves: x − max could overflow where (x − max) / t does not.
      value = (heap[first + target * inner]! / 2 - max / 2) / (temperature / 2) - log;
    }
    heap[losses / elementBytes + problem] = value;
  });
}
