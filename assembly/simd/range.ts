// Range checks: is every |x| at most a limit? Two instructions a vector for f32, and NaN never passes. f32 keeps the
// largest bit pattern without the sign (those of NaN are above all others); f64, for which there is no integer maximum,
// keeps a flag.

// @ts-ignore: decorator
@inline
export function rangeStart<T>(): v128 {
  if (sizeof<T>() == 4) return i32x4.splat(0);
  return i64x2.splat(-1);
}

/** The mask that clears the sign, for rangeStep; the caller hoists it, like all constants. */
// @ts-ignore: decorator
@inline
export function signMask<T>(): v128 {
  if (sizeof<T>() == 4) return v128.load_splat<u32>(MASKS);
  return v128.load_splat<u64>(MASKS + 8);
}

const MASKS = memory.data<u64>([0x7fffffff7fffffff, 0x7fffffffffffffff], 16);

// @ts-ignore: decorator
@inline
export function rangeStep<T>(state: v128, x: v128, mask: v128, limit: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.max_s(state, v128.and(x, mask));
  return v128.and(state, f64x2.le(v128.and(x, mask), limit));
}

/** rangeStep of four vectors of f32, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function rangeOfFour(state: v128, x: usize, stride: usize, limit: v128): v128 {
  const mask = signMask<f32>();
  state = rangeStep<f32>(rangeStep<f32>(state, v128.load(x), mask, limit), v128.load(x + stride), mask, limit);
  x += 2 * stride;
  return rangeStep<f32>(rangeStep<f32>(state, v128.load(x), mask, limit), v128.load(x + stride), mask, limit);
}

/** Merges two states, lane by lane. */
// @ts-ignore: decorator
@inline
export function rangeJoin<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.max_s(a, b);
  return v128.and(a, b);
}

/** All bits set in the lanes that stayed within the limit. */
// @ts-ignore: decorator
@inline
export function rangeLanes<T>(state: v128, limit: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.le_s(state, limit);
  return state;
}

// @ts-ignore: decorator
@inline
export function rangeHolds<T>(state: v128, limit: v128): bool {
  if (sizeof<T>() == 4) return i32x4.all_true(rangeLanes<T>(state, limit));
  return i64x2.all_true(state);
}
