// What states of log-sum-exp are made of: the sum of exponentials of each row of [rows, n], before any logarithm and
// rounding to T.
//
// sums: four f64 for each row, as ROW_SUM_MAXIMUM and what follows in scratch.ts say. Elements that a mask does not keep
// are ignored, even if NaN or infinite. mask: a descriptor (mask.ts), or 0.
// Where a row's maximum is not finite (NaN, ∞, or −∞ where there is no element above it), it is all there is of the sum.

import { checkApart, checkArray, checkOutside, checkScratch, checkTemperature } from "../../contracts";
import { findKeptRange, isDense, keptEnd, keptStart, operandAddress, startKeptRanges } from "../../mask";
import { prepareExp } from "../../math/exp-table";
import { maximumOf, ratioOf, rowLogSum, rowOthersKept } from "../../rows/logsum";
import { rowMaxKept } from "../../rows/reduce";
import { storeSums, weightedSums } from "../../rows/weighted";
import { HEADER_BYTES, ROW_SUM_BYTES } from "../../scratch";

// @ts-ignore: decorator
@inline
function check<T>(x: usize, sums: usize, rows: usize, n: usize, t: f64, scratch: usize): void {
  checkApart(x, rows * n * sizeof<T>(), sums, rows * ROW_SUM_BYTES);
  checkArray<T>(x, rows * n);
  checkArray<f64>(sums, rows * ROW_SUM_BYTES / 8);
  checkTemperature(t);
  checkScratch(scratch, HEADER_BYTES);
  checkOutside(scratch, HEADER_BYTES, x, rows * n * sizeof<T>());
  checkOutside(scratch, HEADER_BYTES, sums, rows * ROW_SUM_BYTES);
}

/** Σ e^(x_j / t). The weight at the maximum is 1: other elements that equal it are among the others. */
export function expSums<T>(
  x: usize, sums: usize, rows: usize, n: usize, temperature: f64, scratch: usize, mask: usize
): void {
  check<T>(x, sums, rows, n, temperature, scratch);
  prepareExp<T>(temperature, scratch);
  startKeptRanges(scratch);
  for (let i: usize = 0; i < rows; i++, x += n * sizeof<T>(), sums += ROW_SUM_BYTES) {
    if (mask) maskedRow<T>(x, sums, n, temperature, scratch, mask, i);
    else row<T>(x, sums, n, temperature, scratch);
  }
}

function row<T>(x: usize, sums: usize, n: usize, t: f64, scratch: usize): void {
  const found = rowLogSum<T>(x, n, t, scratch);
  storeRow(sums, maximumOf(found), ratioOf(found));
}

function storeRow(sums: usize, maximum: f64, others: f64): void {
  const isNumber = isFinite(maximum);
  storeSums(sums, maximum, isNumber ? 1 : 0, isNumber ? others : 0, 0);
}

function maskedRow<T>(x: usize, sums: usize, n: usize, t: f64, scratch: usize, mask: usize, i: usize): void {
  findKeptRange(mask, i, x, n, sizeof<T>(), scratch);
  const start = keptStart(scratch), length = keptEnd(scratch) - start, from = x + start * sizeof<T>();
  if (!length) storeRow(sums, -Infinity, 0);
  else if (isDense(scratch)) row<T>(from, sums, length, t, scratch);
  else {
    const bytes = operandAddress(mask, i, 1) + start;
    const m = rowMaxKept<T>(from, bytes, length);
    storeRow(sums, <f64>m, rowOthersKept<T>(from, bytes, length, m, t, scratch));
  }
}

/** Σ w_j e^(x_j / t), as weightedLogSumExp has it. weights: a descriptor (mask.ts). */
export function weightedExpSums<T>(
  x: usize, sums: usize, rows: usize, n: usize, temperature: f64, scratch: usize, mask: usize, weights: usize
): void {
  check<T>(x, sums, rows, n, temperature, scratch);
  prepareExp<f64>(1, scratch);
  for (let i: usize = 0; i < rows; i++, sums += ROW_SUM_BYTES) {
    weightedSums(sizeof<T>(), x + i * n * sizeof<T>(), n, 1, temperature, scratch, mask, weights, i, sums);
  }
}
