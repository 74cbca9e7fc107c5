import type { BceWithLogitsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachLoss } from './elements.js';

/** Binary cross-entropy of logits in a plain loop, with its gradient. */
export function bceWithLogits(heaps: Heaps, elementBytes: 4 | 8, operands: BceWithLogitsOperands): void {
  const { weight, posWeight } = operands;
  const heap = heaps.floats(elementBytes);
  forEachLoss(heaps, elementBytes, operands, (logit, target, i) => {
    const factor = weight ? heap[weight / elementBytes + i]! : 1;
    const positive = (posWeight ? heap[posWeight / elementBytes + i]! * target : target) * factor;
    const negative = (1 - target) * factor;
    const e = Math.exp(-Math.abs(logit));
    const larger = 1 / (1 + e);
    const sigmoid = logit >= 0 ? larger : e * larger;
    // softplus(x) and softplus(−x) share log1p(e^−|x|); what is left of them is |x|, once.
    const shared = posWeight ? negative + positive : factor;
    const loss = Math.abs(logit) * (logit >= 0 ? negative : positive) + shared * Math.log1p(e);
    return { loss, slope: shared * sigmoid - positive };
  });
}
