import type { WideArray } from '../arrays.js';
import type { TopKOperands } from '../generated/kernels.js';
import type { Heaps } from '../wasm/kernel.js';
import { firstOf, indexOf, memoryForRow, readRow, skipSmall } from './rows.js';

/**
 * Up to this k, the largest elements are kept in order while the row is read; beyond it, the k-th largest is found
 * first.
 */
const FEW = 64;

/** topK in plain loops: NaN first, then the largest elements, equal ones in their order in the row. */
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
      order.set(manyOf(row, k, heap, first, inner, elementBytes));
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
  heap: WideArray,
  first: number,
  n: number,
  stride: number,
  largest: Float64Array,
  order: Int32Array,
): void {
  const last = order.length - 1;
  for (let i = 0; i <= last; i++) insert(largest, order, i, heap[first + i * stride]!, i);
  let least = largest[last]!;
  for (let i = last + 1; i < n; i++) {
    i = skipSmall(heap, first, i, n, stride, least);
    if (i === n) return;
    const value = heap[first + i * stride]!;
    if (!isAbove(value, least)) continue;
    insert(largest, order, last, value, i);
    least = largest[last]!;
  }
}

/** Puts element i in its place among those before `place`, which move on by one; that at `place` is lost. */
function insert(largest: Float64Array, order: Int32Array, place: number, value: number, i: number): void {
  for (; place > 0 && isAbove(value, largest[place - 1]!); place--) {
    largest[place] = largest[place - 1]!;
    order[place] = order[place - 1]!;
  }
  largest[place] = value;
  order[place] = i;
}

/** NaN is above all numbers. */
function isAbove(a: number, b: number): boolean {
  return a > b || (Number.isNaN(a) && !Number.isNaN(b));
}

/**
 * The indices of the k largest elements, sorted: NaN, the elements above the k-th largest, and the first of those that
 * equal it. `row` is a copy of the row.
 */
function manyOf(
  row: Float64Array,
  k: number,
  heap: WideArray,
  first: number,
  stride: number,
  elementBytes: 4 | 8,
): number[] {
  const order: number[] = [];
  for (let i = 0; i < row.length && order.length < k; i++) if (Number.isNaN(row[i])) order.push(i);
  const room = k - order.length;
  if (room === 0) return order;
  const least = k === row.length ? -Infinity : leastOf(heap, first, row.length, stride, room);
  const above: number[] = [];
  const equal: number[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i]! > least) above.push(i);
    else if (row[i] === least) equal.push(i);
  }
  const sorted = elementBytes === 4 && row.length <= PACKED ? sort32(above, row) : sortByValue(above, row);
  return [...order, ...sorted, ...equal.slice(0, room - above.length)];
}

/** Sorts indices by their elements, the largest first, equal ones in their order in the row. */
function sortByValue(indices: number[], row: Float64Array): number[] {
  // The sort is stable, so equal elements keep their order, also infinities, whose difference is NaN.
  return indices.sort((a, b) => row[b]! - row[a]!);
}

/** Elements up to which an index fits into a number beside the bits of a float32. */
const PACKED = 2 ** 21;

/**
 * sortByValue for float32 elements, packed with their indices: engines sort much faster without a comparison function.
 */
function sort32(indices: number[], row: Float64Array): number[] {
  const value = new Float32Array(1);
  const bits = new Int32Array(value.buffer);
  const keys = new Float64Array(indices.length);
  indices.forEach((index, i) => {
    // 0 for −0, which equals it.
    value[0] = row[index]! + 0;
    const rank = bits[0]! < 0 ? bits[0]! ^ 0x7fffffff : bits[0]!;
    keys[i] = index - rank * PACKED;
  });
  return Array.from(keys.sort(), (key) => ((key % PACKED) + PACKED) % PACKED);
}

/** The k-th largest element, NaN excluded: collects elements above the k-th largest so far and selects among them. */
function leastOf(heap: WideArray, first: number, n: number, stride: number, k: number): number {
  const candidates = new Float64Array(Math.min(n, 4 * k));
  let count = 0;
  let least = Number.NaN;
  for (let i = 0; i < n; i++) {
    i = skipSmall(heap, first, i, n, stride, least);
    if (i === n) break;
    const value = heap[first + i * stride]!;
    if (Number.isNaN(value)) continue;
    candidates[count++] = value;
    if (count < candidates.length) continue;
    least = nthLargest(candidates, k);
    count = k;
  }
  return nthLargest(candidates.subarray(0, count), k);
}

/** The nth largest value, by Hoare's quickselect, which moves the n largest to the front. */
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
