import type { LogSigmoidOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';
import { log1p32 } from './logarithm.js';

/** logSigmoid in a plain loop: min(x, 0) − log1p(e^−|x|). */
export function logSigmoid(heaps: Heaps, elementBytes: 4 | 8, { x, y, count }: LogSigmoidOperands): void {
  const heap = heaps.floats(elementBytes);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  const log1p = elementBytes === 4 ? log1p32 : Math.log1p;
  const shift = (y - x) / elementBytes;
  for (let at = x / elementBytes, end = at + count; at < end; at++) {
    const value = heap[at]!;
    heap[at + shift] = Math.min(value, 0) - log1p(exp(-Math.abs(value)));
  }
}
