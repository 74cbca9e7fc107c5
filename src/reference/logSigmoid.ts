import type { Heaps } from '../runtime/kernel.js';

/** logSigmoid in a plain loop: min(x, 0) − log1p(e^−|x|). */
export function logSigmoid(
  heaps: Heaps,
  elementBytes: 4 | 8,
  x: number,
  y: number,
  count: number,
  _scratch: number,
): void {
  const heap = heaps.floats(elementBytes);
  for (let i = 0; i < count; i++) {
    const value = heap[x / elementBytes + i]!;
    heap[y / elementBytes + i] = Math.min(value, 0) - Math.log1p(Math.exp(-Math.abs(value)));
  }
}
