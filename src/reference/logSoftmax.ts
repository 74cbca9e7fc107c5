import type { LogSoftmaxOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, isSure, unshifted32 } from './exponential.js';
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
    const from = indexOf(x, elementBytes) + at;
    const to = indexOf(y, elementBytes) + at;
    if (mask === 0 && elementBytes === 4) {
      const total = unshifted32(heap, from, inner, temperature, e);
      if (total > 0 && !isSure(e, total)) {
        const log = Math.log(total);
        const inverse = 1 / temperature;
        const shift = to - from;
        for (let place = from, end = from + n * inner; place < end; place += inner) {
          heap[place + shift] = heap[place]! * inverse - log;
        }
        continue;
      }
    }
    const max = readMaskedRow(heaps, heap, from, inner, values, mask, row) ?? 0;
    const log = Math.log1p(exponentials(values, max, temperature, elementBytes, e));
    storeLogs(values, max, temperature, log, heap, to, inner);
  }
}

function storeLogs(
  values: Float64Array,
  max: number,
  temperature: number,
  log: number,
  heap: Float32Array | Float64Array,
  first: number,
  stride: number,
): void {
  if (heap.BYTES_PER_ELEMENT === 4) {
    const inverse = 1 / temperature;
    for (let j = 0, at = first; j < values.length; j++, at += stride) heap[at] = (values[j]! - max) * inverse - log;
    return;
  }
  // In halves: x − max could overflow where (x − max) / t does not.
  const halfMax = max / 2;
  const half = temperature / 2;
  for (let j = 0, at = first; j < values.length; j++, at += stride) {
    heap[at] = (values[j]! / 2 - halfMax) / half - log;
  }
}
