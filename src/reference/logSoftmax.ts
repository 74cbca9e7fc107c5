import type { WideArray } from '../arrays.js';
import type { LogSoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials } from './exponential.js';
import { firstOf, indexOf, memoryForRow, readMaskedRow } from './rows.js';

/** log-softmax in plain loops: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t), -∞ where a mask does not keep x_i. */
export function logSoftmax(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, y, outer, n, inner, temperature, mask }: LogSoftmaxOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n, 0);
  const e = memoryForRow(n, 1);
  for (let row = 0; row < outer * inner; row++) {
    const at = firstOf(row, n, inner);
    const max = readMaskedRow(heaps, heap, indexOf(x, elementBytes) + at, inner, values, mask, row) ?? 0;
    const log = Math.log1p(exponentials(values, max, temperature, elementBytes, e));
    storeLogs(values, max, temperature, log, heap, indexOf(y, elementBytes) + at, inner);
  }
}

function storeLogs(
  values: Float64Array,
  max: number,
  temperature: number,
  log: number,
  heap: WideArray,
  first: number,
  stride: number,
): void {
  // In halves: x − max could overflow where (x − max) / t does not.
  const half = max / 2;
  const inverse = 2 / temperature;
  for (let j = 0, at = first; j < values.length; j++, at += stride) {
    heap[at] = (values[j]! / 2 - half) * inverse - log;
  }
}
