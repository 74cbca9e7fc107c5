// The divergence of the rows of two blocks, and its gradient, from their maxima and exponentials.

import { laneRounding, logitScale } from "../math/sum";
import { FACTOR, LINE_BYTES, MAXIMUM, TARGET_DOT } from "../scratch";
import { madd, nmadd } from "../simd/arch";
import { lanes, promoteHigh, promoteLow } from "../simd/lanes";

/** offsets = ((x − max x) − (y − max y)) / LOGIT_DIVISOR, given MAXIMUM of both blocks. */
export function blockOffsets<T>(
  x: usize, y: usize, offsets: usize, n: usize, columns: usize, xScratch: usize, yScratch: usize
): void {
  const narrow = logitScale<T>(), zero = v128.splat<T>(0);
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const xm = nmadd<T>(v128.load(xScratch + at, MAXIMUM), narrow, zero);
    const ym = nmadd<T>(v128.load(yScratch + at, MAXIMUM), narrow, zero);
    for (let p = at, end = at + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      const xd = madd<T>(v128.load(x + p), narrow, xm), yd = madd<T>(v128.load(y + p), narrow, ym);
      v128.store(offsets + p, v128.sub<T>(xd, yd));
    }
  }
}

/** TARGET_DOT = Σ p · offset of each row, p = e · FACTOR; where p is 0 the term is 0. */
export function blockDivergence<T>(e: usize, offsets: usize, n: usize, columns: usize, scratch: usize): void {
  const zero = v128.splat<T>(0);
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const f = v128.load(scratch + at, FACTOR);
    let low = zero, high = zero;
    for (let q = at, end = at + n * LINE_BYTES; q < end; q += LINE_BYTES) {
      const p = v128.mul<T>(v128.load(e + q), f);
      const term = v128.andnot(v128.mul<T>(p, v128.load(offsets + q)), v128.eq<T>(p, zero));
      if (sizeof<T>() == 4) {
        low = f64x2.add(low, promoteLow(term));
        high = f64x2.add(high, promoteHigh(term));
      } else {
        // high collects what rounding takes from low.
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

/** x = x · FACTOR of x − e · FACTOR of e, in place; FACTOR of x becomes 1 for scatter. */
export function blockDifference<T>(
  x: usize, e: usize, n: usize, columns: usize, xScratch: usize, eScratch: usize
): void {
  for (let column: usize = 0; column < columns; column++) {
    const at = column << 4;
    const f = v128.load(xScratch + at, FACTOR), o = v128.load(eScratch + at, FACTOR);
    for (let p = at, end = at + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      v128.store(x + p, nmadd<T>(v128.load(e + p), o, v128.mul<T>(v128.load(x + p), f)));
    }
    v128.store(xScratch + at, v128.splat<T>(1), FACTOR);
  }
}
