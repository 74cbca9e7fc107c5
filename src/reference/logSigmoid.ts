import type { LogSigmoidOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { mapElements } from './elements.js';

/** logSigmoid in a plain loop: min(x, 0) − log1p(e^−|x|). */
export function logSigmoid(heaps: Heaps, elementBytes: 4 | 8, operands: LogSigmoidOperands): void {
  mapElements(heaps, elementBytes, operands, (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))));
}
