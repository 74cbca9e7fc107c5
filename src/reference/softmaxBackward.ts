import type { SoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf, memoryForRow } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of softmax in plain loops: dx_i = y_i (dy_i − Σ y_j dy_j) / t. */
export function softmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxBackwardOperands): void {
  const { y, dy, dx, outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const [ofY, ofDy, ofDx] = [indexOf(y, elementBytes), indexOf(dy, elementBytes), indexOf(dx, elementBytes)];
  if (elementBytes === 4 && inner >= LINE) {
    for (let slice = 0, first = 0; slice < outer; slice++, first += n * inner) {
      columns32(heap, ofY + first, ofDy + first, ofDx + first, n, inner, temperature);
    }
    return;
  }
  const compute = elementBytes === 4 ? row32 : row64;
  for (let row = 0, rows = outer * inner; row < rows; row++) {
    const first = firstOf(row, n, inner);
    compute(heap, ofY + first, ofDy + first, ofDx + first, n, inner, temperature);
  }
}

/** So many columns and more are computed side by side: of few, their order in memory is no reason to read them twice. */
const LINE = 64;

/** The rows of a slice, which lie side by side, in the order of their elements. */
function columns32(
  heap: Float32Array | Float64Array,
  y: number,
  dy: number,
  dx: number,
  n: number,
  inner: number,
  temperature: number,
): void {
  const sums = memoryForRow(inner).fill(0);
  const inverse = 1 / temperature;
  const end = n * inner;
  for (let at = 0; at < end; at += inner) {
    for (let c = 0; c < inner; c++) sums[c]! += heap[y + at + c]! * heap[dy + at + c]!;
  }
  for (let c = 0; c < inner; c++) sums[c]! *= inverse;
  for (let at = 0; at < end; at += inner) {
    for (let c = 0; c < inner; c++) heap[dx + at + c] = heap[y + at + c]! * (heap[dy + at + c]! * inverse - sums[c]!);
  }
}

/**
 * A row of float32 elements, whose products float64 adds up without care. Two elements at a time: a sum would wait for each
 * addition, and V8 asks after every turn of a loop whether to go on.
 */
function row32(
  heap: Float32Array | Float64Array,
  y: number,
  dy: number,
  dx: number,
  n: number,
  stride: number,
  temperature: number,
): void {
  const toDy = dy - y;
  const toDx = dx - y;
  const end = y + n * stride;
  const last = end - stride;
  let even = 0;
  let odd = 0;
  let at = y;
  for (; at < last; at += 2 * stride) {
    const next = at + stride;
    even += heap[at]! * heap[at + toDy]!;
    odd += heap[next]! * heap[next + toDy]!;
  }
  if (at < end) even += heap[at]! * heap[at + toDy]!;
  const inverse = 1 / temperature;
  const sum = (even + odd) * inverse;
  for (at = y; at < last; at += 2 * stride) {
    const next = at + stride;
    heap[at + toDx] = heap[at]! * (heap[at + toDy]! * inverse - sum);
    heap[next + toDx] = heap[next]! * (heap[next + toDy]! * inverse - sum);
  }
  if (at < end) heap[at + toDx] = heap[at]! * (heap[at + toDy]! * inverse - sum);
}

/** A row of float64 elements. */
function row64(
  heap: Float32Array | Float64Array,
  y: number,
  dy: number,
  dx: number,
  n: number,
  stride: number,
  temperature: number,
): void {
  const products = memoryForRow(n);
  for (let j = 0, at = 0; j < n; j++, at += stride) products[j] = heap[y + at]! * heap[dy + at]!;
  // dy − sum in halves, and what the temperature makes smaller first: nothing overflows before the result does.
  const factor = Math.min(1, 1 / temperature) / 2;
  const scale = Math.max(1, 1 / temperature) * 2;
  const subtracted = sumOf(products, 8) * factor;
  for (let at = 0, end = n * stride; at < end; at += stride) {
    heap[dx + at] = heap[y + at]! * scale * (heap[dy + at]! * factor - subtracted);
  }
}
