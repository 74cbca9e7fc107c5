import type { ReduceOperands } from '../runtime/call.js';
import type { Heaps } from '../runtime/kernel.js';
import { forEachProblem, forEachRow, maximum, type Row } from './axis.js';
import { keeps, placeOf } from './mask.js';

/** log-sum-exp in plain loops: max / t + log Σ e^((x_i − max) / t), the terms equal to the maximum counted apart. */
export function logSumExp(heaps: Heaps, elementBytes: 4 | 8, ...operands: ReduceOperands): void {
  const [, y, , , , temperature] = operands;
  const heap = heaps.floats(elementBytes);
  forEachRow(heaps, elementBytes, operands, (row, _, problem) => {
    const max = maximum(row);
    const sum = Number.isFinite(max) ? logSum(row, max, temperature) : 0;
    heap[y / elementBytes + problem] = max / temperature + sum;
  });
}

/** log Σ e^((x − max) / t), right to its last digits even when the maximum outweighs all others. */
export function logSum({ n, at }: Row, max: number, temperature: number): number {
  let others = 0;
  let count = 0;
  for (let j = 0; j < n; j++) {
    const value = at(j);
    if (value === max) count++;
    else others += Math.exp((value - max) / temperature);
  }
  return Math.log1p(count - 1 + others);
}

/** An element and its weight. */
interface Term {
  readonly x: number;
  readonly w: number;
}

/** log Σ w_i e^(x_i / t): a weight 0 removes its element, a sum of 0 gives -∞ and a negative one NaN. */
export function weightedLogSumExp(heaps: Heaps, elementBytes: 4 | 8, ...operands: ReduceOperands): void {
  const [x, y, outer, n, inner, temperature, , mask, weights] = operands;
  const heap = heaps.floats(elementBytes);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const terms: Term[] = [];
    for (let j = 0; j < n; j++) {
      const w = heap[placeOf(heaps, weights, problem, j, elementBytes) / elementBytes]!;
      if (w !== 0 && keeps(heaps, mask, problem, j, n))
        terms.push({ x: heap[x / elementBytes + offset + j * inner]!, w });
    }
    heap[y / elementBytes + problem] = logWeightedSum(terms, temperature);
  });
}

function logWeightedSum(terms: readonly Term[], temperature: number): number {
  const max = terms.reduce((m, { x }) => Math.max(m, x), -Infinity);
  // What decides where infinities or NaN are about: any finite e^x counts as 1.
  const total = terms.reduce((sum, { x, w }) => sum + w * (Number.isFinite(x) ? 1 : Math.exp(x)), 0);
  if (!Number.isFinite(max) || !Number.isFinite(total)) return Math.log(total);
  // Those at the maximum first: what −1 cancels against, near a sum of 1, is exact.
  const top = terms.reduce((sum, { x, w }) => (x === max ? sum + w : sum), 0);
  const others = terms.reduce(
    (sum, { x, w }) => (x === max ? sum : sum + w * Math.exp((x / 2 - max / 2) / (temperature / 2))),
    0,
  );
  const sum = top + others;
  return max / temperature + (sum > 0.5 && sum < 2 ? Math.log1p(top - 1 + others) : Math.log(sum));
}
