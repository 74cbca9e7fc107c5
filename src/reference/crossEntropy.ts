import type { CrossEntropyOperands, SmoothTargetsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, storeShares } from './exponential.js';
import { storeLoss } from './loss.js';
import { keeps } from './mask.js';
import { forEachRow, indexOf, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** Cross-entropy on class indices in plain loops, with its gradient. */
export function crossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  const { targets, smoothing, spreads, inner } = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (index, offset, probabilities) => {
    const target = heaps.i32[targets / 4 + index]!;
    if (target < 0) return NO_CLASS;
    if (smoothing === 0) return target;
    if (spreads) readRow(heap, indexOf(spreads, elementBytes) + offset, inner, probabilities);
    else probabilities.fill(smoothing / probabilities.length);
    probabilities[target]! += 1 - smoothing;
    return ALL_CLASSES;
  });
}

/** Cross-entropy on class probabilities in plain loops, with its gradient. */
export function softCrossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  const { targets, inner, smoothing } = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (_, offset, probabilities) => {
    const spread = smoothing / probabilities.length;
    for (let c = 0, at = indexOf(targets, elementBytes) + offset; c < probabilities.length; c++, at += inner) {
      probabilities[c] = heap[at]! * (1 - smoothing) + spread;
    }
    return ALL_CLASSES;
  });
}

const NO_CLASS = -1;
const ALL_CLASSES = -2;

/** The target class of a row, or none; or all, and then the target probability of each after label smoothing. */
type Targets = (index: number, offset: number, probabilities: Float64Array) => number;

function lossesOf(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands, targetsOf: Targets): void {
  const { x, losses, gradient, outer, n, inner, temperature, weight, scale, gradOutput, sum } = operands;
  const heap = heaps.floats(elementBytes);
  const row = new Float64Array(n);
  const p = new Float64Array(n);
  const q = new Float64Array(n);
  const weightOf = (c: number) => (weight ? heap[weight / elementBytes + c]! : 1);
  forEachRow(outer, n, inner, (offset, index) => {
    const target = targetsOf(index, offset, q);
    if (target === NO_CLASS) {
      if (gradient) for (let c = 0; c < n; c++) heap[indexOf(gradient, elementBytes) + offset + c * inner] = 0;
      storeLoss(heaps, elementBytes, losses, sum, index, 0);
      return;
    }
    const max = readRow(heap, indexOf(x, elementBytes) + offset, inner, row);
    const others = exponentials(row, max, temperature, elementBytes, p);
    const total = 1 + others;
    const log = Math.log1p(others);
    const upstream = gradOutput ? heap[gradOutput / elementBytes + index]! : 1;
    const factor = (scale * upstream) / temperature;
    const to = indexOf(gradient, elementBytes) + offset;
    if (target >= 0) {
      const w = weightOf(target);
      storeLoss(heaps, elementBytes, losses, sum, index, -w * logProb(row[target]!, max, temperature, log));
      if (!gradient) return;
      storeShares(p, total, factor * w, heap, to, inner);
      heap[to + target * inner] = factor * w * shortfall(p, target, total, elementBytes);
      return;
    }
    const terms = row;
    for (let c = 0; c < n; c++) {
      // A target probability of 0 counts 0 even beside a probability of 0; a NaN row stays NaN.
      const isNothing = q[c] === 0 && !Number.isNaN(log);
      q[c]! *= weightOf(c);
      terms[c] = isNothing ? 0 : -q[c]! * logProb(row[c]!, max, temperature, log);
    }
    const loss = sumOf(terms, elementBytes);
    storeLoss(heaps, elementBytes, losses, sum, index, loss);
    if (!gradient) return;
    // Not e^logP: where the probability is tiny, logP has lost some of its digits.
    for (let c = 0; c < n; c++) p[c]! /= total;
    const all = sumOf(q, elementBytes);
    for (let c = 0, at = to; c < n; c++, at += inner) heap[at] = factor * slope(p, q, all, c, elementBytes);
  });
}

/** log-softmax of an element; in halves: x − max could overflow where (x − max) / t does not. */
function logProb(x: number, max: number, temperature: number, log: number): number {
  return (x / 2 - max / 2) / (temperature / 2) - log;
}

/** p_c − 1 of e and their total: above ½ it is −Σ of the others, which keeps the digits that p_c − 1 would lose. */
function shortfall(e: Float64Array, c: number, total: number, elementBytes: 4 | 8): number {
  const own = e[c]!;
  if (!(own > total / 2)) return own / total - 1;
  return -sumOfOthers(e, c, elementBytes) / total;
}

/** Σ q · p_c − q_c; above ½ it is p_c · Σ of the other q − q_c · Σ of the other p. */
function slope(p: Float64Array, q: Float64Array, total: number, c: number, elementBytes: 4 | 8): number {
  if (!(p[c]! > 0.5)) return total * p[c]! - q[c]!;
  return sumOfOthers(q, c, elementBytes) * p[c]! - sumOfOthers(p, c, elementBytes) * q[c]!;
}

function sumOfOthers(values: Float64Array, c: number, elementBytes: 4 | 8): number {
  const own = values[c]!;
  values[c] = 0;
  const sum = sumOf(values, elementBytes);
  values[c] = own;
  return sum;
}

/** Label smoothing over what a mask keeps, in plain loops. */
export function smoothTargets(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { targets, y, outer, n, inner, smoothing, mask }: SmoothTargetsOperands,
): void {
  const heap = heaps.floats(elementBytes);
  forEachRow(outer, n, inner, (offset, row) => {
    let kept = 0;
    for (let j = 0; j < n; j++) if (keeps(heaps, mask, row, j, n)) kept++;
    for (let j = 0, at = offset; j < n; j++, at += inner) {
      const own = targets === 0 ? 0 : heap[targets / elementBytes + at]! * (1 - smoothing);
      heap[y / elementBytes + at] = keeps(heaps, mask, row, j, n) ? own + smoothing / kept : own;
    }
  });
}
