import type { SigmoidOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exp32 } from './exponential.js';

/** sigmoid in a plain loop; where e^−x overflows the result is 0. */
export function sigmoid(heaps: Heaps, elementBytes: 4 | 8, { x, y, count }: SigmoidOperands): void {
  const heap = heaps.floats(elementBytes);
  const exp = elementBytes === 4 ? exp32 : Math.exp;
  const shift = (y - x) / elementBytes;
  for (let at = x / elementBytes, end = at + count; at < end; at++) {
    heap[at + shift] = 1 / (1 + exp(-heap[at]!));
  }
}
