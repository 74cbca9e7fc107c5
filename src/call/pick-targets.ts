import { typedArrayTag, type WideArray } from '../arrays.js';
import type { Arena } from '../memory/arena.js';
import { indexOf } from '../reference/rows.js';
import { roundingOf } from '../reference/sum.js';
import { FAST_SUM_BYTES, type FastLoss, runFastLoss } from './loss.js';
import { type Elements, readerOf } from './place.js';
import type { Rows } from './rows.js';
import type { IntegerPlace } from './targets.js';

/** Copies the element at each row's target, so that no others have to be copied into linear memory. */
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
  // Two loops instead of the row number's remainder, which would take longer than everything else.
  for (let first = 0, row = 0; row < count; first += n * inner) {
    for (let column = 0; column < inner; column++, row++) {
      const target = i32[indices / 4 + row]!;
      if (target >= 0) heap[to + row] = read(first + target * inner + column);
    }
  }
}

/** The same for contiguous rows; all positions are counted in elements. */
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

/** The class indices of contiguous rows of n elements; `ignored` is the ignoreIndex. */
interface TargetRows {
  readonly targets: Int32Array;
  readonly count: number;
  readonly n: number;
  readonly ignored: number;
}

/**
 * Runs a loss on the fast path that is the sum of these elements, up to the sign. It adds them up where they are, in
 * the order in which a kernel would; copying targets and elements into linear memory would take several times as long.
 * Undefined if targets are not an Int32Array, or one of them is neither a class nor ignored.
 */
export function sumTargets(
  arena: Arena,
  fast: FastLoss,
  { array, length: count }: IntegerPlace,
  n: number,
  ignored: number,
): unknown {
  if (typedArrayTag(array) !== 'Int32Array') return undefined;
  const rows: TargetRows = { targets: array as Int32Array, count, n, ignored };
  const { x } = fast;
  const { elementBytes } = x;
  const source = (x.array ?? arena.floats(elementBytes)) as WideArray;
  const start = x.array === undefined ? indexOf(x.address, elementBytes) : 0;
  const add = elementBytes === 4 ? sumTargets32 : sumTargets64;
  const { f64 } = arena;
  const to = indexOf(arena.operandScratch + FAST_SUM_BYTES, 8);
  const counted = add(source, start, rows, f64, to);
  if (counted < 0) return undefined;
  return runFastLoss(arena, fast, counted, ({ gradient, scale, sum }) => {
    f64.copyWithin(indexOf(sum, 8), to, to + 2);
    if (gradient === 0) return;
    const heap = arena.floats(elementBytes);
    const first = indexOf(gradient, elementBytes);
    heap.fill(0, first, first + count * n);
    writeAtTargets(heap, first, rows, -scale);
  });
}

/**
 * Adds up float32 elements, for which plain float64 is accurate enough. Returns the number of rows that count, -1 for a
 * wrong target.
 */
function sumTargets32(
  source: WideArray,
  start: number,
  { targets, count, n, ignored }: TargetRows,
  f64: Float64Array,
  sum: number,
): number {
  let total = 0;
  let counted = count;
  for (let row = 0, first = start; row < count; row++, first += n) {
    // Most rows count, and they have an inner loop of their own: a loop that also handles the others takes twice as
    // long. `| 0` spares the overflow checks of additions, a sixth of the time.
    for (; row < count; row++, first = (first + n) | 0) {
      const target = targets[row]!;
      if (target >>> 0 >= n || target === ignored) break;
      total -= source[(first + target) | 0]!;
    }
    if (row === count) break;
    if (targets[row] !== ignored) return -1;
    counted--;
  }
  f64[sum] = total;
  f64[sum + 1] = 0;
  return counted;
}

/** The same for float64 elements, with compensation. */
function sumTargets64(
  source: WideArray,
  start: number,
  { targets, count, n, ignored }: TargetRows,
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

/** Writes a number at each target. Targets are checked again, because another thread may share the array. */
function writeAtTargets(
  heap: WideArray,
  start: number,
  { targets, count, n, ignored }: TargetRows,
  value: number,
): void {
  for (let row = 0, first = start; row < count; row++, first = (first + n) | 0) {
    const target = targets[row]!;
    if (target >>> 0 < n && target !== ignored) heap[(first + target) | 0] = value;
  }
}
