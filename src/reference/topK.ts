import type { TopKOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf, memoryForRow, readRow } from './rows.js';

/** Up to so many the largest are kept in order as the row is read; of more, the least of them is found by sorting. */
const FEW = 64;

/** topK in plain loops: NaN first, then the largest, equals as they lie. */
export function topK(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, values, indices, outer, n, inner, k }: TopKOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const row = k > FEW ? memoryForRow(n) : undefined;
  // The values may go where x lies.
  const [largest, order] = [new Float64Array(k), new Int32Array(k)];
  for (let index = 0; index < outer * inner; index++) {
    const first = indexOf(x, elementBytes) + firstOf(index, n, inner);
    if (row === undefined) fewOf(heap, first, n, inner, largest, order);
    else {
      readRow(heap, first, inner, row);
      order.set(manyOf(row, k));
      for (let i = 0; i < k; i++) largest[i] = row[order[i]!]!;
    }
    const to = firstOf(index, k, inner);
    for (let i = 0; i < k; i++) {
      heap[values / elementBytes + to + i * inner] = largest[i]!;
      heaps.i32[indices / 4 + to + i * inner] = order[i]!;
    }
  }
}

/** The largest so far in order, each new one put where it belongs. */
function fewOf(
  heap: Float32Array | Float64Array,
  first: number,
  n: number,
  stride: number,
  largest: Float64Array,
  order: Int32Array,
): void {
  const last = order.length - 1;
  let least = -Infinity;
  for (let i = 0, at = first; i < n; i++, at += stride) {
    const value = heap[at]!;
    if (i > last && (value <= least || !isAbove(value, least))) continue;
    let place = Math.min(i, last);
    for (; place > 0 && isAbove(value, largest[place - 1]!); place--) {
      largest[place] = largest[place - 1]!;
      order[place] = order[place - 1]!;
    }
    largest[place] = value;
    order[place] = i;
    least = largest[last]!;
  }
}

/** NaN is above all numbers. */
function isAbove(a: number, b: number): boolean {
  return a > b || (Number.isNaN(a) && !Number.isNaN(b));
}

/** Those above the k-th largest and, as they lie, as many that equal it as there is room for, sorted. */
function manyOf(row: Float64Array, k: number): number[] {
  const order: number[] = [];
  for (let i = 0; i < row.length && order.length < k; i++) if (Number.isNaN(row[i])) order.push(i);
  const room = k - order.length;
  if (room === 0) return order;
  const least = nthLargest(
    row.filter((value) => !Number.isNaN(value)),
    room,
  );
  const above: number[] = [];
  const equal: number[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i]! > least) above.push(i);
    else if (row[i] === least) equal.push(i);
  }
  // A stable sort: equals stay as they lie, infinities among them, which differ by NaN.
  above.sort((a, b) => row[b]! - row[a]!);
  return [...order, ...above, ...equal.slice(0, room - above.length)];
}

/** By Hoare's quickselect, which moves the values. */
function nthLargest(values: Float64Array, nth: number): number {
  const place = nth - 1;
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! > pivot) i++;
      while (values[j]! < pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return values[place]!;
}
