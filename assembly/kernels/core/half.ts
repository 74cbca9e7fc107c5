// float16 and bfloat16 to float32 and back, rounded to nearest, ties to even. Either way may run in place, forwards: what
// is widened may be the last half of the bytes of y, what is narrowed may begin where y does.

import { checkApart, checkArray } from "../../contracts";

/** Halves in a vector. */
const LANES: usize = 8;

// Loaded once for a loop: V8 would make a constant anew each time, which takes longer than what is done with it.
const MAGNITUDE: u32 = 0x7fffffff;
/** 65536: all that is as large is ∞, and what is less and rounds to it has the same bits. */
const INFINITE: u32 = 0x47800000;
/** 2^-14, the smallest number that is not subnormal. */
const SMALLEST: u32 = 0x38800000;
/** Added to a power of two, 2^13 times that. */
const SHIFT: u32 = 13 << 23;
const CONSTANTS = memory.data<u32>([MAGNITUDE, INFINITE, SMALLEST, SHIFT]);
/** 2^-112 */
const SCALE: f32 = 1.925929944387236e-34;

function checkWiden(x: usize, y: usize, count: usize): void {
  checkArray<u16>(x, count);
  checkArray<f32>(y, count);
  if (x != y + 2 * count) checkApart(x, 2 * count, y, 4 * count);
}

function checkNarrow(x: usize, y: usize, count: usize): void {
  checkArray<f32>(x, count);
  checkArray<u16>(y, count);
  if (x != y) checkApart(x, 4 * count, y, 2 * count);
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

/** The sign of every half. */
// @ts-ignore: decorator
@inline
function signBits(): v128 {
  return i16x8.shl(v128.load_splat<u32>(CONSTANTS), 15);
}

/** So many bits of every half below its sign. */
// @ts-ignore: decorator
@inline
function upperBits(signs: v128, count: i32): v128 {
  return v128.andnot(i16x8.shr_s(signs, count), signs);
}

export function widenFloat16(x: usize, y: usize, count: usize): void {
  checkWiden(x, y, count);
  while (count >= 2 * LANES) {
    const done = widenNormal(x, y, count);
    count -= done, x += 2 * done, y += 4 * done;
    if (count < 2 * LANES) break;
    for (const end = x + 4 * LANES; x < end; x += 8, y += 16) v128.store(y, widenAny(v128.load_ext<u16>(x)));
    count -= 2 * LANES;
  }
  for (; count > 0; count--, x += 2, y += 4) {
    v128.store_lane<f32>(y, widenAny(i32x4.splat(load<u16>(x))), 0);
  }
}

/** Widens until there are fewer than two vectors, or zeros or subnormal numbers among them; returns how many it has widened. */
function widenNormal(x: usize, y: usize, count: usize): usize {
  const signs = signBits();
  const exponent = upperBits(signs, 5);
  const bias = upperBits(signs, 3);
  const scale = f32x4.splat(SCALE);
  let done: usize = 0;
  for (; done + 2 * LANES <= count; done += 2 * LANES, x += 4 * LANES, y += 8 * LANES) {
    const a = v128.load(x), b = v128.load(x, 16);
    if (!i16x8.all_true(i16x8.min_u(v128.and(a, exponent), v128.and(b, exponent)))) break;
    widenVector(a, y, bias, scale);
    widenVector(b, y + 32, bias, scale);
  }
  return done;
}

// @ts-ignore: decorator
@inline
function widenVector(half: v128, y: usize, bias: v128, scale: v128): void {
  const low = i16x8.shl(half, 13);
  // The exponent 224 too large, so that ∞ and NaN have that of float32; the product takes 112 back.
  const high = v128.or(i16x8.shr_s(half, 3), bias);
  v128.store(y, f32x4.mul(joinLow(low, high), scale));
  v128.store(y, f32x4.mul(joinHigh(low, high), scale), 16);
}

/** float16 in lanes of 32 bits, zeros and subnormal numbers too. */
function widenAny(half: v128): v128 {
  const magnitude = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
  const normal = f32x4.mul(i32x4.add(magnitude, i32x4.splat(0x70000000)), f32x4.splat(SCALE));
  // 2^-14 and so many 2^-24, less 2^-14.
  const smallest = i32x4.splat(SMALLEST);
  const subnormal = f32x4.sub(i32x4.add(magnitude, smallest), smallest);
  const isSubnormal = i32x4.lt_s(magnitude, i32x4.splat(1 << 23));
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
  return v128.or(v128.bitselect(subnormal, normal, isSubnormal), sign);
}

export function narrowFloat16(x: usize, y: usize, count: usize): void {
  checkNarrow(x, y, count);
  const magnitude = v128.load_splat<u32>(CONSTANTS);
  const infinite = v128.load_splat<u32>(CONSTANTS, 4);
  const smallest = v128.load_splat<u32>(CONSTANTS, 8);
  const shift = v128.load_splat<u32>(CONSTANTS, 12);
  const exponent = i32x4.shl(i32x4.shr_u(magnitude, 23), 23);
  const signs = signBits();
  const quiet = upperBits(signs, 6);
  for (; count >= LANES; count -= LANES, x += 4 * LANES, y += 2 * LANES) {
    const a = v128.load(x), b = v128.load(x, 16);
    const bits = i16x8.narrow_i32x4_u(
      magnitudeBits(a, magnitude, infinite, exponent, smallest, shift),
      magnitudeBits(b, magnitude, infinite, exponent, smallest, shift)
    );
    const isNan = i16x8.narrow_i32x4_s(f32x4.ne(a, a), f32x4.ne(b, b));
    // Saturated as integers, floats below 0 have the sign that halves have.
    const sign = v128.and(i16x8.narrow_i32x4_s(a, b), signs);
    v128.store(y, v128.or(v128.or(bits, sign), v128.and(isNan, quiet)));
  }
  for (; count > 0; count--, x += 4, y += 2) {
    const value = v128.load_splat<f32>(x);
    const bits = v128.extract_lane<i32>(magnitudeBits(value, magnitude, infinite, exponent, smallest, shift), 0);
    const isNan = v128.extract_lane<i32>(f32x4.ne(value, value), 0);
    store<u16>(y, <u16>(bits | ((load<u32>(x) >> 16) & 0x8000) | (isNan & 0x7e00)));
  }
}

/** |x| as float16, in lanes of 32 bits; ∞ for NaN. */
// @ts-ignore: decorator
@inline
function magnitudeBits(x: v128, magnitude: v128, infinite: v128, exponent: v128, smallest: v128, shift: v128): v128 {
  const clamped = i32x4.min_s(v128.and(x, magnitude), infinite);
  const power = i32x4.max_s(v128.and(clamped, exponent), smallest);
  // 2^13 times the power of two in x: the sum with that is rounded to the 10 bits behind it that float16 has.
  const large = i32x4.add(power, shift);
  const rounded = i32x4.sub(f32x4.add(clamped, large), large);
  // So many units of the last place, 1024 and more of them but for subnormal numbers, and the exponent.
  return i32x4.add(rounded, i32x4.shr_u(i32x4.sub(power, smallest), 13));
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
