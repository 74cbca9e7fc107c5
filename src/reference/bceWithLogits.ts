import type { Heaps } from '../runtime/kernel.js';
import { emit } from './emit.js';

/** Binary cross-entropy of logits in a plain loop, with its gradient. */
export function bceWithLogits(
  heaps: Heaps,
  elementBytes: 4 | 8,
  x: number,
  targets: number,
  losses: number,
  gradient: number,
  count: number,
  scale: number,
  scales: number,
  sum: number,
  _scratch: number,
  weight: number,
  posWeight: number,
): void {
  const heap = heaps.floats(elementBytes);
  const at = (array: number, i: number) => heap[array / elementBytes + i]!;
  for (let i = 0; i < count; i++) {
    const logit = at(x, i);
    const target = at(targets, i);
    const factor = weight ? at(weight, i) : 1;
    const positive = (posWeight ? at(posWeight, i) * target : target) * factor;
    const negative = (1 - target) * factor;
    const upstream = scales ? scale * at(scales, i) : scale;
    const e = Math.exp(-Math.abs(logit));
    const larger = 1 / (1 + e);
    const sigmoid = logit >= 0 ? larger : e * larger;
    // softplus(x) and softplus(−x) share log1p(e^−|x|); what is left of them is |x|, once.
    const shared = posWeight ? negative + positive : factor;
    const loss = Math.abs(logit) * (logit >= 0 ? negative : positive) + shared * Math.log1p(e);
    if (gradient) heap[gradient / elementBytes + i] = (shared * sigmoid - positive) * upstream;
    emit(heaps, elementBytes, losses, sum, i, loss);
  }
}
