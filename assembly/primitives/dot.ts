// The sums that the backward operations need: of products or of plain numbers, over a row or the problems of a tile.

import { madd } from "../simd/arch";
import { demote, laneSum, lanes, loadTail, promoteHigh, promoteLow } from "../simd/lanes";
import { BLOCK_BYTES, CHAIN_BYTES, roundingOf } from "./row";
import { laneRounding } from "./sum";
import { TILE_BYTES } from "./tile";

/** Rows of a tile summed in one chain of additions, and the most whose chains are added without float64. */
const TILE_CHAIN: usize = 4;
const SHORT: usize = 2 * TILE_CHAIN;

/** Σ x_i y_i of a row. */
export function rowDot<T>(x: usize, y: usize, n: usize): f64 {
  return rowTotal<T>(true, x, y, n);
}

/** Σ x_i of a row. */
export function rowSum<T>(x: usize, n: usize): f64 {
  return rowTotal<T>(false, x, x, n);
}

/** `dot`, whether y counts, is a literal. */
// @ts-ignore: decorator
@inline
function rowTotal<T>(dot: bool, x: usize, y: usize, n: usize): f64 {
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  let sum: f64 = 0, lost: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK_BYTES);
    let block = v128.splat<T>(0);
    for (; x + CHAIN_BYTES <= blockEnd; x += CHAIN_BYTES, y += CHAIN_BYTES) {
      const low = plus<T>(dot, x, y, 16, term<T>(dot, x, y, 0)), high = plus<T>(dot, x, y, 48, term<T>(dot, x, y, 32));
      block = v128.add<T>(block, v128.add<T>(low, high));
    }
    for (; x < blockEnd; x += 16, y += 16) block = plus<T>(dot, x, y, 0, block);
    const part = laneSum<T>(block), total = sum + part;
    lost += roundingOf<T>(sum, part, total);
    sum = total;
  }
  if (rest) {
    const v = loadTail<T>(x, rest);
    sum += laneSum<T>(dot ? v128.mul<T>(v, loadTail<T>(y, rest)) : v);
  }
  return isFinite(sum) ? sum + lost : sum;
}

// @ts-ignore: decorator
@inline
function term<T>(dot: bool, x: usize, y: usize, at: usize): v128 {
  return dot ? v128.mul<T>(v128.load(x + at), v128.load(y + at)) : v128.load(x + at);
}

// @ts-ignore: decorator
@inline
function plus<T>(dot: bool, x: usize, y: usize, at: usize, sum: v128): v128 {
  return dot ? madd<T>(v128.load(x + at), v128.load(y + at), sum) : v128.add<T>(sum, v128.load(x + at));
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
  for (const end = x + n * TILE_BYTES; x < end; ) {
    let s = zero;
    if (x + TILE_CHAIN * TILE_BYTES <= end) {
      const low = plus<T>(dot, x, y, TILE_BYTES, term<T>(dot, x, y, 0));
      s = v128.add<T>(low, plus<T>(dot, x, y, 3 * TILE_BYTES, term<T>(dot, x, y, 2 * TILE_BYTES)));
      x += TILE_CHAIN * TILE_BYTES;
      y += TILE_CHAIN * TILE_BYTES;
    } else for (; x < end; x += TILE_BYTES, y += TILE_BYTES) s = plus<T>(dot, x, y, 0, s);
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
