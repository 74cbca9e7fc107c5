import type { SoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of softmax in plain loops: dx_i = y_i (dy_i − Σ y_j dy_j) / t. */
export function softmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const start = indexOf(y, elementBytes);
  const [fromDy, to] = [indexOf(dy, elementBytes) - start, indexOf(dx, elementBytes) - start];
  // dy − sum in halves, and what the temperature makes smaller first: nothing overflows before the result does.
  const factor = Math.min(1, 1 / temperature) / 2;
  const scale = Math.max(1, 1 / temperature) * 2;
  const products = new Float64Array(n);
  for (let row = 0; row < outer * inner; row++) {
    const first = start + firstOf(row, n, inner);
    const sum =
      elementBytes === 4 ? dot(heap, first, fromDy, n, inner) : exactDot(heap, first, fromDy, inner, products);
    storeGradient(heap, first, fromDy, to, n, inner, scale, factor, sum * factor);
  }
}

/** dx = y · scale · (dy · factor − subtracted). */
function storeGradient(
  heap: Float32Array | Float64Array,
  first: number,
  fromDy: number,
  to: number,
  n: number,
  stride: number,
  scale: number,
  factor: number,
  subtracted: number,
): void {
  for (let at = first; at < first + n * stride; at += stride) {
    heap[at + to] = heap[at]! * scale * (heap[at + fromDy]! * factor - subtracted);
  }
}

/** Σ y_j dy_j of float32 elements, whose sum float64 keeps without care. */
function dot(heap: Float32Array | Float64Array, first: number, fromDy: number, n: number, stride: number): number {
  let sum = 0;
  for (let at = first; at < first + n * stride; at += stride) sum += heap[at]! * heap[at + fromDy]!;
  return sum;
}

function exactDot(
  heap: Float32Array | Float64Array,
  first: number,
  fromDy: number,
  stride: number,
  products: Float64Array,
): number {
  for (let j = 0, at = first; j < products.length; j++, at += stride) products[j] = heap[at]! * heap[at + fromDy]!;
  return sumOf(products, 8);
}
