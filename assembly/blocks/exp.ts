// e^(x / t) of each row of a block, and the reciprocals of the sums.

import {
  MAX_SHIFTED, SOFTMAX_STEPS, SPARSE, UNSHIFTED, prepareLane, prepareSparse, softmaxExp, unshiftedLimit
} from "../math/exp";
import { finishFour, reduceFour } from "../math/exp-four";
import { coefficient, ln2HighOf, log2eOver, magicNumber, oneVector } from "../math/exp-table";
import { EXP_PLAIN_LINES, FEW, PARTIAL_LINES, laneRounding } from "../math/sum";
import { EXP_SUM, FACTOR, LINE_BYTES, PREPARE } from "../scratch";
import { demote, lanes, promoteHigh, promoteLow } from "../simd/lanes";
import { rangeHolds, rangeOfFour, rangeStart, rangeStep, signMask } from "../simd/range";
import { e0, e1, e2, e3 } from "../simd/registers";
import { columnMax, columnRange } from "./reduce";

/** e^(x / t) in place; FACTOR becomes the reciprocals of the sums. */
export function blockExp<T>(block: usize, n: usize, columns: usize, form: i32, temperature: f64, scratch: usize): void {
  if (form == UNSHIFTED) expUnshifted<T>(block, n, columns, temperature, scratch);
  else if (sizeof<T>() == 4 && form == SPARSE) expSparse<T>(block, n, columns, temperature, scratch);
  else expMaxShifted<T>(block, n, columns, temperature, scratch);
}

function expUnshifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(UNSHIFTED, block, n, columns, temperature, scratch);
}

function expSparse<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  prepareSparse<T>(scratch, temperature);
  expInPlace<T>(SPARSE, block, n, columns, temperature, scratch);
}

function expMaxShifted<T>(block: usize, n: usize, columns: usize, temperature: f64, scratch: usize): void {
  expInPlace<T>(MAX_SHIFTED, block, n, columns, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function expInPlace<T>(
  form: i32, block: usize, n: usize, columns: usize, temperature: f64, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let column: usize = 0; column < columns; column++, block += 16) {
    if (form == MAX_SHIFTED) prepareColumn<T>(block, n, columnMax<T>(block, n), temperature, scratch);
    const end = block + n * LINE_BYTES, few = sizeof<T>() == 4 && n <= FEW;
    let p = block, sum = v128.splat<T>(0), low = v128.splat<f64>(0), rest = low;
    if (sizeof<T>() == 4 && form == UNSHIFTED && !few) {
      for (const fours = p + (n & ~3) * LINE_BYTES; p < fours; p += 4 * LINE_BYTES) {
        reduceFour(SOFTMAX_STEPS<f32>(), p, LINE_BYTES, scratch);
        finishFour(scratch);
        storeFour(p);
        const pair = f32x4.add(e0, e1), next = f32x4.add(e2, e3);
        low = f64x2.add(f64x2.add(low, promoteLow(pair)), promoteLow(next));
        rest = f64x2.add(f64x2.add(rest, promoteHigh(pair)), promoteHigh(next));
      }
    }
    while (p < end) {
      const stop = few ? end : min(end, p + (sizeof<T>() == 4 ? 2 : PARTIAL_LINES) * LINE_BYTES);
      let s = v128.splat<T>(0);
      for (; p < stop; p += LINE_BYTES) {
        const e = softmaxExp<T>(form, v128.load(p), scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(p, e);
        s = v128.add<T>(s, e);
      }
      if (sizeof<T>() == 4) {
        low = f64x2.add(low, promoteLow(s));
        rest = f64x2.add(rest, promoteHigh(s));
        sum = s;
      } else {
        const total = f64x2.add(sum, s);
        if (n > EXP_PLAIN_LINES) low = f64x2.add(low, laneRounding(sum, s, total));
        sum = total;
      }
    }
    if (sizeof<T>() == 8) sum = f64x2.add(sum, low);
    const whole = sizeof<T>() == 8 || few;
    v128.store(
      scratch + FACTOR + (column << 4), whole ? v128.div<T>(oneVector<T>(scratch), sum) : reciprocal(low, rest)
    );
  }
}

/** 1 / the sums of a column of f32, which are in two vectors of f64. */
// @ts-ignore: decorator
@inline
function reciprocal(low: v128, rest: v128): v128 {
  const one = f64x2.splat(1);
  return demote(f64x2.div(one, low), f64x2.div(one, rest));
}

/**
 * gather and blockExp in one pass, with the same bits: a whole f32 block of strided rows, unshifted. Returns whether
 * every |x / t| ≤ RANGE; if not, block and FACTOR are not valid.
 */
export function blockExpStrided(
  x: usize, stride: usize, block: usize, n: usize, temperature: f64, scratch: usize
): bool {
  const log2e = log2eOver<f32>(scratch), magic = magicNumber<f32>(scratch), high = ln2HighOf<f32>(scratch);
  const c5 = coefficient<f32>(5, scratch), c4 = coefficient<f32>(4, scratch), c3 = coefficient<f32>(3, scratch);
  const c2 = coefficient<f32>(2, scratch), c1 = coefficient<f32>(1, scratch);
  const bound = v128.splat<f32>(unshiftedLimit<f32>(temperature)), mask = signMask<f32>();
  let range = rangeStart<f32>();
  // The sums are in memory: those of four columns are more than the registers hold.
  memory.fill(scratch + EXP_SUM, 0, 2 * LINE_BYTES);
  let line: usize = 0;
  for (; line + 4 <= n; line += 4) {
    for (let at: usize = 0; at < LINE_BYTES; at += 16) {
      reduceFour(SOFTMAX_STEPS<f32>(), x + at, stride, scratch);
      range = rangeOfFour(range, x + at, stride, bound);
      finishFour(scratch);
      storeFour(block + at);
      addToTotals(f32x4.add(e0, e1), f32x4.add(e2, e3), scratch + at);
    }
    x += 4 * stride;
    block += 4 * LINE_BYTES;
  }
  for (; line < n; line += 2) {
    const lines = min(<usize>2, n - line);
    for (let at: usize = 0; at < LINE_BYTES; at += 16) {
      let pair = v128.splat<f32>(0), p = x + at, q = block + at;
      for (const end = q + lines * LINE_BYTES; q < end; q += LINE_BYTES, p += stride) {
        const v = v128.load(p);
        const e = softmaxExp<f32>(UNSHIFTED, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
        v128.store(q, e);
        pair = f32x4.add(pair, e);
        range = rangeStep<f32>(range, v, mask, bound);
      }
      addToTotals(pair, v128.splat<f32>(0), scratch + at);
    }
    x += lines * stride;
    block += lines * LINE_BYTES;
  }
  for (let at: usize = 0; at < LINE_BYTES; at += 16) {
    const low = v128.load(scratch + at, EXP_SUM), high = v128.load(scratch + at, EXP_SUM + LINE_BYTES);
    // FEW elements are added in f32: rounded to it, the float64 sum is the same.
    const few = f32x4.div(oneVector<f32>(scratch), demote(low, high));
    v128.store(scratch + at, n <= FEW ? few : reciprocal(low, high), FACTOR);
  }
  return rangeHolds<f32>(range, bound);
}

/** Stores the results of finishFour to four lines. */
// @ts-ignore: decorator
@inline
function storeFour(line: usize): void {
  v128.store(line, e0);
  v128.store(line, e1, LINE_BYTES);
  v128.store(line, e2, 2 * LINE_BYTES);
  v128.store(line, e3, 3 * LINE_BYTES);
}

/** Adds the sums of two pairs to EXP_SUM of a column, two vectors of f64. */
// @ts-ignore: decorator
@inline
function addToTotals(pair: v128, next: v128, totals: usize): void {
  const low = f64x2.add(v128.load(totals, EXP_SUM), promoteLow(pair));
  const rest = f64x2.add(v128.load(totals, EXP_SUM + LINE_BYTES), promoteHigh(pair));
  v128.store(totals, f64x2.add(low, promoteLow(next)), EXP_SUM);
  v128.store(totals, f64x2.add(rest, promoteHigh(next)), EXP_SUM + LINE_BYTES);
}

/**
 * Prepares the max-shifted form for a column. Rows in range get neutral parameters, and with them the unshifted bits.
 */
export function prepareColumn<T>(column: usize, n: usize, maxima: v128, temperature: f64, scratch: usize): void {
  const area = scratch + PREPARE;
  v128.store(area, maxima);
  v128.store(area, columnRange<T>(column, n, unshiftedLimit<T>(temperature)), 16);
  for (let lane: usize = 0; lane < lanes<T>(); lane++) {
    const at = area + lane * sizeof<T>();
    prepareLane<T>(scratch, lane, load<T>(at), load<u32>(at, 16) != 0, temperature);
  }
}
