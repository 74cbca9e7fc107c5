import type { KlDivOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachLoss } from './elements.js';

/** Kullback-Leibler divergence in a plain loop, with its gradient. */
export function klDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  forEachLoss(heaps, elementBytes, operands, (x, target) => {
    const entropy = target === 0 ? 0 : target * Math.log(target);
    return { loss: entropy - target * x, slope: -target };
  });
}

/** The same for targets that are logarithms. */
export function logKlDiv(heaps: Heaps, elementBytes: 4 | 8, operands: KlDivOperands): void {
  forEachLoss(heaps, elementBytes, operands, (x, target) => {
    const share = Math.exp(target);
    return { loss: share * (target - x), slope: -share };
  });
}
