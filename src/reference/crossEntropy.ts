import type { WideArray } from '../arrays.js';
import type { CrossEntropyOperands, SmoothTargetsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, remainderOf, storeShares, unshifted32 } from './exponential.js';
import { storeLoss, upstreamOf } from './loss.js';
import { keeps } from './mask.js';
import { firstOf, indexOf, memoryForRow, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** Cross-entropy on class indices in plain loops, with its gradient. */
export function crossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  lossesOf(heaps, elementBytes, operands, false, 0);
}

/** Cross-entropy on class probabilities in plain loops, with its gradient. */
export function softCrossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  lossesOf(heaps, elementBytes, operands, true, 0);
}

/** Cross-entropy on class indices, and softmax of the rows that are not ignored by the same exponentials. */
export function crossEntropyAndSoftmax(
  heaps: Heaps,
  elementBytes: 4 | 8,
  operands: CrossEntropyOperands,
  y: number,
): void {
  lossesOf(heaps, elementBytes, operands, false, y);
}

function lossesOf(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands, isSoft: boolean, y: number): void {
  const { x, targets, losses, gradient, outer, n, inner, temperature, weight, smoothing, scale, gradOutput, sum } =
    operands;
  const heap = heaps.floats(elementBytes);
  const row = memoryForRow(n, 0);
  const p = memoryForRow(n, 1);
  const q = memoryForRow(n, 2);
  for (let index = 0; index < outer * inner; index++) {
    const offset = firstOf(index, n, inner);
    const to = indexOf(gradient, elementBytes) + offset;
    const target = isSoft ? -1 : heaps.i32[(targets >>> 2) + index]!;
    if (!isSoft && target < 0) {
      if (gradient) for (let c = 0; c < n; c++) heap[to + c * inner] = 0;
      storeLoss(heaps, elementBytes, losses, sum, index, 0);
      continue;
    }
    const from = indexOf(x, elementBytes) + offset;
    const isPlain = !isSoft && smoothing === 0;
    let total = isPlain && elementBytes === 4 ? unshifted32(heap, from, inner, temperature, p) : 0;
    const factor = upstreamOf(heap, gradOutput / elementBytes, scale, index) / temperature;
    let loss: number;
    if (total > 0) {
      loss = Math.log1p((-total * shortfall(p, target, total, 4)) / p[target]!);
    } else {
      const max = readRow(heap, from, inner, row);
      const others = exponentials(row, max, temperature, elementBytes, p);
      total = 1 + others;
      loss = isPlain
        ? -logProb(row[target]!, max, temperature, Math.log1p(others))
        : softLoss(heap, elementBytes, operands, row, p, q, offset, target, max, others, factor);
    }
    const w = isPlain && weight ? heap[weight / elementBytes + target]! : 1;
    storeLoss(heaps, elementBytes, losses, sum, index, w * loss);
    if (y) storeShares(p, total, 1, heap, indexOf(y, elementBytes) + offset, inner);
    if (!gradient || !isPlain) continue;
    storeShares(p, total, factor * w, heap, to, inner);
    heap[to + target * inner] = factor * w * shortfall(p, target, total, elementBytes);
  }
}

/** The loss of a row on class probabilities, and its gradient, by its exponentials p; writes into all three arrays. */
function softLoss(
  heap: WideArray,
  elementBytes: 4 | 8,
  operands: CrossEntropyOperands,
  row: Float64Array,
  p: Float64Array,
  q: Float64Array,
  offset: number,
  target: number,
  max: number,
  others: number,
  factor: number,
): number {
  const { n, inner, temperature, weight, gradient } = operands;
  const log = Math.log1p(others);
  readTargets(heap, elementBytes, operands, offset, target, q);
  const terms = row;
  // What rounding takes from the products of float64 elements.
  let lost = 0;
  for (let c = 0; c < n; c++) {
    const own = q[c]!;
    const w = weight ? heap[weight / elementBytes + c]! : 1;
    const weighted = own === 0 ? 0 : own * w;
    // Half of it, which does not overflow where its product with a small target does not.
    const logP = logProb(row[c]!, max, temperature * 2, log / 2);
    q[c] = weighted;
    terms[c] = -weighted * logP;
    // A target probability of 0 adds 0 even if the predicted probability is 0 or the weight NaN; a NaN row stays NaN.
    if (own === 0 && !Number.isNaN(log)) terms[c] = 0;
    else if (elementBytes === 8) lost += remainderOf(weighted, own, w) * logP - remainderOf(terms[c]!, -weighted, logP);
  }
  const sum = sumOf(terms, elementBytes);
  // `lost` is not finite where splitting a factor into halves overflows.
  const loss = (Number.isFinite(lost) ? sum + lost : sum) * 2;
  if (!gradient) return loss;
  // Not e^logP: for a tiny probability, logP has lost some digits.
  for (let c = 0; c < n; c++) p[c]! /= 1 + others;
  const all = sumOf(q, elementBytes);
  for (let c = 0, at = indexOf(gradient, elementBytes) + offset; c < n; c++, at += inner) {
    heap[at] = factor * slope(p, q, all, c, elementBytes);
  }
  return loss;
}

/** The target probability of each class, after label smoothing. */
function readTargets(
  heap: WideArray,
  elementBytes: 4 | 8,
  { targets, inner, smoothing, smoothingTerms }: CrossEntropyOperands,
  offset: number,
  target: number,
  q: Float64Array,
): void {
  const uniform = smoothing / q.length;
  if (target < 0) {
    readRow(heap, indexOf(targets, elementBytes) + offset, inner, q);
    for (let c = 0; c < q.length; c++) q[c] = q[c]! * (1 - smoothing) + uniform;
    return;
  }
  if (smoothingTerms) readRow(heap, indexOf(smoothingTerms, elementBytes) + offset, inner, q);
  else q.fill(uniform);
  q[target]! += 1 - smoothing;
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
  for (let row = 0; row < outer * inner; row++) {
    let kept = 0;
    for (let j = 0; j < n; j++) if (keeps(heaps, mask, row, j, n)) kept++;
    for (let j = 0, at = firstOf(row, n, inner); j < n; j++, at += inner) {
      const own = targets === 0 ? 0 : heap[targets / elementBytes + at]! * (1 - smoothing);
      heap[y / elementBytes + at] = keeps(heaps, mask, row, j, n) ? own + smoothing / kept : own;
    }
  }
}
