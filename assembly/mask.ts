// Masks and causality: which elements of a row are kept.
//
// Operands that broadcast stay as small as they are; a descriptor, which TypeScript writes, says where a row's elements
// lie: for row p, in the order of [outer, inner], they begin at BASE + Σ (p / (sizes before) % size) · stride over the
// axes, the last axis first, and are STRIDE elements apart.
//
// The row form computes a row's kept range, from the first kept element to the last, and fills what is outside. With a
// padding mask or causality the range is dense: nothing inside it is masked. blocks/mask.ts puts −∞ where nothing is
// kept.

import { KEPT_DENSE, KEPT_END, KEPT_START, KNOWN_END, KNOWN_MASK, KNOWN_START, READ_AHEAD, READ_END } from "./scratch";
import { lanes } from "./simd/lanes";

// The descriptor's fields, by their index: u32 each. layout.ts gives them to TypeScript.
export const BASE: usize = 0; // address of the operand; 0 where there is none
export const FIRST_ROW: usize = 1; // number of the first row that the kernel is given
export const STRIDE: usize = 2; // from one element of a row to the next, in elements; 0 where a row has just one
export const CAUSAL_ROWS: usize = 3; // rows of the causal matrix; 0 where causality drops nothing
export const CAUSAL_FIRST: usize = 4; // row of that matrix with which the kernel's first row begins
export const AXIS_COUNT: usize = 5;
export const AXIS_LIST: usize = 6; // size and stride of each axis

/** The most dropped bytes between the kept ranges of two rows that readGap reads. */
const GAP: usize = 8192;
/** Bytes that a cache fetches at once: a pair of lines. */
const CACHE_LINES: usize = 128;

/** Address of a row's first element in the operand. */
export function operandAddress(descriptor: usize, row: usize, elementBytes: usize): usize {
  let p = load<usize>(descriptor, FIRST_ROW << 2) + row, at: usize = 0;
  let axis = descriptor;
  const end = descriptor + load<usize>(descriptor, AXIS_COUNT << 2) * 8;
  for (; axis < end; axis += 8) {
    const size = load<usize>(axis, AXIS_LIST << 2);
    at += p % size * load<usize>(axis, (AXIS_LIST + 1) << 2);
    p /= size;
  }
  return load<usize>(descriptor, BASE << 2) + at * elementBytes;
}

// @ts-ignore: decorator
@inline
export function operandStride(descriptor: usize): usize {
  return load<usize>(descriptor, STRIDE << 2);
}

// @ts-ignore: decorator
@inline
export function hasOperand(descriptor: usize): bool {
  return load<usize>(descriptor, BASE << 2) != 0;
}

/** How many elements of a row causality keeps: those up to the diagonal, which ends in the bottom right corner. */
export function causalLength(mask: usize, row: usize, n: usize): usize {
  const rows = load<usize>(mask, CAUSAL_ROWS << 2);
  if (!rows) return n;
  const position = (load<usize>(mask, CAUSAL_FIRST << 2) + row) % rows;
  return max<isize>(0, <isize>(position + 1 + n - rows));
}

/** Resets what findKeptRange remembers from row to row; called once in a kernel. */
// @ts-ignore: decorator
@inline
export function startKeptRanges(scratch: usize): void {
  store<usize>(scratch, 0, KNOWN_MASK);
  store<usize>(scratch, 0, READ_END);
}

/** Finds the kept range of a row of n elements at x, for keptStart, keptEnd and isDense. */
export function findKeptRange(
  mask: usize, row: usize, x: usize, n: usize, elementBytes: usize, scratch: usize
): void {
  let start: usize = 0, end = n, dense = true;
  if (hasOperand(mask)) {
    const bytes = operandAddress(mask, row, 1);
    if (!operandStride(mask)) end = load<u8>(bytes) ? n : 0;
    else {
      if (load<usize>(scratch, KNOWN_MASK) != bytes) findMaskRange(bytes, n, scratch);
      start = load<usize>(scratch, KNOWN_START);
      end = load<usize>(scratch, KNOWN_END);
      dense = load<usize>(scratch, KEPT_DENSE) != 0;
    }
  }
  end = min(end, causalLength(mask, row, n));
  start = min(start, end);
  store<usize>(scratch, start, KEPT_START);
  store<usize>(scratch, end, KEPT_END);
  store<usize>(scratch, dense, KEPT_DENSE);
  readGap(x + start * elementBytes, scratch);
  store<usize>(scratch, x + end * elementBytes, READ_END);
}

/**
 * Reads what is dropped between the row before and this one, so that the prefetcher sees memory read in order: softmax
 * of 8192 × 1024 with a quarter to a half of the keys masked then takes two thirds of the time.
 */
function readGap(end: usize, scratch: usize): void {
  let p = load<usize>(scratch, READ_END), all: u32 = 0;
  if (end - p > GAP) return;
  for (; p < end; p += CACHE_LINES) all |= load<u32>(p);
  // The result is stored because the engine would otherwise drop the loads.
  store<u32>(scratch, all, READ_AHEAD);
}

// @ts-ignore: decorator
@inline
export function keptStart(scratch: usize): usize {
  return load<usize>(scratch, KEPT_START);
}

/** One past the last kept element; at least keptStart. */
// @ts-ignore: decorator
@inline
export function keptEnd(scratch: usize): usize {
  return load<usize>(scratch, KEPT_END);
}

/** Whether everything in the range is kept. */
// @ts-ignore: decorator
@inline
export function isDense(scratch: usize): bool {
  return load<usize>(scratch, KEPT_DENSE) != 0;
}

/** Finds the kept range of a mask's n bytes. */
function findMaskRange(bytes: usize, n: usize, scratch: usize): void {
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

/** All bits set in each of 16 bytes of a mask that keeps its element. */
// @ts-ignore: decorator
@inline
export function keptBytes(bytes: usize): v128 {
  return i8x16.ne(v128.load(bytes), i8x16.splat(0));
}

/** Quarter i, a literal, of what keptBytes gives, in lanes of 32 bits. */
// @ts-ignore: decorator
@inline
export function keptQuarter(i: i32, kept: v128): v128 {
  const half = i < 2 ? i16x8.extend_low_i8x16_s(kept) : i16x8.extend_high_i8x16_s(kept);
  return i & 1 ? i32x4.extend_high_i16x8_s(half) : i32x4.extend_low_i16x8_s(half);
}

/** All bits set in the lanes that the mask's bytes keep. */
// @ts-ignore: decorator
@inline
export function keptLanes<T>(bytes: usize): v128 {
  if (sizeof<T>() == 4) {
    return i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(bytes))), i32x4.splat(0));
  }
  const pair = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load16_splat(bytes)));
  return i64x2.ne(i64x2.extend_low_i32x4_u(pair), i64x2.splat(0));
}

/** The same for a tail of count elements: nothing past it is read, or kept. */
// @ts-ignore: decorator
@inline
export function keptTail<T>(bytes: usize, count: usize): v128 {
  let all: u32 = load<u8>(bytes);
  if (count > 1) all |= <u32>load<u8>(bytes, 1) << 8;
  if (count > 2) all |= <u32>load<u8>(bytes, 2) << 16;
  const lanes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.replace_lane(i32x4.splat(0), 0, all)));
  if (sizeof<T>() == 4) return i32x4.ne(lanes, i32x4.splat(0));
  return i64x2.ne(i64x2.extend_low_i32x4_u(lanes), i64x2.splat(0));
}

/**
 * Replaces what the mask's bytes drop of n elements. Sixteen f32 at a time: most of the work is to widen the mask's bytes.
 */
export function fillDropped<T>(x: usize, bytes: usize, n: usize, value: T): void {
  const v = v128.splat<T>(value), end = x + n * sizeof<T>();
  if (sizeof<T>() == 4) {
    for (const fours = x + ((end - x) & ~63); x < fours; x += 64, bytes += 16) {
      const kept = keptBytes(bytes);
      v128.store(x, v128.bitselect(v128.load(x), v, keptQuarter(0, kept)));
      v128.store(x, v128.bitselect(v128.load(x, 16), v, keptQuarter(1, kept)), 16);
      v128.store(x, v128.bitselect(v128.load(x, 32), v, keptQuarter(2, kept)), 32);
      v128.store(x, v128.bitselect(v128.load(x, 48), v, keptQuarter(3, kept)), 48);
    }
  }
  for (; x + 16 <= end; x += 16, bytes += lanes<T>()) {
    v128.store(x, v128.bitselect(v128.load(x), v, keptLanes<T>(bytes)));
  }
  for (; x < end; x += sizeof<T>(), bytes++) if (!load<u8>(bytes)) store<T>(x, value);
}
