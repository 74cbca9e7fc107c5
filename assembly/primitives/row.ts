// What the operations do to a row: n elements side by side, the lanes running along it.
//
// Exponentials are added as primitives/sum.ts says. Other sums run in chains of four vectors, chains add up to blocks in
// lanes, and blocks in float64 (with compensation for f64): a plain chain over a long row would lose 40 to 500 units of
// 2^-24, and one of 64 equal terms still loses 30.

import {
  CAREFUL, EXP_BYTES, FAST, coefficient, exponential, fastExp, fastLimit, ln2HighOf, log2eOver, magicNumber, prepareRow,
  softmaxExp
} from "../math/exp";
import { log1p } from "../math/log";
import { madd } from "../simd/arch";
import {
  laneMax, laneSum, lanes, lastLane, loadTail, promoteLow, storeTail, subIntegers, tailMask, toFloats
} from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { keptLanes, keptTail } from "./mask";
import { SUM_BLOCK, laneRounding, wide } from "./sum";

/** What rowExpLogSum leaves at scratch, f64 each: the whole sum, and the sum without the term of one maximum. */
export const TOTAL: usize = EXP_BYTES;
export const OTHERS: usize = EXP_BYTES + 8;
/** A chain of terms that nobody asked for. */
const CHAIN: usize = EXP_BYTES + 64;

/** Elements of such a sum that lanes take before float64 does. */
export const BLOCK: usize = 256;

/** Bytes of the same for sums of anything but exponentials. */
export const BLOCK_BYTES: usize = 256;

/** What total = a + b lost in rounding (Knuth's two-sum); nothing that counts when the elements are f32. */
// @ts-ignore: decorator
@inline
export function roundingOf<T>(a: f64, b: f64, total: f64): f64 {
  if (sizeof<T>() == 4) return 0;
  const added = total - a;
  return (a - (total - added)) + (b - added);
}

/** Bytes of the vectors that a single chain of additions takes. */
export const CHAIN_BYTES: usize = 64;

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

/** The largest element; NaN where the row holds NaN; -∞ for no elements. */
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

/** The largest element that the mask's bytes keep; NaN where one of those is NaN; -∞ for none. */
export function rowMaxKept<T>(x: usize, bytes: usize, n: usize): T {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let m = v128.splat<T>(<T>(-Infinity));
  for (; x < end; x += 16, bytes += lanes<T>()) {
    m = v128.max<T>(m, v128.bitselect(v128.load(x), m, keptLanes<T>(bytes)));
  }
  if (rest) m = v128.max<T>(m, v128.bitselect(loadTail<T>(x, rest), m, keptTail<T>(bytes, rest)));
  return laneMax<T>(m);
}

/** y = -∞ where the mask's bytes do not keep it. */
export function rowClear<T>(y: usize, bytes: usize, n: usize): void {
  for (const end = y + n * sizeof<T>(); y < end; y += sizeof<T>(), bytes++) {
    if (!load<u8>(bytes)) store<T>(y, <T>(-Infinity));
  }
}

/** Fills what a row has outside of its span of elements. */
export function rowFillOutside<T>(y: usize, n: usize, start: usize, end: usize, value: T): void {
  rowFill<T>(y, start, value);
  rowFill<T>(y + end * sizeof<T>(), n - end, value);
}

/** y = value. */
export function rowFill<T>(y: usize, n: usize, value: T): void {
  if (value == 0) {
    // The engine's own way of filling is up to twice as fast behind the caches.
    memory.fill(y, 0, n * sizeof<T>());
    return;
  }
  const v = v128.splat<T>(value);
  const rest = n % lanes<T>(), end = y + (n - rest) * sizeof<T>();
  for (; y < end; y += 16) v128.store(y, v);
  if (rest) storeTail<T>(y, v, rest);
}

/** y = x · factor; x may be y. Four vectors at a time, here and below: V8 looks at its stack in every iteration. */
export function rowScale<T>(x: usize, y: usize, n: usize, factor: T): void {
  const f = v128.splat<T>(factor);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64, y += 64) {
    v128.store(y, v128.mul<T>(v128.load(x), f));
    v128.store(y, v128.mul<T>(v128.load(x, 16), f), 16);
    v128.store(y, v128.mul<T>(v128.load(x, 32), f), 32);
    v128.store(y, v128.mul<T>(v128.load(x, 48), f), 48);
  }
  for (; x < end; x += 16, y += 16) v128.store(y, v128.mul<T>(v128.load(x), f));
  if (rest) storeTail<T>(y, v128.mul<T>(loadTail<T>(x, rest), f), rest);
}

/**
 * What y, whose sum is total, has yet to be multiplied by to become scale times its share: factor, which is scale / total,
 * or scale, and y is divided by the total at once, where factor is below the normal numbers. What this makes too small
 * of y is so in the result. See isFaint for f64.
 */
// @ts-ignore: decorator
@inline
export function rowFactor<T>(y: usize, n: usize, factor: f64, scale: f64, total: f64): T {
  if (sizeof<T>() == 8 || scale == 0 || !(abs(factor) < f32.MIN_NORMAL_VALUE)) return <T>factor;
  rowScale<T>(y, y, n, <T>(1 / total));
  return <T>scale;
}

/** y = (x − centre) · factor + offset; x may be y. */
export function rowAffine<T>(x: usize, y: usize, n: usize, centre: T, factor: T, offset: T): void {
  const c = v128.splat<T>(centre), f = v128.splat<T>(factor), o = v128.splat<T>(offset);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (const fours = x + ((end - x) & ~63); x < fours; x += 64, y += 64) {
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x), c), f, o));
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 16), c), f, o), 16);
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 32), c), f, o), 32);
    v128.store(y, madd<T>(v128.sub<T>(v128.load(x, 48), c), f, o), 48);
  }
  for (; x < end; x += 16, y += 16) v128.store(y, madd<T>(v128.sub<T>(v128.load(x), c), f, o));
  if (rest) storeTail<T>(y, madd<T>(v128.sub<T>(loadTail<T>(x, rest), c), f, o), rest);
}

/**
 * y = e^(x / t) · 2^k in the careful form (any x), 0 for what the mask's bytes, if any, do not keep; returns the sum.
 * 2^k is the same for the whole row.
 */
export function rowExpCareful<T>(
  x: usize, y: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return rowExp<T>(CAREFUL, x, y, bytes, n, 0, scratch);
}

/** The same with k = 0 for what the mask's bytes keep; NaN when not every |x| of it is at most limit. */
export function rowExpKept<T>(x: usize, y: usize, bytes: usize, n: usize, limit: T, scratch: usize): f64 {
  return rowExp<T>(FAST, x, y, bytes, n, limit, scratch);
}

/** `form` is a literal: FAST, with bytes, or CAREFUL. */
// @ts-ignore: decorator
@inline
function rowExp<T>(form: i32, x: usize, y: usize, bytes: usize, n: usize, limit: T, scratch: usize): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(limit), sign = signMask<T>();
  const end = x + n * sizeof<T>();
  let sums = v128.splat<f64>(0), lost = sums, range = rangeStart<T>();
  while (x < end) {
    const blockEnd = min(end, x + SUM_BLOCK<T>() * sizeof<T>());
    let block = v128.splat<f64>(0);
    // By hand, for the engine's sake, where it is the most wanted.
    if (sizeof<T>() == 4 && form == CAREFUL && !bytes) {
      for (const fours = x + ((blockEnd - x) & ~63); x < fours; x += 64, y += 64) {
        const e0 = softmaxExp<T>(form, v128.load(x), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e1 = softmaxExp<T>(form, v128.load(x, 16), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e2 = softmaxExp<T>(form, v128.load(x, 32), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e3 = softmaxExp<T>(form, v128.load(x, 48), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(y, e0);
        v128.store(y, e1, 16);
        v128.store(y, e2, 32);
        v128.store(y, e3, 48);
        block = f64x2.add(f64x2.add(block, wide<T>(v128.add<T>(e0, e1))), wide<T>(v128.add<T>(e2, e3)));
      }
    }
    while (x < blockEnd) {
      const pairEnd = min(blockEnd, x + 32);
      let pair = v128.splat<T>(0);
      for (; x < pairEnd; x += 16, y += 16) {
        const count = min((pairEnd - x) / sizeof<T>(), lanes<T>()), whole = count == lanes<T>();
        const v = whole ? v128.load(x) : loadTail<T>(x, count);
        let kept = tailMask<T>(count);
        if (form == FAST || bytes) {
          kept = whole ? keptLanes<T>(bytes) : keptTail<T>(bytes, count);
          bytes += lanes<T>();
        }
        const e = v128.and(softmaxExp<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), kept);
        if (form == FAST) range = rangeStep<T>(range, v128.and(v, kept), sign, bound);
        if (whole) v128.store(y, e);
        else storeTail<T>(y, e, count);
        pair = v128.add<T>(pair, e);
      }
      block = f64x2.add(block, wide<T>(pair));
    }
    const next = f64x2.add(sums, block);
    if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, block, next));
    sums = next;
  }
  return form == FAST && !rangeHolds<T>(range, bound) ? NaN : laneSum<f64>(f64x2.add(sums, lost));
}

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

/** rowLogSum's logarithm for the elements that the mask's bytes keep, in the careful form. */
export function rowLogSumKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return carefulLogSum<T>(x, 0, bytes, n, maximum, scratch);
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
  let p = x, q = y ? y : scratch + CHAIN, sums = v128.splat<f64>(0), lostSums = sums;
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
  if (stores) store<f64>(scratch, total + lostTotal, TOTAL);
  let beside = total - <f64>top + lostTotal;
  if (beside < <f64>top) beside = beneath + besideInChain<T>(y != 0, y ? y : x, n, y ? top : maximum, scratch) + lost;
  if (stores) store<f64>(scratch, beside, OTHERS);
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
    store<f64>(scratch, others + count * top, TOTAL);
    store<f64>(scratch, others + (count - 1) * top, OTHERS);
  }
  return log1pOf(count - 1 + others / top);
}

/** log1p of a number. A function, of which all forms share one. */
function log1pOf(x: f64): f64 {
  return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(x)), 0);
}

/**
 * What sums of differences of logits are divided by on the way: they could overflow where, after the temperature, none
 * does, as long as the targets and weights of a row add up to 32 at most. No digit is lost but of the least numbers.
 */
export const WIDE: f64 = 64;

/** 1 / WIDE in all lanes. */
// @ts-ignore: decorator
@inline
export function narrowing<T>(): v128 {
  return v128.splat<T>(<T>(1 / WIDE));
}

/**
 * The targets of a cross-entropy against x: with q_c = (t_c · keep + spread) · w_c the f64 sums of q_c, returned in
 * lane 0, and of q_c (x_c − centre) / WIDE, in lane 1, where t_c · keep + spread = 0 counts as 0 whatever x is.
 * No targets (0) means t = 0, no weight (0) means w = 1.
 */
export function rowTargetSums<T>(
  x: usize, targets: usize, weight: usize, n: usize, centre: T, keep: f64, spread: f64
): v128 {
  const c = v128.splat<T>(<T>(<f64>-centre / WIDE)), narrow = narrowing<T>();
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0, weightStep: usize = weight ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight ? weight : ones<T>();
  let q: f64 = 0, qx: f64 = 0, lostQ: f64 = 0, lostQx: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK_BYTES);
    let blockQ = zero, blockQx = zero;
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let chainQ = zero, chainQx = zero;
      for (; x < chainEnd; x += 16, t += targetStep, w += weightStep) {
        const share = madd<T>(v128.load(t), k, s);
        const v = v128.mul<T>(share, v128.load(w));
        chainQ = v128.add<T>(chainQ, v);
        const term = v128.mul<T>(v, madd<T>(v128.load(x), narrow, c));
        chainQx = v128.add<T>(chainQx, v128.andnot(term, v128.eq<T>(share, zero)));
      }
      blockQ = v128.add<T>(blockQ, chainQ);
      blockQx = v128.add<T>(blockQx, chainQx);
    }
    const partQ = laneSum<T>(blockQ), totalQ = q + partQ, partQx = laneSum<T>(blockQx), totalQx = qx + partQx;
    lostQ += roundingOf<T>(q, partQ, totalQ);
    lostQx += roundingOf<T>(qx, partQx, totalQx);
    q = totalQ;
    qx = totalQx;
  }
  if (rest) {
    const inside = tailMask<T>(rest);
    const share = madd<T>(loadTail<T>(t, rest), k, s);
    const v = v128.mul<T>(share, loadTail<T>(w, rest));
    q += laneSum<T>(v128.and(v, inside));
    const term = v128.mul<T>(v, madd<T>(loadTail<T>(x, rest), narrow, c));
    qx += laneSum<T>(v128.and(v128.andnot(term, v128.eq<T>(share, zero)), inside));
  }
  q += lostQ;
  if (isFinite(qx)) qx += lostQx;
  return f64x2.replace_lane(f64x2.splat(q), 1, qx);
}

/** y = y · factor − scale · q, with the q of rowTargetSums: the gradient of a cross-entropy from e^x. */
export function rowGradient<T>(
  y: usize, targets: usize, weight: usize, n: usize, factor: T, scale: T, keep: f64, spread: f64
): void {
  const f = v128.splat<T>(factor), g = v128.splat<T>(-scale), k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread);
  const rest = n % lanes<T>(), end = y + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0, weightStep: usize = weight ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight ? weight : ones<T>();
  for (; y < end; y += 16, t += targetStep, w += weightStep) {
    const q = v128.mul<T>(madd<T>(v128.load(t), k, s), v128.load(w));
    v128.store(y, madd<T>(q, g, v128.mul<T>(v128.load(y), f)));
  }
  if (rest) {
    const q = v128.mul<T>(madd<T>(loadTail<T>(t, rest), k, s), loadTail<T>(w, rest));
    storeTail<T>(y, madd<T>(q, g, v128.mul<T>(loadTail<T>(y, rest), f)), rest);
  }
}

const ZEROS = memory.data<f64>([0, 0], 16);
const ONES_32 = memory.data<f32>([1, 1, 1, 1], 16);
const ONES_64 = memory.data<f64>([1, 1], 16);

/** A vector of ones in memory, to be read again and again where there are no weights. */
// @ts-ignore: decorator
@inline
export function ones<T>(): usize {
  return sizeof<T>() == 4 ? ONES_32 : ONES_64;
}
