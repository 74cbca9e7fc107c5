import type { LogSumExpOperands, WeightedLogSumExpOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponential, exponentials } from './exponential.js';
import { keeps, placeOf } from './mask.js';
import { firstOf, indexOf, memoryForRow, readMaskedRow } from './rows.js';
import { sumOf } from './sum.js';

/** log-sum-exp in plain loops: max / t + log Σ e^((x_i − max) / t), the terms equal to the maximum counted apart. */
export function logSumExp(heaps: Heaps, elementBytes: 4 | 8, operands: LogSumExpOperands): void {
  const { x, y, outer, n, inner, temperature, mask } = operands;
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n);
  for (let row = 0; row < outer * inner; row++) {
    const first = indexOf(x, elementBytes) + firstOf(row, n, inner);
    const max = readMaskedRow(heaps, heap, first, inner, values, mask, row) ?? -Infinity;
    const log = Number.isFinite(max) ? Math.log1p(exponentials(values, max, temperature, elementBytes, values)) : 0;
    heap[y / elementBytes + row] = max / temperature + log;
  }
}

/** An element and its weight. */
interface Term {
  readonly x: number;
  readonly w: number;
}

/** log Σ w_i e^(x_i / t): a weight 0 removes its element, a sum of 0 gives -∞ and a negative one NaN. */
export function weightedLogSumExp(heaps: Heaps, elementBytes: 4 | 8, operands: WeightedLogSumExpOperands): void {
  const { y, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  forEachWeightedRow(heaps, elementBytes, operands, ({ max, top, others }, index) => {
    const sum = top + others;
    const logarithm = sum > 0.5 && sum < 2 ? Math.log1p(top - 1 + others) : Math.log(sum);
    heap[y / elementBytes + index] = Number.isFinite(max) ? max / temperature + logarithm : max;
  });
}

/** e^(max / t) · (top + others): the weights at the maximum, and the terms of the other elements. */
interface WeightedSum {
  readonly max: number;
  readonly top: number;
  readonly others: number;
}

/** Visits the weighted sums of a kernel's rows. */
export function forEachWeightedRow(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, outer, n, inner, temperature, mask, weights }: Omit<WeightedLogSumExpOperands, 'y' | 'scratch'>,
  visit: (sum: WeightedSum, index: number) => void,
): void {
  const heap = heaps.floats(elementBytes);
  for (let index = 0; index < outer * inner; index++) {
    const first = indexOf(x, elementBytes) + firstOf(index, n, inner);
    const terms: Term[] = [];
    for (let j = 0; j < n; j++) {
      const w = heap[placeOf(heaps, weights, index, j, elementBytes) / elementBytes]!;
      if (w !== 0 && keeps(heaps, mask, index, j, n)) terms.push({ x: heap[first + j * inner]!, w });
    }
    visit(weightedSum(terms, temperature, elementBytes), index);
  }
}

/** If the result is not a number times e^(max / t), the maximum itself is the result: ∞, -∞ for no elements, or NaN. */
function weightedSum(terms: readonly Term[], temperature: number, elementBytes: 4 | 8): WeightedSum {
  const max = terms.reduce((m, { x }) => Math.max(m, x), -Infinity);
  // Decides the result if there are infinities or NaN: any finite e^x counts as 1.
  const total = terms.reduce((sum, { x, w }) => sum + w * (Number.isFinite(x) ? 1 : Math.exp(x)), 0);
  if (!Number.isFinite(max) || !Number.isFinite(total)) return { max: Math.log(total), top: 0, others: 0 };
  // The weights at the maximum come first: near a sum of 1, what −1 cancels against is exact.
  const [tops, rest] = [terms.filter(({ x }) => x === max), terms.filter(({ x }) => x !== max)];
  const top = sumOf(
    Float64Array.from(tops, ({ w }) => w),
    elementBytes,
  );
  const others = sumOf(
    Float64Array.from(rest, ({ x, w }) => w * exponential(x, max, temperature, elementBytes)),
    elementBytes,
  );
  return { max, top, others };
}
