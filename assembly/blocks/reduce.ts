// Reductions of each row of a block to a number: maximum, sum, dot product, range. A column is one vector of each line.

import { MAX_SHIFTED } from "../math/exp";
import { DOT_PLAIN_LINES, PARTIAL_LINES, addTerm, laneRounding, loadTerm } from "../math/sum";
import { LINE_BYTES, MAXIMUM } from "../scratch";
import { demote, promoteHigh, promoteLow } from "../simd/lanes";
import { rangeLanes, rangeStart, rangeStep, signMask } from "../simd/range";

/** MAXIMUM of each row; NaN where the row has one. */
export function blockMaxima<T>(block: usize, n: usize, columns: usize, form: i32, scratch: usize): void {
  for (let column: usize = 0; column < columns; column++, block += 16, scratch += 16) {
    v128.store(scratch, form != MAX_SHIFTED ? columnMaxInRange<T>(block, n) : columnMax<T>(block, n), MAXIMUM);
  }
}

/** The largest element of each row in a column; NaN where the row has one. */
export function columnMax<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) m = v128.max<T>(m, v128.load(column));
  return m;
}

/** The same where there is no NaN. */
// @ts-ignore: decorator
@inline
function columnMaxInRange<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) m = v128.pmax<T>(m, v128.load(column));
  return m;
}

/** All bits set in the lanes of rows with every |x| ≤ limit. */
export function columnRange<T>(column: usize, n: usize, limit: T): v128 {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  let range = rangeStart<T>();
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) {
    range = rangeStep<T>(range, v128.load(column), mask, bound);
  }
  return rangeLanes<T>(range, bound);
}

/** Σ x_i y_i of each row in a column of two blocks. */
export function columnDot<T>(x: usize, y: usize, n: usize): v128 {
  return columnTotal<T>(true, x, y, n);
}

/** Σ x_i of each row in a column. */
export function columnSum<T>(x: usize, n: usize): v128 {
  return columnTotal<T>(false, x, x, n);
}

/** `dot` is a literal. */
// @ts-ignore: decorator
@inline
function columnTotal<T>(dot: bool, x: usize, y: usize, n: usize): v128 {
  const zero = v128.splat<T>(0);
  let sum = zero, lows = zero, highs = zero;
  for (const end = x + n * LINE_BYTES; x < end; ) {
    let s = zero;
    if (x + PARTIAL_LINES * LINE_BYTES <= end) {
      const low = addTerm<T>(dot, x, y, LINE_BYTES, loadTerm<T>(dot, x, y, 0));
      s = v128.add<T>(low, addTerm<T>(dot, x, y, 3 * LINE_BYTES, loadTerm<T>(dot, x, y, 2 * LINE_BYTES)));
      x += PARTIAL_LINES * LINE_BYTES;
      y += PARTIAL_LINES * LINE_BYTES;
    } else for (; x < end; x += LINE_BYTES, y += LINE_BYTES) s = addTerm<T>(dot, x, y, 0, s);
    if (n <= DOT_PLAIN_LINES) {
      sum = v128.add<T>(sum, s);
    } else if (sizeof<T>() == 8) {
      // lows collects what rounding takes from the sum.
      const total = f64x2.add(sum, s);
      lows = f64x2.add(lows, laneRounding(sum, s, total));
      sum = total;
    } else {
      lows = f64x2.add(lows, promoteLow(s));
      highs = f64x2.add(highs, promoteHigh(s));
    }
  }
  if (n <= DOT_PLAIN_LINES) return sum;
  if (sizeof<T>() == 4) return demote(lows, highs);
  // NaN where the sum is infinite.
  const whole = f64x2.add(sum, lows);
  return v128.bitselect(sum, whole, f64x2.ne(whole, whole));
}
