// What a mask and causality keep of each problem.
//
// Operands that broadcast stay as small as they are: a record says where the bytes of a problem begin. For a problem's
// number p, in the order of [outer, inner], that is ARRAY + Σ (p / (sizes before) % size) · stride over its axes, those
// behind first, and the problem's elements lie STEP apart. src/runtime/beside.ts writes records.
//
// Rows take the span from the first kept element to the last one and leave out what is outside of it: with a padding
// mask or causality nothing inside is left to be masked. Tiles take -∞ for what is not kept.

import { CAREFUL, EXP_BYTES, HOLES, fastLimit } from "../math/exp";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { KEPT, LENGTHS, PLACES, TILE, TILE_BYTES, columnsOf } from "./tile";

// A record: u32 each.
const ARRAY: usize = 0; // 0 where there is no mask
const FIRST: usize = 4; // number of the problem that the block at hand begins with
const STEP: usize = 8;
const CAUSAL_ROWS: usize = 12; // 0 where all is kept
const CAUSAL_FIRST: usize = 16; // the row that the block at hand begins with
const AXES: usize = 20; // how many, then size and stride of each
const AXIS: usize = 24;
const AXIS_BYTES: usize = 8;

// What keptSpan leaves at scratch: the span of a row, then that of its mask alone, known from the row before.
const SPAN: usize = EXP_BYTES + 16; // behind TOTAL and OTHERS of primitives/row.ts
const START: usize = SPAN;
const END: usize = SPAN + 4;
const SOLID: usize = SPAN + 8;
const KNOWN: usize = SPAN + 12;
const KNOWN_START: usize = SPAN + 16;
const KNOWN_END: usize = SPAN + 20;
const READ_END: usize = SPAN + 24; // where the row before was read to
const UNUSED: usize = SPAN + 28; // what readGap read

/** Up to so many bytes between what is kept of two rows are read all the same. */
const GAP: usize = 8192;
/** Caches take memory in pairs of lines. */
const LINES: usize = 128;

/** Where the problem's first element lies in the record's array. */
export function placeOf(record: usize, problem: usize, elementBytes: usize): usize {
  let p = load<usize>(record, FIRST) + problem, at: usize = 0;
  for (let axis = record, end = record + load<usize>(record, AXES) * AXIS_BYTES; axis < end; axis += AXIS_BYTES) {
    const size = load<usize>(axis, AXIS);
    at += p % size * load<usize>(axis, AXIS + 4);
    p /= size;
  }
  return load<usize>(record, ARRAY) + at * elementBytes;
}

// @ts-ignore: decorator
@inline
export function stepOf(record: usize): usize {
  return load<usize>(record, STEP);
}

// @ts-ignore: decorator
@inline
export function hasArray(record: usize): bool {
  return load<usize>(record, ARRAY) != 0;
}

/** Elements of the problem that causality keeps: the first ones, up to the diagonal that ends in the last corner. */
export function causalLength(mask: usize, problem: usize, n: usize): usize {
  const rows = load<usize>(mask, CAUSAL_ROWS);
  if (!rows) return n;
  const row = (load<usize>(mask, CAUSAL_FIRST) + problem) % rows;
  return max<isize>(0, <isize>(row + 1 + n - rows));
}

/** Before the first keptSpan of a kernel: no mask is known. */
// @ts-ignore: decorator
@inline
export function startSpans(scratch: usize): void {
  store<usize>(scratch, 0, KNOWN);
  store<usize>(scratch, 0, READ_END);
}

/** Finds what is kept of a row of n elements at x: spanStart, spanEnd and spanIsSolid say it. */
export function keptSpan(
  mask: usize, problem: usize, x: usize, n: usize, elementBytes: usize, scratch: usize
): void {
  let start: usize = 0, end = n, solid = true;
  if (hasArray(mask)) {
    const bytes = placeOf(mask, problem, 1);
    if (!stepOf(mask)) end = load<u8>(bytes) ? n : 0;
    else {
      if (load<usize>(scratch, KNOWN) != bytes) bytesSpan(bytes, n, scratch);
      start = load<usize>(scratch, KNOWN_START);
      end = load<usize>(scratch, KNOWN_END);
      solid = load<usize>(scratch, SOLID) != 0;
    }
  }
  end = min(end, causalLength(mask, problem, n));
  start = min(start, end);
  store<usize>(scratch, start, START);
  store<usize>(scratch, end, END);
  store<usize>(scratch, solid, SOLID);
  readGap(x + start * elementBytes, scratch);
  store<usize>(scratch, x + end * elementBytes, READ_END);
}

/**
 * Reads what the mask leaves out between the row before and this one. Memory behind the caches comes quickly while it is
 * read in order: softmax of 8192 × 1024 with a quarter to a half of the keys left out takes two thirds of the time.
 */
function readGap(end: usize, scratch: usize): void {
  let p = load<usize>(scratch, READ_END), all: u32 = 0;
  if (end - p > GAP) return;
  for (; p < end; p += LINES) all |= load<u32>(p);
  // Written somewhere, that the engine does not leave out the reading.
  store<u32>(scratch, all, UNUSED);
}

// @ts-ignore: decorator
@inline
export function spanStart(scratch: usize): usize {
  return load<usize>(scratch, START);
}

/** At least spanStart. */
// @ts-ignore: decorator
@inline
export function spanEnd(scratch: usize): usize {
  return load<usize>(scratch, END);
}

/** Whether all elements between the two are kept. */
// @ts-ignore: decorator
@inline
export function spanIsSolid(scratch: usize): bool {
  return load<usize>(scratch, SOLID) != 0;
}

/** The span of n bytes. */
function bytesSpan(bytes: usize, n: usize, scratch: usize): void {
  let start: usize = 0, end = n;
  while (start + 16 <= end && !v128.any_true(v128.load(bytes + start))) start += 16;
  while (start < end && !load<u8>(bytes + start)) start++;
  while (start + 16 <= end && !v128.any_true(v128.load(bytes + end - 16))) end -= 16;
  while (start < end && !load<u8>(bytes + end - 1)) end--;
  let at = start;
  while (at + 16 <= end && i8x16.all_true(v128.load(bytes + at))) at += 16;
  while (at < end && load<u8>(bytes + at)) at++;
  store<usize>(scratch, bytes, KNOWN);
  store<usize>(scratch, start, KNOWN_START);
  store<usize>(scratch, end, KNOWN_END);
  store<usize>(scratch, at == end, SOLID);
}

/** All bits set in the lanes whose bytes are not 0. */
// @ts-ignore: decorator
@inline
export function keptLanes<T>(bytes: usize): v128 {
  if (sizeof<T>() == 4) {
    return i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes))), i32x4.splat(0));
  }
  const pair = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load16_splat(bytes)));
  return i64x2.ne(i64x2.extend_low_i32x4_u(pair), i64x2.splat(0));
}

/** The same for the last count (less than a vector) elements; nothing past them is read, or kept. */
// @ts-ignore: decorator
@inline
export function keptTail<T>(bytes: usize, count: usize): v128 {
  let all: u32 = load<u8>(bytes);
  if (count > 1) all |= <u32>load<u8>(bytes, 1) << 8;
  if (count > 2) all |= <u32>load<u8>(bytes, 2) << 16;
  const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.replace_lane(i32x4.splat(0), 0, all)));
  if (sizeof<T>() == 4) return i32x4.ne(wide, i32x4.splat(0));
  return i64x2.ne(i64x2.extend_low_i32x4_u(wide), i64x2.splat(0));
}

/**
 * Puts -∞ where a tile's problems, of which the first has this number, keep nothing; KEPT has all bits set in the lanes
 * of those that keep something. Returns the form of what is left.
 */
export function maskTile<T>(
  tile: usize, n: usize, first: usize, problems: usize, mask: usize, t: f64, scratch: usize
): i32 {
  preparePlaces<T>(n, first, problems, mask, scratch);
  const masked = hasArray(mask), step = stepOf(mask), width = columnsOf<T>(problems) << 4;
  const place = load<usize>(scratch, PLACES);
  const shared = isRun<T>(scratch, 0), run = isRun<T>(scratch, 1);
  const limit = fastLimit<T>(t), bound = v128.splat<T>(limit), sign = signMask<T>();
  const none = v128.splat<T>(<T>(-Infinity));
  let range = rangeStart<T>(), bytes = i8x16.splat(-1);
  for (let at: usize = 0; at < width; at += 16) v128.store(scratch + at, i32x4.splat(0), KEPT);
  for (let j: usize = 0; j < n; j++, tile += TILE_BYTES) {
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
    store<usize>(scratch + (i << 2), placeOf(mask, problem, 1), PLACES);
    const length = causalLength(mask, problem, n);
    if (sizeof<T>() == 4) store<usize>(scratch + (i << 2), length, LENGTHS);
    else store<u64>(scratch + (i << 3), length, LENGTHS);
  }
}

/** Whether the places are `apart` bytes apart, all of them. */
function isRun<T>(scratch: usize, apart: usize): bool {
  for (let i: usize = 1; i < TILE<T>(); i++) {
    if (load<usize>(scratch + (i << 2), PLACES) != load<usize>(scratch, PLACES) + i * apart) return false;
  }
  return true;
}

/** The mask's bytes of one element of each problem. */
function gatherBytes<T>(offset: usize, scratch: usize): v128 {
  const bytes = scratch + PLACES + TILE_BYTES;
  for (let i: usize = 0; i < TILE<T>(); i++) {
    store<u8>(bytes + i, load<u8>(load<usize>(scratch + (i << 2), PLACES) + offset));
  }
  return v128.load(bytes);
}

/** Lanes whose problem is longer than j by causality. */
// @ts-ignore: decorator
@inline
function isBefore<T>(j: usize, scratch: usize): v128 {
  const lengths = v128.load(scratch, LENGTHS);
  if (sizeof<T>() == 4) return i32x4.gt_s(lengths, i32x4.splat(<i32>j));
  return i64x2.gt_s(lengths, i64x2.splat(<i64>j));
}
