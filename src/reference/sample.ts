import type { SampleOperands } from '../generated/kernels.js';
import { HOLDS_INFINITY, HOLDS_NAN, NOTHING_KEPT } from '../generated/layout.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponential } from './exponential.js';
import { forEachMaskedRow } from './rows.js';

/** sample by a whole sort: the kept classes in their order, drawn by the inverse of their distribution function. */
export function sample(heaps: Heaps, elementBytes: 4 | 8, operands: SampleOperands): void {
  const { y, u, n, bits, words } = operands;
  forEachMaskedRow(heaps, elementBytes, operands, (x, _max, _first, index) => {
    if (bits !== 0) {
      const word = bits / 4 + index * words;
      for (let j = 0; j < n; j++) if (((heaps.i32[word + (j >> 5)]! >> (j & 31)) & 1) === 0) x[j] = -Infinity;
    }
    heaps.i32[y / 4 + index] = drawFrom(x, u === 0 ? 0 : heaps.f64[u / 8 + index]!, elementBytes, operands);
  });
}

function drawFrom(x: Float64Array, u: number, elementBytes: 4 | 8, operands: SampleOperands): number {
  const { temperature, truncation } = operands;
  const max = x.reduce((a, b) => Math.max(a, b), -Infinity);
  if (Number.isNaN(max)) return HOLDS_NAN;
  if (max === Infinity) return HOLDS_INFINITY;
  if (max === -Infinity) return NOTHING_KEPT;
  if (temperature === 0) return x.indexOf(max);
  const kept = keptOf(x, max, (j) => exponential(x[j]!, max, truncation, elementBytes), operands);
  const weights = x.map((value, j) => (kept.has(j) ? exponential(value, max, temperature, elementBytes) : 0));
  const threshold = u * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  for (let j = 0; j < x.length; j++) {
    sum += weights[j]!;
    if (sum > threshold) return j;
  }
  return weights.findLastIndex((weight) => weight > 0);
}

/** The classes that truncation keeps, given their weights at its temperature. */
function keptOf(
  x: Float64Array,
  max: number,
  weightOf: (j: number) => number,
  { truncation, topK, topP, reach }: SampleOperands,
): Set<number> {
  const order = Array.from(x.keys()).sort((a, b) => Number(x[b]! > x[a]!) - Number(x[b]! < x[a]!) || a - b);
  const ranked = order.slice(0, topK || x.length);
  const target = topP * ranked.reduce((sum, j) => sum + weightOf(j), 0);
  let count = 0;
  for (let sum = 0; count < ranked.length && (topP === 1 || count === 0 || sum < target); count++) {
    sum += weightOf(ranked[count]!);
  }
  return new Set(ranked.slice(0, count).filter((j) => max - x[j]! <= reach * truncation));
}
