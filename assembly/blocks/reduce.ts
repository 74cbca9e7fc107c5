// Each row of a block reduced to a number: its maximum, its sum, its dot product with another row, whether it is in range.

import { CAREFUL } from "../math/exp";
import { laneRounding, plus, term } from "../math/sum";
import { LINE_BYTES, MAXIMUM } from "../scratch";
import { demote, promoteHigh, promoteLow } from "../simd/lanes";
import { rangeLanes, rangeStart, rangeStep, signMask } from "../simd/range";

/** Rows of a tile summed in one chain of additions, and the most whose chains are added without float64. */
const TILE_CHAIN: usize = 4;

const SHORT: usize = 2 * TILE_CHAIN;

/** MAXIMUM of every problem; NaN where one holds NaN. */
export function tileMaxima<T>(tile: usize, n: usize, columns: usize, form: i32, scratch: usize): void {
  for (let column: usize = 0; column < columns; column++, tile += 16, scratch += 16) {
    v128.store(scratch, form != CAREFUL ? tileMaxInRange<T>(tile, n) : tileMax<T>(tile, n), MAXIMUM);
  }
}

/** The largest element of each problem of one column of vectors; NaN where the problem holds NaN. */
export function tileMax<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) m = v128.max<T>(m, v128.load(column));
  return m;
}

/** The same without NaN. */
// @ts-ignore: decorator
@inline
function tileMaxInRange<T>(column: usize, n: usize): v128 {
  let m = v128.splat<T>(<T>(-Infinity));
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) m = v128.pmax<T>(m, v128.load(column));
  return m;
}

/** All bits set in the lanes of problems within the fast range. */
export function tileRange<T>(column: usize, n: usize, limit: T): v128 {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  let range = rangeStart<T>();
  for (const end = column + n * LINE_BYTES; column < end; column += LINE_BYTES) {
    range = rangeStep<T>(range, v128.load(column), mask, bound);
  }
  return rangeLanes<T>(range, bound);
}

/** Σ x_i y_i of each problem in a column of vectors of two tiles. */
export function tileDot<T>(x: usize, y: usize, n: usize): v128 {
  return tileTotal<T>(true, x, y, n);
}

/** Σ x_i of each problem in a column of vectors of a tile. */
export function tileSum<T>(x: usize, n: usize): v128 {
  return tileTotal<T>(false, x, x, n);
}

/** `dot` is a literal. */
// @ts-ignore: decorator
@inline
function tileTotal<T>(dot: bool, x: usize, y: usize, n: usize): v128 {
  const zero = v128.splat<T>(0);
  let sum = zero, lows = zero, highs = zero;
  for (const end = x + n * LINE_BYTES; x < end; ) {
    let s = zero;
    if (x + TILE_CHAIN * LINE_BYTES <= end) {
      const low = plus<T>(dot, x, y, LINE_BYTES, term<T>(dot, x, y, 0));
      s = v128.add<T>(low, plus<T>(dot, x, y, 3 * LINE_BYTES, term<T>(dot, x, y, 2 * LINE_BYTES)));
      x += TILE_CHAIN * LINE_BYTES;
      y += TILE_CHAIN * LINE_BYTES;
    } else for (; x < end; x += LINE_BYTES, y += LINE_BYTES) s = plus<T>(dot, x, y, 0, s);
    if (n <= SHORT) {
      sum = v128.add<T>(sum, s);
    } else if (sizeof<T>() == 8) {
      // Here lows is what rounding takes from the sum.
      const total = f64x2.add(sum, s);
      lows = f64x2.add(lows, laneRounding(sum, s, total));
      sum = total;
    } else {
      lows = f64x2.add(lows, promoteLow(s));
      highs = f64x2.add(highs, promoteHigh(s));
    }
  }
  if (n <= SHORT) return sum;
  if (sizeof<T>() == 4) return demote(lows, highs);
  // NaN where the sum is infinite.
  const whole = f64x2.add(sum, lows);
  return v128.bitselect(sum, whole, f64x2.ne(whole, whole));
}
