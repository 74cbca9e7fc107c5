import type { WideArray } from '../arrays.js';
import type { EntropyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { dominantOf, exponential, exponentials, unshifted32 } from './exponential.js';
import { firstOf, indexOf, memoryForRow, readMaskedRow } from './rows.js';
import { sumOf } from './sum.js';

/** Entropy in plain loops: log Σ e^−d_i + Σ e^−d_i d_i / Σ e^−d_i with d_i = (max − x_i) / t, 0 where nothing is kept. */
export function entropy(heaps: Heaps, elementBytes: 4 | 8, operands: EntropyOperands): void {
  const { x, y, outer, n, inner, temperature, mask } = operands;
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n, 0);
  const terms = memoryForRow(n, 1);
  const from = indexOf(x, elementBytes);
  const to = indexOf(y, elementBytes);
  for (let row = 0; row < outer * inner; row++) {
    const first = from + firstOf(row, n, inner);
    const total = mask === 0 && elementBytes === 4 ? unshifted32(heap, first, inner, temperature, values) : 0;
    if (total > 0) {
      heap[to + row] = unshiftedEntropy(heap, first, inner, temperature, values, total);
      continue;
    }
    const max = readMaskedRow(heaps, heap, first, inner, values, mask, row);
    heap[to + row] =
      max === undefined
        ? 0
        : Number.isFinite(max)
          ? entropyOf(values, max, temperature, elementBytes, terms)
          : Number.NaN;
  }
}

/** The entropy of a row of float32 elements, `stride` apart, given e^(x / t) and their total. */
function unshiftedEntropy(
  heap: WideArray,
  first: number,
  stride: number,
  temperature: number,
  e: Float64Array,
  total: number,
): number {
  const dominant = dominantOf(e, total);
  const origin = dominant < 0 ? 0 : heap[first + dominant * stride]!;
  let others = 0;
  let weighted = 0;
  for (let j = 0, at = first; j < e.length; j++, at = (at + stride) | 0) {
    weighted += e[j]! * (origin - heap[at]!);
    if (j !== dominant) others += e[j]!;
  }
  return (dominant < 0 ? Math.log(total) : Math.log1p(others / e[dominant]!)) + weighted / temperature / total;
}

/** The entropy of a row, which is overwritten. */
function entropyOf(
  row: Float64Array,
  max: number,
  temperature: number,
  elementBytes: 4 | 8,
  terms: Float64Array,
): number {
  if (elementBytes === 4) return entropy32(row, max, temperature, terms);
  let count = 0;
  for (let j = 0; j < row.length; j++) {
    const x = row[j]!;
    row[j] = terms[j] = 0;
    if (x === max) {
      count++;
      continue;
    }
    // e^−d is computed as a square: where it is subnormal it has lost digits that e^−d · d still has. −∞ counts for
    // nothing.
    const root = exponential(x, max, 2 * temperature, elementBytes);
    row[j] = root * root;
    // In halves: max − x could overflow where (max − x) / t does not.
    if (root > 0) terms[j] = root * ((max / 2 - x / 2) / (temperature / 2)) * root;
  }
  const others = sumOf(row, elementBytes);
  return Math.log1p(count - 1 + others) + sumOf(terms, elementBytes) / (count + others);
}

/** entropyOf for float32 elements, for which plain float64 arithmetic is exact enough. */
function entropy32(row: Float64Array, max: number, temperature: number, e: Float64Array): number {
  const others = exponentials(row, max, temperature, 4, e);
  let terms = 0;
  for (let j = 0; j < row.length; j++) if (e[j]! > 0) terms += e[j]! * (max - row[j]!);
  return Math.log1p(others) + terms / temperature / (1 + others);
}
