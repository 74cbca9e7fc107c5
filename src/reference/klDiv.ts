import type { KlDivOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { log32 } from './logarithm.js';
import { storeSum, upstreamOf } from './loss.js';
import { indexOf } from './rows.js';
import { roundingOf } from './sum.js';

/** Kullback-Leibler divergence in a plain loop, with its gradient. */
export function klDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  divergence(heaps, elementBytes, operands, false);
}

/** Kullback-Leibler divergence in a plain loop for targets that are logarithms, with its gradient. */
export function logKlDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  divergence(heaps, elementBytes, operands, true);
}

function divergence(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum }: KlDivOperands,
  isLog: boolean,
): void {
  const { f64, i32 } = heaps;
  const heap = heaps.floats(elementBytes);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  const [ofX, ofTargets] = [indexOf(x, elementBytes), indexOf(targets, elementBytes)];
  const [ofLosses, ofGradient] = [indexOf(losses, elementBytes), indexOf(gradient, elementBytes)];
  let total = f64[sum / 8]!;
  let lost = f64[sum / 8 + 1]!;
  for (let i = 0; i < count; i++) {
    const target = heap[ofTargets + i]!;
    const logP = heap[ofX + i]!;
    let loss: number;
    if (isLog) loss = exp(target) * (target - logP);
    else {
      const log = elementBytes === 4 ? log32(target, i32[ofTargets + i]!) : Math.log(target);
      loss = (target === 0 ? 0 : target * log) - target * logP;
    }
    if (losses) heap[ofLosses + i] = loss;
    else {
      if (elementBytes === 8) lost += roundingOf(total, loss, total + loss);
      total += loss;
    }
  }
  storeSum(heaps, sum, total, lost);
  if (gradient === 0) return;
  // A loop of its own is faster. It reads the targets again: beside a gradient, losses are never stored over them.
  const ofUpstream = indexOf(gradOutput, elementBytes);
  for (let i = 0; i < count; i++) {
    const target = heap[ofTargets + i]!;
    heap[ofGradient + i] = -(isLog ? exp(target) : target) * upstreamOf(heap, ofUpstream, scale, i);
  }
}
