// Softmax of short contiguous rows of f32, many at a time: their exponentials in memory order, across the ends of rows,
// then each row divided by its sum. A transposed block would move every element twice more.
//
// Whether a row is computed here or in a block depends on its neighbours and must not change its bits: elements are
// added as blockSums adds them.

import { SOFTMAX_STEPS, normalLimit } from "../math/exp";
import { finishFour, reduceFour, storeFour } from "../math/exp-four";
import { oneVector } from "../math/exp-table";
import { widen } from "../math/sum";
import { HEADER_BYTES, PREPARE } from "../scratch";
import { laneSum, lanes } from "../simd/lanes";
import { rangeHolds, rangeOfFour, rangeStart } from "../simd/range";
import { loadTail, storeTail, tailMask } from "../simd/tail";
import { rowScale } from "./scale";

/** The most rows at a time: few enough for the fastest cache. */
export const SHORT_ROWS: usize = 64;

/** `count` rows of n > 1 elements; y may be x. Returns false, and writes nothing to y, unless every |x| ≤ normalLimit. */
export function shortRows(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): bool {
  const e = scratch + HEADER_BYTES;
  if (!expElements(SOFTMAX_STEPS<f32>(), x, e, count * n, normalLimit(t, n), scratch)) return false;
  if (n == 2) dividePairs(e, y, count, scratch);
  else if (n == 3) divideTriples(e, y, count, scratch);
  else divideRows(e, y, count, n);
  return true;
}

/**
 * y = e^(x / t), reduced in `steps`, a literal; up to 64 bytes behind y may be written. Returns whether every
 * |x| ≤ limit.
 */
// @ts-ignore: decorator
@inline
export function expElements(steps: i32, x: usize, y: usize, count: usize, limit: f32, scratch: usize): bool {
  const bound = f32x4.splat(limit), end = x + (count << 2);
  let range = rangeStart<f32>();
  for (; x < end; x += 64, y += 64) {
    const p = end - x >= 64 ? x : padded(x, (end - x) >> 2, scratch + PREPARE);
    reduceFour(steps, p, 16, scratch);
    range = rangeOfFour(range, p, 16, bound);
    finishFour(false, scratch);
    storeFour(y, 16);
  }
  return rangeHolds<f32>(range, bound);
}

/** A copy of up to 15 elements, and zeros up to 16. */
function padded(x: usize, count: usize, copy: usize): usize {
  for (let at: usize = 0; at < 64; at += 16, x += 16, count -= min(count, 4)) {
    v128.store(copy + at, count >= 4 ? v128.load(x) : count ? loadTail<f32>(x, count) : f32x4.splat(0));
  }
  return copy;
}

/** y = e divided by the sums of its rows. Stores that reach into the next row come before that row's. */
function divideRows(e: usize, y: usize, count: usize, n: usize): void {
  const bytes = n << 2, groups = bytes & ~31, rest = n & 7;
  const first = tailMask<f32>(min(rest, lanes<f32>())), second = tailMask<f32>(max(rest, lanes<f32>()) - lanes<f32>());
  for (; count; count--, e += bytes, y += bytes) {
    let sums = f64x2.splat(0), p = e;
    for (const end = e + groups; p < end; p += 32) {
      sums = f64x2.add(sums, widen<f32>(f32x4.add(v128.load(p), v128.load(p, 16))));
    }
    if (rest) {
      const s = f32x4.add(v128.and(v128.load(p), first), v128.and(v128.load(p, 16), second));
      sums = f64x2.add(sums, widen<f32>(s));
    }
    const factor = <f32>(1 / laneSum<f64>(sums));
    if (count == 1) {
      rowScale<f32>(e, y, n, factor);
      return;
    }
    const f = f32x4.splat(factor);
    for (let at: usize = 0; at < bytes; at += 16) v128.store(y + at, f32x4.mul(v128.load(e + at), f));
  }
}

function dividePairs(e: usize, y: usize, count: usize, scratch: usize): void {
  const one = oneVector<f32>(scratch);
  for (const end = y + (count << 3); y < end; y += 16, e += 16) {
    const v = v128.load(e);
    const p = f32x4.mul(v, f32x4.div(one, f32x4.add(v, v128.shuffle<i32>(v, v, 1, 0, 3, 2))));
    if (end - y >= 16) v128.store(y, p);
    else storeTail<f32>(y, p, 2);
  }
}

/** Four triples are three vectors. */
function divideTriples(e: usize, y: usize, count: usize, scratch: usize): void {
  const one = oneVector<f32>(scratch), start = e;
  for (const end = e + count * 12; e < end; e += 48) {
    const v0 = v128.load(e), v1 = v128.load(e, 16), v2 = v128.load(e, 32);
    const a = v128.shuffle<i32>(v128.shuffle<i32>(v0, v1, 0, 3, 6, 6), v2, 0, 1, 2, 5);
    const b = v128.shuffle<i32>(v128.shuffle<i32>(v0, v1, 1, 4, 7, 7), v2, 0, 1, 2, 6);
    const c = v128.shuffle<i32>(v128.shuffle<i32>(v0, v1, 2, 5, 5, 5), v2, 0, 1, 4, 7);
    const f = f32x4.div(one, f32x4.add(f32x4.add(a, b), c));
    v128.store(e, f32x4.mul(v0, v128.shuffle<i32>(f, f, 0, 0, 0, 1)));
    v128.store(e, f32x4.mul(v1, v128.shuffle<i32>(f, f, 1, 1, 2, 2)), 16);
    v128.store(e, f32x4.mul(v2, v128.shuffle<i32>(f, f, 2, 3, 3, 3)), 32);
  }
  memory.copy(y, start, count * 12);
}
