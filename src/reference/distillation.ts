import type { DistillationOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, storeShares } from './exponential.js';
import { storeLoss } from './loss.js';
import { forEachRow, indexOf, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** Distillation in plain loops, with its gradient with respect to the student. */
export function distillation(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { student, teacher, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum }: DistillationOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const [ours, theirs] = [new Float64Array(n), new Float64Array(n)];
  const [q, p] = [new Float64Array(n), new Float64Array(n)];
  forEachRow(outer, n, inner, (offset, index) => {
    const ourMax = readRow(heap, indexOf(student, elementBytes) + offset, inner, ours);
    const theirMax = readRow(heap, indexOf(teacher, elementBytes) + offset, inner, theirs);
    const theirLog = probabilities(theirs, theirMax, temperature, elementBytes, p);
    const ourLog = probabilities(ours, ourMax, temperature, elementBytes, q);
    const upstream = (gradOutput ? scale * heap[gradOutput / elementBytes + index]! : scale) * temperature;
    if (gradient) {
      for (let c = 0, at = indexOf(gradient, elementBytes) + offset; c < n; c++, at += inner) {
        heap[at] = upstream * (q[c]! - p[c]!);
      }
    }
    const terms = q;
    for (let c = 0; c < n; c++) {
      terms[c] = p[c] === 0 ? 0 : p[c]! * (theirs[c]! - theirMax - (ours[c]! - ourMax));
    }
    // t is multiplied twice: t² could overflow where the loss does not.
    const loss = temperature * (sumOf(terms, elementBytes) - temperature * (theirLog - ourLog));
    storeLoss(heaps, elementBytes, losses, sum, index, n === 0 ? 0 : loss);
  });
}

/** Fills in softmax(x / t) of a row, NaN where its maximum is not finite; returns log Σ e^((x − max) / t). */
function probabilities(
  row: Float64Array,
  max: number,
  temperature: number,
  elementBytes: 4 | 8,
  p: Float64Array,
): number {
  const others = exponentials(row, max, temperature, elementBytes, p);
  storeShares(p, 1 + others, 1, p, 0, 1);
  return Math.log1p(others);
}
