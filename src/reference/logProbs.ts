import type { LogProbsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials } from './exponential.js';
import { firstOf, indexOf, memoryForRow, readRow } from './rows.js';

/** The log-probability of each row's target in plain loops, 0 where it is ignored. */
export function logProbs(heaps: Heaps, elementBytes: 4 | 8, operands: LogProbsOperands): void {
  const { x, targets, losses, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const row = memoryForRow(n);
  for (let index = 0; index < outer * inner; index++) {
    const target = heaps.i32[targets / 4 + index]!;
    let value = 0;
    if (target >= 0) {
      const max = readRow(heap, indexOf(x, elementBytes) + firstOf(index, n, inner), inner, row);
      const targetLogit = row[target]!;
      const log = Math.log1p(exponentials(row, max, temperature, elementBytes, row));
      // In halves: x − max could overflow where (x − max) / t does not.
      value = (targetLogit / 2 - max / 2) / (temperature / 2) - log;
    }
    heap[losses / elementBytes + index] = value;
  }
}
