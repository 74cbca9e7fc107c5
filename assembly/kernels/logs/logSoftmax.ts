// log-softmax: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t) for each row of [outer, n, inner]; −∞ where a mask
// does not keep x_i.
//
// Passes over a row: the sum; the result. The sum keeps the maximum's own term apart (see finishRows), so that the
// largest y is accurate however close to 0 it is. Of a masked row only the kept range is computed. Short rows in range:
// rows/short-logsum.ts.
// x may be y. mask: a descriptor (mask.ts), or 0.
// All NaN if the maximum is NaN or infinite: finishRows and blockLogSum give NaN.

import { gather, scatter } from "../../blocks/gather";
import { blockLogSoftmax, blockLogSum } from "../../blocks/logsum";
import { maskBlock } from "../../blocks/mask";
import { blockMaxima } from "../../blocks/reduce";
import { clearEmptyRows } from "../../blocks/scale";
import { checkRows, scratchBytes } from "../../contracts";
import { fillDropped, findKeptRange, isDense, keptEnd, keptStart, operandAddress, startKeptRanges } from "../../mask";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { finishRows, logSumOf, maximumOf, rowLogSum, rowLogSumKept, rowsTogether, slotOf, sumRow } from "../../rows/logsum";
import { rowMaxKept } from "../../rows/reduce";
import { shortLogSoftmax, shortLogSums } from "../../rows/short-logsum";
import { rowAffine, rowFillOutside, rowScale } from "../../rows/scale";
import { HEADER_BYTES, LOG_SUM, MAXIMUM } from "../../scratch";
import { columnsOf, isShort, rowsInBlock, usesRowForm } from "../../shape";

/** Up to this maximum, 2^100 and 2^960, x − maximum is finite for every x. */
// @ts-ignore: decorator
@inline
function HUGE<T>(): T {
  return <T>(sizeof<T>() == 4 ? 1.2676506002282294e30 : 9.745314011399999e288);
}

export function logSoftmax<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * n * inner, temperature, scratch, scratchBytes(n, inner));
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n, temperature, scratch, mask);
  else blockForm<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize, mask: usize): void {
  const bytes = n * sizeof<T>();
  if (mask) {
    startKeptRanges(scratch);
    for (let i: usize = 0; i < count; i++, x += bytes, y += bytes) maskedRow<T>(x, y, n, t, scratch, mask, i);
    return;
  }
  let rows: usize = 0;
  for (; count; count -= rows, x += rows * bytes, y += rows * bytes) {
    rows = min(rowsTogether<T>(n), count);
    for (let i: usize = 0; i < rows; i++) sumRow<T>(x + i * bytes, n, t, slotOf(i, scratch), scratch);
    finishRows<T>(slotOf(0, scratch), rows, t, scratch);
    for (let i: usize = 0; i < rows; i++) {
      const slot = slotOf(i, scratch);
      result<T>(x + i * bytes, y + i * bytes, n, <T>maximumOf(slot), t, logSumOf(slot));
    }
  }
}

function result<T>(x: usize, y: usize, n: usize, m: T, t: f64, logSum: f64): void {
  if (m > HUGE<T>()) {
    // x − m could overflow where (x − m) / t does not.
    rowScale<T>(x, y, n, 0.5);
    rowAffine<T>(y, y, n, <T>0.5 * m, <T>(2.0 / t), <T>-logSum);
  } else {
    rowAffine<T>(x, y, n, m, <T>(1.0 / t), <T>-logSum);
  }
}

function maskedRow<T>(x: usize, y: usize, n: usize, t: f64, scratch: usize, mask: usize, i: usize): void {
  findKeptRange(mask, i, x, n, sizeof<T>(), scratch);
  const start = keptStart(scratch), end = keptEnd(scratch), length = end - start;
  const from = x + start * sizeof<T>(), to = y + start * sizeof<T>();
  let logSum: f64 = 0;
  if (length && isDense(scratch)) {
    const slot = rowLogSum<T>(from, length, t, scratch);
    logSum = logSumOf(slot);
    result<T>(from, to, length, <T>maximumOf(slot), t, logSum);
  } else if (length) {
    const bytes = operandAddress(mask, i, 1) + start;
    const m = rowMaxKept<T>(from, bytes, length);
    logSum = rowLogSumKept<T>(from, bytes, length, m, t, scratch);
    result<T>(from, to, length, m, t, logSum);
    if (!isNaN(logSum)) fillDropped<T>(to, bytes, length, <T>(-Infinity));
  }
  // If nothing finite is kept, the whole row is NaN.
  rowFillOutside<T>(y, n, start, end, isNaN(logSum) ? <T>NaN : <T>(-Infinity));
}

function blockForm<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const block = scratch + HEADER_BYTES;
  const limit = unshiftedLimit<T>(t), short = !mask && isShort<T>(n, inner);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    const columns = columnsOf<T>(rows), at = first * n * 4;
    if (short && shortLogSums(x, first, rows, n, t, scratch)) {
      shortLogSoftmax(x + at, y + at, rows, n, t, scratch);
      continue;
    }
    let form = gather<T>(x, n, inner, first, rows, block, limit);
    if (mask) form = maskBlock<T>(block, n, first, rows, mask, t, scratch);
    blockMaxima<T>(block, n, columns, form, scratch);
    blockLogSum<T>(block, n, columns, form, t, scratch);
    if (mask) {
      clearEmptyRows(MAXIMUM, columns, scratch);
      clearEmptyRows(LOG_SUM, columns, scratch);
    }
    blockLogSoftmax<T>(block, n, columns, t, scratch);
    scatter<T>(block, y, n, inner, first, rows, scratch);
  }
}
