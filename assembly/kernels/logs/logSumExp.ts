// log-sum-exp: y = max / t + log Σ e^((x_j − max) / t) for each row of [outer, n, inner]; y is [outer, inner], and is x
// itself where n = 1, else it does not overlap with x.
//
// Elements that a mask does not keep are ignored, even if NaN or infinite. mask: a descriptor (mask.ts), or 0.
// One pass over a row. The sum keeps the maximum's own term apart (see finishRows).
// NaN if a row has one, else the maximum itself if it is infinite; −∞ for no elements.

import { gather } from "../../blocks/gather";
import { blockLogSum } from "../../blocks/logsum";
import { maskBlock } from "../../blocks/mask";
import { blockMaxima } from "../../blocks/reduce";
import { checkRows, scratchBytes } from "../../contracts";
import { findKeptRange, isDense, keptEnd, keptStart, operandAddress, startKeptRanges } from "../../mask";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { log, log1p } from "../../math/log";
import { roundingOf } from "../../math/sum";
import { finishRows, logSumOf, maximumOf, rowLogSum, rowLogSumKept, rowsTogether, slotOf, sumRow } from "../../rows/logsum";
import { rowMaxKept } from "../../rows/reduce";
import { shortLogSums } from "../../rows/short-logsum";
import { weightedSums } from "../../rows/weighted";
import {
  HEADER_BYTES, LOG_SUM, MAXIMUM, ROW_SUMS, ROW_SUM_LOST, ROW_SUM_MAXIMUM, ROW_SUM_OTHERS, ROW_SUM_TOP
} from "../../scratch";
import { columnsOf, isShort, rowsInBlock, usesRowForm } from "../../shape";
import { select } from "../../simd/arch";
import { demote, promoteHigh, promoteLow } from "../../simd/lanes";
import { storeTail } from "../../simd/tail";

export function logSumExp<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * inner, temperature, scratch, scratchBytes(n, inner));
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n, temperature, scratch, mask);
  else blockForm<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize, mask: usize): void {
  if (mask) {
    startKeptRanges(scratch);
    for (let i: usize = 0; i < count; i++, y += sizeof<T>(), x += n * sizeof<T>()) {
      store<T>(y, maskedRow<T>(x, n, t, scratch, mask, i));
    }
    return;
  }
  let rows: usize = 0;
  for (const end = y + count * sizeof<T>(); y < end; y += rows * sizeof<T>()) {
    rows = min(rowsTogether<T>(n), (end - y) / sizeof<T>());
    for (let i: usize = 0; i < rows; i++, x += n * sizeof<T>()) sumRow<T>(x, n, t, slotOf(i, scratch), scratch);
    finishRows<T>(slotOf(0, scratch), rows, t, scratch);
    for (let i: usize = 0; i < rows; i++) store<T>(y + i * sizeof<T>(), result<T>(slotOf(i, scratch), t));
  }
}

function result<T>(slot: usize, t: f64): T {
  const m = maximumOf(slot);
  return <T>(isFinite(m) ? m / t + logSumOf(slot) : m);
}

function maskedRow<T>(x: usize, n: usize, t: f64, scratch: usize, mask: usize, i: usize): T {
  findKeptRange(mask, i, x, n, sizeof<T>(), scratch);
  const start = keptStart(scratch), length = keptEnd(scratch) - start, from = x + start * sizeof<T>();
  if (!length) return <T>(-Infinity);
  if (isDense(scratch)) return result<T>(rowLogSum<T>(from, length, t, scratch), t);
  const bytes = operandAddress(mask, i, 1) + start;
  const m = rowMaxKept<T>(from, bytes, length);
  return isFinite<T>(m) ? <T>(<f64>m / t + rowLogSumKept<T>(from, bytes, length, m, t, scratch)) : m;
}

function blockForm<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const block = scratch + HEADER_BYTES;
  const limit = unshiftedLimit<T>(t), short = !mask && isShort<T>(n, inner);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    if (!(short && shortLogSums(x, first, rows, n, t, scratch))) {
      const columns = columnsOf<T>(rows);
      let form = gather<T>(x, n, inner, first, rows, block, limit);
      if (mask) form = maskBlock<T>(block, n, first, rows, mask, t, scratch);
      blockMaxima<T>(block, n, columns, form, scratch);
      blockLogSum<T>(block, n, columns, form, t, scratch);
    }
    blockLogSumExp<T>(y + first * sizeof<T>(), rows, t, scratch);
  }
}

/** y = MAXIMUM / t + LOG_SUM of a block's rows, or MAXIMUM itself if it is not finite. */
function blockLogSumExp<T>(y: usize, rows: usize, t: f64, scratch: usize): void {
  const temperature = f64x2.splat(t), end = y + rows * sizeof<T>();
  for (; y < end; y += 16, scratch += 16) {
    const m = v128.load(scratch, MAXIMUM), logSum = v128.load(scratch, LOG_SUM);
    let result: v128;
    if (sizeof<T>() == 8) result = f64x2.add(f64x2.div(m, temperature), logSum);
    else {
      const low = f64x2.add(f64x2.div(promoteLow(m), temperature), promoteLow(logSum));
      result = demote(low, f64x2.add(f64x2.div(promoteHigh(m), temperature), promoteHigh(logSum)));
    }
    result = select<T>(result, m, v128.eq<T>(v128.sub<T>(m, m), v128.splat<T>(0)));
    if (end - y >= 16) v128.store(y, result);
    else storeTail<T>(y, result, (end - y) / sizeof<T>());
  }
}

/**
 * log Σ w_j e^(x_j / t), as scipy.special.logsumexp with b: a weight of 0 removes its element, a sum of 0 gives −∞ and
 * a negative one NaN. Element by element in float64, with compensated sums, whatever the shape. weights: a descriptor
 * (mask.ts).
 */
export function weightedLogSumExp<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize,
  weights: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * inner, temperature, scratch, scratchBytes(n, inner));
  prepareExp<f64>(1, scratch);
  const sums = scratch + ROW_SUMS;
  for (let i: usize = 0; i < outer * inner; i++) {
    const first = x + ((i / inner) * n * inner + (i % inner)) * sizeof<T>();
    weightedSums(sizeof<T>(), first, n, inner, temperature, scratch, mask, weights, i, sums);
    const m = load<f64>(sums, ROW_SUM_MAXIMUM);
    store<T>(y + i * sizeof<T>(), <T>(isFinite(m) ? m / temperature + logOfSums(sums) : m));
  }
}

/** log of the sum without the factor e^(maximum / t); near 1 by log1p of sum − 1, so that cancellation is exact. */
function logOfSums(sums: usize): f64 {
  const top = load<f64>(sums, ROW_SUM_TOP), others = load<f64>(sums, ROW_SUM_OTHERS);
  const sum = top + others, lost = roundingOf<f64>(top, others, sum) + load<f64>(sums, ROW_SUM_LOST);
  if (sum > 0.8 && sum < 2) return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(sum - 1 + lost)), 0);
  return v128.extract_lane<f64>(log<f64>(f64x2.splat(sum + lost)), 0);
}
