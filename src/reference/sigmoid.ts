import type { SigmoidOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { mapElements } from './elements.js';

/** sigmoid in a plain loop; e^−|x| never overflows. */
export function sigmoid(heaps: Heaps, elementBytes: 4 | 8, operands: SigmoidOperands): void {
  mapElements(heaps, elementBytes, operands, (x) => {
    const e = Math.exp(-Math.abs(x));
    return (x < 0 ? e : 1) / (1 + e);
  });
}
