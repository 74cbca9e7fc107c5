// Reductions of a row to a number: maximum, sum, dot product, range.

import { keptLanes, keptTail } from "../mask";
import { CHUNK_BYTES, PARTIAL_BYTES, addTerm, loadTerm, roundingOf } from "../math/sum";
import { laneMax, laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, tailMask } from "../simd/tail";

/** Whether every |x| of the row is at most limit. */
export function rowInRange<T>(x: usize, n: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let state = rangeStart<T>();
  for (; x < end; x += 16) state = rangeStep<T>(state, v128.load(x), mask, bound);
  if (rest) state = rangeStep<T>(state, loadTail<T>(x, rest), mask, bound);
  return rangeHolds<T>(state, bound);
}

/** The largest element; NaN where there is one; −∞ for no elements. */
export function rowMax<T>(x: usize, n: usize): T {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let m0 = v128.splat<T>(<T>(-Infinity)), m1 = m0, unordered = v128.splat<T>(0);
  for (const pairs = x + ((end - x) & ~31); x < pairs; x += 32) {
    const v0 = v128.load(x), v1 = v128.load(x, 16);
    m0 = v128.pmax<T>(m0, v0);
    m1 = v128.pmax<T>(m1, v1);
    unordered = v128.or(unordered, v128.or(v128.ne<T>(v0, v0), v128.ne<T>(v1, v1)));
  }
  if (x < end) {
    const v = v128.load(x);
    m0 = v128.pmax<T>(m0, v);
    unordered = v128.or(unordered, v128.ne<T>(v, v));
  }
  if (rest) {
    const v = loadTail<T>(end, rest);
    m1 = v128.bitselect(v128.pmax<T>(m1, v), m1, tailMask<T>(rest));
    unordered = v128.or(unordered, v128.ne<T>(v, v));
  }
  return v128.any_true(unordered) ? <T>NaN : laneMax<T>(v128.pmax<T>(m0, m1));
}

/** The largest element that the mask's bytes keep; NaN where one of these is; −∞ where none is kept. */
export function rowMaxKept<T>(x: usize, bytes: usize, n: usize): T {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let m = v128.splat<T>(<T>(-Infinity));
  for (; x < end; x += 16, bytes += lanes<T>()) {
    m = v128.max<T>(m, v128.bitselect(v128.load(x), m, keptLanes<T>(bytes)));
  }
  if (rest) m = v128.max<T>(m, v128.bitselect(loadTail<T>(x, rest), m, keptTail<T>(bytes, rest)));
  return v128.any_true(v128.ne<T>(m, m)) ? <T>NaN : laneMax<T>(m);
}

/** Σ x_i y_i */
export function rowDot<T>(x: usize, y: usize, n: usize): f64 {
  return rowTotal<T>(true, x, y, n);
}

/** Σ x_i */
export function rowSum<T>(x: usize, n: usize): f64 {
  return rowTotal<T>(false, x, x, n);
}

/** `dot` is a literal. */
// @ts-ignore: decorator
@inline
function rowTotal<T>(dot: bool, x: usize, y: usize, n: usize): f64 {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sum: f64 = 0, lost: f64 = 0;
  while (x < end) {
    const chunkEnd = min(end, x + CHUNK_BYTES);
    let chunk = v128.splat<T>(0);
    for (; x + PARTIAL_BYTES <= chunkEnd; x += PARTIAL_BYTES, y += PARTIAL_BYTES) {
      const low = addTerm<T>(dot, x, y, 16, loadTerm<T>(dot, x, y, 0));
      const high = addTerm<T>(dot, x, y, 48, loadTerm<T>(dot, x, y, 32));
      chunk = v128.add<T>(chunk, v128.add<T>(low, high));
    }
    for (; x < chunkEnd; x += 16, y += 16) chunk = addTerm<T>(dot, x, y, 0, chunk);
    const part = laneSum<T>(chunk), total = sum + part;
    lost += roundingOf<T>(sum, part, total);
    sum = total;
  }
  if (rest) {
    const v = loadTail<T>(x, rest);
    sum += laneSum<T>(dot ? v128.mul<T>(v, loadTail<T>(y, rest)) : v);
  }
  return isFinite(sum) ? sum + lost : sum;
}
