// Log-sums of short contiguous rows of f32, a block's rows at a time, and log-softmax. The exponentials are computed in
// memory order, as in short.ts; then four rows at a time are transposed, only for their sums.
//
// Whether a row is computed here or in a block depends on its neighbours and must not change its bits: elements are
// added as in blocks/logsum.ts.

import { storeLogSum, toLogSums } from "../blocks/logsum";
import { unshiftedLimit } from "../math/exp";
import { oneVector } from "../math/exp-table";
import { EXP_PLAIN_LINES } from "../math/sum";
import { HEADER_BYTES, LOG_SUM, MAXIMUM, PREPARE, SHORT } from "../scratch";
import { BLOCK_ROWS, columnsOf } from "../shape";
import { demote, lanes, promoteHigh, promoteLow } from "../simd/lanes";
import { tailMask } from "../simd/tail";
import { highHalves, interleaveHigh, interleaveLow, lowHalves } from "../simd/transpose";
import { rowInRange } from "./reduce";
import { expElements } from "./short";

/**
 * MAXIMUM, LOG_SUM, FACTOR and OTHERS of the block of rows that begins with row `first`, and their exponentials, one row
 * after another, behind the header. Returns false, and leaves the block to others, where not every |x / t| ≤ RANGE.
 */
export function shortLogSums(x: usize, first: usize, rows: usize, n: usize, t: f64, scratch: usize): bool {
  const e = scratch + HEADER_BYTES, bytes = n << 2, end = scratch + (columnsOf<f32>(rows) << 4);
  const limit = unshiftedLimit<f32>(t);
  x += first * bytes;
  // A row out of range is likely to be followed by another: then the check goes first.
  let inside = first == 0 || load<u32>(scratch, SHORT) != 0 || rowInRange<f32>(x, rows * n, limit);
  if (inside) inside = exponentials(x, e, rows * n, limit, scratch);
  store<u32>(scratch, u32(inside), SHORT);
  if (!inside) return false;
  let last = (rows - 1) * bytes;
  for (let state = scratch, p = x, left = last; state < end; state += 16, p += bytes << 2, left -= bytes << 2) {
    v128.store(state, maxima(p, bytes, left), MAXIMUM);
  }
  exponentials(scratch + MAXIMUM, scratch + PREPARE, BLOCK_ROWS<f32>(), 0, scratch);
  for (let state = scratch, p = e; state < end; state += 16, x += bytes << 2, p += bytes << 2, last -= bytes << 2) {
    logSums(x, p, n, last, state, scratch);
  }
  toLogSums<f32>(columnsOf<f32>(rows), scratch);
  return true;
}

/** y = e^(x / t), as logarithms take it. Returns whether every |x| ≤ limit. */
function exponentials(x: usize, y: usize, count: usize, limit: f32, scratch: usize): bool {
  return expElements(2, x, y, count, limit, scratch);
}

/** The maxima of four rows, or fewer: the last of all begins `last` bytes behind the first, and is repeated. */
// @ts-ignore: decorator
@inline
function maxima(x0: usize, bytes: usize, last: usize): v128 {
  const x1 = x0 + min(bytes, last), x2 = x0 + min(2 * bytes, last), x3 = x0 + min(3 * bytes, last), end = bytes - 16;
  let m0 = v128.load(x0 + end), m1 = v128.load(x1 + end), m2 = v128.load(x2 + end), m3 = v128.load(x3 + end);
  for (let at: usize = 0; at < end; at += 16) {
    m0 = f32x4.pmax(m0, v128.load(x0 + at));
    m1 = f32x4.pmax(m1, v128.load(x1 + at));
    m2 = f32x4.pmax(m2, v128.load(x2 + at));
    m3 = f32x4.pmax(m3, v128.load(x3 + at));
  }
  const m01 = f32x4.pmax(interleaveLow(m0, m1), interleaveHigh(m0, m1));
  const m23 = f32x4.pmax(interleaveLow(m2, m3), interleaveHigh(m2, m3));
  return f32x4.pmax(lowHalves(m01, m23), highHalves(m01, m23));
}

/** The log-sum state of four rows, given MAXIMUM and, in the place of PREPARE, its exponential. */
// @ts-ignore: decorator
@inline
function logSums(x: usize, e: usize, n: usize, last: usize, state: usize, scratch: usize): void {
  const bytes = n << 2, row1 = min(bytes, last), row2 = min(2 * bytes, last), row3 = min(3 * bytes, last);
  const x1 = x + row1, x2 = x + row2, x3 = x + row3, f1 = e + row1, f2 = e + row2, f3 = e + row3;
  const m0 = v128.load32_splat(state, MAXIMUM), m1 = v128.load32_splat(state, MAXIMUM + 4);
  const m2 = v128.load32_splat(state, MAXIMUM + 8), m3 = v128.load32_splat(state, MAXIMUM + 12);
  let sum = f32x4.splat(0), low = sum, high = sum, equals = sum;
  // The last vector of a row ends with the row, so that nothing past it is read; `fresh` are its lanes that no other
  // vector has.
  const rest = n & 3, fresh = v128.not(tailMask<f32>(lanes<f32>() - rest));
  for (let at: usize = 0; at < bytes; at += 16) {
    const p = min(at, bytes - 16);
    let is0 = f32x4.eq(v128.load(x + p), m0), is1 = f32x4.eq(v128.load(x1 + p), m1);
    let is2 = f32x4.eq(v128.load(x2 + p), m2), is3 = f32x4.eq(v128.load(x3 + p), m3);
    let e0 = v128.load(e + p), e1 = v128.load(f1 + p), e2 = v128.load(f2 + p), e3 = v128.load(f3 + p);
    if (p < at) {
      is0 = v128.and(is0, fresh);
      is1 = v128.and(is1, fresh);
      is2 = v128.and(is2, fresh);
      is3 = v128.and(is3, fresh);
      e0 = v128.and(e0, fresh);
      e1 = v128.and(e1, fresh);
      e2 = v128.and(e2, fresh);
      e3 = v128.and(e3, fresh);
    }
    equals = i8x16.sub(equals, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(is0, is1), i16x8.narrow_i32x4_s(is2, is3)));
    e0 = v128.andnot(e0, is0);
    e1 = v128.andnot(e1, is1);
    e2 = v128.andnot(e2, is2);
    e3 = v128.andnot(e3, is3);
    const low01 = interleaveLow(e0, e1), low23 = interleaveLow(e2, e3);
    const high01 = interleaveHigh(e0, e1), high23 = interleaveHigh(e2, e3);
    let s = f32x4.add(lowHalves(low01, low23), highHalves(low01, low23));
    s = f32x4.add(f32x4.add(s, lowHalves(high01, high23)), highHalves(high01, high23));
    if (n <= EXP_PLAIN_LINES) {
      sum = f32x4.add(sum, s);
    } else {
      low = f64x2.add(low, promoteLow(s));
      high = f64x2.add(high, promoteHigh(s));
    }
  }
  if (n > EXP_PLAIN_LINES) sum = demote(low, high);
  const count = f32x4.convert_i32x4_s(i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(equals)));
  storeLogSum<f32>(true, sum, count, v128.load(state, PREPARE), oneVector<f32>(scratch), state);
}

/** y = (x − MAXIMUM) / t − LOG_SUM of each row; y may be x. */
export function shortLogSoftmax(x: usize, y: usize, rows: usize, n: usize, t: f64, scratch: usize): void {
  const bytes = n << 2, half = f32x4.splat(0.5), factor = f32x4.splat(<f32>(2.0 / t));
  for (const end = scratch + (rows << 2); scratch < end; scratch += 4, x += bytes, y += bytes) {
    const m = f32x4.mul(v128.load32_splat(scratch, MAXIMUM), half), logSum = v128.load32_splat(scratch, LOG_SUM);
    const last = f32x4.mul(v128.load(x + bytes - 16), half);
    for (let at: usize = 0; at < bytes - 16; at += 16) {
      const d = f32x4.sub(f32x4.mul(v128.load(x + at), half), m);
      v128.store(y + at, f32x4.sub(f32x4.mul(d, factor), logSum));
    }
    v128.store(y + bytes - 16, f32x4.sub(f32x4.mul(f32x4.sub(last, m), factor), logSum));
  }
}
