import type { Heaps } from '../runtime/kernel.js';

/** sigmoid in a plain loop; e^−|x| never overflows. */
export function sigmoid(
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
    const e = Math.exp(-Math.abs(value));
    heap[y / elementBytes + i] = (value < 0 ? e : 1) / (1 + e);
  }
}
