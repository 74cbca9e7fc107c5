import type { DistillationOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';
import { storeLoss } from './loss.js';
import { forEachRow, maximum, type Row, rowOf } from './rows.js';
import { sumOf } from './sum.js';

/** Distillation in plain loops, with its gradient with respect to the student. */
export function distillation(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { student, teacher, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum }: DistillationOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const [q, p, terms] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  forEachRow(outer, n, inner, (offset, index) => {
    const ours = rowOf(heap, student / elementBytes + offset, n, inner);
    const theirs = rowOf(heap, teacher / elementBytes + offset, n, inner);
    const [ourMax, theirMax] = [maximum(ours), maximum(theirs)];
    const theirLog = probabilities(theirs, theirMax, temperature, elementBytes, p);
    const ourLog = probabilities(ours, ourMax, temperature, elementBytes, q);
    for (let c = 0; c < n; c++) {
      terms[c] = p[c] === 0 ? 0 : p[c]! * (theirs.at(c) - theirMax - (ours.at(c) - ourMax));
    }
    const upstream = (gradOutput ? scale * heap[gradOutput / elementBytes + index]! : scale) * temperature;
    for (let c = 0; c < n && gradient; c++) {
      heap[gradient / elementBytes + offset + c * inner] = upstream * (q[c]! - p[c]!);
    }
    // t is multiplied twice: t² could overflow where the loss does not.
    const loss = temperature * (sumOf(terms) - temperature * (theirLog - ourLog));
    storeLoss(heaps, elementBytes, losses, sum, index, n === 0 ? 0 : loss);
  });
}

/** Fills in softmax(x / t) of a row, NaN where its maximum is not finite; returns log Σ e^((x − max) / t). */
function probabilities(row: Row, max: number, temperature: number, elementBytes: 4 | 8, p: Float64Array): number {
  if (!Number.isFinite(max)) {
    p.fill(Number.NaN);
    return Number.NaN;
  }
  const exponential = exponentialOf(elementBytes);
  for (let c = 0; c < p.length; c++) p[c] = exponential(row.at(c), max, temperature);
  const total = sumOf(p);
  for (let c = 0; c < p.length; c++) p[c]! /= total;
  return logSum(row, max, temperature, exponential);
}
