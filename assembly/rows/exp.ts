// e^(x / t) of a row, and its sum.

import { keptBytes, keptLanes, keptQuarter, keptTail } from "../mask";
import { MAX_SHIFTED, SOFTMAX_STEPS, UNSHIFTED, prepareRow, softmaxExp } from "../math/exp";
import { finishFour, reduceFour, storeFour } from "../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { SUM_CHUNK, laneRounding, widen } from "../math/sum";
import { FUSED } from "../simd/arch";
import { laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { e0, e1, e2, e3 } from "../simd/registers";
import { loadTail, storeTail, tailMask } from "../simd/tail";

/**
 * y = 2^k · e^(x / t), max-shifted (any x), 0 where the mask's bytes, if any, drop it; returns the sum. k is the same
 * for the whole row.
 */
export function rowExpMaxShifted<T>(
  x: usize, y: usize, bytes: usize, n: usize, maximum: T, temperature: f64, scratch: usize
): f64 {
  prepareRow<T>(scratch, maximum, temperature);
  return rowExp<T>(MAX_SHIFTED, x, y, bytes, n, 0, scratch);
}

/** The same with a mask, unshifted: k = 0. Returns NaN unless |x| ≤ limit for everything kept. */
export function rowExpKept<T>(x: usize, y: usize, bytes: usize, n: usize, limit: T, scratch: usize): f64 {
  return rowExp<T>(UNSHIFTED, x, y, bytes, n, limit, scratch);
}

/** `form` is a literal: UNSHIFTED, with bytes, or MAX_SHIFTED. */
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
    const chunkEnd = min(end, x + SUM_CHUNK<T>() * sizeof<T>());
    let chunk = v128.splat<f64>(0);
    // Four vectors side by side, as in softmax's own loop.
    if (sizeof<T>() == 4 && form == UNSHIFTED) {
      for (const fours = x + ((chunkEnd - x) & ~63); x < fours; x += 64, y += 64, bytes += 16) {
        reduceFour(SOFTMAX_STEPS<f32>(), x, 16, scratch);
        const kept = keptBytes(bytes);
        const k0 = keptQuarter(0, kept), k1 = keptQuarter(1, kept), k2 = keptQuarter(2, kept), k3 = keptQuarter(3, kept);
        range = rangeStep<T>(range, v128.and(v128.load(x), k0), sign, bound);
        range = rangeStep<T>(range, v128.and(v128.load(x, 16), k1), sign, bound);
        range = rangeStep<T>(range, v128.and(v128.load(x, 32), k2), sign, bound);
        range = rangeStep<T>(range, v128.and(v128.load(x, 48), k3), sign, bound);
        finishFour(FUSED, scratch);
        e0 = v128.and(e0, k0);
        e1 = v128.and(e1, k1);
        e2 = v128.and(e2, k2);
        e3 = v128.and(e3, k3);
        storeFour(y, 16);
        chunk = f64x2.add(f64x2.add(chunk, widen<T>(f32x4.add(e0, e1))), widen<T>(f32x4.add(e2, e3)));
      }
    }
    // Unrolled by four where it matters most: V8 inserts a stack check per iteration.
    if (sizeof<T>() == 4 && form == MAX_SHIFTED && !bytes) {
      for (const fours = x + ((chunkEnd - x) & ~63); x < fours; x += 64, y += 64) {
        const e0 = softmaxExp<T>(form, v128.load(x), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e1 = softmaxExp<T>(form, v128.load(x, 16), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e2 = softmaxExp<T>(form, v128.load(x, 32), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        const e3 = softmaxExp<T>(form, v128.load(x, 48), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(y, e0);
        v128.store(y, e1, 16);
        v128.store(y, e2, 32);
        v128.store(y, e3, 48);
        chunk = f64x2.add(f64x2.add(chunk, widen<T>(v128.add<T>(e0, e1))), widen<T>(v128.add<T>(e2, e3)));
      }
    }
    while (x < chunkEnd) {
      const pairEnd = min(chunkEnd, x + 32);
      let pair = v128.splat<T>(0);
      for (; x < pairEnd; x += 16, y += 16) {
        const count = min((pairEnd - x) / sizeof<T>(), lanes<T>()), whole = count == lanes<T>();
        const v = whole ? v128.load(x) : loadTail<T>(x, count);
        let kept = tailMask<T>(count);
        if (form == UNSHIFTED || bytes) {
          kept = whole ? keptLanes<T>(bytes) : keptTail<T>(bytes, count);
          bytes += lanes<T>();
        }
        const e = v128.and(softmaxExp<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), kept);
        if (form == UNSHIFTED) range = rangeStep<T>(range, v128.and(v, kept), sign, bound);
        if (whole) v128.store(y, e);
        else storeTail<T>(y, e, count);
        pair = v128.add<T>(pair, e);
      }
      chunk = f64x2.add(chunk, widen<T>(pair));
    }
    if (form == UNSHIFTED && !rangeHolds<T>(range, bound)) return NaN;
    const next = f64x2.add(sums, chunk);
    if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, chunk, next));
    sums = next;
  }
  return laneSum<f64>(f64x2.add(sums, lost));
}
