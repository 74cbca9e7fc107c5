// The logarithm of each row's sum of exponentials, and log-softmax.

import { MAX_SHIFTED, SPARSE, UNSHIFTED, exponential, prepareSparse } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, oneVector } from "../math/exp-table";
import { log1p } from "../math/log";
import { EXP_PLAIN_LINES, PARTIAL_LINES, laneRounding } from "../math/sum";
import { FACTOR, LINE_BYTES, LOG_SUM, MAXIMUM, OTHERS } from "../scratch";
import { demote, promoteHigh, promoteLow, subIntegers, toFloats } from "../simd/lanes";
import { prepareColumn } from "./exp";

/** LOG_SUM of each row, as finishRows has it, given MAXIMUM. */
export function blockLogSum<T>(
  block: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == UNSHIFTED) logSumUnshifted<T>(block, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == SPARSE) logSumSparse<T>(block, n, columns, temperature, scratch);
  else logSumMaxShifted<T>(block, n, columns, temperature, scratch);
}

/**
 * The same where nothing is masked, and x = e^(x / t) in place, with FACTOR the reciprocals of the sums, and OTHERS.
 */
export function blockExpLogSum<T>(
  block: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == UNSHIFTED) expLogSumUnshifted<T>(block, n, columns, temperature, scratch);
  else expLogSumMaxShifted<T>(block, n, columns, temperature, scratch);
}

function logSumUnshifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(UNSHIFTED, false, block, n, columns, temperature, scratch);
}

function logSumSparse<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareSparse<T>(scratch, temperature);
  logSum<T>(SPARSE, false, block, n, columns, temperature, scratch);
}

function logSumMaxShifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(MAX_SHIFTED, false, block, n, columns, temperature, scratch);
}

function expLogSumUnshifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(UNSHIFTED, true, block, n, columns, temperature, scratch);
}

function expLogSumMaxShifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(MAX_SHIFTED, true, block, n, columns, temperature, scratch);
}

/** `form` and `stores` (whether x becomes e^(x / t)) are literals. */
// @ts-ignore: decorator
@inline
function logSum<T>(
  form: i32, stores: bool, block: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0; column < columns; column++, block += 16) {
    const state = scratch + (column << 4);
    const m = v128.load(state, MAXIMUM);
    if (form == MAX_SHIFTED) prepareColumn<T>(block, n, m, temperature, scratch);
    const end = block + n * LINE_BYTES;
    let sum = v128.splat<T>(0), equals = sum, totalLow = sum, totalHigh = sum;
    for (let p = block; p < end; ) {
      const partialEnd = min(end, p + PARTIAL_LINES * LINE_BYTES);
      let s = v128.splat<T>(0);
      for (; p < partialEnd; p += LINE_BYTES) {
        const v = v128.load(p);
        const isMaximum = v128.eq<T>(v, m);
        const e = exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (stores) v128.store(p, e);
        s = v128.add<T>(s, v128.andnot(e, isMaximum));
        equals = subIntegers<T>(equals, isMaximum);
      }
      if (n <= EXP_PLAIN_LINES) {
        sum = v128.add<T>(sum, s);
      } else if (sizeof<T>() == 8) {
        const total = f64x2.add(sum, s);
        totalLow = f64x2.add(totalLow, laneRounding(sum, s, total));
        sum = total;
      } else {
        totalLow = f64x2.add(totalLow, promoteLow(s));
        totalHigh = f64x2.add(totalHigh, promoteHigh(s));
      }
    }
    if (n > EXP_PLAIN_LINES) sum = sizeof<T>() == 4 ? demote(totalLow, totalHigh) : f64x2.add(sum, totalLow);
    const top = exponential<T>(form, m, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    storeLogSum<T>(stores, sum, toFloats<T>(equals), top, oneVector<T>(scratch), state);
  }
  toLogSums<T>(columns, scratch);
}

/**
 * LOG_SUM without the logarithm. `count` elements equal the maximum, each with the term `top`; `sum` is that of all other
 * terms. FACTOR and OTHERS too where they are `wanted`, a literal.
 */
// @ts-ignore: decorator
@inline
export function storeLogSum<T>(wanted: bool, sum: v128, count: v128, top: v128, one: v128, state: usize): void {
  const more = v128.sub<T>(count, v128.splat<T>(1));
  v128.store(state, v128.add<T>(more, v128.div<T>(sum, top)), LOG_SUM);
  if (!wanted) return;
  const factor = v128.div<T>(one, v128.add<T>(sum, v128.mul<T>(count, top)));
  v128.store(state, factor, FACTOR);
  v128.store(state, v128.mul<T>(v128.add<T>(sum, v128.mul<T>(more, top)), factor), OTHERS);
}

/** LOG_SUM = log1p(LOG_SUM). Not inlined: all forms share it. */
export function toLogSums<T>(columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch, log1p<T>(v128.load(scratch, LOG_SUM)), LOG_SUM);
  }
}

/** x = (x − maximum) / t − LOG_SUM in place: log-softmax; FACTOR becomes 1 for scatter. */
export function blockLogSoftmax<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  // In halves: x − maximum could overflow where (x − maximum) / t does not.
  const half = v128.splat<T>(<T>0.5), factor = v128.splat<T>(<T>(2.0 / temperature));
  for (let column: usize = 0; column < columns; column++, block += 16, scratch += 16) {
    const m = v128.mul<T>(v128.load(scratch, MAXIMUM), half), logSum = v128.load(scratch, LOG_SUM);
    for (let p = block, end = block + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      v128.store(p, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.mul<T>(v128.load(p), half), m), factor), logSum));
    }
    v128.store(scratch, v128.splat<T>(1), FACTOR);
  }
}
