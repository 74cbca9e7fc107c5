// accuracy: how many rows of [outer, n, inner] have their target among the k largest, ranked as topK ranks. The number
// is added to the i32 at hits.
//
// A target has rank k or more if k elements come before it: larger ones, equal ones ahead of it, and NaN, which is the
// largest of all. The loops count the opposite: elements ahead of the target that are below it, and elements from the
// target on that are not above it. Comparisons with NaN fail, so a NaN counts as above; a target that is NaN is ranked
// apart.
// targets: i32 indices, −1 where ignored. hits overlaps with nothing. Nothing is rounded.

import { gather } from "../../blocks/gather";
import { checkApart, checkArray, checkOutside, checkScratch, scratchBytes } from "../../contracts";
import { HEADER_BYTES, LINE_BYTES, TEMPORARY } from "../../scratch";
import { columnsOf, isShort, rowsInBlock, usesRowForm } from "../../shape";
import { select } from "../../simd/arch";
import { addIntegers, lanes, ones, subIntegers } from "../../simd/lanes";

export function accuracy<T>(
  x: usize, targets: usize, outer: usize, n: usize, inner: usize, k: usize, hits: usize, scratch: usize
): void {
  checkArray<T>(x, outer * n * inner);
  checkArray<i32>(targets, outer * inner);
  checkArray<i32>(hits, 1);
  checkApart(hits, 4, x, outer * n * inner * sizeof<T>());
  checkApart(hits, 4, targets, (outer * inner) << 2);
  const size = scratchBytes(n, inner);
  checkScratch(scratch, size);
  checkOutside(scratch, size, x, outer * n * inner * sizeof<T>());
  checkOutside(scratch, size, targets, (outer * inner) << 2);
  checkOutside(scratch, size, hits, 4);
  let found: usize = 0;
  if (usesRowForm<T>(n, inner)) found = rowForm<T>(x, targets, outer, n, k);
  else if (isShort<T>(n, inner)) found = shortForm(x, targets, outer, n, k);
  else found = blockForm<T>(x, targets, outer, n, inner, k, scratch);
  store<i32>(hits, load<i32>(hits) + <i32>found);
}

function rowForm<T>(x: usize, targets: usize, count: usize, n: usize, k: usize): usize {
  let found: usize = 0;
  for (const end = targets + (count << 2); targets < end; targets += 4, x += n * sizeof<T>()) {
    const target = load<i32>(targets);
    if (target < 0) continue;
    const targetAt = x + target * sizeof<T>();
    const rank = isNaN<T>(load<T>(targetAt))
      ? nansAhead<T>(x, sizeof<T>(), target)
      : n - below<T>(x, target, targetAt) - notAbove<T>(targetAt, n - target, targetAt);
    found += <usize>(rank < k);
  }
  return found;
}

/** How many of the first `count` elements, `stride` bytes apart, are NaN: the rank of a NaN behind them. */
function nansAhead<T>(x: usize, stride: usize, count: usize): usize {
  let found: usize = 0;
  for (let i: usize = 0; i < count; i++, x += stride) found += <usize>isNaN<T>(load<T>(x));
  return found;
}

/** How many elements are below the one at `targetAt`. */
function below<T>(x: usize, n: usize, targetAt: usize): usize {
  return count<T>(false, x, n, targetAt);
}

/** How many elements are not above the one at `targetAt`, and not NaN. */
function notAbove<T>(x: usize, n: usize, targetAt: usize): usize {
  return count<T>(true, x, n, targetAt);
}

/** `equal`, whether equal elements count, is a literal. */
// @ts-ignore: decorator
@inline
function count<T>(equal: bool, x: usize, n: usize, targetAt: usize): usize {
  const value = v128.load_splat<T>(targetAt);
  const end = x + n * sizeof<T>(), end4 = x + ((n * sizeof<T>()) & ~63);
  let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
  for (; x < end4; x += 64) {
    c0 = subIntegers<T>(c0, compare<T>(equal, v128.load(x), value));
    c1 = subIntegers<T>(c1, compare<T>(equal, v128.load(x, 16), value));
    c2 = subIntegers<T>(c2, compare<T>(equal, v128.load(x, 32), value));
    c3 = subIntegers<T>(c3, compare<T>(equal, v128.load(x, 48), value));
  }
  let found = total<T>(addIntegers<T>(addIntegers<T>(c0, c1), addIntegers<T>(c2, c3)));
  for (const v = load<T>(targetAt); x < end; x += sizeof<T>()) {
    found += <usize>(equal ? load<T>(x) <= v : load<T>(x) < v);
  }
  return found;
}

// @ts-ignore: decorator
@inline
function compare<T>(equal: bool, a: v128, b: v128): v128 {
  return equal ? v128.le<T>(a, b) : v128.lt<T>(a, b);
}

/** Sum of the integer lanes. */
// @ts-ignore: decorator
@inline
function total<T>(v: v128): usize {
  if (sizeof<T>() == 8) return <usize>(i64x2.extract_lane(v, 0) + i64x2.extract_lane(v, 1));
  return (
    i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + (i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3))
  );
}

/** Rows of f32 of a vector or more, and no more elements than an integer has bits: a bit for each of them. */
function shortForm(x: usize, targets: usize, count: usize, n: usize, k: usize): usize {
  let found: usize = 0;
  for (const end = targets + (count << 2); targets < end; targets += 4, x += n << 2) {
    const target = load<i32>(targets);
    if (target < 0) continue;
    const targetLogit = v128.load32_splat(x + (target << 2));
    let below: u64 = 0, notAbove: u64 = 0;
    // The last vector ends with the row and may overlap the one before it: both write the same values.
    for (let i: usize = 0; i < n; i += 4) {
      const first = min(i, n - 4), v = v128.load(x + (first << 2));
      below |= <u64>i32x4.bitmask(f32x4.lt(v, targetLogit)) << first;
      notAbove |= <u64>i32x4.bitmask(f32x4.le(v, targetLogit)) << first;
    }
    const behind = below | (notAbove >> target << target);
    const isANumber = !isNaN<f32>(f32x4.extract_lane(targetLogit, 0));
    found += <usize>((isANumber ? n - <usize>popcnt<u64>(behind) : nansAhead<f32>(x, 4, target)) < k);
  }
  return found;
}

// @ts-ignore: decorator
@inline
function blockForm<T>(
  x: usize, targets: usize, outer: usize, n: usize, inner: usize, k: usize, scratch: usize
): usize {
  const block = scratch + HEADER_BYTES;
  let rows: usize = 0, found: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows, targets += rows << 2) {
    rows = rowsInBlock<T>(first, outer, inner);
    gather<T>(x, n, inner, first, rows, block, 0);
    for (let column: usize = 0; column < columnsOf<T>(rows); column++) {
      const done = column * lanes<T>(), count = min(lanes<T>(), rows - done);
      found += columnHits<T>(block + (column << 4), n, targets + (done << 2), count, k, scratch + TEMPORARY);
    }
  }
  return found;
}

/** Hits among the `count` rows in a column of a block. `lanesAt` has room for three vectors. */
// @ts-ignore: decorator
@inline
function columnHits<T>(block: usize, n: usize, targets: usize, count: usize, k: usize, lanesAt: usize): usize {
  for (let lane: usize = 0; lane < lanes<T>(); lane++) {
    const target = lane < count ? max(load<i32>(targets + (lane << 2)), 0) : 0;
    const at = lane * sizeof<T>();
    store<T>(lanesAt + at, load<T>(block + <usize>target * LINE_BYTES + at));
    if (sizeof<T>() == 4) store<i32>(lanesAt + at, target, 16);
    else store<i64>(lanesAt + at, target, 16);
  }
  const targetLogits = v128.load(lanesAt), positions = v128.load(lanesAt, 16), one = ones<T>();
  let behind = i32x4.splat(0), i = behind, p = block;
  for (const end = block + n * LINE_BYTES; p < end; p += LINE_BYTES) {
    const v = v128.load(p);
    const isAhead = sizeof<T>() == 4 ? i32x4.gt_s(positions, i) : i64x2.gt_s(positions, i);
    behind = subIntegers<T>(behind, select<T>(v128.lt<T>(v, targetLogits), v128.le<T>(v, targetLogits), isAhead));
    i = addIntegers<T>(i, one);
  }
  v128.store(lanesAt, behind, 32);
  let found: usize = 0;
  for (let lane: usize = 0; lane < count; lane++) {
    const target = load<i32>(targets + (lane << 2)), at = lane * sizeof<T>();
    if (target < 0) continue;
    const rank = isNaN<T>(load<T>(lanesAt + at))
      ? nansAhead<T>(block + at, LINE_BYTES, target)
      : n - load<u32>(lanesAt + at, 32);
    found += <usize>(rank < k);
  }
  return found;
}
