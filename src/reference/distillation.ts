import type { DistillationOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials } from './exponential.js';
import { storeLoss, upstreamOf } from './loss.js';
import { firstOf, indexOf, memoryForRow, readRow } from './rows.js';
import { sumOf } from './sum.js';

/** A power of two, by which the differences of a row are multiplied: their sum could overflow where their mean does not. */
const SMALLER = 2 ** -32;

/** Distillation in plain loops, with its gradient with respect to the student. */
export function distillation(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { student, teacher, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum }: DistillationOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const ours = memoryForRow(n, 0);
  const theirs = memoryForRow(n, 1);
  const q = memoryForRow(n, 2);
  const p = memoryForRow(n, 3);
  for (let index = 0; index < outer * inner; index++) {
    const offset = firstOf(index, n, inner);
    const ourMax = readRow(heap, indexOf(student, elementBytes) + offset, inner, ours);
    const theirMax = readRow(heap, indexOf(teacher, elementBytes) + offset, inner, theirs);
    const theirOthers = exponentials(theirs, theirMax, temperature, elementBytes, p);
    const ourOthers = exponentials(ours, ourMax, temperature, elementBytes, q);
    const [theirTotal, ourTotal] = [1 + theirOthers, 1 + ourOthers];
    const upstream = upstreamOf(heap, gradOutput / elementBytes, scale, index) * temperature;
    if (gradient) {
      for (let c = 0, at = indexOf(gradient, elementBytes) + offset; c < n; c++, at += inner) {
        heap[at] = upstream * (q[c]! / ourTotal - p[c]! / theirTotal);
      }
    }
    const terms = q;
    for (let c = 0; c < n; c++) {
      const difference = theirs[c]! * SMALLER - theirMax * SMALLER - (ours[c]! * SMALLER - ourMax * SMALLER);
      terms[c] = p[c] === 0 ? 0 : p[c]! * difference;
    }
    const divergence = sumOf(terms, elementBytes) / theirTotal;
    // t is multiplied twice: t² could overflow where the loss does not.
    const logs = temperature * SMALLER * (Math.log1p(theirOthers) - Math.log1p(ourOthers));
    const loss = (temperature / SMALLER) * (divergence - logs);
    storeLoss(heaps, elementBytes, losses, sum, index, n === 0 ? 0 : loss);
  }
}
