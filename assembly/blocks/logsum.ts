// The logarithm of each row's sum of exponentials, and log-softmax.

import { CAREFUL, FAST, HOLES, exponential, prepareHoles } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, oneVector } from "../math/exp-table";
import { log1p } from "../math/log";
import { laneRounding } from "../math/sum";
import { FACTOR, LINE_BYTES, LOG_SUM, MAXIMUM, OTHERS } from "../scratch";
import { demote, promoteHigh, promoteLow, subIntegers, toFloats } from "../simd/lanes";
import { BLOCK, SHORT, tilePrepare } from "./exp";

/** LOG_SUM of every problem, as rowLogSum has it, given MAXIMUM. */
export function tileLogSum<T>(
  tile: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == FAST) logSumFast<T>(tile, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == HOLES) logSumHoles<T>(tile, n, columns, temperature, scratch);
  else logSumCareful<T>(tile, n, columns, temperature, scratch);
}

/** The same without holes, and x = e^(x / t) in place, with FACTOR the reciprocals of the whole sums, and OTHERS. */
export function tileExpLogSum<T>(
  tile: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize
): void {
  if (form == FAST) expLogSumFast<T>(tile, n, columns, temperature, scratch);
  else expLogSumCareful<T>(tile, n, columns, temperature, scratch);
}

function logSumFast<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(FAST, false, tile, n, columns, temperature, scratch);
}

function logSumHoles<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareHoles<T>(scratch, temperature);
  logSum<T>(HOLES, false, tile, n, columns, temperature, scratch);
}

function logSumCareful<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(CAREFUL, false, tile, n, columns, temperature, scratch);
}

function expLogSumFast<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(FAST, true, tile, n, columns, temperature, scratch);
}

function expLogSumCareful<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  logSum<T>(CAREFUL, true, tile, n, columns, temperature, scratch);
}

/** `form` and `keep` (whether x becomes e^(x / t)) are literals. */
// @ts-ignore: decorator
@inline
function logSum<T>(
  form: i32, keep: bool, tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0; column < columns; column++, tile += 16) {
    const state = scratch + (column << 4);
    const m = v128.load(state, MAXIMUM);
    if (form == CAREFUL) tilePrepare<T>(tile, n, m, temperature, scratch);
    const end = tile + n * LINE_BYTES;
    let sum = v128.splat<T>(0), equals = sum, totalLow = sum, totalHigh = sum;
    for (let p = tile; p < end; ) {
      const blockEnd = min(end, p + BLOCK * LINE_BYTES);
      let s = v128.splat<T>(0);
      for (; p < blockEnd; p += LINE_BYTES) {
        const v = v128.load(p);
        const isMaximum = v128.eq<T>(v, m);
        const e = exponential<T>(form, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        if (keep) v128.store(p, e);
        s = v128.add<T>(s, v128.andnot(e, isMaximum));
        equals = subIntegers<T>(equals, isMaximum);
      }
      if (n <= SHORT) {
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
    if (n > SHORT) sum = sizeof<T>() == 4 ? demote(totalLow, totalHigh) : f64x2.add(sum, totalLow);
    const top = exponential<T>(form, m, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    const count = toFloats<T>(equals);
    const more = v128.sub<T>(count, v128.splat<T>(1));
    v128.store(state, v128.add<T>(more, v128.div<T>(sum, top)), LOG_SUM);
    if (keep) {
      const factor = v128.div<T>(oneVector<T>(scratch), v128.add<T>(sum, v128.mul<T>(count, top)));
      v128.store(state, factor, FACTOR);
      v128.store(state, v128.mul<T>(v128.add<T>(sum, v128.mul<T>(more, top)), factor), OTHERS);
    }
  }
  toLogSums<T>(columns, scratch);
}

/** LOG_SUM = log1p of it. A function of its own, of which all forms share one. */
function toLogSums<T>(columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch, log1p<T>(v128.load(scratch, LOG_SUM)), LOG_SUM);
  }
}

/** x = (x − maximum) / t − log sum in place: log-softmax, given tileLogSum. */
export function tileLogSoftmax<T>(tile: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  // In halves: x − maximum could overflow where (x − maximum) / t does not.
  const half = v128.splat<T>(<T>0.5), factor = v128.splat<T>(<T>(2.0 / temperature));
  for (let column: usize = 0; column < columns; column++, tile += 16, scratch += 16) {
    const m = v128.mul<T>(v128.load(scratch, MAXIMUM), half), logSum = v128.load(scratch, LOG_SUM);
    for (let p = tile, end = tile + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      v128.store(p, v128.sub<T>(v128.mul<T>(v128.sub<T>(v128.mul<T>(v128.load(p), half), m), factor), logSum));
    }
    v128.store(scratch, v128.splat<T>(1), FACTOR);
  }
}
