import type { ExpSumsOperands, WeightedExpSumsOperands } from '../generated/kernels.js';
import { ROW_SUM_BYTES } from '../generated/layout.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials } from './exponential.js';
import { forEachWeightedRow } from './logSumExp.js';
import { indexOf, memoryForRow, readMaskedRow } from './rows.js';

/** Σ e^(x_j / t) of each row: the maximum, 1 for its own term, and the other terms relative to e^(maximum / t). */
export function expSums(heaps: Heaps, elementBytes: 4 | 8, operands: ExpSumsOperands): void {
  const { x, sums, rows, n, temperature, mask } = operands;
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n);
  for (let row = 0; row < rows; row++) {
    const max = readMaskedRow(heaps, heap, indexOf(x, elementBytes) + row * n, 1, values, mask, row) ?? -Infinity;
    const isUsual = Number.isFinite(max);
    const others = isUsual ? exponentials(values, max, temperature, elementBytes, values) : 0;
    storeSums(heaps, sums, row, max, isUsual ? 1 : 0, others);
  }
}

/** The same of Σ w_j e^(x_j / t): the weights at the maximum take the place of 1. */
export function weightedExpSums(heaps: Heaps, elementBytes: 4 | 8, operands: WeightedExpSumsOperands): void {
  const { sums, rows } = operands;
  forEachWeightedRow(heaps, elementBytes, { ...operands, outer: rows, inner: 1 }, ({ max, top, others }, index) => {
    storeSums(heaps, sums, index, max, top, others);
  });
}

function storeSums({ f64 }: Heaps, sums: number, row: number, max: number, top: number, others: number): void {
  f64.set([max, top, others, 0], (sums + row * ROW_SUM_BYTES) / 8);
}
