// Transposed blocks: rows side by side, each in a lane of its own, gathered into scratch and scattered to where they belong.
//
// A block is a compact copy, n lines of LINE_BYTES: line j has element j of each row. The rows are columns of a matrix (any
// axis but the last) or short rows, transposed. Compact, because columns whose distance is a power of two fall on each
// other in the cache. A line has four vectors ("columns" of the block); lanes past the rows at hand hold something harmless.

import { CAREFUL, FAST } from "../math/exp";
import { FACTOR, LINE_BYTES } from "../scratch";
import { TILE, addressOf } from "../shape";
import { lanes } from "../simd/lanes";
import { rangeHolds, rangeJoin, rangeStart, rangeStep, signMask } from "../simd/range";
import { loadTail, storeTail } from "../simd/tail";
import { join2, join3, split2, split3 } from "../simd/transpose";
import { tileRange } from "./reduce";

/** Fills a tile with problems of [outer, n, inner]. Returns the form: fast when every |x| is at most limit. */
// @ts-ignore: decorator
@inline
export function gather<T>(
  x: usize, n: usize, inner: usize, first: usize, problems: usize, tile: usize, limit: T
): i32 {
  const from = addressOf<T>(x, n, inner, first);
  const inRange = inner == 1
    ? gatherRows<T>(from, tile, n, problems, limit)
    : gatherColumns<T>(from, inner * sizeof<T>(), tile, n, problems, limit);
  return inRange ? FAST : CAREFUL;
}

/**
 * Fills a tile with `problems` columns of a matrix whose rows are `stride` bytes apart.
 * Returns whether every |x| is at most limit.
 */
function gatherColumns<T>(x: usize, stride: usize, tile: usize, n: usize, problems: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const rest = problems % lanes<T>(), whole = (problems - rest) * sizeof<T>();
  const end = tile + n * LINE_BYTES;
  let r0 = rangeStart<T>(), r1 = r0, r2 = r0, r3 = r0;
  if (whole == LINE_BYTES) {
    for (; tile < end; tile += LINE_BYTES, x += stride) {
      const v0 = v128.load(x), v1 = v128.load(x, 16), v2 = v128.load(x, 32), v3 = v128.load(x, 48);
      r0 = rangeStep<T>(r0, v0, mask, bound);
      r1 = rangeStep<T>(r1, v1, mask, bound);
      r2 = rangeStep<T>(r2, v2, mask, bound);
      r3 = rangeStep<T>(r3, v3, mask, bound);
      v128.store(tile, v0);
      v128.store(tile, v1, 16);
      v128.store(tile, v2, 32);
      v128.store(tile, v3, 48);
    }
    return rangeHolds<T>(rangeJoin<T>(rangeJoin<T>(r0, r1), rangeJoin<T>(r2, r3)), bound);
  }
  for (; tile < end; tile += LINE_BYTES, x += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      const v = v128.load(x + at);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(tile + at, v);
    }
    if (rest) {
      const v = loadTail<T>(x + whole, rest);
      r0 = rangeStep<T>(r0, v, mask, bound);
      v128.store(tile + whole, v);
    }
  }
  return rangeHolds<T>(r0, bound);
}

/**
 * Fills a tile with `problems` rows of n elements, transposed: vector by vector of the tile, lanes<T> rows each.
 * Missing rows repeat the last one. Returns whether every |x| is at most limit.
 */
function gatherRows<T>(x: usize, tile: usize, n: usize, problems: usize, limit: T): bool {
  const bound = v128.splat<T>(limit), mask = signMask<T>();
  const bytes = n * sizeof<T>();
  if (sizeof<T>() == 4 && problems == TILE<T>() && (n == 2 || n == 3)) return gatherFewRows(x, tile, n, <f32>limit);
  let range = rangeStart<T>();
  for (let first: usize = 0; first < problems; first += lanes<T>(), tile += 16) {
    const last = x + (problems - 1) * bytes;
    const x0 = x + first * bytes, x1 = min(x0 + bytes, last);
    const x2 = min(x0 + 2 * bytes, last), x3 = min(x0 + 3 * bytes, last);
    let t = tile;
    let at: usize = 0;
    if (sizeof<T>() == 4) {
      for (; at + 16 <= bytes; at += 16, t += 4 * LINE_BYTES) {
        const r0 = v128.load(x0 + at), r1 = v128.load(x1 + at), r2 = v128.load(x2 + at), r3 = v128.load(x3 + at);
        range = rangeStep<T>(range, r0, mask, bound);
        range = rangeStep<T>(range, r1, mask, bound);
        range = rangeStep<T>(range, r2, mask, bound);
        range = rangeStep<T>(range, r3, mask, bound);
        const low01 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), high01 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
        const low23 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5), high23 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
        v128.store(t, v128.shuffle<i64>(low01, low23, 0, 2));
        v128.store(t + LINE_BYTES, v128.shuffle<i64>(low01, low23, 1, 3));
        v128.store(t + 2 * LINE_BYTES, v128.shuffle<i64>(high01, high23, 0, 2));
        v128.store(t + 3 * LINE_BYTES, v128.shuffle<i64>(high01, high23, 1, 3));
      }
      if (at + 8 <= bytes) {
        const a = v128.load_lane<i64>(x1 + at, v128.load_zero<i64>(x0 + at), 1);
        const b = v128.load_lane<i64>(x3 + at, v128.load_zero<i64>(x2 + at), 1);
        const first = v128.shuffle<i32>(a, b, 0, 2, 4, 6), second = v128.shuffle<i32>(a, b, 1, 3, 5, 7);
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

/** gatherRows for a whole tile of pairs or triples. */
function gatherFewRows(x: usize, tile: usize, n: usize, limit: f32): bool {
  if (n == 2) split2(x, tile, LINE_BYTES, TILE<f32>());
  else split3(x, tile, LINE_BYTES, TILE<f32>());
  let inRange = i32x4.splat(-1);
  for (let at: usize = 0; at < LINE_BYTES; at += 16) inRange = v128.and(inRange, tileRange<f32>(tile + at, n, limit));
  return i32x4.all_true(inRange);
}

/** Writes the problems of a tile, each times its factor, to [outer, n, inner]. */
// @ts-ignore: decorator
@inline
export function scatter<T>(
  tile: usize, y: usize, n: usize, inner: usize, first: usize, problems: usize, scratch: usize
): void {
  const to = addressOf<T>(y, n, inner, first);
  if (inner == 1) scatterRows<T>(tile, to, n, problems, scratch);
  else scatterColumns<T>(tile, to, inner * sizeof<T>(), n, problems, scratch);
}

/** Writes a tile's columns, each times its factor, where gatherColumns found them. */
function scatterColumns<T>(
  tile: usize, y: usize, stride: usize, n: usize, problems: usize, scratch: usize
): void {
  const rest = problems % lanes<T>(), whole = (problems - rest) * sizeof<T>();
  const factors = scratch + FACTOR, end = tile + n * LINE_BYTES;
  if (whole == LINE_BYTES) {
    const f0 = v128.load(factors), f1 = v128.load(factors, 16), f2 = v128.load(factors, 32);
    const f3 = v128.load(factors, 48);
    for (; tile < end; tile += LINE_BYTES, y += stride) {
      v128.store(y, v128.mul<T>(v128.load(tile), f0));
      v128.store(y, v128.mul<T>(v128.load(tile, 16), f1), 16);
      v128.store(y, v128.mul<T>(v128.load(tile, 32), f2), 32);
      v128.store(y, v128.mul<T>(v128.load(tile, 48), f3), 48);
    }
    return;
  }
  for (; tile < end; tile += LINE_BYTES, y += stride) {
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(y + at, v128.mul<T>(v128.load(tile + at), v128.load(factors + at)));
    }
    if (rest) storeTail<T>(y + whole, v128.mul<T>(v128.load(tile + whole), v128.load(factors + whole)), rest);
  }
}

/** Writes a tile's problems, each times its factor, as the rows that gatherRows found. */
function scatterRows<T>(tile: usize, y: usize, n: usize, problems: usize, scratch: usize): void {
  if (sizeof<T>() == 4 && problems == TILE<T>() && (n == 2 || n == 3)) {
    scatterFewRows(tile, y, n, scratch);
    return;
  }
  const bytes = n * sizeof<T>();
  let factors = scratch + FACTOR;
  for (let first: usize = 0; first < problems; first += lanes<T>(), tile += 16, factors += 16) {
    const f = v128.load(factors);
    const y0 = y + first * bytes;
    const count = problems - first;
    if (sizeof<T>() == 4 && count >= 4) scatterFourRows(true, tile, y0, bytes, count, f);
    else if (sizeof<T>() == 4) scatterFourRows(false, tile, y0, bytes, count, f);
    else scatterTwoRows(tile, y0, bytes, count, f);
  }
}

/** scatterRows for a whole tile of pairs or triples. */
function scatterFewRows(tile: usize, y: usize, n: usize, scratch: usize): void {
  for (let at: usize = 0; at < LINE_BYTES; at += 16) {
    const f = v128.load(scratch + at, FACTOR);
    for (let p = tile + at, end = p + n * LINE_BYTES; p < end; p += LINE_BYTES) {
      v128.store(p, f32x4.mul(v128.load(p), f));
    }
  }
  if (n == 2) join2(tile, LINE_BYTES, y, TILE<f32>());
  else join3(tile, LINE_BYTES, y, TILE<f32>());
}

// @ts-ignore: decorator
@inline
function scatterFourRows(all: bool, t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  const y1 = y0 + bytes, y2 = y1 + bytes, y3 = y2 + bytes;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16, t += 4 * LINE_BYTES) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + LINE_BYTES), f);
    const e2 = f32x4.mul(v128.load(t + 2 * LINE_BYTES), f), e3 = f32x4.mul(v128.load(t + 3 * LINE_BYTES), f);
    const low01 = v128.shuffle<i32>(e0, e1, 0, 4, 1, 5), high01 = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    const low23 = v128.shuffle<i32>(e2, e3, 0, 4, 1, 5), high23 = v128.shuffle<i32>(e2, e3, 2, 6, 3, 7);
    v128.store(y0 + at, v128.shuffle<i64>(low01, low23, 0, 2));
    if (all || count > 1) v128.store(y1 + at, v128.shuffle<i64>(low01, low23, 1, 3));
    if (all || count > 2) v128.store(y2 + at, v128.shuffle<i64>(high01, high23, 0, 2));
    if (all || count > 3) v128.store(y3 + at, v128.shuffle<i64>(high01, high23, 1, 3));
  }
  if (at + 8 <= bytes) {
    const e0 = f32x4.mul(v128.load(t), f), e1 = f32x4.mul(v128.load(t + LINE_BYTES), f);
    const a = v128.shuffle<i32>(e0, e1, 0, 4, 1, 5), b = v128.shuffle<i32>(e0, e1, 2, 6, 3, 7);
    v128.store_lane<i64>(y0 + at, a, 0);
    if (all || count > 1) v128.store_lane<i64>(y1 + at, a, 1);
    if (all || count > 2) v128.store_lane<i64>(y2 + at, b, 0);
    if (all || count > 3) v128.store_lane<i64>(y3 + at, b, 1);
    at += 8;
    t += 2 * LINE_BYTES;
  }
  for (; at < bytes; at += 4, t += LINE_BYTES) {
    const e = f32x4.mul(v128.load(t), f);
    v128.store_lane<f32>(y0 + at, e, 0);
    if (all || count > 1) v128.store_lane<f32>(y1 + at, e, 1);
    if (all || count > 2) v128.store_lane<f32>(y2 + at, e, 2);
    if (all || count > 3) v128.store_lane<f32>(y3 + at, e, 3);
  }
}

// @ts-ignore: decorator
@inline
function scatterTwoRows(t: usize, y0: usize, bytes: usize, count: usize, f: v128): void {
  for (let at: usize = 0; at < bytes; at += 8, t += LINE_BYTES) {
    const e = f64x2.mul(v128.load(t), f);
    v128.store_lane<f64>(y0 + at, e, 0);
    if (count > 1) v128.store_lane<f64>(y0 + bytes + at, e, 1);
  }
}
