// log-sum-exp: y = max / t + log Σ e^((x_j − max) / t) for each row of [outer, n, inner]; y is [outer, inner], and is x
// itself where n = 1, else it does not overlap with x.
//
// Elements that a mask does not keep are ignored, even if NaN or infinite. mask: a descriptor (mask.ts), or 0.
// One pass over a row. The sum keeps the maximum's own term apart (see rowLogSum).
// NaN if a row has one, else the maximum itself if it is infinite; −∞ for no elements.

import { gather } from "../../blocks/gather";
import { blockLogSum } from "../../blocks/logsum";
import { maskBlock } from "../../blocks/mask";
import { blockMaxima } from "../../blocks/reduce";
import { checkRows } from "../../contracts";
import {
  findKeptRange, hasOperand, isDense, keptEnd, keptStart, operandAddress, operandStride, startKeptRanges
} from "../../mask";
import { leastExponent, unshiftedLimit, wideExp } from "../../math/exp";
import { ln2HighOf, log2eOver, magicNumber, prepareExp } from "../../math/exp-table";
import { log, log1p } from "../../math/log";
import { roundingOf } from "../../math/sum";
import { logSumOf, maximumOf, rowLogSum, rowLogSumKept } from "../../rows/logsum";
import { rowMaxKept } from "../../rows/reduce";
import { HEADER_BYTES, LOG_SUM, MAXIMUM } from "../../scratch";
import { columnsOf, rowsInBlock, usesRowForm } from "../../shape";

export function logSumExp<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, mask: usize
): void {
  checkRows<T>(x, y, outer * n * inner, outer * inner, temperature, scratch);
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, y, outer, n, temperature, scratch, mask);
  else blockForm<T>(x, y, outer, n, inner, temperature, scratch, mask);
}

function rowForm<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize, mask: usize): void {
  startKeptRanges(scratch);
  for (let i: usize = 0; i < count; i++, y += sizeof<T>(), x += n * sizeof<T>()) {
    store<T>(y, mask ? maskedRow<T>(x, n, t, scratch, mask, i) : row<T>(x, n, t, scratch));
  }
}

function row<T>(x: usize, n: usize, t: f64, scratch: usize): T {
  const sums = rowLogSum<T>(x, n, t, scratch), m = maximumOf(sums);
  return <T>(isFinite(m) ? m / t + logSumOf(sums) : m);
}

function maskedRow<T>(x: usize, n: usize, t: f64, scratch: usize, mask: usize, i: usize): T {
  findKeptRange(mask, i, x, n, sizeof<T>(), scratch);
  const start = keptStart(scratch), length = keptEnd(scratch) - start, from = x + start * sizeof<T>();
  if (!length) return <T>(-Infinity);
  if (isDense(scratch)) return row<T>(from, length, t, scratch);
  const bytes = operandAddress(mask, i, 1) + start;
  const m = rowMaxKept<T>(from, bytes, length);
  return isFinite<T>(m) ? <T>(<f64>m / t + rowLogSumKept<T>(from, bytes, length, m, t, scratch)) : m;
}

function blockForm<T>(
  x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize
): void {
  const block = scratch + HEADER_BYTES;
  const limit = unshiftedLimit<T>(t);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    const columns = columnsOf<T>(rows);
    let form = gather<T>(x, n, inner, first, rows, block, limit);
    if (mask) form = maskBlock<T>(block, n, first, rows, mask, t, scratch);
    blockMaxima<T>(block, n, columns, form, scratch);
    blockLogSum<T>(block, n, columns, form, t, scratch);
    for (let i: usize = 0; i < rows; i++) {
      const state = scratch + i * sizeof<T>();
      const m = load<T>(state, MAXIMUM);
      const result = <T>(<f64>m / t + <f64>load<T>(state, LOG_SUM));
      store<T>(y + (first + i) * sizeof<T>(), isFinite<T>(m) ? result : m);
    }
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
  checkRows<T>(x, y, outer * n * inner, outer * inner, temperature, scratch);
  prepareExp<f64>(1, scratch);
  for (let i: usize = 0; i < outer * inner; i++) {
    const first = x + ((i / inner) * n * inner + (i % inner)) * sizeof<T>();
    const weight = operandAddress(weights, i, sizeof<T>());
    const bytes = mask && hasOperand(mask) ? operandAddress(mask, i, 1) : 0;
    const result = weighted(sizeof<T>(), first, n, inner, temperature, scratch, bytes, mask, weight, weights);
    store<T>(y + i * sizeof<T>(), <T>result);
  }
}

/** One function for both types, elements of `size` bytes: it computes in f64 anyway. */
function weighted(
  size: usize, x: usize, n: usize, inner: usize, t: f64, scratch: usize, bytes: usize, mask: usize, weight: usize,
  weights: usize
): f64 {
  const wStep = operandStride(weights) * size, bStep = bytes ? operandStride(mask) : 0, xStep = inner * size;
  let m: f64 = -Infinity, total: f64 = 0;
  for (let j: usize = 0; j < n; j++) {
    const w = element(size, weight + j * wStep), v = element(size, x + j * xStep);
    if (w == 0 || (bytes && !load<u8>(bytes + j * bStep))) continue;
    m = max<f64>(m, v);
    // Decides the result if there are infinities or NaN: any finite e^v counts as 1.
    total += w * (isFinite(v) ? 1 : v < 0 ? 0 : v);
  }
  if (!isFinite(m) || !isFinite(total)) return total > 0 ? total : total == 0 ? -Infinity : NaN;
  const log2e = log2eOver<f64>(scratch), magic = magicNumber<f64>(scratch), high = ln2HighOf<f64>(scratch);
  const least = leastExponent<f64>(), unused = log2e;
  let top = 0.0, topLost = 0.0, others = 0.0, othersLost = 0.0;
  for (let j: usize = 0; j < n; j++) {
    const w = element(size, weight + j * wStep), v = element(size, x + j * xStep);
    if (w == 0 || (bytes && !load<u8>(bytes + j * bStep))) continue;
    if (v == m) {
      const sum = top + w;
      topLost += roundingOf<f64>(top, w, sum);
      top = sum;
    } else {
      // In halves: v − m could overflow where (v − m) / t does not.
      const d = f64x2.splat((v * 0.5 - m * 0.5) / t * 2);
      const e = wideExp<f64>(d, least, scratch, log2e, magic, high, unused, unused, unused, unused, unused);
      const term = w * v128.extract_lane<f64>(e, 0), sum = others + term;
      othersLost += roundingOf<f64>(others, term, sum);
      others = sum;
    }
  }
  return m / t + logOfSum(top, others, topLost + othersLost);
}

// @ts-ignore: decorator
@inline
function element(size: usize, p: usize): f64 {
  return size == 4 ? <f64>load<f32>(p) : load<f64>(p);
}

/** log(top + others + lost); near 1 by log1p of sum − 1, so that cancellation is exact. */
function logOfSum(top: f64, others: f64, lost: f64): f64 {
  const sum = top + others, lostHere = roundingOf<f64>(top, others, sum) + lost;
  if (sum > 0.8 && sum < 2) {
    return v128.extract_lane<f64>(log1p<f64>(f64x2.splat(sum - 1 + lostHere)), 0);
  }
  return v128.extract_lane<f64>(log<f64>(f64x2.splat(sum + lostHere)), 0);
}
