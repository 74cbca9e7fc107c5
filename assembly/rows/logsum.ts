// The logarithm of a row's sum of exponentials.

import { keptLanes, keptTail } from "../mask";
import { MAX_SHIFTED, exponential, prepareRow, unshiftedExp, unshiftedLimit } from "../math/exp";
import { finishFour, reduceFour, storeFour } from "../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { log1p } from "../math/log";
import { PARTIAL_BYTES, SUM_CHUNK, laneRounding, roundingOf, widen } from "../math/sum";
import { ROW_OTHERS, ROW_TOTAL, UNWANTED } from "../scratch";
import { laneMax, laneSum, lanes, lastLane, promoteLow, subIntegers, toFloats } from "../simd/lanes";
import { rangeHolds, rangeOfFour, rangeStart, rangeStep, signMask } from "../simd/range";
import { e0, e1, e2, e3 } from "../simd/registers";
import { loadTail, storeTail, tailMask } from "../simd/tail";
import { rowInRange, rowMax } from "./reduce";

/**
 * The maximum in lane 0, and in lane 1 Σ e^((x − maximum) / t) without the maximum's own term, so that the other terms
 * count to their last digit, however small. NaN in lane 1 if the maximum is not finite.
 */
export function rowLogSum<T>(x: usize, n: usize, temperature: f64, scratch: usize): v128 {
  const limit = unshiftedLimit<T>(temperature);
  const sums = sizeof<T>() == 4
    ? logSumUnshifted<T>(x, n, limit, scratch)
    : expLogSumUnshifted<T>(x, 0, n, limit, scratch);
  if (!isNaN(maximumOf(sums))) return sums;
  const maximum = rowMax<T>(x, n);
  prepareRow<T>(scratch, maximum, temperature);
  return maximumAndOthers(<f64>maximum, maxShiftedOthers<T>(x, 0, 0, n, maximum, scratch));
}

/** The same, and y = 2^k · e^(x / t), with its sums in ROW_TOTAL and ROW_OTHERS; y may be x. */
export function rowExpLogSum<T>(x: usize, y: usize, n: usize, temperature: f64, scratch: usize): v128 {
  const limit = unshiftedLimit<T>(temperature);
  // A row that turns out to be out of range is computed again, so it must not be overwritten before that is known.
  if (x != y || rowInRange<T>(x, n, limit)) {
    const sums = expLogSumUnshifted<T>(x, y, n, limit, scratch);
    if (!isNaN(maximumOf(sums))) return sums;
  }
  const maximum = rowMax<T>(x, n);
  prepareRow<T>(scratch, maximum, temperature);
  return maximumAndOthers(<f64>maximum, maxShiftedOthers<T>(x, y, 0, n, maximum, scratch));
}

/** log Σ e^((x − maximum) / t) of the elements that the mask's bytes keep, max-shifted. */
export function rowLogSumKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  return log1pOf(rowOthersKept<T>(x, bytes, n, maximum, temperature, scratch));
}

/** The same without the maximum's own term, as rowLogSum has it, and without the logarithm. */
export function rowOthersKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return maxShiftedOthers<T>(x, 0, bytes, n, maximum, scratch);
}

// @ts-ignore: decorator
@inline
function maximumAndOthers(maximum: f64, others: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(maximum), 1, others);
}

/** The maximum in the result of rowLogSum. */
// @ts-ignore: decorator
@inline
export function maximumOf(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0);
}

/** The sum without the maximum's own term in the result of rowLogSum. */
// @ts-ignore: decorator
@inline
export function othersOf(sums: v128): f64 {
  return f64x2.extract_lane(sums, 1);
}

/** log Σ e^((x − maximum) / t), from the result of rowLogSum. */
// @ts-ignore: decorator
@inline
export function logSumOf(sums: v128): f64 {
  return log1pOf(othersOf(sums));
}

function logSumUnshifted<T>(x: usize, n: usize, limit: T, scratch: usize): v128 {
  return unshiftedLogSum<T>(false, x, 0, n, limit, scratch);
}

function expLogSumUnshifted<T>(x: usize, y: usize, n: usize, limit: T, scratch: usize): v128 {
  return unshiftedLogSum<T>(true, x, y, n, limit, scratch);
}

/**
 * Bytes of a partial sum in unshiftedLogSum. In f64 it is a whole chunk: more would lose digits without compensation.
 */
// @ts-ignore: decorator
@inline
function LOG_PARTIAL_BYTES<T>(): usize {
  return sizeof<T>() == 4 ? PARTIAL_BYTES : 128;
}

/**
 * rowLogSum in one pass or, if y is not 0, rowExpLogSum. Assumes |x| ≤ limit and checks it on the way: NaN if it fails.
 *
 * f32 adds the four vectors of a partial sum in a tree and four partial sums in lanes; f64 adds the eight vectors of a
 * partial sum in pairs; the rest is float64. The maximum's term has to be kept apart before the maximum is known. If it
 * exceeds all other terms together, the partial sum that holds it exceeds all other partial sums. So the largest
 * partial sum is held back, lane by lane, and what it holds beside the maximum's term is looked up at the end. (Holding
 * back the largest term itself would take two instructions for every vector instead of every fourth.)
 *
 * `stores` is a literal: f32 has a loop without stores, a tenth faster; f64 without y stores every vector to UNWANTED.
 */
// @ts-ignore: decorator
@inline
function unshiftedLogSum<T>(stores: bool, x: usize, y: usize, n: usize, limit: T, scratch: usize): v128 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(limit), sign = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const partialBytes = LOG_PARTIAL_BYTES<T>(), chunkBytes: usize = sizeof<T>() == 4 ? 16 * partialBytes : partialBytes;
  const step: usize = y ? 16 : 0;
  let p = x, q = y ? y : scratch + UNWANTED, sums = v128.splat<f64>(0), lostSums = sums;
  let m = v128.splat<T>(<T>(-Infinity)), range = rangeStart<T>(), held = v128.splat<T>(0);
  while (p < end) {
    const first = p, chunkEnd = min(end, p + chunkBytes);
    let few = v128.splat<T>(0), s = few;
    if (sizeof<T>() == 4) {
      // Unrolled to a whole partial sum: a quarter faster in Node 20 than an inner loop. The stores come last: after
      // each of them V8 would reload the constants.
      const partials = p + ((chunkEnd - p) & ~(partialBytes - 1));
      for (; p < partials; p += partialBytes, q += step << 2) {
        reduceFour(2, p, 16, scratch);
        finishFour(scratch);
        m = maxOfFour(m, p);
        range = rangeOfFour(range, p, 16, bound);
        const partial = v128.add<T>(v128.add<T>(e0, e1), v128.add<T>(e2, e3));
        few = v128.add<T>(few, v128.pmin<T>(held, partial));
        held = v128.pmax<T>(held, partial);
        if (stores) storeFour(q, 16);
        // Four partial sums are all that f32 lanes take.
        if (((p - first) & 192) == 192) {
          sums = f64x2.add(sums, widen<T>(few));
          few = v128.splat<T>(0);
        }
      }
    } else {
      for (const pairs = p + ((chunkEnd - p) & ~31); p < pairs; p += 32, q += step << 1) {
        const v0 = v128.load(p), e0 = unshiftedExp<T>(v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v1 = v128.load(p, 16), e1 = unshiftedExp<T>(v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (stores) {
          v128.store(q, e0);
          v128.store(q + step, e1);
        }
        m = v128.pmax<T>(v128.pmax<T>(m, v0), v1);
        range = rangeStep<T>(rangeStep<T>(range, v0, sign, bound), v1, sign, bound);
        s = v128.add<T>(s, v128.add<T>(e0, e1));
      }
    }
    for (; p < chunkEnd; p += 16, q += step) {
      const v = v128.load(p), e = unshiftedExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      if (stores) v128.store(q, e);
      m = v128.pmax<T>(m, v);
      range = rangeStep<T>(range, v, sign, bound);
      s = v128.add<T>(s, e);
    }
    if (!rangeHolds<T>(range, bound)) return f64x2.splat(NaN);
    const part = widen<T>(v128.add<T>(few, v128.pmin<T>(held, s))), next = f64x2.add(sums, part);
    held = v128.pmax<T>(held, s);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, part, next));
    sums = next;
  }
  const even = f64x2.extract_lane(sums, 0), odd = f64x2.extract_lane(sums, 1);
  let others = even + odd, lost = roundingOf<T>(even, odd, others) + laneSum<f64>(lostSums);
  if (rest) {
    const v = loadTail<T>(p, rest), inside = tailMask<T>(rest);
    const e = v128.and(expTerms<T>(v, scratch), inside);
    if (stores) storeTail<T>(q, e, rest);
    m = v128.bitselect(v128.pmax<T>(m, v), m, inside);
    if (!rangeHolds<T>(rangeStep<T>(range, v, sign, bound), bound)) return f64x2.splat(NaN);
    others += laneSum<T>(v128.pmin<T>(held, e));
    held = v128.pmax<T>(held, e);
  }
  const maximum = laneMax<T>(m), top = topTerm<T>(maximum, scratch);
  const total = totalAndOthers<T>(x, y, n, maximum, top, others, lost, held, scratch);
  const withoutTop = f64x2.extract_lane(total, 1);
  if (stores) v128.store(scratch, total, ROW_TOTAL);
  return maximumAndOthers(<f64>maximum, withoutTop / <f64>top);
}

/** e^(maximum / t), unshifted. */
export function topTerm<T>(maximum: T, scratch: usize): T {
  return v128.extract_lane<T>(expTerms<T>(v128.splat<T>(maximum), scratch), 0);
}

/**
 * The sum of a row's terms e^(x / t), and in lane 1 the same without `top`, that of its maximum: from `held`, the largest
 * partial sum of each lane, the sum of all others, and what rounding took from that. y has the terms, if it is not 0.
 */
export function totalAndOthers<T>(
  x: usize, y: usize, n: usize, maximum: T, top: T, others: f64, lost: f64, held: v128, scratch: usize
): v128 {
  const split = splitLargest<T>(held), best = f64x2.extract_lane(split, 0), less = f64x2.extract_lane(split, 1);
  const beneath = others + less, total = beneath + best;
  lost += roundingOf<T>(others, less, beneath);
  const lostTotal = lost + roundingOf<T>(beneath, best, total);
  let withoutTop = total - <f64>top + lostTotal;
  if (withoutTop < <f64>top) {
    withoutTop = beneath + othersInPartial<T>(y != 0, y ? y : x, n, y ? top : maximum, scratch) + lost;
  }
  return f64x2.replace_lane(f64x2.splat(total + lostTotal), 1, withoutTop);
}

/** The larger of m and four vectors of f32, lane by lane, where there is no NaN. */
// @ts-ignore: decorator
@inline
function maxOfFour(m: v128, x: usize): v128 {
  m = f32x4.pmax(f32x4.pmax(m, v128.load(x)), v128.load(x, 16));
  return f32x4.pmax(f32x4.pmax(m, v128.load(x, 32)), v128.load(x, 48));
}

/** The largest lane and the sum of the others; no lane is negative. */
function splitLargest<T>(v: v128): v128 {
  const swapped = v128.shuffle<i64>(v, v, 1, 0);
  const less = v128.pmin<T>(v, swapped), more = v128.pmax<T>(v, swapped);
  if (sizeof<T>() == 8) return v128.shuffle<i64>(more, less, 0, 2);
  const next = v128.shuffle<i32>(more, more, 1, 0, 1, 0);
  const others = <f64>f32x4.extract_lane(less, 0) + <f64>f32x4.extract_lane(less, 1);
  return f64x2.replace_lane(
    promoteLow(v128.pmax<T>(more, next)), 1, others + <f64>f32x4.extract_lane(v128.pmin<T>(more, next), 0)
  );
}

/** e^(x / t) of one vector, unshifted. Not inlined: it is needed once a row. */
export function expTerms<T>(x: v128, scratch: usize): v128 {
  return unshiftedExp<T>(
    x, scratch, log2eOver<T>(scratch), magicNumber<T>(scratch), ln2HighOf<T>(scratch), coefficient<T>(5, scratch),
    coefficient<T>(4, scratch), coefficient<T>(3, scratch), coefficient<T>(2, scratch), coefficient<T>(1, scratch)
  );
}

/**
 * The sum of the terms in the same partial sum and lane as the only element of p that equals value. p has the terms if
 * they are `stored`, else x.
 */
function othersInPartial<T>(stored: bool, p: usize, n: usize, value: T, scratch: usize): f64 {
  const wanted = v128.splat<T>(value), end = p + (n - n % lanes<T>()) * sizeof<T>();
  let at = p;
  while (at < end && !v128.any_true(v128.eq<T>(v128.load(at), wanted))) at += 16;
  // The tail is a partial sum by itself.
  if (at == end) return 0;
  let c = p + ((at - p) & ~(LOG_PARTIAL_BYTES<T>() - 1)), s = v128.splat<T>(0);
  for (const partialEnd = min(end, c + LOG_PARTIAL_BYTES<T>()); c < partialEnd; c += 16) {
    const v = v128.load(c);
    if (c != at) s = v128.add<T>(s, stored ? v : expTerms<T>(v, scratch));
  }
  return laneSum<T>(v128.and(s, v128.eq<T>(v128.load(at), wanted)));
}

/**
 * Σ e^((x − maximum) / t) without the maximum's own term, max-shifted, of all elements or of those that the mask's bytes
 * keep. Terms equal to the maximum are counted, not summed. If y is not 0, it is filled, and ROW_TOTAL and ROW_OTHERS set, as in rowExpLogSum.
 */
function maxShiftedOthers<T>(x: usize, y: usize, bytes: usize, n: usize, maximum: T, scratch: usize): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const m = v128.splat<T>(maximum);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sums = v128.splat<f64>(0), lostSums = sums, equals = v128.splat<T>(0);
  while (x < end) {
    const chunkEnd = min(end, x + SUM_CHUNK<T>() * sizeof<T>());
    let chunk = v128.splat<f64>(0);
    while (x < chunkEnd) {
      const partialEnd = min(chunkEnd, x + PARTIAL_BYTES);
      let s = v128.splat<T>(0);
      for (; x < partialEnd; x += 16) {
        const v = v128.load(x);
        let isMaximum = v128.eq<T>(v, m);
        let e = exponential<T>(MAX_SHIFTED, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (y) {
          v128.store(y, e);
          y += 16;
        }
        if (bytes) {
          const kept = keptLanes<T>(bytes);
          isMaximum = v128.and(isMaximum, kept);
          e = v128.and(e, kept);
          bytes += lanes<T>();
        }
        s = v128.add<T>(s, v128.andnot(e, isMaximum));
        equals = subIntegers<T>(equals, isMaximum);
      }
      chunk = f64x2.add(chunk, widen<T>(s));
    }
    const next = f64x2.add(sums, chunk);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, chunk, next));
    sums = next;
  }
  let others = laneSum<f64>(f64x2.add(sums, lostSums));
  // The tail, and the maximum itself in the lanes past it.
  const last = rest ? v128.bitselect(loadTail<T>(x, rest), m, tailMask<T>(rest)) : m;
  const e = exponential<T>(MAX_SHIFTED, last, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  if (rest) {
    const inside = bytes ? keptTail<T>(bytes, rest) : tailMask<T>(rest);
    const isMaximum = v128.and(v128.eq<T>(last, m), inside);
    if (y) storeTail<T>(y, e, rest);
    others += laneSum<T>(v128.and(v128.andnot(e, isMaximum), inside));
    equals = subIntegers<T>(equals, isMaximum);
  }
  const top = <f64>lastLane<T>(e);
  const count = laneSum<T>(toFloats<T>(equals));
  if (y) {
    store<f64>(scratch, others + count * top, ROW_TOTAL);
    store<f64>(scratch, others + (count - 1) * top, ROW_OTHERS);
  }
  return count - 1 + others / top;
}

/** log1p of a number. */
// @ts-ignore: decorator
@inline
function log1pOf(x: f64): f64 {
  return f64x2.extract_lane(log1pOfBoth(f64x2.splat(x)), 0);
}

/** log1p of both lanes. Not inlined: all forms share it. */
export function log1pOfBoth(x: v128): v128 {
  return log1p<f64>(x);
}
