import type { LogProbsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';
import { forEachRow, maximum, rowOf } from './rows.js';

/** The log-probability of each row's target in plain loops, 0 where it is ignored. */
export function logProbs(heaps: Heaps, elementBytes: 4 | 8, operands: LogProbsOperands): void {
  const { x, targets, losses, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const exponential = exponentialOf(elementBytes);
  forEachRow(outer, n, inner, (offset, index) => {
    const first = x / elementBytes + offset;
    const target = heaps.i32[targets / 4 + index]!;
    let value = 0;
    if (target >= 0) {
      const row = rowOf(heap, first, n, inner);
      const max = maximum(row);
      const log = Number.isFinite(max) ? logSum(row, max, temperature, exponential) : Number.NaN;
      // In halves: x − max could overflow where (x − max) / t does not.
      value = (heap[first + target * inner]! / 2 - max / 2) / (temperature / 2) - log;
    }
    heap[losses / elementBytes + index] = value;
  });
}
