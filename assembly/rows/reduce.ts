// Reductions of a row to a number: maximum, sum, dot product, range.

import { keptBytes, keptLanes, keptQuarter, keptTail } from "../mask";
import { PARTIAL_BYTES, addTerm, laneRounding, loadTerm, widen } from "../math/sum";
import { laneMax, laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeJoin, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, tailMask } from "../simd/tail";

/** Whether every |x| of the row is at most limit. */
export function rowInRange<T>(x: usize, n: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let a = rangeStart<T>(), b = a;
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64) {
    a = rangeStep<T>(rangeStep<T>(a, v128.load(x), mask, bound), v128.load(x, 16), mask, bound);
    b = rangeStep<T>(rangeStep<T>(b, v128.load(x, 32), mask, bound), v128.load(x, 48), mask, bound);
  }
  for (; x < end; x += 16) a = rangeStep<T>(a, v128.load(x), mask, bound);
  if (rest) b = rangeStep<T>(b, loadTail<T>(x, rest), mask, bound);
  return rangeHolds<T>(rangeJoin<T>(a, b), bound);
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
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>(), none = v128.splat<T>(<T>(-Infinity));
  let m = none, unordered = v128.splat<T>(0);
  if (sizeof<T>() == 4) {
    for (const fours = x + ((end - x) & ~63); x < fours; x += 64, bytes += 16) {
      const kept = keptBytes(bytes);
      const v0 = v128.bitselect(v128.load(x), none, keptQuarter(0, kept));
      const v1 = v128.bitselect(v128.load(x, 16), none, keptQuarter(1, kept));
      const v2 = v128.bitselect(v128.load(x, 32), none, keptQuarter(2, kept));
      const v3 = v128.bitselect(v128.load(x, 48), none, keptQuarter(3, kept));
      const low = v128.or(f32x4.ne(v0, v0), f32x4.ne(v1, v1)), high = v128.or(f32x4.ne(v2, v2), f32x4.ne(v3, v3));
      unordered = v128.or(unordered, v128.or(low, high));
      m = f32x4.pmax(f32x4.pmax(m, f32x4.pmax(v0, v1)), f32x4.pmax(v2, v3));
    }
  }
  for (; x < end; x += 16, bytes += lanes<T>()) {
    const v = v128.bitselect(v128.load(x), none, keptLanes<T>(bytes));
    unordered = v128.or(unordered, v128.ne<T>(v, v));
    m = v128.pmax<T>(m, v);
  }
  if (rest) {
    const v = v128.bitselect(loadTail<T>(x, rest), none, keptTail<T>(bytes, rest));
    unordered = v128.or(unordered, v128.ne<T>(v, v));
    m = v128.pmax<T>(m, v);
  }
  return v128.any_true(unordered) ? <T>NaN : laneMax<T>(m);
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
  let sums = v128.splat<f64>(0), lost = sums;
  while (x < end) {
    let partial: v128;
    if (x + PARTIAL_BYTES <= end) {
      const low = addTerm<T>(dot, x, y, 16, loadTerm<T>(dot, x, y, 0));
      partial = v128.add<T>(low, addTerm<T>(dot, x, y, 48, loadTerm<T>(dot, x, y, 32)));
      x += PARTIAL_BYTES;
      y += PARTIAL_BYTES;
    } else {
      partial = v128.splat<T>(0);
      for (; x < end; x += 16, y += 16) partial = addTerm<T>(dot, x, y, 0, partial);
    }
    const terms = widen<T>(partial), total = f64x2.add(sums, terms);
    if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, terms, total));
    sums = total;
  }
  let sum = laneSum<f64>(sums);
  if (rest) {
    const v = loadTail<T>(x, rest);
    sum += laneSum<T>(dot ? v128.mul<T>(v, loadTail<T>(y, rest)) : v);
  }
  return sizeof<T>() == 8 && isFinite(sum) ? sum + laneSum<f64>(lost) : sum;
}
