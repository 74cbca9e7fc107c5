// The logarithm of a row's sum of exponentials.

import { keptLanes, keptTail } from "../mask";
import { CAREFUL, exponential, fastExp, fastLimit, prepareRow } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { log1p } from "../math/log";
import { CHAIN_BYTES, SUM_BLOCK, laneRounding, roundingOf, wide } from "../math/sum";
import { ROW_OTHERS, ROW_TOTAL, UNWANTED } from "../scratch";
import { laneMax, laneSum, lanes, lastLane, promoteLow, subIntegers, toFloats } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, storeTail, tailMask } from "../simd/tail";
import { rowInRange, rowMax } from "./reduce";

/**
 * The maximum, in lane 0, and log Σ e^((x − maximum) / t), in lane 1, with the maximum's own term apart from the others:
 * what these add is then kept to its last digit however small. NaN in lane 1 when the maximum is not finite.
 */
export function rowLogSum<T>(x: usize, n: usize, temperature: f64, scratch: usize): v128 {
  const limit = fastLimit<T>(temperature);
  const sums = sizeof<T>() == 4 ? logSumFast<T>(x, n, limit, scratch) : expLogSumFast<T>(x, 0, n, limit, scratch);
  if (!isNaN(maximumOf(sums))) return sums;
  const maximum = rowMax<T>(x, n);
  prepareRow<T>(scratch, maximum, temperature);
  return maximumAndLog(<f64>maximum, carefulLogSum<T>(x, 0, 0, n, maximum, scratch));
}

/** The same, and y = 2^k · e^(x / t), whose sums are then at scratch + TOTAL and OTHERS; y may be x. */
export function rowExpLogSum<T>(x: usize, y: usize, n: usize, temperature: f64, scratch: usize): v128 {
  const limit = fastLimit<T>(temperature);
  // A row that the fast form finds out of range is done again: it must still be there.
  if (x != y || rowInRange<T>(x, n, limit)) {
    const sums = expLogSumFast<T>(x, y, n, limit, scratch);
    if (!isNaN(maximumOf(sums))) return sums;
  }
  const maximum = rowMax<T>(x, n);
  prepareRow<T>(scratch, maximum, temperature);
  return maximumAndLog(<f64>maximum, carefulLogSum<T>(x, y, 0, n, maximum, scratch));
}

/** rowLogSum's logarithm for the elements that the mask's bytes keep, in the careful form. */
export function rowLogSumKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return carefulLogSum<T>(x, 0, bytes, n, maximum, scratch);
}

// @ts-ignore: decorator
@inline
function maximumAndLog(maximum: f64, logSum: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(maximum), 1, logSum);
}

/** The maximum in the result of rowLogSum. */
// @ts-ignore: decorator
@inline
export function maximumOf(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0);
}

/** The logarithm in the result of rowLogSum. */
// @ts-ignore: decorator
@inline
export function logSumOf(sums: v128): f64 {
  return f64x2.extract_lane(sums, 1);
}

function logSumFast<T>(x: usize, n: usize, limit: T, scratch: usize): v128 {
  return fastLogSum<T>(false, x, 0, n, limit, scratch);
}

function expLogSumFast<T>(x: usize, y: usize, n: usize, limit: T, scratch: usize): v128 {
  return fastLogSum<T>(true, x, y, n, limit, scratch);
}

/** Bytes of a chain in fastLogSum. In f64 it is all that lanes take: terms are nearly as exact there as a sum of them. */
// @ts-ignore: decorator
@inline
function WHOLE_CHAIN<T>(): usize {
  return sizeof<T>() == 4 ? CHAIN_BYTES : 128;
}

/**
 * rowLogSum in one pass or, where y is not 0, rowExpLogSum; NaN when not every |x| is at most limit.
 *
 * f32 adds the four vectors of a chain in a tree and four chains in lanes, f64 pairs of the eight of a chain; the rest is
 * float64. The maximum is not known on the way. But where its term is more than all others together, so is the chain in whose sum
 * it is: the largest sum of a chain is held back, lane by lane, and what the chain adds to the maximum looked up at last.
 * (To hold back the largest term itself costs two instructions in every vector, not in every fourth.)
 *
 * `stores` is a literal: f32 has a loop without them, a tenth faster; in f64, without y, all chains go to the same place.
 */
// @ts-ignore: decorator
@inline
function fastLogSum<T>(stores: bool, x: usize, y: usize, n: usize, limit: T, scratch: usize): v128 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(limit), sign = signMask<T>();
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const chainBytes = WHOLE_CHAIN<T>(), blockBytes: usize = sizeof<T>() == 4 ? 16 * chainBytes : chainBytes;
  const step: usize = y ? 16 : 0;
  let p = x, q = y ? y : scratch + UNWANTED, sums = v128.splat<f64>(0), lostSums = sums;
  let m = v128.splat<T>(<T>(-Infinity)), range = rangeStart<T>(), held = v128.splat<T>(0);
  while (p < end) {
    const first = p, blockEnd = min(end, p + blockBytes);
    let few = v128.splat<T>(0), s = few;
    if (sizeof<T>() == 4) {
      // A whole chain at a time, by hand: a quarter faster in Node 20 than a loop within the loop. The stores come last:
      // behind each V8 would load the constants again.
      for (const chains = p + ((blockEnd - p) & ~(chainBytes - 1)); p < chains; p += chainBytes, q += step << 2) {
        const v0 = v128.load(p), e0 = fastExp<T>(v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v1 = v128.load(p, 16), e1 = fastExp<T>(v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v2 = v128.load(p, 32), e2 = fastExp<T>(v2, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v3 = v128.load(p, 48), e3 = fastExp<T>(v3, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        m = v128.pmax<T>(v128.pmax<T>(v128.pmax<T>(v128.pmax<T>(m, v0), v1), v2), v3);
        range = rangeStep<T>(rangeStep<T>(range, v0, sign, bound), v1, sign, bound);
        range = rangeStep<T>(rangeStep<T>(range, v2, sign, bound), v3, sign, bound);
        const chain = v128.add<T>(v128.add<T>(e0, e1), v128.add<T>(e2, e3));
        few = v128.add<T>(few, v128.pmin<T>(held, chain));
        held = v128.pmax<T>(held, chain);
        if (stores) {
          v128.store(q, e0);
          v128.store(q, e1, 16);
          v128.store(q, e2, 32);
          v128.store(q, e3, 48);
        }
        // Four chains are what lanes take.
        if (((p - first) & 192) == 192) {
          sums = f64x2.add(sums, wide<T>(few));
          few = v128.splat<T>(0);
        }
      }
    } else {
      for (const pairs = p + ((blockEnd - p) & ~31); p < pairs; p += 32, q += step << 1) {
        const v0 = v128.load(p), e0 = fastExp<T>(v0, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const v1 = v128.load(p, 16), e1 = fastExp<T>(v1, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (stores) {
          v128.store(q, e0);
          v128.store(q + step, e1);
        }
        m = v128.pmax<T>(v128.pmax<T>(m, v0), v1);
        range = rangeStep<T>(rangeStep<T>(range, v0, sign, bound), v1, sign, bound);
        s = v128.add<T>(s, v128.add<T>(e0, e1));
      }
    }
    for (; p < blockEnd; p += 16, q += step) {
      const v = v128.load(p), e = fastExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      if (stores) v128.store(q, e);
      m = v128.pmax<T>(m, v);
      range = rangeStep<T>(range, v, sign, bound);
      s = v128.add<T>(s, e);
    }
    if (!rangeHolds<T>(range, bound)) return f64x2.splat(NaN);
    const part = wide<T>(v128.add<T>(few, v128.pmin<T>(held, s))), next = f64x2.add(sums, part);
    held = v128.pmax<T>(held, s);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, part, next));
    sums = next;
  }
  const even = f64x2.extract_lane(sums, 0), odd = f64x2.extract_lane(sums, 1);
  let others = even + odd, lost = roundingOf<T>(even, odd, others) + laneSum<f64>(lostSums);
  if (rest) {
    const v = loadTail<T>(p, rest), inside = tailMask<T>(rest);
    const e = v128.and(terms<T>(v, scratch), inside);
    if (stores) storeTail<T>(q, e, rest);
    m = v128.bitselect(v128.pmax<T>(m, v), m, inside);
    if (!rangeHolds<T>(rangeStep<T>(range, v, sign, bound), bound)) return f64x2.splat(NaN);
    others += laneSum<T>(v128.pmin<T>(held, e));
    held = v128.pmax<T>(held, e);
  }
  const maximum = laneMax<T>(m), top = v128.extract_lane<T>(terms<T>(v128.splat<T>(maximum), scratch), 0);
  const split = splitLargest<T>(held), best = f64x2.extract_lane(split, 0), less = f64x2.extract_lane(split, 1);
  const beneath = others + less, total = beneath + best;
  lost += roundingOf<T>(others, less, beneath);
  const lostTotal = lost + roundingOf<T>(beneath, best, total);
  if (stores) store<f64>(scratch, total + lostTotal, ROW_TOTAL);
  let beside = total - <f64>top + lostTotal;
  if (beside < <f64>top) beside = beneath + besideInChain<T>(y != 0, y ? y : x, n, y ? top : maximum, scratch) + lost;
  if (stores) store<f64>(scratch, beside, ROW_OTHERS);
  return maximumAndLog(<f64>maximum, log1pOf(beside / <f64>top));
}

/** The largest of the lanes, none of which is negative, and the sum of the others. */
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

/** e^(x / t) of one vector in the fast form. Not inlined, where it is wanted once a row. */
function terms<T>(x: v128, scratch: usize): v128 {
  return fastExp<T>(
    x, scratch, log2eOver<T>(scratch), magicNumber<T>(scratch), ln2HighOf<T>(scratch), coefficient<T>(5, scratch),
    coefficient<T>(4, scratch), coefficient<T>(3, scratch), coefficient<T>(2, scratch), coefficient<T>(1, scratch)
  );
}

/**
 * The sum of the terms that share a chain and a lane with the only element of p that equals value. p holds the terms
 * where they are stored, else x.
 */
function besideInChain<T>(stored: bool, p: usize, n: usize, value: T, scratch: usize): f64 {
  const wanted = v128.splat<T>(value), end = p + (n - n % lanes<T>()) * sizeof<T>();
  let at = p;
  while (at < end && !v128.any_true(v128.eq<T>(v128.load(at), wanted))) at += 16;
  // The tail is a chain by itself.
  if (at == end) return 0;
  let c = p + ((at - p) & ~(WHOLE_CHAIN<T>() - 1)), s = v128.splat<T>(0);
  for (const chainEnd = min(end, c + WHOLE_CHAIN<T>()); c < chainEnd; c += 16) {
    const v = v128.load(c);
    if (c != at) s = v128.add<T>(s, stored ? v : terms<T>(v, scratch));
  }
  return laneSum<T>(v128.and(s, v128.eq<T>(v128.load(at), wanted)));
}

/**
 * log Σ e^((x − maximum) / t) given the maximum, the terms equal to it counted, not summed; of all elements or those
 * that the mask's bytes keep. Where y is not 0, y, TOTAL and OTHERS as rowExpLogSum has them.
 */
function carefulLogSum<T>(x: usize, y: usize, bytes: usize, n: usize, maximum: T, scratch: usize): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const m = v128.splat<T>(maximum);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sums = v128.splat<f64>(0), lostSums = sums, equals = v128.splat<T>(0);
  while (x < end) {
    const blockEnd = min(end, x + SUM_BLOCK<T>() * sizeof<T>());
    let block = v128.splat<f64>(0);
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let s = v128.splat<T>(0);
      for (; x < chainEnd; x += 16) {
        const v = v128.load(x);
        let isMaximum = v128.eq<T>(v, m);
        let e = exponential<T>(CAREFUL, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
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
      block = f64x2.add(block, wide<T>(s));
    }
    const next = f64x2.add(sums, block);
    if (sizeof<T>() == 8) lostSums = f64x2.add(lostSums, laneRounding(sums, block, next));
    sums = next;
  }
  let others = laneSum<f64>(f64x2.add(sums, lostSums));
  // The tail, and in the lanes behind it the maximum itself.
  const last = rest ? v128.bitselect(loadTail<T>(x, rest), m, tailMask<T>(rest)) : m;
  const e = exponential<T>(CAREFUL, last, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
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
  return log1pOf(count - 1 + others / top);
}

/** log1p of a number. A function, of which all forms share one. */
function log1pOf(x: f64): f64 {
  return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(x)), 0);
}
