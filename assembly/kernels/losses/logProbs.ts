// The log-probability of each row's target: y = (x_target − max) / t − log Σ e^((x_j − max) / t) for [outer, n, inner].
//
// One pass over a row; nothing of the row's size is written. The result is −crossEntropy of the row, bit for bit.
// targets: i32 indices, −1 where ignored (y is 0). losses, which is y: T for each row; x itself where n = 1, else
// without overlap.

import { gather } from "../../blocks/gather";
import { blockLogSum } from "../../blocks/logsum";
import { blockMaxima } from "../../blocks/reduce";
import { checkOperand, checkRows, scratchBytes } from "../../contracts";
import { quotient } from "../../loss";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { finishRows, logSumOf, maximumOf, rowsTogether, slotOf, sumRow } from "../../rows/logsum";
import { shortLogSums } from "../../rows/short-logsum";
import { HEADER_BYTES, LOG_SUM, MAXIMUM, SLOT_ROW, SLOT_TARGET_LOGIT } from "../../scratch";
import { addressOf, columnsOf, isShort, rowStep, rowsInBlock, usesRowForm } from "../../shape";

// @ts-ignore: decorator
@inline
export function logProbs<T>(
  x: usize, targets: usize, losses: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize
): void {
  const rows = outer * inner, size = scratchBytes(n, inner);
  checkRows<T>(x, losses, rows * n, rows, temperature, scratch, size);
  checkOperand<T, i32>(targets, rows, losses, rows, 0, 0, scratch, size);
  prepareExp<T>(temperature, scratch);
  if (usesRowForm<T>(n, inner)) rowForm<T>(x, targets, losses, outer, n, temperature, scratch);
  else blockForm<T>(x, targets, losses, outer, n, inner, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function rowForm<T>(x: usize, targets: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): void {
  const together = rowsTogether<T>(n);
  let rows: usize = 0;
  for (let row: usize = 0; row < count; row++, x += n * sizeof<T>()) {
    const target = load<i32>(targets + (row << 2));
    if (target < 0) {
      store<T>(y + row * sizeof<T>(), 0);
      continue;
    }
    const slot = slotOf(rows, scratch);
    store<usize>(slot, row, SLOT_ROW);
    store<f64>(slot, <f64>load<T>(x + target * sizeof<T>()), SLOT_TARGET_LOGIT);
    sumRow<T>(x, n, t, slot, scratch);
    if (++rows < together) continue;
    finish<T>(rows, y, t, scratch);
    rows = 0;
  }
  finish<T>(rows, y, t, scratch);
}

/** The results of the rows in the first slots. */
function finish<T>(rows: usize, y: usize, t: f64, scratch: usize): void {
  finishRows<T>(slotOf(0, scratch), rows, t, scratch);
  for (let i: usize = 0; i < rows; i++) {
    const slot = slotOf(i, scratch), logit = <T>load<f64>(slot, SLOT_TARGET_LOGIT);
    store<T>(y + load<usize>(slot, SLOT_ROW) * sizeof<T>(), logProb<T>(logSumOf(slot), <T>maximumOf(slot), logit, t));
  }
}

/** −loss, but 0 instead of −0. */
// @ts-ignore: decorator
@inline
function logProb<T>(logSum: f64, maximum: T, targetLogit: T, t: f64): T {
  return <T>(0 - (logSum + quotient<T>(<f64>maximum, <f64>targetLogit, t)));
}

// @ts-ignore: decorator
@inline
function blockForm<T>(
  x: usize, targets: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize
): void {
  const block = scratch + HEADER_BYTES, limit = unshiftedLimit<T>(t), short = isShort<T>(n, inner);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    if (!(short && shortLogSums(x, first, rows, n, t, scratch))) {
      const form = gather<T>(x, n, inner, first, rows, block, limit);
      blockMaxima<T>(block, n, columnsOf<T>(rows), form, scratch);
      blockLogSum<T>(block, n, columnsOf<T>(rows), form, t, scratch);
    }
    let row = addressOf<T>(x, n, inner, first);
    for (let i: usize = 0; i < rows; i++, row += rowStep<T>(n, inner)) {
      const state = scratch + i * sizeof<T>(), target = load<i32>(targets + ((first + i) << 2));
      const logit = load<T>(row + <usize>max(target, 0) * inner * sizeof<T>());
      const value = logProb<T>(<f64>load<T>(state, LOG_SUM), load<T>(state, MAXIMUM), logit, t);
      store<T>(y + (first + i) * sizeof<T>(), target < 0 ? 0 : value);
    }
  }
}
