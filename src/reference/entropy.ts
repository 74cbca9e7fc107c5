import type { EntropyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { type Exponential, exponentialOf } from './exponential.js';
import { forEachMaskedRow, maximum, type Row } from './rows.js';
import { sumOf } from './sum.js';

/** Entropy in plain loops: log Σ e^−d_i + Σ e^−d_i d_i / Σ e^−d_i with d_i = (max − x_i) / t, 0 where nothing is kept. */
export function entropy(heaps: Heaps, elementBytes: 4 | 8, operands: EntropyOperands): void {
  const { y, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const exponential = exponentialOf(elementBytes);
  forEachMaskedRow(heaps, elementBytes, operands, (row, _, index) => {
    const max = maximum(row);
    const entropy = Number.isFinite(max) ? rowEntropy(row, max, temperature, exponential) : Number.NaN;
    heap[y / elementBytes + index] = row.isKept ? entropy : 0;
  });
}

function rowEntropy({ n, at }: Row, max: number, temperature: number, exponential: Exponential): number {
  const e = new Float64Array(n);
  const terms = new Float64Array(n);
  let count = 0;
  for (let j = 0; j < n; j++) {
    const x = at(j);
    if (x === max) {
      count++;
      continue;
    }
    // e^−d as a square: below the normal numbers it has lost digits that e^−d · d still has. −∞ counts for nothing.
    const root = exponential(x, max, 2 * temperature);
    e[j] = root * root;
    // In halves: max − x could overflow where (max − x) / t does not.
    if (root > 0) terms[j] = root * ((max / 2 - x / 2) / (temperature / 2)) * root;
  }
  const others = sumOf(e);
  return Math.log1p(count - 1 + others) + sumOf(terms) / (count + others);
}
