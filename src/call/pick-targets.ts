import type { WideArray } from '../arrays.js';
import type { Arena } from '../memory/arena.js';
import { indexOf } from '../reference/rows.js';
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
