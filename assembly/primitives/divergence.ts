// The divergence of two rows or tiles, and its gradient, from their maxima and exponentials.

import { madd, nmadd } from "../simd/arch";
import { laneSum, lanes, loadTail, promoteHigh, promoteLow, storeTail, tailMask } from "../simd/lanes";
import { BLOCK_BYTES, CHAIN_BYTES, narrowing, roundingOf } from "./row";
import { laneRounding } from "./sum";
import { FACTOR, MAXIMUM, TARGET_DOT, TILE_BYTES } from "./tile";

/**
 * Σ p ((x − xMax) − (y − yMax)) / WIDE, p = e · factor; a p of 0 counts 0 whatever x and y are. Near equal rows cancel
 * element by element, before anything is added.
 */
export function rowDivergence<T>(e: usize, factor: T, x: usize, xMax: T, y: usize, yMax: T, n: usize): f64 {
  const f = v128.splat<T>(factor), narrow = narrowing<T>(), zero = v128.splat<T>(0);
  const xm = nmadd<T>(v128.splat<T>(xMax), narrow, zero), ym = nmadd<T>(v128.splat<T>(yMax), narrow, zero);
  const rest = n % lanes<T>(), end = e + (n - rest) * sizeof<T>();
  let sum: f64 = 0, lost: f64 = 0;
  while (e < end) {
    const blockEnd = min(end, e + BLOCK_BYTES);
    let block = zero;
    while (e < blockEnd) {
      const chainEnd = min(blockEnd, e + CHAIN_BYTES);
      let s = zero;
      for (; e < chainEnd; e += 16, x += 16, y += 16) {
        const p = v128.mul<T>(v128.load(e), f);
        const difference = v128.sub<T>(madd<T>(v128.load(x), narrow, xm), madd<T>(v128.load(y), narrow, ym));
        s = v128.add<T>(s, v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero)));
      }
      block = v128.add<T>(block, s);
    }
    const part = laneSum<T>(block), total = sum + part;
    lost += roundingOf<T>(sum, part, total);
    sum = total;
  }
  if (rest) {
    const p = v128.mul<T>(loadTail<T>(e, rest), f);
    const xTail = madd<T>(loadTail<T>(x, rest), narrow, xm), yTail = madd<T>(loadTail<T>(y, rest), narrow, ym);
    const difference = v128.sub<T>(xTail, yTail);
    const term = v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero));
    sum += laneSum<T>(v128.and(term, tailMask<T>(rest)));
  }
  return sum + (isFinite(sum) ? lost : 0);
}

/** y = x · factor − e · other; x may be y. */
export function rowDifference<T>(x: usize, factor: T, e: usize, other: T, y: usize, n: usize): void {
  const f = v128.splat<T>(factor), o = v128.splat<T>(other);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (; x < end; x += 16, e += 16, y += 16) {
    v128.store(y, nmadd<T>(v128.load(e), o, v128.mul<T>(v128.load(x), f)));
  }
  if (rest) storeTail<T>(y, nmadd<T>(loadTail<T>(e, rest), o, v128.mul<T>(loadTail<T>(x, rest), f)), rest);
}

/** The tile of ((x − maximum of x) − (y − maximum of y)) / WIDE, given MAXIMUM of both. */
export function tileOffsets<T>(
  x: usize, y: usize, offsets: usize, n: usize, columns: usize, xScratch: usize, yScratch: usize
): void {
  const narrow = narrowing<T>(), zero = v128.splat<T>(0);
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const xm = nmadd<T>(v128.load(xScratch + at, MAXIMUM), narrow, zero);
    const ym = nmadd<T>(v128.load(yScratch + at, MAXIMUM), narrow, zero);
    for (let p = at, end = at + n * TILE_BYTES; p < end; p += TILE_BYTES) {
      const xd = madd<T>(v128.load(x + p), narrow, xm), yd = madd<T>(v128.load(y + p), narrow, ym);
      v128.store(offsets + p, v128.sub<T>(xd, yd));
    }
  }
}

/** TARGET_DOT, f64: Σ p · offset, p = e · FACTOR, of every problem; a p of 0 counts 0. */
export function tileDivergence<T>(e: usize, offsets: usize, n: usize, columns: usize, scratch: usize): void {
  const zero = v128.splat<T>(0);
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const f = v128.load(scratch + at, FACTOR);
    let low = zero, high = zero;
    for (let q = at, end = at + n * TILE_BYTES; q < end; q += TILE_BYTES) {
      const p = v128.mul<T>(v128.load(e + q), f);
      const term = v128.andnot(v128.mul<T>(p, v128.load(offsets + q)), v128.eq<T>(p, zero));
      if (sizeof<T>() == 4) {
        low = f64x2.add(low, promoteLow(term));
        high = f64x2.add(high, promoteHigh(term));
      } else {
        // Here the high one is what rounding takes from the low one.
        const sum = f64x2.add(low, term);
        high = f64x2.add(high, laneRounding(low, term, sum));
        low = sum;
      }
    }
    if (sizeof<T>() == 8) {
      // NaN where the sum is infinite.
      const whole = f64x2.add(low, high);
      low = v128.bitselect(low, whole, f64x2.ne(whole, whole));
    }
    const state = scratch + column * lanes<T>() * 8;
    v128.store(state, low, TARGET_DOT);
    if (sizeof<T>() == 4) v128.store(state, high, TARGET_DOT + 16);
  }
}

/** x = x · FACTOR − e · FACTOR of e, in place; FACTOR of x becomes 1, so that scatter leaves it. */
export function tileDifference<T>(
  x: usize, e: usize, n: usize, columns: usize, xScratch: usize, eScratch: usize
): void {
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const f = v128.load(xScratch + at, FACTOR), o = v128.load(eScratch + at, FACTOR);
    for (let p = at, end = at + n * TILE_BYTES; p < end; p += TILE_BYTES) {
      v128.store(x + p, nmadd<T>(v128.load(e + p), o, v128.mul<T>(v128.load(x + p), f)));
    }
    v128.store(xScratch + at, v128.splat<T>(1), FACTOR);
  }
}
