import type { SampleOperands } from '../generated/kernels.js';
import { HOLDS_INFINITY, HOLDS_NAN, NOTHING_KEPT } from '../generated/layout.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponential } from './exponential.js';
import { firstOf, indexOf, maximum, memoryForRow, readMaskedRow } from './rows.js';

/** sample by selection: the kept classes in their order, drawn by the inverse of their distribution function. */
export function sample(heaps: Heaps, elementBytes: 4 | 8, operands: SampleOperands): void {
  const { x, y, u, outer, n, inner, mask, bits, words } = operands;
  const heap = heaps.floats(elementBytes);
  const values = memoryForRow(n);
  for (let row = 0; row < outer * inner; row++) {
    const first = indexOf(x, elementBytes) + firstOf(row, n, inner);
    let max = readMaskedRow(heaps, heap, first, inner, values, mask, row) ?? -Infinity;
    if (bits !== 0) {
      const word = bits / 4 + row * words;
      for (let j = 0; j < n; j++) if (((heaps.i32[word + (j >> 5)]! >> (j & 31)) & 1) === 0) values[j] = -Infinity;
      max = maximum(values);
    }
    heaps.i32[y / 4 + row] = drawFrom(values, max, u === 0 ? 0 : heaps.f64[u / 8 + row]!, elementBytes, operands);
  }
}

/** Overwrites the row. */
function drawFrom(
  row: Float64Array,
  max: number,
  u: number,
  elementBytes: 4 | 8,
  { temperature, truncationTemperature, topK, topP, reach }: SampleOperands,
): number {
  if (Number.isNaN(max)) return HOLDS_NAN;
  if (max === Infinity) return HOLDS_INFINITY;
  if (max === -Infinity) return NOTHING_KEPT;
  if (temperature === 0) return row.indexOf(max);
  if (topK > 0 && topK < row.length) cut(row, () => 1, topK);
  if (topP < 1) {
    const weightOf = (x: number) => exponential(x, max, truncationTemperature, elementBytes);
    let total = 0;
    for (let j = 0; j < row.length; j++) total += weightOf(row[j]!);
    cut(row, weightOf, topP * total);
  }
  let total = 0;
  let last = 0;
  for (let j = 0; j < row.length; j++) {
    const isKept = max - row[j]! <= reach * truncationTemperature;
    const weight = isKept ? exponential(row[j]!, max, temperature, elementBytes) : 0;
    if (weight > 0) last = j;
    row[j] = weight;
    total += weight;
  }
  const threshold = u * total;
  let sum = 0;
  for (let j = 0; j < last; j++) {
    sum += row[j]!;
    if (sum > threshold) return j;
  }
  return last;
}

/**
 * Keeps the fewest of the largest values whose weights add up to the target, at least one, and of equal ones the first;
 * the others become −∞. Uses quickselect: the values above a pivot are weighed together.
 */
function cut(row: Float64Array, weightOf: (x: number) => number, target: number): void {
  let candidates = row.filter((x) => x > -Infinity);
  let least = -Infinity;
  let room = 0;
  for (let sum = 0; candidates.length > 0; ) {
    const pivot = candidates[candidates.length >> 1]!;
    const above = candidates.filter((x) => x > pivot);
    const weight = above.reduce((total, x) => total + weightOf(x), sum);
    if (above.length > 0 && weight >= target) {
      candidates = above;
      continue;
    }
    const below = candidates.filter((x) => x < pivot);
    const equals = candidates.length - above.length - below.length;
    least = pivot;
    room = Math.min(equals, Math.max(1, Math.ceil((target - weight) / weightOf(pivot))));
    sum = weight + equals * weightOf(pivot);
    if (sum >= target) break;
    candidates = below;
  }
  for (let j = 0; j < row.length; j++) {
    if (row[j]! < least || (row[j] === least && room-- <= 0)) row[j] = -Infinity;
  }
}
