// What the operations do to a row: n elements side by side, the lanes running along it.
//
// Sums run in lanes over BLOCK elements and from block to block in float64: a plain chain over a long row would lose
// 40 to 500 units of 2^-24.

import {
  coefficient, exponential, ln2High, ln2Low, log2eOver, magicNumber, oneVector, prepareRow
} from "../math/exp";
import { log1p } from "../math/log";
import { madd } from "../simd/arch";
import { laneMax, laneSum, lanes, loadTail, storeTail, subIntegers, tailMask, toFloats } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";

/** Elements summed in lanes before float64 takes over. */
export const BLOCK: usize = 256;

/** Shortest row that is worth a loop of its own; shorter ones go through tiles. */
// @ts-ignore: decorator
@inline
export function ROW_LENGTH<T>(): usize {
  return sizeof<T>() == 4 ? 48 : 24;
}

/** Whether the row form computes problems of this shape: by n, inner and type alone, so that results never depend on
 * how many there are. */
// @ts-ignore: decorator
@inline
export function usesRows<T>(n: usize, inner: usize): bool {
  return inner == 1 && n >= ROW_LENGTH<T>();
}

/** Whether every |x| of the row is at most limit. */
export function rowInRange<T>(x: usize, n: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let state = rangeStart<T>();
  for (; x < end; x += 16) state = rangeStep<T>(state, v128.load(x), mask, bound);
  if (rest) state = rangeStep<T>(state, loadTail<T>(x, rest), mask, bound);
  return rangeHolds<T>(state, bound);
}

/** The largest element when every |x| is at most limit, otherwise NaN. */
export function rowMaxInRange<T>(x: usize, n: usize, limit: T): T {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let m0 = v128.splat<T>(<T>(-Infinity)), m1 = m0, m2 = m0, m3 = m0;
  let state = rangeStart<T>();
  for (const end4 = x + ((end - x) & ~63); x < end4; x += 64) {
    const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
    m0 = v128.pmax<T>(m0, v0);
    m1 = v128.pmax<T>(m1, v1);
    m2 = v128.pmax<T>(m2, v2);
    m3 = v128.pmax<T>(m3, v3);
    state = rangeStep<T>(rangeStep<T>(state, v0, mask, bound), v1, mask, bound);
    state = rangeStep<T>(rangeStep<T>(state, v2, mask, bound), v3, mask, bound);
  }
  for (; x < end; x += 16) {
    const v = v128.load(x);
    m0 = v128.pmax<T>(m0, v);
    state = rangeStep<T>(state, v, mask, bound);
  }
  if (rest) {
    const v = loadTail<T>(x, rest);
    m1 = v128.pmax<T>(m1, v128.bitselect(v, m1, tailMask<T>(rest)));
    state = rangeStep<T>(state, v, mask, bound);
  }
  if (!rangeHolds<T>(state, bound)) return <T>NaN;
  return laneMax<T>(v128.pmax<T>(v128.pmax<T>(m0, m1), v128.pmax<T>(m2, m3)));
}

/** The largest element; NaN where the row holds NaN; -∞ for no elements. */
export function rowMax<T>(x: usize, n: usize): T {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let m = v128.splat<T>(<T>(-Infinity));
  for (; x < end; x += 16) m = v128.max<T>(m, v128.load(x));
  if (rest) m = v128.max<T>(m, v128.bitselect(loadTail<T>(x, rest), m, tailMask<T>(rest)));
  return laneMax<T>(m);
}

/** y = x · factor; x may be y. */
export function rowScale<T>(x: usize, y: usize, n: usize, factor: T): void {
  const f = v128.splat<T>(factor);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (; x < end; x += 16, y += 16) v128.store(y, v128.mul<T>(v128.load(x), f));
  if (rest) storeTail<T>(y, v128.mul<T>(loadTail<T>(x, rest), f), rest);
}

/** y = (x − centre) · factor + offset; x may be y. */
export function rowAffine<T>(x: usize, y: usize, n: usize, centre: T, factor: T, offset: T): void {
  const c = v128.splat<T>(centre), f = v128.splat<T>(factor), o = v128.splat<T>(offset);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (; x < end; x += 16, y += 16) v128.store(y, madd<T>(v128.sub<T>(v128.load(x), c), f, o));
  if (rest) storeTail<T>(y, madd<T>(v128.sub<T>(loadTail<T>(x, rest), c), f, o), rest);
}

/** y = e^(x / t) · 2^k in the careful form (any x); returns the sum. 2^k is the same for the whole row. */
export function rowExpCareful<T>(x: usize, y: usize, n: usize, maximum: T, temperature: f64, scratch: usize): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  const log2e = log2eOver<T>(temperature), magic = magicNumber<T>(), high = v128.splat<T>(ln2High<T>(temperature));
  const inverse = v128.splat<T>(<T>(1.0 / temperature)), one = oneVector<T>(), c1 = coefficient<T>(1);
  const c5 = coefficient<T>(5), c4 = coefficient<T>(4), c3 = coefficient<T>(3), c2 = coefficient<T>(2);
  const low = v128.splat<T>(ln2Low<T>(temperature));
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sum: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK * sizeof<T>());
    let s = v128.splat<T>(0);
    for (; x < blockEnd; x += 16, y += 16) {
      const e = exponential<T>(true, v128.load(x), scratch, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
      v128.store(y, e);
      s = v128.add<T>(s, e);
    }
    sum += laneSum<T>(s);
  }
  if (rest) {
    const e = exponential<T>(true, loadTail<T>(x, rest), scratch, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
    storeTail<T>(y, e, rest);
    sum += laneSum<T>(v128.and(e, tailMask<T>(rest)));
  }
  return sum;
}

/**
 * log Σ e^((x − maximum) / t), the terms equal to the maximum counted, not summed: what the others add is then kept to
 * its last digit however small. `fast` when every |x / t| ≤ RANGE. NaN when the maximum is not finite.
 */
export function rowLogSum<T>(x: usize, n: usize, maximum: T, fast: bool, temperature: f64, scratch: usize): f64 {
  if (fast) return logSumFast<T>(x, n, maximum, temperature);
  prepareRow<T>(scratch, maximum, temperature);
  return logSumCareful<T>(x, n, maximum, temperature, scratch);
}

function logSumFast<T>(x: usize, n: usize, maximum: T, temperature: f64): f64 {
  return logSum<T>(false, x, n, maximum, temperature, 0);
}

function logSumCareful<T>(x: usize, n: usize, maximum: T, temperature: f64, scratch: usize): f64 {
  return logSum<T>(true, x, n, maximum, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function logSum<T>(careful: bool, x: usize, n: usize, maximum: T, temperature: f64, scratch: usize): f64 {
  const log2e = log2eOver<T>(temperature), magic = magicNumber<T>(), high = v128.splat<T>(ln2High<T>(temperature));
  const inverse = v128.splat<T>(<T>(1.0 / temperature)), one = oneVector<T>(), c1 = coefficient<T>(1);
  const c5 = coefficient<T>(5), c4 = coefficient<T>(4), c3 = coefficient<T>(3), c2 = coefficient<T>(2);
  const low = v128.splat<T>(ln2Low<T>(temperature));
  const m = v128.splat<T>(maximum);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let others: f64 = 0, count = v128.splat<T>(0);
  while (x < end) {
    const blockEnd = min(end, x + BLOCK * sizeof<T>());
    let s = v128.splat<T>(0);
    for (; x < blockEnd; x += 16) {
      const v = v128.load(x);
      const isMaximum = v128.eq<T>(v, m);
      const e = exponential<T>(careful, v, scratch, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
      s = v128.add<T>(s, v128.andnot(e, isMaximum));
      count = subIntegers<T>(count, isMaximum);
    }
    others += laneSum<T>(s);
  }
  if (rest) {
    const v = loadTail<T>(x, rest), inside = tailMask<T>(rest);
    const isMaximum = v128.and(v128.eq<T>(v, m), inside);
    const e = exponential<T>(careful, v, scratch, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
    others += laneSum<T>(v128.and(v128.andnot(e, isMaximum), inside));
    count = subIntegers<T>(count, isMaximum);
  }
  const top = exponential<T>(careful, m, scratch, log2e, magic, high, low, inverse, c5, c4, c3, c2, c1, one);
  return logOfSum<T>(others, count, top);
}

/** log(count + others / top), count and top given in lanes. */
// @ts-ignore: decorator
@inline
function logOfSum<T>(others: f64, count: v128, top: v128): f64 {
  const beside = others / <f64>v128.extract_lane<T>(top, 0);
  return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(laneSum<T>(toFloats<T>(count)) - 1 + beside)), 0);
}
