// float16 and bfloat16 to float32 and back, rounded to nearest, ties to even. A half is a 16-bit number. When widening,
// x may be the last half of the bytes of y; when narrowing, x and y do not overlap.

import { checkApart, checkArray } from "../../contracts";
import { madd } from "../../simd/arch";

/** Halves in a vector. */
const LANES: usize = 8;

// Loaded once before a loop, or derived from a loaded one: V8 would rebuild a constant in every iteration, which takes
// longer than the instruction that uses it.
const CONSTANTS = memory.data<u32>([
  0x7fffffff, // all but the sign
  0x38800000, // 2^-14, the smallest number that is not subnormal
  0x00080001 // 1 in the lower half, 8 in the upper one
]);

/** How many numbers are converted before a check whether the fast way was right for all of them. */
const CHUNK: usize = 512;

function checkWiden(x: usize, y: usize, count: usize): void {
  checkArray<u16>(x, count);
  checkArray<f32>(y, count);
  if (x != y + 2 * count) checkApart(x, 2 * count, y, 4 * count);
}

function checkNarrow(x: usize, y: usize, count: usize): void {
  checkArray<f32>(x, count);
  checkArray<u16>(y, count);
  checkApart(x, 4 * count, y, 2 * count);
}

/** The sign of every half. */
// @ts-ignore: decorator
@inline
function signBits(): v128 {
  return i16x8.shl(v128.load_splat<u32>(CONSTANTS), 15);
}

/** The upper `count` bits of every half below its sign. */
// @ts-ignore: decorator
@inline
function upperBits(signs: v128, count: i32): v128 {
  return v128.andnot(i16x8.shr_s(signs, count), signs);
}

/** Lanes of 32 bits: those of `low` as the lower halves, those of `high` as the upper ones. */
// @ts-ignore: decorator
@inline
function joinLow(low: v128, high: v128): v128 {
  return v128.shuffle<i16>(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function joinHigh(low: v128, high: v128): v128 {
  return v128.shuffle<i16>(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
}

export function widenFloat16(x: usize, y: usize, count: usize): void {
  checkWiden(x, y, count);
  const signs = signBits(), exponent = upperBits(signs, 5), bias = upperBits(signs, 3);
  const scale = i32x4.shl(i32x4.shr_u(v128.load_splat<u32>(CONSTANTS), 27), 23); // 2^-112
  while (count >= LANES) {
    const size = min(count & ~(LANES - 1), CHUNK), end = x + 2 * size;
    let least = exponent;
    // Unrolled by four: V8 inserts a stack check per iteration.
    for (const fours = x + ((2 * size) & ~63); x < fours; x += 64, y += 128) {
      least = i16x8.min_u(least, v128.and(widenEight(x, y, bias, scale), exponent));
      least = i16x8.min_u(least, v128.and(widenEight(x + 16, y + 32, bias, scale), exponent));
      least = i16x8.min_u(least, v128.and(widenEight(x + 32, y + 64, bias, scale), exponent));
      least = i16x8.min_u(least, v128.and(widenEight(x + 48, y + 96, bias, scale), exponent));
    }
    for (; x < end; x += 16, y += 32) least = i16x8.min_u(least, v128.and(widenEight(x, y, bias, scale), exponent));
    count -= size;
    if (!i16x8.all_true(least)) correctSubnormal(y - 4 * size, y);
  }
  for (; count > 0; count--, x += 2, y += 4) {
    const half = v128.load_splat<u16>(x);
    const value = f32x4.mul(joinLow(lowerBits(half), upperHalf(half, bias)), scale);
    v128.store_lane<f32>(y, corrected(value), 0);
  }
}

/** Widens the eight halves at x, as if none were zero or subnormal, and returns them. */
// @ts-ignore: decorator
@inline
function widenEight(x: usize, y: usize, bias: v128, scale: v128): v128 {
  const half = v128.load(x), low = lowerBits(half), high = upperHalf(half, bias);
  v128.store(y, f32x4.mul(joinLow(low, high), scale));
  v128.store(y, f32x4.mul(joinHigh(low, high), scale), 16);
  return half;
}

// The lower and the upper 16 bits of a float32 that is 2^112 times a float16. Its exponent field is 224 more, so that
// infinity and NaN become those of float32; zeros and subnormal numbers come out as if they were normal.

// @ts-ignore: decorator
@inline
function lowerBits(half: v128): v128 {
  return i16x8.shl(half, 13);
}

// @ts-ignore: decorator
@inline
function upperHalf(half: v128, bias: v128): v128 {
  return v128.or(i16x8.shr_s(half, 3), bias);
}

function correctSubnormal(y: usize, end: usize): void {
  for (; y < end; y += 16) v128.store(y, corrected(v128.load(y)));
}

/** Corrects zeros and subnormal numbers: they were widened to 2^-15 + m · 2^-25 and become m · 2^-24. */
// @ts-ignore: decorator
@inline
function corrected(y: v128): v128 {
  const smallest = v128.load_splat<u32>(CONSTANTS, 4);
  const magnitude = v128.and(y, v128.load_splat<u32>(CONSTANTS));
  const subnormal = f32x4.sub(f32x4.add(magnitude, magnitude), smallest);
  return v128.bitselect(v128.or(subnormal, v128.xor(y, magnitude)), y, i32x4.lt_s(magnitude, smallest));
}

export function narrowFloat16(x: usize, y: usize, count: usize): void {
  checkNarrow(x, y, count);
  const done = narrowUnsigned(x, y, count & ~(LANES - 1));
  narrowSigned(x + 4 * done, y + 2 * done, count - done);
}

/**
 * Narrows without regard to signs as long as numbers are in [0, 65536], as all probabilities are. Returns how many
 * numbers it has narrowed.
 */
function narrowUnsigned(x: usize, y: usize, count: usize): usize {
  const smallest = v128.load_splat<u32>(CONSTANTS, 4), units = v128.load_splat<u32>(CONSTANTS, 8);
  const exponent = i32x4.shl(i32x4.shr_u(v128.load_splat<u32>(CONSTANTS), 23), 23);
  const scale = f32x4.add(smallest, smallest), bias = i32x4.shr_u(smallest, 13);
  const start = x, end = x + 4 * count;
  while (x < end && i32x4.bitmask(v128.load(x)) == 0) {
    const chunk = x, chunkEnd = min(end, x + 4 * CHUNK);
    let largest = i32x4.splat(0);
    for (; x < chunkEnd; x += 4 * LANES, y += 2 * LANES) {
      const a = v128.load(x), b = v128.load(x, 16);
      const bits = i16x8.narrow_i32x4_u(
        magnitudeBits(a, a, exponent, smallest, scale, units, bias),
        magnitudeBits(b, b, exponent, smallest, scale, units, bias)
      );
      v128.store(y, bits);
      largest = i32x4.max_u(largest, i32x4.max_u(a, b));
    }
    // Larger numbers, negative ones and NaN all have larger bits.
    if (v128.any_true(i32x4.gt_u(largest, f32x4.splat(65536)))) return (chunk - start) / 4;
  }
  return (x - start) / 4;
}

/** Narrows any numbers. */
function narrowSigned(x: usize, y: usize, count: usize): void {
  const magnitude = v128.load_splat<u32>(CONSTANTS), smallest = v128.load_splat<u32>(CONSTANTS, 4);
  const units = v128.load_splat<u32>(CONSTANTS, 8), exponent = i32x4.shl(i32x4.shr_u(magnitude, 23), 23);
  const scale = f32x4.add(smallest, smallest), bias = i32x4.shr_u(smallest, 13);
  const signs = signBits(), infinity = upperBits(signs, 5), quiet = upperBits(signs, 6);
  for (; count >= LANES; count -= LANES, x += 4 * LANES, y += 2 * LANES) {
    const a = v128.load(x), b = v128.load(x, 16);
    const bits = i16x8.narrow_i32x4_u(
      magnitudeBits(v128.and(a, magnitude), a, exponent, smallest, scale, units, bias),
      magnitudeBits(v128.and(b, magnitude), b, exponent, smallest, scale, units, bias)
    );
    const isNan = i16x8.narrow_i32x4_s(f32x4.ne(a, a), f32x4.ne(b, b));
    // Narrowed as integers with saturation, negative floats keep their sign bit.
    const sign = v128.and(i16x8.narrow_i32x4_s(a, b), signs);
    v128.store(y, v128.or(v128.or(i16x8.min_u(bits, infinity), sign), v128.and(isNan, quiet)));
  }
  for (; count > 0; count--, x += 4, y += 2) {
    const a = v128.load_splat<f32>(x);
    const bits = magnitudeBits(v128.and(a, magnitude), a, exponent, smallest, scale, units, bias);
    const half = v128.or(i16x8.min_u(i16x8.narrow_i32x4_u(bits, bits), infinity), v128.and(i32x4.shr_u(a, 16), signs));
    v128.store_lane<u16>(y, v128.or(half, v128.and(f32x4.ne(a, a), quiet)), 0);
  }
}

/** |x|, given as `magnitude` beside x, as float16 in lanes of 32 bits; at least infinity from 65536 on. */
// @ts-ignore: decorator
@inline
function magnitudeBits(
  magnitude: v128, x: v128, exponent: v128, smallest: v128, scale: v128, units: v128, bias: v128
): v128 {
  const power = i32x4.max_s(v128.and(x, exponent), smallest);
  // The power of two in x plus 2^-13 |x|: the sum is rounded to the 10 bits behind the power that float16 has. Its
  // lower 16 bits count units in the last place of float16, at least 1024 unless the number is subnormal; its upper 16
  // bits hold the exponent.
  const sum = madd<f32>(magnitude, scale, power);
  return i32x4.sub(i32x4.dot_i16x8_s(sum, units), bias);
}

export function widenBfloat16(x: usize, y: usize, count: usize): void {
  checkWiden(x, y, count);
  const zero = i16x8.splat(0);
  for (; count >= LANES; count -= LANES, x += 2 * LANES, y += 4 * LANES) {
    const half = v128.load(x);
    v128.store(y, joinLow(zero, half));
    v128.store(y, joinHigh(zero, half), 16);
  }
  for (; count > 0; count--, x += 2, y += 4) store<u32>(y, <u32>load<u16>(x) << 16);
}

export function narrowBfloat16(x: usize, y: usize, count: usize): void {
  checkNarrow(x, y, count);
  for (; count >= LANES; count -= LANES, x += 4 * LANES, y += 2 * LANES) {
    v128.store(y, i16x8.narrow_i32x4_s(roundToUpper(v128.load(x)), roundToUpper(v128.load(x, 16))));
  }
  for (; count > 0; count--, x += 4, y += 2) {
    store<i16>(y, <i16>v128.extract_lane<i32>(roundToUpper(v128.load_splat<f32>(x)), 0));
  }
}

/** The upper halves of float32, rounded, sign-extended. */
// @ts-ignore: decorator
@inline
function roundToUpper(x: v128): v128 {
  const isOdd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), isOdd);
  const quiet = v128.or(x, i32x4.splat(0x400000));
  return i32x4.shr_s(v128.bitselect(quiet, rounded, f32x4.ne(x, x)), 16);
}
