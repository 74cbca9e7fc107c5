import type { BceWithLogitsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { log1p32 } from './logarithm.js';
import { storeSum, upstreamOf } from './loss.js';
import { indexOf } from './rows.js';
import { roundingOf } from './sum.js';

/** Binary cross-entropy of logits in a plain loop, with its gradient. */
export function bceWithLogits(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, targets, losses, gradient, count, scale, gradOutput, sum, weight, posWeight }: BceWithLogitsOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const { f64 } = heaps;
  const ofX = indexOf(x, elementBytes);
  const ofTargets = indexOf(targets, elementBytes);
  const ofGradient = indexOf(gradient, elementBytes);
  let total = f64[sum / 8]!;
  let lost = f64[sum / 8 + 1]!;
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  const log1p = elementBytes === 4 ? log1p32 : Math.log1p;
  for (let i = 0; i < count; i++) {
    const logit = heap[ofX + i]!;
    const target = heap[ofTargets + i]!;
    const factor = weight ? heap[weight / elementBytes + i]! : 1;
    const positive = (posWeight ? heap[posWeight / elementBytes + i]! * target : target) * factor;
    const negative = (1 - target) * factor;
    const e = exp(-Math.abs(logit));
    // softplus(x) and softplus(−x) share log1p(e^−|x|); one of them adds |x| to it.
    const shared = posWeight ? negative + positive : factor;
    const loss = Math.abs(logit) * (logit >= 0 ? negative : positive) + shared * log1p(e);
    if (gradient) {
      const larger = 1 / (1 + e);
      const sigmoid = logit >= 0 ? larger : e * larger;
      const upstream = upstreamOf(heap, gradOutput / elementBytes, scale, i);
      heap[ofGradient + i] = (shared * sigmoid - positive) * upstream;
    }
    if (losses) heap[losses / elementBytes + i] = loss;
    else {
      lost += roundingOf(total, loss, total + loss);
      total += loss;
    }
  }
  storeSum(heaps, sum, total, lost);
}
