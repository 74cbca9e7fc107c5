// Transposed blocks: rows side by side, each in a lane of its own, gathered into scratch and scattered from there.
//
// A block is n lines of LINE_BYTES; line j holds element j of each row. Rows are strided (any axis but the last: a line
// is a piece of a matrix row) or contiguous (the last axis: short rows, transposed). The copy is compact because rows
// whose stride is a power of two evict each other from the cache. A line has four vectors; those at the same place in
// every line are a column of the block. Lanes past the last row hold something harmless.

import { MAX_SHIFTED, UNSHIFTED } from "../math/exp";
import { FACTOR, LINE_BYTES } from "../scratch";
import { BLOCK_ROWS, addressOf } from "../shape";
import { lanes } from "../simd/lanes";
import { rangeHolds, rangeJoin, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, storeTail } from "../simd/tail";
import {
  evenLanes, interleaveHigh, interleaveLow, join2, join3, oddLanes, split2, split3, storeTransposed
} from "../simd/transpose";
import { columnRange } from "./reduce";

/**
 * Fills a block with rows of [outer, n, inner], from row `first` on. Returns UNSHIFTED if every |x| ≤ limit, else
 * MAX_SHIFTED.
 */
// @ts-ignore: decorator
@inline
export function gather<T>(
  x: usize, n: usize, inner: usize, first: usize, rows: usize, block: usize, limit: T
): i32 {
  const from = addressOf<T>(x, n, inner, first);
  const inRange = inner == 1
    ? gatherContiguous<T>(from, block, n, rows, limit)
    : gatherStrided<T>(from, inner * sizeof<T>(), block, n, rows, limit);
  return inRange ? UNSHIFTED : MAX_SHIFTED;
}

/** Fills a block with rows whose elements are `stride` bytes apart. Returns whether every |x| ≤ limit. */
function gatherStrided<T>(x: usize, stride: usize, block: usize, n: usize, rows: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = rows % lanes<T>(), whole = (rows - rest) * sizeof<T>();
  const end = block + n * LINE_BYTES;
  let r0 = rangeStart<T>(), r1 = r0, r2 = r0, r3 = r0;
  if (whole == LINE_BYTES) {
    for (; block < end; block += LINE_BYTES, x += stride) {
      const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
      r0 = rangeStep<T>(r0, v0, mask, bound);
      r1 = rangeStep<T>(r1, v1, mask, bound);
      r2 = rangeStep<T>(r2, v2, mask, bound);
      r3 = rangeStep<T>(r3, v3, mask, bound);
      v128.store(block, v0);
      v128.store(block, v1, 16);
      v128.store(block, v2, 32);
      v128.store(block, v3, 48);
    }
    return rangeHolds<T>(rangeJoin<T>(rangeJoin<T>(r0, r1), rangeJoin<T>(r2, r3)), bound);
  }
  for (; block < end; block += LINE_BYTES, x += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      const v = v128.load(x + at);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(block + at, v);
    }
    if (rest) {
      const v = loadTail<T>(x + whole, rest);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(block + whole, v);
    }
  }
  return rangeHolds<T>(r0, bound);
}

/**
 * Fills a block with contiguous rows, transposed column by column, lanes<T> rows each. Lanes past the last row repeat
 * it. Returns whether every |x| ≤ limit.
 */
function gatherContiguous<T>(x: usize, block: usize, n: usize, rows: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const bytes = n * sizeof<T>();
  if (sizeof<T>() == 4 && rows == BLOCK_ROWS<T>() && (n == 2 || n == 3)) {
    return gatherPairsOrTriples(x, block, n, <f32>limit);
  }
  let range = rangeStart<T>();
  for (let first: usize = 0; first < rows; first += lanes<T>(), block += 16) {
    const last = x + (rows - 1) * bytes;
    const x0 = x + first * bytes, x1 = min(x0 + bytes, last);
    const x2 = min(x0 + 2 * bytes, last), x3 = min(x0 + 3 * bytes, last);
    let t = block;
    let at: usize = 0;
    if (sizeof<T>() == 4) {
      for (; at + 16 <= bytes; at += 16, t += 4 * LINE_BYTES) {
        const r0 = v128.load(x0 + at), r1 = v128.load(x1 + at), r2 = v128.load(x2 + at), r3 = v128.load(x3 + at);
        range = rangeStep<T>(range, r0, mask, bound);
        range = rangeStep<T>(range, r1, mask, bound);
        range = rangeStep<T>(range, r2, mask, bound);
        range = rangeStep<T>(range, r3, mask, bound);
        storeTransposed(r0, r1, r2, r3, t, t + LINE_BYTES, t + 2 * LINE_BYTES, t + 3 * LINE_BYTES, 4);
      }
      if (at + 8 <= bytes) {
        const a = v128.load_lane<i64>(x1 + at, v128.load_zero<i64>(x0 + at), 1);
        const b = v128.load_lane<i64>(x3 + at, v128.load_zero<i64>(x2 + at), 1);
        const first = evenLanes(a, b), second = oddLanes(a, b);
        range = rangeStep<T>(range, first, mask, bound);
        range = rangeStep<T>(range, second, mask, bound);
        v128.store(t, first);
        v128.store(t + LINE_BYTES, second);
        at += 8;
        t += 2 * LINE_BYTES;
      }
      for (; at < bytes; at += 4, t += LINE_BYTES) {
        let v = v128.load_zero<f32>(x0 + at);
        v = v128.load_lane<f32>(x1 + at, v, 1);
        v = v128.load_lane<f32>(x2 + at, v, 2);
        v = v128.load_lane<f32>(x3 + at, v, 3);
        range = rangeStep<T>(range, v, mask, bound);
        v128.store(t, v);
      }
    } else {
      for (; at < bytes; at += 8, t += LINE_BYTES) {
        const v = v128.load_lane<f64>(x1 + at, v128.load_zero<f64>(x0 + at), 1);
        range = rangeStep<T>(range, v, mask, bound);
        v128.store(t, v);
      }
    }
  }
  return rangeHolds<T>(range, bound);
}

/** gatherContiguous for a whole block of pairs or triples. */
function gatherPairsOrTriples(x: usize, block: usize, n: usize, limit: f32): bool {
  if (n == 2) split2(x, block, LINE_BYTES, BLOCK_ROWS<f32>());
  else split3(x, block, LINE_BYTES, BLOCK_ROWS<f32>());
  let inRange = i32x4.splat(-1);
  for (let at: usize = 0; at < LINE_BYTES; at += 16) {
    inRange = v128.and(inRange, columnRange<f32>(block + at, n, limit));
  }
  return i32x4.all_true(inRange);
}

/** Writes the rows of a block, each times its FACTOR, to [outer, n, inner]. */
// @ts-ignore: decorator
@inline
export function scatter<T>(
  block: usize, y: usize, n: usize, inner: usize, first: usize, rows: usize, scratch: usize
): void {
  const to = addressOf<T>(y, n, inner, first);
  if (inner == 1) scatterContiguous<T>(block, to, n, rows, scratch);
  else scatterStrided<T>(block, to, inner * sizeof<T>(), n, rows, scratch);
}

/** scatter for rows whose elements are `stride` bytes apart. */
export function scatterStrided<T>(
  block: usize, y: usize, stride: usize, n: usize, rows: usize, scratch: usize
): void {
  const rest = rows % lanes<T>(), whole = (rows - rest) * sizeof<T>();
  const factors = scratch + FACTOR, end = block + n * LINE_BYTES;
  if (whole == LINE_BYTES) {
    const f0 = v128.load(factors), f1 = v128.load(factors, 16), f2 = v128.load(factors, 32);
    const f3 = v128.load(factors, 48);
    for (; block < end; block += LINE_BYTES, y += stride) {
      v128.store(y, v128.mul<T>(v128.load(block), f0));
      v128.store(y, v128.mul<T>(v128.load(block, 16), f1), 16);
      v128.store(y, v128.mul<T>(v128.load(block, 32), f2), 32);
      v128.store(y, v128.mul<T>(v128.load(block, 48), f3), 48);
    }
    return;
  }
  for (; block < end; block += LINE_BYTES, y += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(y + at, v128.mul<T>(v128.load(block + at), v128.load(factors + at)));
    }
    if (rest) storeTail<T>(y + whole, v128.mul<T>(v128.load(block + whole), v128.load(factors + whole)), rest);
  }
}

/** scatter for contiguous rows. */
function scatterContiguous<T>(block: usize, y: usize, n: usize, rows: usize, scratch: usize): void {
  if (sizeof<T>() == 4 && rows == BLOCK_ROWS<T>() && (n == 2 || n == 3)) {
    scatterPairsOrTriples(block, y, n, scratch);
    return;
  }
  const bytes = n * sizeof<T>();
  let factors = scratch + FACTOR;
  for (let first: usize = 0; first < rows; first += lanes<T>(), block += 16, factors += 16) {
    const f = v128.load(factors);
    const y0 = y + first * bytes;
    const count = rows - first;
    if (sizeof<T>() == 4) scatterFour(block, y0, bytes, count, f);
    else scatterTwo(block, y0, bytes, count, f);
  }
}

/** scatterContiguous for a whole block of pairs or triples. */
function scatterPairsOrTriples(block: usize, y: usize, n: usize, scratch: usize): void {
  for (let at: usize = 0; at < LINE_BYTES; at += 16) {
    const f = v128.load(scratch + at, FACTOR);
    for (let p = block + at, end = p + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      v128.store(p, f32x4.mul(v128.load(p), f));
    }
  }
  if (n == 2) join2(block, LINE_BYTES, y, BLOCK_ROWS<f32>());
  else join3(block, LINE_BYTES, y, BLOCK_ROWS<f32>());
}

// @ts-ignore: decorator
@inline
function scatterFour(t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  const y1 = y0 + bytes, y2 = y1 + bytes, y3 = y2 + bytes;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16, t += 4 * LINE_BYTES) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + LINE_BYTES), f);
    const e2 = f32x4.mul(v128.load(t + 2 * LINE_BYTES), f), e3 = f32x4.mul(v128.load(t + 3 * LINE_BYTES), f);
    storeTransposed(e0, e1, e2, e3, y0 + at, y1 + at, y2 + at, y3 + at, count);
  }
  if (at + 8 <= bytes) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + LINE_BYTES), f);
    const a = interleaveLow(e0, e1), b = interleaveHigh(e0, e1);
    v128.store_lane<i64>(y0 + at, a, 0);
    if (count > 1) v128.store_lane<i64>(y1 + at, a, 1);
    if (count > 2) v128.store_lane<i64>(y2 + at, b, 0);
    if (count > 3) v128.store_lane<i64>(y3 + at, b, 1);
    at += 8;
    t += 2 * LINE_BYTES;
  }
  for (; at < bytes; at += 4, t += LINE_BYTES) {
    const e = f32x4.mul(v128.load(t), f);
    v128.store_lane<f32>(y0 + at, e, 0);
    if (count > 1) v128.store_lane<f32>(y1 + at, e, 1);
    if (count > 2) v128.store_lane<f32>(y2 + at, e, 2);
    if (count > 3) v128.store_lane<f32>(y3 + at, e, 3);
  }
}

// @ts-ignore: decorator
@inline
function scatterTwo(t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  for (let at: usize = 0; at < bytes; at += 8, t += LINE_BYTES) {
    const e = f64x2.mul(v128.load(t), f);
    v128.store_lane<f64>(y0 + at, e, 0);
    if (count > 1) v128.store_lane<f64>(y0 + bytes + at, e, 1);
  }
}
