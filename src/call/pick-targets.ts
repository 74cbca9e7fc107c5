import type { WideArray } from '../arrays.js';
import type { Arena } from '../memory/arena.js';
import { indexOf } from '../reference/rows.js';
import { roundingOf } from '../reference/sum.js';
import { type Elements, readerOf } from './place.js';
import type { Rows } from './rows.js';

/** Copies the target's element of each row, so that no other has to be brought into linear memory. */
export function pickTargets(
  arena: Arena,
  x: Elements,
  { n, inner, count }: Pick<Rows, 'n' | 'inner' | 'count'>,
  indices: number,
  picked: number,
): void {
  const { elementBytes, address, array, half } = x;
  const heap = arena.floats(elementBytes);
  const start = address < 0 ? 0 : indexOf(address, elementBytes);
  const to = indexOf(picked, elementBytes);
  if (inner === 1 && half === undefined) {
    pickFromRows(address < 0 ? (array as WideArray) : heap, start, n, count, arena.i32, indexOf(indices, 4), heap, to);
    return;
  }
  const { i32 } = arena;
  const read = readerOf(arena, x);
  // Not by the number of the row: its remainder would take longer than all the rest.
  for (let first = 0, row = 0; row < count; first += n * inner) {
    for (let column = 0; column < inner; column++, row++) {
      const target = i32[indices / 4 + row]!;
      if (target >= 0) heap[to + row] = read(first + target * inner + column);
    }
  }
}

/** The same of rows that lie one after another, all places counted in elements. */
function pickFromRows(
  source: WideArray,
  start: number,
  n: number,
  count: number,
  i32: Int32Array,
  indices: number,
  heap: WideArray,
  to: number,
): void {
  for (let row = 0, first = start; row < count; row++, first += n) {
    const target = i32[indices + row]!;
    if (target >= 0) heap[to + row] = source[first + target]!;
  }
}

/** Rows that lie one after another, and the target of each, not looked at yet. */
export interface TargetRows {
  readonly targets: Int32Array;
  readonly count: number;
  readonly n: number;
  readonly ignoreIndex: number;
}

/**
 * Adds the negative elements of the targets to the sum at an address, as a kernel does that is handed them: to bring
 * targets and elements into linear memory for it would take several times as long. Returns how many rows are not ignored,
 * or -1 where a target is neither a class nor ignored; the sum is unset then.
 */
export function sumTargets(arena: Arena, x: Elements, rows: TargetRows, sum: number): number {
  const { elementBytes, address, array } = x;
  const source = address < 0 ? (array as WideArray) : arena.floats(elementBytes);
  const start = address < 0 ? 0 : indexOf(address, elementBytes);
  const { targets, count, n, ignoreIndex } = rows;
  const add = elementBytes === 4 ? sumTargets32 : sumTargets64;
  return add(source, start, targets, count, n, ignoreIndex, arena.f64, indexOf(sum, 8));
}

/** Of float32 elements: float64 adds these up without care. */
function sumTargets32(
  source: WideArray,
  start: number,
  targets: Int32Array,
  count: number,
  n: number,
  ignored: number,
  f64: Float64Array,
  sum: number,
): number {
  let total = 0;
  let counted = count;
  for (let row = 0, first = start; row < count; row++, first += n) {
    // A loop of its own for the rows that count, most of them: one that counts the others takes twice as long.
    for (; row < count; row++, first += n) {
      const target = targets[row]!;
      if (target < 0 || target >= n || target === ignored) break;
      total -= source[first + target]!;
    }
    if (row === count) break;
    if (targets[row] !== ignored) return -1;
    counted--;
  }
  f64[sum] = total;
  f64[sum + 1] = 0;
  return counted;
}

function sumTargets64(
  source: WideArray,
  start: number,
  targets: Int32Array,
  count: number,
  n: number,
  ignored: number,
  f64: Float64Array,
  sum: number,
): number {
  let total = 0;
  let lost = 0;
  let counted = count;
  for (let row = 0, first = start; row < count; row++, first += n) {
    const target = targets[row]!;
    if (target === ignored) {
      counted--;
      continue;
    }
    if (target < 0 || target >= n) return -1;
    const loss = -source[first + target]!;
    lost += roundingOf(total, loss, total + loss);
    total += loss;
  }
  f64[sum] = total;
  f64[sum + 1] = lost;
  return counted;
}

/**
 * Writes a number at each target and 0 elsewhere: the gradient of that sum. Targets were all checked, and are again: another
 * thread may have the array too.
 */
export function writeAtTargets(
  arena: Arena,
  gradient: number,
  elementBytes: 4 | 8,
  { targets, count, n, ignoreIndex }: TargetRows,
  value: number,
): void {
  const heap = arena.floats(elementBytes);
  const start = indexOf(gradient, elementBytes);
  heap.fill(0, start, start + count * n);
  for (let row = 0, first = start; row < count; row++, first += n) {
    const target = targets[row]!;
    if (target >= 0 && target < n && target !== ignoreIndex) heap[first + target] = value;
  }
}
