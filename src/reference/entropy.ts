import type { EntropyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { type Exponential, exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';
import { forEachMaskedRow, maximum, type Row } from './rows.js';
import { sumOf } from './sum.js';

/** Entropy in plain loops: log Σ e^−d_i + Σ e^−d_i d_i / Σ e^−d_i with d_i = (max − x_i) / t, 0 where nothing is kept. */
export function entropy(heaps: Heaps, elementBytes: 4 | 8, operands: EntropyOperands): void {
  const { y, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const exponential = exponentialOf(elementBytes);
  forEachMaskedRow(heaps, elementBytes, operands, (row, _, index) => {
    heap[y / elementBytes + index] = row.isKept ? rowEntropy(row, temperature, exponential) : 0;
  });
}

function rowEntropy(row: Row, temperature: number, exponential: Exponential): number {
  const { n, at } = row;
  const max = maximum(row);
  if (!Number.isFinite(max)) return Number.NaN;
  const sum = sumOf(Float64Array.from({ length: n }, (_, j) => exponential(at(j), max, temperature)));
  const terms = Float64Array.from({ length: n }, (_, j) => {
    // e^−d d as (e^−d/2 d) e^−d/2: below the normal numbers e^−d has lost digits that the product still has.
    const root = exponential(at(j), max, 2 * temperature);
    // In halves: max − x could overflow where (max − x) / t does not. −∞ counts for nothing.
    return root > 0 ? root * ((max / 2 - at(j) / 2) / (temperature / 2)) * root : 0;
  });
  return logSum(row, max, temperature, exponential) + sumOf(terms) / sum;
}
