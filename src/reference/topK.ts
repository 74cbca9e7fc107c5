import type { TopKOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { forEachRow, indexOf, readRow } from './rows.js';

/** Up to so many the largest are kept in order as the row is read; of more, the least of them is found by sorting. */
const FEW = 64;

/** topK in plain loops: NaN first, then the largest, equals as they lie. */
export function topK(
  heaps: Heaps,
  elementBytes: 4 | 8,
  { x, values, indices, outer, n, inner, k }: TopKOperands,
): void {
  const heap = heaps.floats(elementBytes);
  const row = k > FEW ? new Float64Array(n) : undefined;
  const largest = new Float64Array(k);
  forEachRow(outer, n, inner, (offset, index) => {
    const first = indexOf(x, elementBytes) + offset;
    if (row !== undefined) readRow(heap, first, inner, row);
    const order = row === undefined ? fewOf(heap, first, n, inner, k) : manyOf(row, k);
    // The values may go where x lies.
    for (let i = 0; i < k; i++) largest[i] = heap[first + order[i]! * inner]!;
    const to = Math.floor(index / inner) * k * inner + (index % inner);
    for (let i = 0; i < k; i++) {
      heap[values / elementBytes + to + i * inner] = largest[i]!;
      heaps.i32[indices / 4 + to + i * inner] = order[i]!;
    }
  });
}

/** The largest so far in order, each new one put where it belongs. */
function fewOf(heap: Float32Array | Float64Array, first: number, n: number, stride: number, k: number): number[] {
  const order: number[] = [];
  const elementAt = (i: number) => heap[first + i * stride]!;
  const insert = (i: number, value: number) => {
    let place = Math.min(order.length, k - 1);
    for (; place > 0 && isAbove(value, elementAt(order[place - 1]!)); place--) order[place] = order[place - 1]!;
    order[place] = i;
  };
  for (let i = 0; i < k; i++) insert(i, elementAt(i));
  let least = elementAt(order[k - 1]!);
  for (let i = k, at = first + k * stride; i < n; i++, at += stride) {
    const value = heap[at]!;
    if (value <= least) continue;
    if (Number.isNaN(least)) break;
    insert(i, value);
    least = elementAt(order[k - 1]!);
  }
  return order;
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
