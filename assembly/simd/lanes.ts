// Lane-wise helpers that WebAssembly has for one element type only, made generic.

/** Elements in a vector: 4 for f32, 2 for f64. */
// @ts-ignore: decorator
@inline
export function lanes<T>(): usize {
  return 16 / sizeof<T>();
}

/** Whether x is a normal number as an element of `size` bytes: not 0, not subnormal, and in range. */
// @ts-ignore: decorator
@inline
export function isNormal(size: usize, x: f64): bool {
  const magnitude = abs(x);
  if (size == 4) return magnitude >= <f64>f32.MIN_NORMAL_VALUE && magnitude <= <f64>f32.MAX_VALUE;
  return magnitude >= f64.MIN_NORMAL_VALUE && magnitude <= f64.MAX_VALUE;
}

/** The element of `size` bytes at p, f32 or f64. */
// @ts-ignore: decorator
@inline
export function element(size: usize, p: usize): f64 {
  return size == 4 ? <f64>load<f32>(p) : load<f64>(p);
}

/** Stores such an element. */
// @ts-ignore: decorator
@inline
export function storeElement(size: usize, p: usize, value: f64): void {
  if (size == 4) store<f32>(p, <f32>value);
  else store<f64>(p, value);
}

/** value in all lanes, by way of memory at p: V8 may sink a splat into the loop that uses it, but not a load. */
// @ts-ignore: decorator
@inline
export function splatAt<T>(p: usize, value: T): v128 {
  store<T>(p, value);
  return v128.load_splat<T>(p);
}

/** The integer lanes of x shifted left. */
// @ts-ignore: decorator
@inline
export function shiftLeft<T>(x: v128, bits: i32): v128 {
  if (sizeof<T>() == 4) return i32x4.shl(x, bits);
  return i64x2.shl(x, bits);
}

// @ts-ignore: decorator
@inline
export function addIntegers<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.add(a, b);
  return i64x2.add(a, b);
}

// @ts-ignore: decorator
@inline
export function subIntegers<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.sub(a, b);
  return i64x2.sub(a, b);
}

const ONES_32 = memory.data<i32>([1, 1, 1, 1], 16);
const ONES_64 = memory.data<i64>([1, 1], 16);

/** Integer lanes of 1. */
// @ts-ignore: decorator
@inline
export function ones<T>(): v128 {
  return v128.load(sizeof<T>() == 4 ? ONES_32 : ONES_64);
}

// @ts-ignore: decorator
@inline
export function lastLane<T>(v: v128): T {
  return v128.extract_lane<T>(v, <u8>(16 / sizeof<T>() - 1));
}

/** Sum of the lanes, in float64. */
// @ts-ignore: decorator
@inline
export function laneSum<T>(v: v128): f64 {
  if (sizeof<T>() == 8) return v128.extract_lane<f64>(v, 0) + v128.extract_lane<f64>(v, 1);
  return (
    (<f64>v128.extract_lane<f32>(v, 0) + <f64>v128.extract_lane<f32>(v, 1)) +
    (<f64>v128.extract_lane<f32>(v, 2) + <f64>v128.extract_lane<f32>(v, 3))
  );
}

/** The largest lane; none is NaN. By vectors: V8 branches for the maximum of two numbers, and guesses. */
// @ts-ignore: decorator
@inline
export function laneMax<T>(v: v128): T {
  const half = v128.pmax<T>(v, v128.shuffle<i64>(v, v, 1, 0));
  if (sizeof<T>() == 8) return v128.extract_lane<T>(half, 0);
  return v128.extract_lane<T>(v128.pmax<T>(half, v128.shuffle<i32>(half, half, 1, 0, 3, 2)), 0);
}

/** A bit for each lane of a mask, lane 0 the lowest. */
// @ts-ignore: decorator
@inline
export function laneBits<T>(mask: v128): i32 {
  if (sizeof<T>() == 4) return i32x4.bitmask(mask);
  return i64x2.bitmask(mask);
}

/** The same for four masks, lane 0 of the first the lowest. */
// @ts-ignore: decorator
@inline
export function laneBitsOfFour<T>(m0: v128, m1: v128, m2: v128, m3: v128): i32 {
  if (sizeof<T>() == 4) {
    return i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3)));
  }
  return i16x8.bitmask(
    i16x8.narrow_i32x4_s(v128.shuffle<i32>(m0, m1, 0, 2, 4, 6), v128.shuffle<i32>(m2, m3, 0, 2, 4, 6))
  );
}

/** Integer lanes as floats; they are not negative, and small enough to be exact. */
// @ts-ignore: decorator
@inline
export function toFloats<T>(integers: v128): v128 {
  if (sizeof<T>() == 4) return f32x4.convert_i32x4_s(integers);
  return f64x2.sub(v128.or(integers, i64x2.splat(0x4330000000000000)), f64x2.splat(4503599627370496.0));
}

/** Lanes 0 and 1 of an f32 vector as f64. */
// @ts-ignore: decorator
@inline
export function promoteLow(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** Lanes 2 and 3 of an f32 vector as f64. */
// @ts-ignore: decorator
@inline
export function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/** Two f64 vectors as one of f32. */
// @ts-ignore: decorator
@inline
export function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}
