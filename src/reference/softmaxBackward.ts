import type { WideArray } from '../arrays.js';
import type { SoftmaxBackwardOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, memoryForRow, viewOf } from './rows.js';
import { sumOf } from './sum.js';

/** The gradient of softmax in plain loops: dx_i = y_i (dy_i − Σ y_j dy_j) / t. */
export function softmaxBackward(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxBackwardOperands): void {
  const { outer, n, inner, temperature } = operands;
  const heap = heaps.floats(elementBytes);
  const count = outer * n * inner;
  const y = viewOf(heap, operands.y, elementBytes, count);
  const dy = viewOf(heap, operands.dy, elementBytes, count);
  const dx = viewOf(heap, operands.dx, elementBytes, count);
  if (elementBytes === 4 && inner >= LINE) {
    for (let first = 0; first < count; first += n * inner) columns32(y, dy, dx, first, n, inner, temperature);
    return;
  }
  const compute = elementBytes === 4 ? row32 : row64;
  for (let row = 0, rows = outer * inner; row < rows; row++) {
    compute(y, dy, dx, firstOf(row, n, inner), n, inner, temperature);
  }
}

/**
 * From how many columns on they are computed side by side. With fewer, reading in memory order does not make up for
 * reading twice.
 */
const LINE = 64;

/** The rows of a slice, which lie side by side, computed in memory order. */
function columns32(
  y: WideArray,
  dy: WideArray,
  dx: WideArray,
  first: number,
  n: number,
  inner: number,
  temperature: number,
): void {
  const sums = memoryForRow(inner).fill(0);
  const inverse = 1 / temperature;
  const end = first + n * inner;
  for (let line = first; line < end; line += inner) {
    for (let c = 0, at = line; c < inner; c++, at = (at + 1) | 0) sums[c]! += y[at]! * dy[at]!;
  }
  for (let c = 0; c < inner; c++) sums[c]! *= inverse;
  for (let line = first; line < end; line += inner) {
    for (let c = 0, at = line; c < inner; c++, at = (at + 1) | 0) dx[at] = y[at]! * (dy[at]! * inverse - sums[c]!);
  }
}

/**
 * A row of float32 elements, whose products need no compensation in float64. Two elements at a time: a single sum would
 * wait for each addition, and V8 checks for interrupts in every iteration.
 */
function row32(
  y: WideArray,
  dy: WideArray,
  dx: WideArray,
  first: number,
  n: number,
  stride: number,
  temperature: number,
): void {
  const end = first + n * stride;
  const last = end - stride;
  const step = 2 * stride;
  let even = 0;
  let odd = 0;
  let at = first;
  for (; at < last; at = (at + step) | 0) {
    const next = (at + stride) | 0;
    even += y[at]! * dy[at]!;
    odd += y[next]! * dy[next]!;
  }
  if (at < end) even += y[at]! * dy[at]!;
  const inverse = 1 / temperature;
  const sum = (even + odd) * inverse;
  for (at = first; at < last; at = (at + step) | 0) {
    const next = (at + stride) | 0;
    dx[at] = y[at]! * (dy[at]! * inverse - sum);
    dx[next] = y[next]! * (dy[next]! * inverse - sum);
  }
  if (at < end) dx[at] = y[at]! * (dy[at]! * inverse - sum);
}

/** A row of float64 elements. */
function row64(
  y: WideArray,
  dy: WideArray,
  dx: WideArray,
  first: number,
  n: number,
  stride: number,
  temperature: number,
): void {
  const products = memoryForRow(n);
  for (let j = 0, at = first; j < n; j++, at += stride) products[j] = y[at]! * dy[at]!;
  // dy − sum in halves, and what the temperature makes smaller first: nothing overflows before the result does.
  const factor = Math.min(1, 1 / temperature) / 2;
  const scale = Math.max(1, 1 / temperature) * 2;
  const subtracted = sumOf(products, 8) * factor;
  for (let at = first, end = first + n * stride; at < end; at += stride) {
    dx[at] = y[at]! * scale * (dy[at]! * factor - subtracted);
  }
}
