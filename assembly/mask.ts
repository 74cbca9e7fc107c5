// What a mask and causality keep of each problem.
//
// Operands that broadcast stay as small as they are: a record says where the bytes of a problem begin. For a problem's
// number p, in the order of [outer, inner], that is ARRAY + Σ (p / (sizes before) % size) · stride over its axes, those
// behind first, and the problem's elements lie STEP apart. TypeScript writes records.
//
// Rows take the span from the first kept element to the last one and leave out what is outside of it: with a padding
// mask or causality nothing inside is left to be masked. Tiles take -∞ for what is not kept.

import { KEPT_DENSE, KEPT_END, KEPT_START, KNOWN_END, KNOWN_MASK, KNOWN_START, READ_AHEAD, READ_END } from "./scratch";

// A record: u32 each.
const ARRAY: usize = 0; // 0 where there is no mask

const FIRST: usize = 4; // number of the problem that the block at hand begins with
const STEP: usize = 8;
const CAUSAL_ROWS: usize = 12; // 0 where all is kept
const CAUSAL_FIRST: usize = 16; // the row that the block at hand begins with
const AXES: usize = 20; // how many, then size and stride of each
const AXIS: usize = 24;
const AXIS_BYTES: usize = 8;

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
  store<usize>(scratch, 0, KNOWN_MASK);
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
      if (load<usize>(scratch, KNOWN_MASK) != bytes) bytesSpan(bytes, n, scratch);
      start = load<usize>(scratch, KNOWN_START);
      end = load<usize>(scratch, KNOWN_END);
      solid = load<usize>(scratch, KEPT_DENSE) != 0;
    }
  }
  end = min(end, causalLength(mask, problem, n));
  start = min(start, end);
  store<usize>(scratch, start, KEPT_START);
  store<usize>(scratch, end, KEPT_END);
  store<usize>(scratch, solid, KEPT_DENSE);
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
  store<u32>(scratch, all, READ_AHEAD);
}

// @ts-ignore: decorator
@inline
export function spanStart(scratch: usize): usize {
  return load<usize>(scratch, KEPT_START);
}

/** At least spanStart. */
// @ts-ignore: decorator
@inline
export function spanEnd(scratch: usize): usize {
  return load<usize>(scratch, KEPT_END);
}

/** Whether all elements between the two are kept. */
// @ts-ignore: decorator
@inline
export function spanIsSolid(scratch: usize): bool {
  return load<usize>(scratch, KEPT_DENSE) != 0;
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
  store<usize>(scratch, bytes, KNOWN_MASK);
  store<usize>(scratch, start, KNOWN_START);
  store<usize>(scratch, end, KNOWN_END);
  store<usize>(scratch, at == end, KEPT_DENSE);
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
