// e^(x / t) of a row, and its sum.

import { keptLanes, keptTail } from "../mask";
import { CAREFUL, FAST, fastLimit, prepareRow, softmaxExp } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { FEW, SUM_BLOCK, laneRounding, wide } from "../math/sum";
import { laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, storeTail, tailMask } from "../simd/tail";

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
 * Writes e^(x / t) to `row`, in scratch, whole vectors with zeros behind the last. Returns the reciprocal of the sum; 0 for a row that
 * is not in the fast range.
 */
export function singleExp<T>(x: usize, row: usize, n: usize, t: f64, scratch: usize): T {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(fastLimit<T>(t)), sign = signMask<T>();
  let p = row, range = rangeStart<T>();
  for (const end = x + n * sizeof<T>(); x < end; p += 16, x += 16) {
    const count = min((end - x) / sizeof<T>(), lanes<T>());
    const v = count == lanes<T>() ? v128.load(x) : loadTail<T>(x, count);
    range = rangeStep<T>(range, v, sign, bound);
    v128.store(p, v128.and(softmaxExp<T>(FAST, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), tailMask<T>(count)));
  }
  if (!rangeHolds<T>(range, bound)) return 0;
  const sum = singleSum<T>(row, n);
  return n <= FEW ? <T>1 / <T>sum : <T>(1 / sum);
}

/** The sum of n elements with zeros behind them, as tiles add them. */
// @ts-ignore: decorator
@inline
function singleSum<T>(p: usize, n: usize): f64 {
  let sum: f64 = 0;
  for (const end = p + n * sizeof<T>(); p < end; p += 2 * sizeof<T>()) sum += <f64>(load<T>(p) + load<T>(p, sizeof<T>()));
  return sum;
}
