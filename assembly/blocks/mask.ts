// The mask of a block: −∞ where it keeps nothing.

import { causalLength, hasArray, placeOf, stepOf } from "../mask";
import { CAREFUL, HOLES, fastLimit } from "../math/exp";
import { CAUSAL_LENGTHS, KEPT, LINE_BYTES, MASK_ADDRESSES, MASK_BYTES } from "../scratch";
import { TILE, columnsOf } from "../shape";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";

/**
 * Puts -∞ where a tile's problems, of which the first has this number, keep nothing; KEPT has all bits set in the lanes
 * of those that keep something. Returns the form of what is left.
 */
export function maskTile<T>(
  tile: usize, n: usize, first: usize, problems: usize, mask: usize, t: f64, scratch: usize
): i32 {
  preparePlaces<T>(n, first, problems, mask, scratch);
  const masked = hasArray(mask), step = stepOf(mask), width = columnsOf<T>(problems) << 4;
  const place = load<usize>(scratch, MASK_ADDRESSES);
  const shared = isRun<T>(scratch, 0), run = isRun<T>(scratch, 1);
  const limit = fastLimit<T>(t), bound = v128.splat<T>(limit), sign = signMask<T>();
  const none = v128.splat<T>(<T>(-Infinity));
  let range = rangeStart<T>(), bytes = i8x16.splat(-1);
  for (let at: usize = 0; at < width; at += 16) v128.store(scratch + at, i32x4.splat(0), KEPT);
  for (let j: usize = 0; j < n; j++, tile += LINE_BYTES) {
    if (masked) {
      if (shared) bytes = v128.load8_splat(place + j * step);
      else if (run) bytes = sizeof<T>() == 4 ? v128.load(place + j * step) : v128.load64_zero(place + j * step);
      else bytes = gatherBytes<T>(j * step, scratch);
      bytes = i8x16.ne(bytes, i8x16.splat(0));
    }
    let low = i16x8.extend_low_i8x16_s(bytes), high = i16x8.extend_high_i8x16_s(bytes);
    if (sizeof<T>() == 8) {
      high = i32x4.extend_high_i16x8_s(low);
      low = i32x4.extend_low_i16x8_s(low);
    }
    for (let at: usize = 0; at < width; at += 16) {
      const half = at < 32 ? low : high;
      let kept = sizeof<T>() == 4 ? i32x4.extend_low_i16x8_s(half) : i64x2.extend_low_i32x4_s(half);
      if (at & 16) kept = sizeof<T>() == 4 ? i32x4.extend_high_i16x8_s(half) : i64x2.extend_high_i32x4_s(half);
      kept = v128.and(kept, isBefore<T>(j, scratch + at));
      const x = v128.load(tile + at);
      range = rangeStep<T>(range, v128.and(x, kept), sign, bound);
      v128.store(tile + at, v128.bitselect(x, none, kept));
      v128.store(scratch + at, v128.or(v128.load(scratch + at, KEPT), kept), KEPT);
    }
  }
  // The form with holes is worth its bytes for f32 only.
  return sizeof<T>() == 4 && rangeHolds<T>(range, bound) ? HOLES : CAREFUL;
}

/** PLACES, where each problem's bytes of the mask begin, and LENGTHS, what causality keeps, for all of a tile's lanes. */
function preparePlaces<T>(n: usize, first: usize, problems: usize, mask: usize, scratch: usize): void {
  for (let i: usize = 0; i < TILE<T>(); i++) {
    // Missing problems repeat the last one.
    const problem = first + min(i, problems - 1);
    store<usize>(scratch + (i << 2), placeOf(mask, problem, 1), MASK_ADDRESSES);
    const length = causalLength(mask, problem, n);
    if (sizeof<T>() == 4) store<usize>(scratch + (i << 2), length, CAUSAL_LENGTHS);
    else store<u64>(scratch + (i << 3), length, CAUSAL_LENGTHS);
  }
}

/** Whether the places are `apart` bytes apart, all of them. */
function isRun<T>(scratch: usize, apart: usize): bool {
  for (let i: usize = 1; i < TILE<T>(); i++) {
    if (load<usize>(scratch + (i << 2), MASK_ADDRESSES) != load<usize>(scratch, MASK_ADDRESSES) + i * apart) return false;
  }
  return true;
}

/** The mask's bytes of one element of each problem. */
function gatherBytes<T>(offset: usize, scratch: usize): v128 {
  const bytes = scratch + MASK_BYTES;
  for (let i: usize = 0; i < TILE<T>(); i++) {
    store<u8>(bytes + i, load<u8>(load<usize>(scratch + (i << 2), MASK_ADDRESSES) + offset));
  }
  return v128.load(bytes);
}

/** Lanes whose problem is longer than j by causality. */
// @ts-ignore: decorator
@inline
function isBefore<T>(j: usize, scratch: usize): v128 {
  const lengths = v128.load(scratch, CAUSAL_LENGTHS);
  if (sizeof<T>() == 4) return i32x4.gt_s(lengths, i32x4.splat(<i32>j));
  return i64x2.gt_s(lengths, i64x2.splat(<i64>j));
}
