import type { SoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of softmax in plain loops: dx_i = y_i (dy_i − Σ y_j dy_j) / t. */
export function softmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const at = (array: number, i: number) => heap[array / elementBytes + i]!;
  // dy − sum in halves, and what the temperature makes smaller first: nothing overflows before the result does.
  const factor = Math.min(1, 1 / temperature) / 2;
  const scale = Math.max(1, 1 / temperature) * 2;
  const products = new Float64Array(n);
  forEachRow(outer, n, inner, (first) => {
    for (let j = 0; j < n; j++) products[j] = at(y, first + j * inner) * at(dy, first + j * inner);
    const sum = sumOf(products);
    for (let i = first; i < first + n * inner; i += inner) {
      heap[dx / elementBytes + i] = at(y, i) * scale * (at(dy, i) * factor - sum * factor);
    }
  });
}
