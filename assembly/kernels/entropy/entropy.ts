// The entropy of each row's softmax: y = −Σ p_i log p_i, p = softmax(x / t), for each row of [outer, n, inner]; y is
// [outer, inner], and is x itself where n = 1, else it does not overlap with x.
//
// With d_i = (max − x_i) / t it is log Σ e^−d_i + Σ e^−d_i d_i / Σ e^−d_i: no term is negative, so nothing cancels, and
// a confident row keeps its digits. The sum keeps the maxima apart, as log-sum-exp does. Nothing of the row's size is
// written; a row is read twice, the second time from cache.
//
// Elements that a mask does not keep are ignored, even if NaN or infinite; a row of which nothing is kept gives 0.
// mask: a descriptor (mask.ts), or 0. NaN if a row has one or +∞, or nothing but −∞.

import { prepareColumn } from "../../blocks/exp";
import { gather } from "../../blocks/gather";
import { maskBlock } from "../../blocks/mask";
import { columnMax } from "../../blocks/reduce";
import { checkRows, scratchBytes } from "../../contracts";
import {
  findKeptRange, isDense, keptEnd, keptLanes, keptStart, keptTail, operandAddress, startKeptRanges
} from "../../mask";
import { MAX_SHIFTED, UNSHIFTED, exponential, prepareRow, unshiftedLimit } from "../../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, prepareExp, significandOf } from "../../math/exp-table";
import { log1p } from "../../math/log";
import { PARTIAL_BYTES, PARTIAL_LINES, laneRounding, widen } from "../../math/sum";
import { rowInRange, rowMax, rowMaxKept } from "../../rows/reduce";
import { HEADER_BYTES, KEPT, LINE_BYTES, LOG_SUM } from "../../scratch";
import { columnsOf, rowsInBlock, usesRowForm } from "../../shape";
import { demote, laneMax, laneSum, lanes, promoteHigh, promoteLow, subIntegers, toFloats } from "../../simd/lanes";
import { loadTail, tailMask } from "../../simd/tail";

export function entropy<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * inner, temperature, scratch, scratchBytes(n, inner));
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n, temperature, scratch, mask);
  else blockForm<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize, mask: usize): void {
  startKeptRanges(scratch);
  for (let i: usize = 0; i < count; i++, y += sizeof<T>(), x += n * sizeof<T>()) {
    store<T>(y, <T>(mask ? maskedRow<T>(x, n, t, scratch, mask, i) : row<T>(x, n, t, scratch)));
  }
}

function row<T>(x: usize, n: usize, t: f64, scratch: usize): f64 {
  const maximum = rowMax<T>(x, n);
  if (sizeof<T>() == 4 && rowInRange<T>(x, n, unshiftedLimit<T>(t))) return unshifted<T>(x, n, maximum, t, scratch);
  return maxShifted<T>(x, 0, n, maximum, t, scratch);
}

function maskedRow<T>(x: usize, n: usize, t: f64, scratch: usize, mask: usize, i: usize): f64 {
  findKeptRange(mask, i, x, n, sizeof<T>(), scratch);
  const start = keptStart(scratch), length = keptEnd(scratch) - start, from = x + start * sizeof<T>();
  if (!length) return 0;
  if (isDense(scratch)) return row<T>(from, length, t, scratch);
  const bytes = operandAddress(mask, i, 1) + start;
  return maxShifted<T>(from, bytes, length, rowMaxKept<T>(from, bytes, length), t, scratch);
}

function unshifted<T>(x: usize, n: usize, maximum: T, t: f64, scratch: usize): f64 {
  return rowEntropy<T>(UNSHIFTED, x, 0, n, maximum, t, scratch);
}

function maxShifted<T>(x: usize, bytes: usize, n: usize, maximum: T, t: f64, scratch: usize): f64 {
  if (!isFinite<T>(maximum)) return NaN;
  prepareRow<T>(scratch, maximum, t);
  return rowEntropy<T>(MAX_SHIFTED, x, bytes, n, maximum, t, scratch);
}

/** The entropy of all elements of a row, or of those that the mask's bytes, if any, keep; `form` is a literal. */
// @ts-ignore: decorator
@inline
function rowEntropy<T>(form: i32, x: usize, bytes: usize, n: usize, maximum: T, t: f64, scratch: usize): f64 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const m = v128.splat<T>(maximum), scale = powerScale<T>(t), end = x + n * sizeof<T>();
  let sums = v128.splat<f64>(0), lostSums = sums, dots = sums, lostDots = sums;
  let equals = v128.splat<T>(0), top = equals;
  while (x < end) {
    const partialEnd = min(end, x + PARTIAL_BYTES);
    let sum = v128.splat<T>(0), dot = sum;
    for (; x < partialEnd; x += 16) {
      // The tail is in the same loop: another copy of e^x would be a third of the kernel.
      const count = min((partialEnd - x) / sizeof<T>(), lanes<T>()), isWhole = count == lanes<T>();
      const v = isWhole ? v128.load(x) : loadTail<T>(x, count);
      let kept = tailMask<T>(count);
      if (bytes) {
        kept = isWhole ? keptLanes<T>(bytes) : keptTail<T>(bytes, count);
        bytes += lanes<T>();
      }
      const isMaximum = v128.and(v128.eq<T>(v, m), kept);
      const e = v128.and(exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), kept);
      sum = v128.add<T>(sum, v128.andnot(e, isMaximum));
      dot = v128.add<T>(dot, timesDistance<T>(e, v, m, scale));
      top = v128.pmax<T>(top, v128.and(e, isMaximum));
      equals = subIntegers<T>(equals, isMaximum);
    }
    const terms = widen<T>(sum), nextSums = f64x2.add(sums, terms);
    const products = widen<T>(dot), nextDots = f64x2.add(dots, products);
    if (sizeof<T>() == 8) {
      lostSums = f64x2.add(lostSums, laneRounding(sums, terms, nextSums));
      lostDots = f64x2.add(lostDots, laneRounding(dots, products, nextDots));
    }
    sums = nextSums;
    dots = nextDots;
  }
  const others = laneSum<f64>(f64x2.add(sums, lostSums)), dot = laneSum<f64>(f64x2.add(dots, lostDots));
  const unit = f64x2.splat(<f64>laneMax<T>(top)), count = f64x2.splat(laneSum<T>(toFloats<T>(equals)));
  return f64x2.extract_lane(fromSums(f64x2.splat(others), f64x2.splat(dot), unit, count, t), 0);
}

/**
 * 2 · 2^-e for t = significand · 2^e: distances are multiplied by it exactly, and the significand divides their sum.
 */
// @ts-ignore: decorator
@inline
function powerScale<T>(t: f64): v128 {
  return v128.splat<T>(<T>(2 * significandOf(t) / t));
}

/** e · (maximum − x) · scale / 2, and 0 where e is 0, even if x is −∞. */
// @ts-ignore: decorator
@inline
function timesDistance<T>(e: v128, x: v128, maximum: v128, scale: v128): v128 {
  // In halves: maximum − x could overflow where (maximum − x) / t does not.
  const half = v128.splat<T>(<T>0.5);
  const distance = v128.mul<T>(v128.sub<T>(v128.mul<T>(maximum, half), v128.mul<T>(x, half)), scale);
  return v128.and(v128.mul<T>(e, distance), v128.ne<T>(e, v128.splat<T>(0)));
}

function blockForm<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const block = scratch + HEADER_BYTES, limit = unshiftedLimit<T>(t);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    let form = gather<T>(x, n, inner, first, rows, block, limit);
    if (mask) form = maskBlock<T>(block, n, first, rows, mask, t, scratch);
    for (let column: usize = 0; column < columnsOf<T>(rows); column++) {
      const at = block + (column << 4);
      const result = sizeof<T>() == 4 && form == UNSHIFTED
        ? unshiftedColumn<T>(at, n, t, scratch)
        : maxShiftedColumn<T>(at, n, t, scratch);
      v128.store(scratch + (column << 4), result, LOG_SUM);
    }
    for (let i: usize = 0; i < rows; i++) {
      const state = scratch + i * sizeof<T>();
      // Lanes of T whose bits are not 0 in rows that keep anything.
      const isKept = !mask || (sizeof<T>() == 4 ? load<u32>(state, KEPT) != 0 : load<u64>(state, KEPT) != 0);
      store<T>(y + (first + i) * sizeof<T>(), isKept ? load<T>(state, LOG_SUM) : 0);
    }
  }
}

function unshiftedColumn<T>(column: usize, n: usize, t: f64, scratch: usize): v128 {
  return columnEntropy<T>(UNSHIFTED, column, n, columnMax<T>(column, n), t, scratch);
}

function maxShiftedColumn<T>(column: usize, n: usize, t: f64, scratch: usize): v128 {
  const m = columnMax<T>(column, n);
  prepareColumn<T>(column, n, m, t, scratch);
  return columnEntropy<T>(MAX_SHIFTED, column, n, m, t, scratch);
}

/** The entropies of the rows in a column, m their maxima; `form` is a literal. */
// @ts-ignore: decorator
@inline
function columnEntropy<T>(form: i32, column: usize, n: usize, m: v128, t: f64, scratch: usize): v128 {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const scale = powerScale<T>(t), end = column + n * LINE_BYTES;
  let equals = v128.splat<T>(0), top = equals, sumLow = equals, sumHigh = equals, dotLow = equals, dotHigh = equals;
  for (let p = column; p < end; ) {
    const partialEnd = min(end, p + PARTIAL_LINES * LINE_BYTES);
    let sum = v128.splat<T>(0), dot = sum;
    for (; p < partialEnd; p += LINE_BYTES) {
      const v = v128.load(p), isMaximum = v128.eq<T>(v, m);
      const e = exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
      sum = v128.add<T>(sum, v128.andnot(e, isMaximum));
      dot = v128.add<T>(dot, timesDistance<T>(e, v, m, scale));
      top = v128.pmax<T>(top, v128.and(e, isMaximum));
      equals = subIntegers<T>(equals, isMaximum);
    }
    if (sizeof<T>() == 4) {
      sumLow = f64x2.add(sumLow, promoteLow(sum));
      sumHigh = f64x2.add(sumHigh, promoteHigh(sum));
      dotLow = f64x2.add(dotLow, promoteLow(dot));
      dotHigh = f64x2.add(dotHigh, promoteHigh(dot));
    } else {
      // sumHigh and dotHigh collect what rounding takes from sumLow and dotLow.
      const nextSum = f64x2.add(sumLow, sum), nextDot = f64x2.add(dotLow, dot);
      sumHigh = f64x2.add(sumHigh, laneRounding(sumLow, sum, nextSum));
      dotHigh = f64x2.add(dotHigh, laneRounding(dotLow, dot, nextDot));
      sumLow = nextSum;
      dotLow = nextDot;
    }
  }
  const count = toFloats<T>(equals);
  if (sizeof<T>() == 8) return fromSums(f64x2.add(sumLow, sumHigh), f64x2.add(dotLow, dotHigh), top, count, t);
  return demote(
    fromSums(sumLow, dotLow, promoteLow(top), promoteLow(count), t),
    fromSums(sumHigh, dotHigh, promoteHigh(top), promoteHigh(count), t)
  );
}

/**
 * The entropies of two rows in float64, from `sum`, Σ e without the maxima; `dot`, Σ of timesDistance; `top`, e of a
 * maximum; and `count`, how many maxima there are.
 */
function fromSums(sum: v128, dot: v128, top: v128, count: v128, t: f64): v128 {
  const one = f64x2.splat(1), more = f64x2.add(f64x2.sub(count, one), f64x2.div(sum, top));
  const divisor = f64x2.mul(f64x2.add(more, one), f64x2.splat(significandOf(t)));
  return f64x2.add(log1p<f64>(more), f64x2.div(f64x2.div(dot, top), divisor));
}
