import type { SoftmaxOfSumsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponential } from './exponential.js';

/** scale · e^((x − maximum) / t) / total of each row, with the maximum, the total and the scale that are given for it. */
export function softmaxOfSums(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxOfSumsOperands): void {
  const { x, y, rows, n, temperature, given } = operands;
  const heap = heaps.floats(elementBytes);
  for (let i = 0; i < rows * n; i++) {
    const at = given / 8 + 3 * Math.floor(i / n);
    const max = heaps.f64[at]!;
    const total = heaps.f64[at + 1]!;
    const scale = heaps.f64[at + 2]!;
    const e = Number.isFinite(max) ? exponential(heap[x / elementBytes + i]!, max, temperature, elementBytes) : NaN;
    heap[y / elementBytes + i] = scale === 0 ? 0 : (scale * e) / total;
  }
}
