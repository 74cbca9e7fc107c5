// log-softmax: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t) for each problem of [outer, n, inner]; -∞ where the
// mask, if any, does not keep x_i.
//
// Passes over a row: sum, result. The maximum's own term is kept apart from the others, so that the largest y is right
// however close to 0 it is. Of a masked row only its span is computed.
// x may be y. mask: a record of mask.ts, or 0.
// All NaN where the maximum is NaN or infinite: NaN comes out of rowLogSum and tileLogSum.

import { gather, scatter } from "../blocks/gather";
import { tileLogSoftmax, tileLogSum } from "../blocks/logsum";
import { maskTile } from "../blocks/mask";
import { tileMaxima } from "../blocks/reduce";
import { tileKeep } from "../blocks/scale";
import { checkProblems } from "../contracts";
import { keptSpan, placeOf, spanEnd, spanIsSolid, spanStart, startSpans } from "../mask";
import { fastLimit } from "../math/exp";
import { prepareExp } from "../math/exp-table";
import { logSumOf, maximumOf, rowLogSum, rowLogSumKept } from "../rows/logsum";
import { rowMaxKept } from "../rows/reduce";
import { rowAffine, rowClear, rowFillOutside, rowScale } from "../rows/scale";
import { HEADER_BYTES, LOG_SUM, MAXIMUM } from "../scratch";
import { columnsOf, problemsOfTile, usesRows } from "../shape";

/** Up to this maximum, 2^100 and 2^960, x − maximum is finite for every x. */
// @ts-ignore: decorator
@inline
function HUGE<T>(): T {
  return <T>(sizeof<T>() == 4 ? 1.2676506002282294e30 : 9.745314011399999e288);
}

export function logSoftmax<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkProblems<T>(x, y, outer * n * inner, outer * n * inner, temperature, scratch);
  prepareExp<T>(temperature, scratch);
  if (usesRows<T>(n, inner)) rows<T>(x, y, outer, n, temperature, scratch, mask);
  else tiles<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

function rows<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize, mask: usize): void {
  startSpans(scratch);
  for (let i: usize = 0; i < count; i++, x += n * sizeof<T>(), y += n * sizeof<T>()) {
    if (mask) maskedRow<T>(x, y, n, t, scratch, mask, i);
    else row<T>(x, y, n, t, scratch);
  }
}

/** Returns log Σ e^((x_j − max) / t). */
function row<T>(x: usize, y: usize, n: usize, t: f64, scratch: usize): f64 {
  const sums = rowLogSum<T>(x, n, t, scratch);
  result<T>(x, y, n, <T>maximumOf(sums), t, logSumOf(sums));
  return logSumOf(sums);
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
  keptSpan(mask, i, x, n, sizeof<T>(), scratch);
  const start = spanStart(scratch), end = spanEnd(scratch), length = end - start;
  const from = x + start * sizeof<T>(), to = y + start * sizeof<T>();
  let logSum: f64 = 0;
  if (length && spanIsSolid(scratch)) {
    logSum = row<T>(from, to, length, t, scratch);
  } else if (length) {
    const bytes = placeOf(mask, i, 1) + start;
    const m = rowMaxKept<T>(from, bytes, length);
    logSum = rowLogSumKept<T>(from, bytes, length, m, t, scratch);
    result<T>(from, to, length, m, t, logSum);
    if (!isNaN(logSum)) rowClear<T>(to, bytes, length);
  }
  // NaN, where nothing finite is kept, all along the row.
  rowFillOutside<T>(y, n, start, end, isNaN(logSum) ? <T>NaN : <T>(-Infinity));
}

function tiles<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const tile = scratch + HEADER_BYTES;
  const limit = fastLimit<T>(t);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const columns = columnsOf<T>(problems);
    let form = gather<T>(x, n, inner, first, problems, tile, limit);
    if (mask) form = maskTile<T>(tile, n, first, problems, mask, t, scratch);
    tileMaxima<T>(tile, n, columns, form, scratch);
    tileLogSum<T>(tile, n, columns, form, t, scratch);
    if (mask) {
      tileKeep(MAXIMUM, columns, scratch);
      tileKeep(LOG_SUM, columns, scratch);
    }
    tileLogSoftmax<T>(tile, n, columns, t, scratch);
    scatter<T>(tile, y, n, inner, first, problems, scratch);
  }
}
