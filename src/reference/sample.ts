import type { SampleOperands } from '../generated/kernels.js';
import { HOLDS_INFINITY, HOLDS_NAN, NOTHING_KEPT } from '../generated/layout.js';
import type { Heaps } from '../wasm/kernel.js';
import { exponentialOf } from './exponential.js';
import { forEachMaskedRow, maximum, type Row } from './rows.js';

/** sample by a whole sort: the kept classes in their order, drawn by the inverse of their distribution function. */
export function sample(heaps: Heaps, elementBytes: 4 | 8, operands: SampleOperands): void {
  const { y, u, n, bits, words } = operands;
  forEachMaskedRow(heaps, elementBytes, operands, (masked, _, index) => {
    const isSet = (j: number) =>
      bits === 0 || ((heaps.i32[bits / 4 + index * words + (j >> 5)]! >> (j & 31)) & 1) === 1;
    const row: Row = { n, isKept: true, at: (j) => (isSet(j) ? masked.at(j) : -Infinity) };
    heaps.i32[y / 4 + index] = drawFrom(row, u === 0 ? 0 : heaps.f64[u / 8 + index]!, elementBytes, operands);
  });
}

function drawFrom(row: Row, u: number, elementBytes: 4 | 8, operands: SampleOperands): number {
  const { temperature } = operands;
  const max = maximum(row);
  if (Number.isNaN(max)) return HOLDS_NAN;
  if (max === Infinity) return HOLDS_INFINITY;
  if (max === -Infinity) return NOTHING_KEPT;
  const classes = Array.from({ length: row.n }, (_, j) => j);
  if (temperature === 0) return classes.findIndex((j) => row.at(j) === max);
  const exponential = exponentialOf(elementBytes);
  const kept = keptOf(row, max, (j) => exponential(row.at(j), max, operands.truncation), operands);
  const weights = classes.map((j) => (kept.has(j) ? exponential(row.at(j), max, temperature) : 0));
  const threshold = u * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  return classes.find((j) => (sum += weights[j]!) > threshold) ?? weights.findLastIndex((weight) => weight > 0);
}

/** The classes that truncation keeps, given their weights at its temperature. */
function keptOf(
  { n, at }: Row,
  max: number,
  weight: (j: number) => number,
  { truncation, topK, topP, reach }: SampleOperands,
): Set<number> {
  const order = Array.from({ length: n }, (_, j) => j).sort(
    (a, b) => Number(at(b) > at(a)) - Number(at(b) < at(a)) || a - b,
  );
  const ranked = order.slice(0, topK || n);
  const target = topP * ranked.reduce((sum, j) => sum + weight(j), 0);
  let sum = 0;
  const last = topP < 1 ? ranked.findIndex((j) => (sum += weight(j)) >= target) : -1;
  const nucleus = last < 0 ? ranked : ranked.slice(0, last + 1);
  return new Set(nucleus.filter((j) => max - at(j) <= reach * truncation));
}
