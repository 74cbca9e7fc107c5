import type { Heaps } from '../runtime/kernel.js';
import { forEachProblem, maximum, rowOf } from './axis.js';
import { emit } from './emit.js';
import { logSum } from './logSumExp.js';

/** Distillation in plain loops, with its gradient with respect to the student. */
export function distillation(
  heaps: Heaps,
  elementBytes: 4 | 8,
  student: number,
  teacher: number,
  losses: number,
  gradient: number,
  outer: number,
  n: number,
  inner: number,
  temperature: number,
  scale: number,
  rowScales: number,
  sum: number,
  _scratch: number,
  _buffer: number,
): void {
  const heap = heaps.floats(elementBytes);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const ours = distribution(heap, student / elementBytes + offset, n, inner, temperature);
    const theirs = distribution(heap, teacher / elementBytes + offset, n, inner, temperature);
    const upstream = rowScales ? scale * heap[rowScales / elementBytes + problem]! : scale;
    let loss = n === 0 ? 0 : -temperature * temperature * (theirs.log - ours.log);
    for (let c = 0; c < n; c++) {
      const at = offset + c * inner;
      const y = heap[student / elementBytes + at]!;
      const x = heap[teacher / elementBytes + at]!;
      const p = theirs.probability(x);
      if (p !== 0) loss += temperature * p * (x - theirs.max - (y - ours.max));
      if (gradient) heap[gradient / elementBytes + at] = upstream * temperature * (ours.probability(y) - p);
    }
    emit(heaps, elementBytes, losses, sum, problem, loss);
  });
}

/** softmax(x / t) of a row, all NaN where its maximum is not finite; log is that of the sum of e^((x − max) / t). */
function distribution(
  heap: Float32Array | Float64Array,
  first: number,
  n: number,
  stride: number,
  temperature: number,
): { max: number; log: number; probability: (x: number) => number } {
  const row = rowOf(heap, first, n, stride);
  const max = maximum(row);
  if (!Number.isFinite(max)) return { max, log: Number.NaN, probability: () => Number.NaN };
  let total = 0;
  for (let c = 0; c < n; c++) total += Math.exp((heap[first + c * stride]! - max) / temperature);
  const log = logSum(row, max, temperature);
  return { max, log, probability: (x) => Math.exp((x - max) / temperature) / total };
}
