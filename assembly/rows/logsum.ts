// The logarithm of a row's sum of exponentials.
//
// It takes two steps: each row is summed into a slot, then the slots of several rows are finished together. After its
// last element a log-sum is a dependency chain of some 200 cycles: the maximum, its exponential, the sum, a division, a
// logarithm. Processors do not look ahead much further, so rows finished one by one would spend most of that time
// waiting.

import { keptLanes, keptTail } from "../mask";
import { MAX_SHIFTED, exponential, prepareRow, unshiftedExp, unshiftedLimit } from "../math/exp";
import { finishFour, roundFour, storeFour, subtractFour } from "../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { log1p } from "../math/log";
import { PARTIAL_BYTES, laneRounding, roundingOf, widen } from "../math/sum";
import {
  SLOTS, SLOT_BYTES, SLOT_COUNT, SLOT_HELD, SLOT_LENGTH, SLOT_LOG_SUM, SLOT_LOST, SLOT_MAXIMUM, SLOT_OTHERS, SLOT_RATIO,
  SLOT_REST, SLOT_TERMS, SLOT_TOTAL, SLOT_X, UNWANTED
} from "../scratch";
import { laneMax, laneSum, lanes, lastLane, promoteLow, subIntegers, toFloats } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { e0, e1, e2, e3, most, r0, r1, r2, r3, range } from "../simd/registers";
import { loadTail, storeTail, tailMask } from "../simd/tail";
import { rowInRange, rowMax } from "./reduce";

/** The most bytes of a row that is finished together with other rows. */
const TOGETHER_BYTES: usize = 8192;

/**
 * How many rows of n elements are finished together: few enough to be in the L1 cache when their results are written.
 */
// @ts-ignore: decorator
@inline
export function rowsTogether<T>(n: usize): usize {
  return n * sizeof<T>() <= TOGETHER_BYTES ? SLOT_COUNT : 1;
}

/** The slot of row i of those that are finished together. */
// @ts-ignore: decorator
@inline
export function slotOf(i: usize, scratch: usize): usize {
  return scratch + SLOTS + i * SLOT_BYTES;
}

/** Sums the exponentials of a row into a slot, for finishRows. */
export function sumRow<T>(x: usize, n: usize, temperature: f64, slot: usize, scratch: usize): void {
  const limit = unshiftedLimit<T>(temperature);
  if (sizeof<T>() == 4) logSumUnshifted<T>(x, n, limit, slot, scratch);
  else expLogSumUnshifted<T>(x, 0, n, limit, slot, scratch);
}

/** Does what sumRow does; once the slot is finished, y = 2^k · e^(x / t) with one k for the whole row. y may be x. */
export function expSumRow<T>(x: usize, y: usize, n: usize, temperature: f64, slot: usize, scratch: usize): void {
  const limit = unshiftedLimit<T>(temperature);
  // A row that turns out to be out of range is computed again, so it must not be overwritten before that is known.
  if (x != y || rowInRange<T>(x, n, limit)) expLogSumUnshifted<T>(x, y, n, limit, slot, scratch);
  else storeSlot<T>(slot, x, y, n, NaN, 0, 0, v128.splat<T>(0));
}

/**
 * Finishes `count` slots from `slot` on. The maximum's own term is kept apart, so that the other terms count to their
 * last digit, however small. SLOT_RATIO and SLOT_LOG_SUM are NaN if the maximum is not finite.
 */
export function finishRows<T>(slot: usize, count: usize, temperature: f64, scratch: usize): void {
  const end = slot + count * SLOT_BYTES;
  for (let a = slot; a < end; a += 2 * SLOT_BYTES) finishTwo<T>(a, a + SLOT_BYTES < end ? a + SLOT_BYTES : a, scratch);
  for (; slot < end; slot += SLOT_BYTES) if (isNaN(maximumOf(slot))) sumMaxShifted<T>(slot, temperature, scratch);
}

/** The log-sum of a row that is out of range. */
function sumMaxShifted<T>(slot: usize, temperature: f64, scratch: usize): void {
  const x = load<usize>(slot, SLOT_X), n = load<usize>(slot, SLOT_LENGTH), maximum = rowMax<T>(x, n);
  prepareRow<T>(scratch, maximum, temperature);
  const ratio = maxShiftedOthers<T>(x, load<usize>(slot, SLOT_TERMS), 0, n, maximum, slot, scratch);
  store<f64>(slot, <f64>maximum, SLOT_MAXIMUM);
  store<f64>(slot, ratio, SLOT_RATIO);
  store<f64>(slot, log1pOf(ratio), SLOT_LOG_SUM);
}

/** The log-sum of one row, in the first slot, which is returned. */
export function rowLogSum<T>(x: usize, n: usize, temperature: f64, scratch: usize): usize {
  const slot = slotOf(0, scratch);
  sumRow<T>(x, n, temperature, slot, scratch);
  finishRows<T>(slot, 1, temperature, scratch);
  return slot;
}

/** log Σ e^((x − maximum) / t) of the elements that the mask's bytes keep, max-shifted. */
export function rowLogSumKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  return log1pOf(rowOthersKept<T>(x, bytes, n, maximum, temperature, scratch));
}

/** SLOT_RATIO of the elements that the mask's bytes keep, max-shifted. */
export function rowOthersKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return maxShiftedOthers<T>(x, 0, bytes, n, maximum, 0, scratch);
}

/** The row's maximum. */
// @ts-ignore: decorator
@inline
export function maximumOf(slot: usize): f64 {
  return load<f64>(slot, SLOT_MAXIMUM);
}

/** Σ e^((x − maximum) / t) without the maximum's own term. */
// @ts-ignore: decorator
@inline
export function ratioOf(slot: usize): f64 {
  return load<f64>(slot, SLOT_RATIO);
}

/** log Σ e^((x − maximum) / t) */
// @ts-ignore: decorator
@inline
export function logSumOf(slot: usize): f64 {
  return load<f64>(slot, SLOT_LOG_SUM);
}

function logSumUnshifted<T>(x: usize, n: usize, limit: T, slot: usize, scratch: usize): void {
  unshiftedLogSum<T>(false, x, 0, n, limit, slot, scratch);
}

function expLogSumUnshifted<T>(x: usize, y: usize, n: usize, limit: T, slot: usize, scratch: usize): void {
  unshiftedLogSum<T>(true, x, y, n, limit, slot, scratch);
}

/** Stores what finishTwo needs of a row. */
// @ts-ignore: decorator
@inline
export function storeSlot<T>(
  slot: usize, x: usize, terms: usize, n: usize, maximum: f64, rest: f64, lost: f64, held: v128
): void {
  v128.store(slot, held, SLOT_HELD);
  store<usize>(slot, x, SLOT_X);
  store<usize>(slot, terms, SLOT_TERMS);
  store<usize>(slot, n, SLOT_LENGTH);
  store<f64>(slot, maximum, SLOT_MAXIMUM);
  store<f64>(slot, rest, SLOT_REST);
  store<f64>(slot, lost, SLOT_LOST);
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
 * Chunks of f32, at whose ends the range is checked: a row out of range is likely to be so from its beginning, and the
 * end of a loop, which the processor guesses wrong, takes as long as the exponentials of 16 elements.
 */
const FIRST_CHUNK_BYTES: usize = 1024;
const NEXT_CHUNK_BYTES: usize = 16384;

/**
 * sumRow in one pass or, if y is not 0, expSumRow. Assumes |x| ≤ limit and checks it on the way.
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
function unshiftedLogSum<T>(
  stores: bool, x: usize, y: usize, n: usize, limit: T, slot: usize, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(limit), sign = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const partialBytes = LOG_PARTIAL_BYTES<T>();
  let chunkBytes: usize = sizeof<T>() == 4 ? FIRST_CHUNK_BYTES : partialBytes;
  const step: usize = y ? 16 : 0;
  let p = x, q = y ? y : scratch + UNWANTED, sums = v128.splat<f64>(0), lostSums = sums;
  let held = v128.splat<T>(0);
  most = v128.splat<T>(<T>(-Infinity));
  range = rangeStart<T>();
  while (p < end) {
    const first = p, chunkEnd = min(end, p + chunkBytes);
    if (sizeof<T>() == 4) chunkBytes = NEXT_CHUNK_BYTES;
    let few = v128.splat<T>(0), s = few;
    if (sizeof<T>() == 4) {
      // Unrolled to a whole partial sum: a quarter faster in Node 20 than an inner loop. The stores come last: after
      // each of them V8 would reload the constants.
      const partials = p + ((chunkEnd - p) & ~(partialBytes - 1));
      for (; p < partials; p += partialBytes, q += step << 2) {
        // f32 lanes add up four partial sums, no more. They are emptied before the next one rather than after the
        // fourth, because the compiler then keeps fewer values in memory.
        if (((p - first) & 192) == 0) {
          sums = f64x2.add(sums, widen<T>(few));
          few = v128.splat<T>(0);
        }
        // The maximum and the range do not depend on the exponentials: here they fill the time in which those chains of
        // dependent instructions wait, and the logits are still in registers.
        roundFour(p, 16, scratch);
        const mask = signMask<T>();
        most = v128.pmax<T>(most, r0);
        range = rangeStep<T>(range, r0, mask, bound);
        most = v128.pmax<T>(most, r1);
        range = rangeStep<T>(range, r1, mask, bound);
        most = v128.pmax<T>(most, r2);
        range = rangeStep<T>(range, r2, mask, bound);
        most = v128.pmax<T>(most, r3);
        range = rangeStep<T>(range, r3, mask, bound);
        subtractFour(2, scratch);
        finishFour(true, scratch);
        const partial = v128.add<T>(v128.add<T>(e0, e1), v128.add<T>(e2, e3));
        few = v128.add<T>(few, v128.pmin<T>(held, partial));
        held = v128.pmax<T>(held, partial);
        if (stores) storeFour(q, 16);
      }
      if (((p - first) & 192) == 0) {
        sums = f64x2.add(sums, widen<T>(few));
        few = v128.splat<T>(0);
      }
    } else {
      for (const pairs = p + ((chunkEnd - p) & ~31); p < pairs; p += 32, q += step << 1) {
        const v0 = v128.load(p), e0 = unshiftedExp<T>(v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v1 = v128.load(p, 16), e1 = unshiftedExp<T>(v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (stores) {
          v128.store(q, e0);
          v128.store(q + step, e1);
        }
        most = v128.pmax<T>(v128.pmax<T>(most, v0), v1);
        range = rangeStep<T>(rangeStep<T>(range, v0, sign, bound), v1, sign, bound);
        s = v128.add<T>(s, v128.add<T>(e0, e1));
      }
    }
    for (; p < chunkEnd; p += 16, q += step) {
      const v = v128.load(p), e = unshiftedExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      if (stores) v128.store(q, e);
      most = v128.pmax<T>(most, v);
      range = rangeStep<T>(range, v, sign, bound);
      s = v128.add<T>(s, e);
    }
    if (!rangeHolds<T>(range, bound)) {
      storeSlot<T>(slot, x, y, n, NaN, 0, 0, held);
      return;
    }
    const part = widen<T>(v128.add<T>(few, v128.pmin<T>(held, s))), next = f64x2.add(sums, part);
    held = v128.pmax<T>(held, s);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, part, next));
    sums = next;
  }
  const even = f64x2.extract_lane(sums, 0), odd = f64x2.extract_lane(sums, 1);
  let others = even + odd;
  const lost = roundingOf<T>(even, odd, others) + laneSum<f64>(lostSums);
  if (rest) {
    const v = loadTail<T>(p, rest), inside = tailMask<T>(rest);
    const e = v128.and(expTerms<T>(v, scratch), inside);
    if (stores) storeTail<T>(q, e, rest);
    most = v128.bitselect(v128.pmax<T>(most, v), most, inside);
    if (!rangeHolds<T>(rangeStep<T>(range, v, sign, bound), bound)) most = v128.splat<T>(<T>NaN);
    others += laneSum<T>(v128.pmin<T>(held, e));
    held = v128.pmax<T>(held, e);
  }
  storeSlot<T>(slot, x, y, n, <f64>laneMax<T>(most), others, lost, held);
}

/**
 * Finishes two slots in float64 lanes; a and b may be the same. If the maximum's term exceeds all other terms together,
 * these are added up without it: the ones in its partial sum are computed again.
 */
export function finishTwo<T>(a: usize, b: usize, scratch: usize): void {
  const top = topTerms<T>(ofBoth(a, b, SLOT_MAXIMUM), scratch);
  const splitA = splitLargest<T>(v128.load(a, SLOT_HELD)), splitB = splitLargest<T>(v128.load(b, SLOT_HELD));
  const best = v128.shuffle<i64>(splitA, splitB, 0, 2), less = v128.shuffle<i64>(splitA, splitB, 1, 3);
  const rest = ofBoth(a, b, SLOT_REST), beneath = f64x2.add(rest, less), total = f64x2.add(beneath, best);
  let lost = ofBoth(a, b, SLOT_LOST), lostTotal = lost;
  if (sizeof<T>() == 8) {
    lost = f64x2.add(lost, laneRounding(rest, less, beneath));
    lostTotal = f64x2.add(lost, laneRounding(beneath, best, total));
  }
  let others = f64x2.add(f64x2.sub(total, top), lostTotal);
  const isMost = f64x2.lt(others, top), lanes = i64x2.bitmask(isMost);
  if (lanes) {
    let found = f64x2.splat(lanes & 1 ? othersInPartial<T>(a, f64x2.extract_lane(top, 0), scratch) : 0);
    if (lanes & 2 && a != b) {
      found = f64x2.replace_lane(found, 1, othersInPartial<T>(b, f64x2.extract_lane(top, 1), scratch));
    }
    others = v128.bitselect(f64x2.add(f64x2.add(beneath, found), lost), others, isMost);
  }
  storeBoth(a, b, SLOT_TOTAL, f64x2.add(total, lostTotal));
  storeBoth(a, b, SLOT_OTHERS, others);
  const ratio = f64x2.div(others, top);
  storeBoth(a, b, SLOT_RATIO, ratio);
  storeBoth(a, b, SLOT_LOG_SUM, log1pOfBoth(ratio));
}

/** The numbers at `offset` in both slots. */
// @ts-ignore: decorator
@inline
function ofBoth(a: usize, b: usize, offset: usize): v128 {
  return v128.load64_lane(b + offset, v128.load64_splat(a + offset), 1);
}

// @ts-ignore: decorator
@inline
function storeBoth(a: usize, b: usize, offset: usize, values: v128): void {
  v128.store64_lane(a + offset, values, 0);
  v128.store64_lane(b + offset, values, 1);
}

/** e^(maximum / t) of both rows, unshifted, from their maxima. */
function topTerms<T>(maxima: v128, scratch: usize): v128 {
  return sizeof<T>() == 8
    ? expTerms<T>(maxima, scratch)
    : promoteLow(expTerms<T>(f32x4.demote_f64x2_zero(maxima), scratch));
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

/** The sum of the terms in the same partial sum and lane as that of the maximum, `top`, if the row has only one. */
function othersInPartial<T>(slot: usize, top: f64, scratch: usize): f64 {
  const terms = load<usize>(slot, SLOT_TERMS), n = load<usize>(slot, SLOT_LENGTH);
  const p = terms ? terms : load<usize>(slot, SLOT_X);
  const wanted = v128.splat<T>(<T>(terms ? top : maximumOf(slot))), end = p + (n - n % lanes<T>()) * sizeof<T>();
  let at = p;
  while (at < end && !v128.any_true(v128.eq<T>(v128.load(at), wanted))) at += 16;
  // The tail is a partial sum by itself.
  if (at == end) return 0;
  let c = p + ((at - p) & ~(LOG_PARTIAL_BYTES<T>() - 1)), s = v128.splat<T>(0);
  for (const partialEnd = min(end, c + LOG_PARTIAL_BYTES<T>()); c < partialEnd; c += 16) {
    const v = v128.load(c);
    if (c != at) s = v128.add<T>(s, terms ? v : expTerms<T>(v, scratch));
  }
  return laneSum<T>(v128.and(s, v128.eq<T>(v128.load(at), wanted)));
}

/**
 * Σ e^((x − maximum) / t) without the maximum's own term, max-shifted, of all elements or of those that the mask's bytes
 * keep. Terms equal to the maximum are counted, not summed. If y is not 0, it is filled, and so are SLOT_TOTAL and
 * SLOT_OTHERS.
 */
function maxShiftedOthers<T>(
  x: usize, y: usize, bytes: usize, n: usize, maximum: T, slot: usize, scratch: usize
): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const m = v128.splat<T>(maximum);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sums = v128.splat<f64>(0), lostSums = sums, equals = v128.splat<T>(0);
  while (x < end) {
    const partialEnd = min(end, x + PARTIAL_BYTES);
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
    const terms = widen<T>(s), next = f64x2.add(sums, terms);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, terms, next));
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
    store<f64>(slot, others + count * top, SLOT_TOTAL);
    store<f64>(slot, others + (count - 1) * top, SLOT_OTHERS);
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
function log1pOfBoth(x: v128): v128 {
  return log1p<f64>(x);
}
