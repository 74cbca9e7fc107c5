import type { SoftmaxOfSumsOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentials, storeShares } from './exponential.js';
import { indexOf, memoryForRow, readRow } from './rows.js';

/** scale · e^((x − maximum) / t) / total of each row, with the maximum, the total and the scale that are given for it. */
export function softmaxOfSums(heaps: Heaps, elementBytes: 4 | 8, operands: SoftmaxOfSumsOperands): void {
  const { x, y, rows, n, temperature, given } = operands;
  const heap = heaps.floats(elementBytes);
  const { f64 } = heaps;
  const values = memoryForRow(n);
  for (let row = 0; row < rows; row++) {
    const place = given / 8 + 3 * row;
    const max = f64[place]!;
    const total = Number.isFinite(max) ? f64[place + 1]! : Number.NaN;
    const scale = f64[place + 2]!;
    const to = indexOf(y, elementBytes) + row * n;
    readRow(heap, indexOf(x, elementBytes) + row * n, 1, values);
    exponentials(values, max, temperature, elementBytes, values);
    if (scale === 0) heap.fill(0, to, to + n);
    else storeShares(values, total, scale, heap, to, 1);
  }
}
