import type { WideArray } from '../arrays.js';
import type { Arena } from '../memory/arena.js';
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
  const { i32 } = arena;
  const heap = arena.floats(elementBytes);
  const source = address < 0 ? (array as WideArray) : heap;
  const start = address < 0 ? 0 : address / elementBytes;
  const widenedAt = half === undefined ? undefined : readerOf(arena, x);
  const to = picked / elementBytes;
  // Not by the number of the row: its remainder would take longer than all the rest.
  for (let first = 0, row = 0; row < count; first += n * inner) {
    for (let column = 0; column < inner; column++, row++) {
      const target = i32[indices / 4 + row]!;
      if (target < 0) continue;
      const at = first + target * inner + column;
      heap[to + row] = widenedAt === undefined ? source[start + at]! : widenedAt(at);
    }
  }
}
