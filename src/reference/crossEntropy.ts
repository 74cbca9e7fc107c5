import type { ClassLossOperands } from '../runtime/class-loss.js';
import type { Heaps } from '../runtime/kernel.js';
import { forEachProblem, maximum, rowOf } from './axis.js';
import { emit } from './emit.js';
import { logSum } from './logSumExp.js';

/** Cross-entropy on class indices in plain loops, with its gradient. */
export function crossEntropy(heaps: Heaps, elementBytes: 4 | 8, ...operands: ClassLossOperands): void {
  const [, targets, , , , , , , weight, smoothing] = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (problem, n) => {
    const target = heaps.i32[targets / 4 + problem]!;
    if (target < 0) return undefined;
    return (c) => {
      const share = (c === target ? 1 - smoothing : 0) + smoothing / n;
      return { share, weight: weight ? heap[weight / elementBytes + c]! : 1 };
    };
  });
}

/** Cross-entropy on class probabilities in plain loops, with its gradient. */
export function softCrossEntropy(heaps: Heaps, elementBytes: 4 | 8, ...operands: ClassLossOperands): void {
  const [, targets, , , , , inner, , weight, smoothing] = operands;
  const heap = heaps.floats(elementBytes);
  lossesOf(heaps, elementBytes, operands, (_, n, offset) => (c) => {
    const target = heap[targets / elementBytes + offset + c * inner]!;
    return {
      share: target * (1 - smoothing) + smoothing / n,
      weight: weight ? heap[weight / elementBytes + c]! : 1,
    };
  });
}

/** Share of a class in the target, and the class's weight. */
type Shares = (c: number) => { share: number; weight: number };

function lossesOf(
  heaps: Heaps,
  elementBytes: 4 | 8,
  operands: ClassLossOperands,
  sharesOf: (problem: number, n: number, offset: number) => Shares | undefined,
): void {
  const [x, , losses, gradient, outer, n, inner, temperature, , , scale, rowScales, sum] = operands;
  const heap = heaps.floats(elementBytes);
  const softmax = new Float64Array(n);
  forEachProblem(outer, n, inner, (offset, problem) => {
    const shares = sharesOf(problem, n, offset);
    let loss = 0;
    if (shares !== undefined) {
      const total = { share: 0 };
      loss = problemLoss(heap, x / elementBytes + offset, n, inner, temperature, shares, softmax, total);
      if (gradient) {
        const own = rowScales ? heap[rowScales / elementBytes + problem]! : 1;
        const factor = (scale * own) / temperature;
        for (let c = 0; c < n; c++) {
          const at = gradient / elementBytes + offset + c * inner;
          heap[at] = factor * slope(softmax, shares, total.share, c);
        }
      }
    } else if (gradient) {
      for (let c = 0; c < n; c++) heap[gradient / elementBytes + offset + c * inner] = 0;
    }
    emit(heaps, elementBytes, losses, sum, problem, loss);
  });
}

/**
 * Σ q · p_c − q_c. Above ½ it is p_c · Σ of the other q − q_c · Σ of the other p, which keeps the digits that p_c − 1
 * would lose.
 */
function slope(p: Float64Array, shares: Shares, total: number, c: number): number {
  const { share, weight } = shares(c);
  const q = share * weight;
  if (!(p[c]! > 0.5)) return total * p[c]! - q;
  let otherP = 0;
  let otherQ = 0;
  for (let i = 0; i < p.length; i++) {
    if (i === c) continue;
    const other = shares(i);
    otherP += p[i]!;
    otherQ += other.share * other.weight;
  }
  return otherQ * p[c]! - otherP * q;
}

/** −Σ q_c L_c; fills softmax, and the sum of q. */
function problemLoss(
  heap: Float32Array | Float64Array,
  first: number,
  n: number,
  stride: number,
  temperature: number,
  shares: Shares,
  softmax: Float64Array,
  total: { share: number },
): number {
  const row = rowOf(heap, first, n, stride);
  const max = maximum(row);
  const log = Number.isFinite(max) ? logSum(row, max, temperature) : Number.NaN;
  let loss = 0;
  let sum = 0;
  for (let c = 0; c < n; c++) {
    const logP = (heap[first + c * stride]! - max) / temperature - log;
    const { share, weight } = shares(c);
    // A share of 0 counts 0 even beside a probability of 0; a NaN row stays NaN.
    if (share !== 0 || Number.isNaN(log)) loss -= share === 0 ? log : share * weight * logP;
    total.share += share * weight;
    softmax[c] = Math.exp((heap[first + c * stride]! - max) / temperature);
    sum += softmax[c]!;
  }
  // Not e^logP: where the probability is tiny, logP has lost some of its digits.
  for (let c = 0; c < n; c++) softmax[c]! /= sum;
  return loss;
}
