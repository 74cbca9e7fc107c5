import type { CrossEntropyOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { type Exponential, exponentialOf } from './exponential.js';
import { logSum } from './logSumExp.js';
import { storeLoss } from './loss.js';
import { forEachRow, maximum, type Row, rowOf } from './rows.js';
import { sumOf } from './sum.js';

/** Cross-entropy on class indices in plain loops, with its gradient. */
export function crossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  const { targets, weight, smoothing } = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (index, n) => {
    const target = heaps.i32[targets / 4 + index]!;
    if (target < 0) return undefined;
    return (c) => {
      const probability = (c === target ? 1 - smoothing : 0) + smoothing / n;
      return { probability, weight: weight ? heap[weight / elementBytes + c]! : 1 };
    };
  });
}

/** Cross-entropy on class probabilities in plain loops, with its gradient. */
export function softCrossEntropy(heaps: Heaps, elementBytes: 4 | 8, operands: CrossEntropyOperands): void {
  const { targets, inner, weight, smoothing } = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (_, n, offset) => (c) => {
    const target = heap[targets / elementBytes + offset + c * inner]!;
    return {
      probability: target * (1 - smoothing) + smoothing / n,
      weight: weight ? heap[weight / elementBytes + c]! : 1,
    };
  });
}

/** The target probability of a class after label smoothing, and the weight of the class. */
type Target = (c: number) => { probability: number; weight: number };

function lossesOf(
  heaps: Heaps,
  elementBytes: 4 | 8,
  operands: CrossEntropyOperands,
  targetOf: (index: number, n: number, offset: number) => Target | undefined,
): void {
  const { x, losses, gradient, outer, n, inner, temperature, scale, gradOutput, sum } = operands;
  const heap = heaps.floats(elementBytes);
  const softmax = new Float64Array(n);
  const q = new Float64Array(n);
  forEachRow(outer, n, inner, (offset, index) => {
    const target = targetOf(index, n, offset);
    let loss = 0;
    if (target !== undefined) {
      const row = rowOf(heap, x / elementBytes + offset, n, inner);
      loss = rowLoss(row, temperature, exponentialOf(elementBytes), target, softmax, q);
      if (gradient) {
        const upstream = gradOutput ? heap[gradOutput / elementBytes + index]! : 1;
        const factor = (scale * upstream) / temperature;
        const total = sumOf(q);
        for (let c = 0; c < n; c++) {
          const at = gradient / elementBytes + offset + c * inner;
          heap[at] = factor * slope(softmax, q, total, c);
        }
      }
    } else if (gradient) {
      for (let c = 0; c < n; c++) heap[gradient / elementBytes + offset + c * inner] = 0;
    }
    storeLoss(heaps, elementBytes, losses, sum, index, loss);
  });
}

/**
 * Σ q · p_c − q_c. Above ½ it is p_c · Σ of the other q − q_c · Σ of the other p, which keeps the digits that p_c − 1
 * would lose.
 */
function slope(p: Float64Array, q: Float64Array, total: number, c: number): number {
  if (!(p[c]! > 0.5)) return total * p[c]! - q[c]!;
  const sumOfOthers = (values: Float64Array) => sumOf(values.filter((_, i) => i !== c));
  return sumOfOthers(q) * p[c]! - sumOfOthers(p) * q[c]!;
}

/** −Σ q_c L_c; fills softmax and q. */
function rowLoss(
  row: Row,
  temperature: number,
  exponential: Exponential,
  target: Target,
  softmax: Float64Array,
  q: Float64Array,
): number {
  const { n, at } = row;
  const max = maximum(row);
  const log = Number.isFinite(max) ? logSum(row, max, temperature, exponential) : Number.NaN;
  // Its place is free until softmax is there.
  const terms = softmax;
  for (let c = 0; c < n; c++) {
    const { probability, weight } = target(c);
    q[c] = probability * weight;
    // In halves: x − max could overflow where (x − max) / t does not.
    terms[c] = -q[c]! * ((at(c) / 2 - max / 2) / (temperature / 2) - log);
    // A target probability of 0 counts 0 even beside a probability of 0; a NaN row stays NaN.
    if (probability === 0) terms[c] = Number.isNaN(log) ? log : 0;
  }
  const loss = sumOf(terms);
  for (let c = 0; c < n; c++) softmax[c] = exponential(at(c), max, temperature);
  const sum = sumOf(softmax);
  // Not e^logP: where the probability is tiny, logP has lost some of its digits.
  for (let c = 0; c < n; c++) softmax[c]! /= sum;
  return loss;
}
