// What the operations do to a row: n elements side by side, the lanes running along it.
//
// Sums run in chains of four vectors, chains add up to blocks in lanes, and blocks in float64 (with compensation for
// f64): a plain chain over a long row would lose 40 to 500 units of 2^-24, and one of 64 equal terms still loses 30.

import {
  CAREFUL, EXP_BYTES, FAST, coefficient, exponential, ln2HighOf, log2eOver, magicNumber, prepareRow
} from "../math/exp";
import { log1p } from "../math/log";
import { madd } from "../simd/arch";
import { laneMax, laneSum, lanes, lastLane, loadTail, storeTail, subIntegers, tailMask, toFloats } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { keptLanes, keptTail } from "./mask";

/** What rowExpLogSum leaves at scratch. */
export const TOTAL: usize = EXP_BYTES;

/** Elements summed in lanes before float64 takes over. */
export const BLOCK: usize = 256;

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
  return expCareful<T>(false, x, y, 0, n, maximum, temperature, scratch);
}

/** The same with 0 for what the mask's bytes do not keep. */
export function rowExpKept<T>(
  x: usize, y: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  return expCareful<T>(true, x, y, bytes, n, maximum, temperature, scratch);
}

/** `masked` is a literal. */
// @ts-ignore: decorator
@inline
function expCareful<T>(
  masked: bool, x: usize, y: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sum: f64 = 0, lost: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK * sizeof<T>());
    let block = v128.splat<T>(0);
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let s = v128.splat<T>(0);
      for (; x < chainEnd; x += 16, y += 16) {
        let e = exponential<T>(CAREFUL, v128.load(x), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (masked) {
          e = v128.and(e, keptLanes<T>(bytes));
          bytes += lanes<T>();
        }
        v128.store(y, e);
        s = v128.add<T>(s, e);
      }
      block = v128.add<T>(block, s);
    }
    const part = laneSum<T>(block), total = sum + part;
    lost += roundingOf<T>(sum, part, total);
    sum = total;
  }
  if (rest) {
    const inside = masked ? keptTail<T>(bytes, rest) : tailMask<T>(rest);
    const e = exponential<T>(CAREFUL, loadTail<T>(x, rest), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    storeTail<T>(y, v128.and(e, inside), rest);
    sum += laneSum<T>(v128.and(e, inside));
  }
  return sum + lost;
}

/**
 * log Σ e^((x − maximum) / t), the terms equal to the maximum counted, not summed: what the others add is then kept to
 * its last digit however small. `fast` when every |x / t| ≤ RANGE. NaN when the maximum is not finite.
 */
export function rowLogSum<T>(x: usize, n: usize, maximum: T, fast: bool, temperature: f64, scratch: usize): f64 {
  if (!fast) prepareRow<T>(scratch, maximum, temperature);
  if (fast) return logSumFast<T>(x, n, maximum, scratch);
  return logSumCareful<T>(x, n, maximum, scratch);
}

/** The same, and y = 2^k · e^(x / t), whose whole sum is then the f64 at scratch + TOTAL; y may be x. */
export function rowExpLogSum<T>(
  x: usize, y: usize, n: usize, maximum: T, fast: bool, temperature: f64, scratch: usize
): f64 {
  if (!fast) prepareRow<T>(scratch, maximum, temperature);
  if (fast) return expLogSumFast<T>(x, y, n, maximum, scratch);
  return expLogSumCareful<T>(x, y, n, maximum, scratch);
}

/** rowLogSum of the elements that the mask's bytes keep, in the careful form. */
export function rowLogSumKept<T>(
  x: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return logSum<T>(CAREFUL, false, true, x, x, bytes, n, maximum, scratch);
}

function logSumFast<T>(x: usize, n: usize, maximum: T, scratch: usize): f64 {
  return logSum<T>(FAST, false, false, x, x, 0, n, maximum, scratch);
}

function logSumCareful<T>(x: usize, n: usize, maximum: T, scratch: usize): f64 {
  return logSum<T>(CAREFUL, false, false, x, x, 0, n, maximum, scratch);
}

function expLogSumFast<T>(x: usize, y: usize, n: usize, maximum: T, scratch: usize): f64 {
  return logSum<T>(FAST, true, false, x, y, 0, n, maximum, scratch);
}

function expLogSumCareful<T>(x: usize, y: usize, n: usize, maximum: T, scratch: usize): f64 {
  return logSum<T>(CAREFUL, true, false, x, y, 0, n, maximum, scratch);
}

/** `form`, `keep` (whether y is written) and `masked` are literals. */
// @ts-ignore: decorator
@inline
function logSum<T>(
  form: i32, keep: bool, masked: bool, x: usize, y: usize, bytes: usize, n: usize, maximum: T, scratch: usize
): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const m = v128.splat<T>(maximum);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let others: f64 = 0, lost: f64 = 0, equals = v128.splat<T>(0);
  while (x < end) {
    const blockEnd = min(end, x + BLOCK * sizeof<T>());
    let block = v128.splat<T>(0);
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let s = v128.splat<T>(0);
      for (; x < chainEnd; x += 16) {
        const v = v128.load(x);
        let isMaximum = v128.eq<T>(v, m);
        let e = exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (keep) {
          v128.store(y, e);
          y += 16;
        }
        if (masked) {
          const kept = keptLanes<T>(bytes);
          isMaximum = v128.and(isMaximum, kept);
          e = v128.and(e, kept);
          bytes += lanes<T>();
        }
        s = v128.add<T>(s, v128.andnot(e, isMaximum));
        equals = subIntegers<T>(equals, isMaximum);
      }
      block = v128.add<T>(block, s);
    }
    const part = laneSum<T>(block), total = others + part;
    lost += roundingOf<T>(others, part, total);
    others = total;
  }
  // The tail, and in the lanes behind it the maximum itself.
  const last = rest ? v128.bitselect(loadTail<T>(x, rest), m, tailMask<T>(rest)) : m;
  const e = exponential<T>(form, last, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  if (rest) {
    const inside = masked ? keptTail<T>(bytes, rest) : tailMask<T>(rest);
    const isMaximum = v128.and(v128.eq<T>(last, m), inside);
    if (keep) storeTail<T>(y, e, rest);
    others += laneSum<T>(v128.and(v128.andnot(e, isMaximum), inside));
    equals = subIntegers<T>(equals, isMaximum);
  }
  others += lost;
  const top = <f64>lastLane<T>(e);
  const count = laneSum<T>(toFloats<T>(equals));
  if (keep) store<f64>(scratch, others + count * top, TOTAL);
  return log1pOf(count - 1 + others / top);
}

/** log1p of a number. A function, of which all forms share one. */
function log1pOf(x: f64): f64 {
  return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(x)), 0);
}

/**
 * The targets of a cross-entropy against x: with q_c = (t_c · keep + spread) · w_c the f64 sums of q_c, returned in
 * lane 0, and of q_c (x_c − centre), in lane 1, where t_c · keep + spread = 0 counts as 0 whatever x is.
 * No targets (0) means t = 0, no weight (0) means w = 1.
 */
export function rowTargetSums<T>(
  x: usize, targets: usize, weight: usize, n: usize, centre: T, keep: f64, spread: f64
): v128 {
  const c = v128.splat<T>(centre), k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0, weightStep: usize = weight ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight ? weight : ones<T>();
  let q: f64 = 0, qx: f64 = 0, lostQ: f64 = 0, lostQx: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK * sizeof<T>());
    let blockQ = zero, blockQx = zero;
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let chainQ = zero, chainQx = zero;
      for (; x < chainEnd; x += 16, t += targetStep, w += weightStep) {
        const share = madd<T>(v128.load(t), k, s);
        const v = v128.mul<T>(share, v128.load(w));
        chainQ = v128.add<T>(chainQ, v);
        const term = v128.mul<T>(v, v128.sub<T>(v128.load(x), c));
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
    const term = v128.mul<T>(v, v128.sub<T>(loadTail<T>(x, rest), c));
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
