// Subnormal products: some processors take a hundred times as long for one. Exponentials of f32 are therefore cleared
// before a factor would make them subnormal. f64, whose range is wider, has too few of them.

/** Exponentials of the unshifted form, which are above 2^-93 (e^-RANGE), are normal times a larger factor than this. */
export const SAFE_FACTOR: f32 = 1.1641532182693481e-10; // 2^-33

/**
 * The least x whose product with each lane of `factors` is normal; 0 in lanes of at least SAFE_FACTOR, so that a lane does
 * not depend on the others.
 */
// @ts-ignore: decorator
@inline
export function leastNormal(factors: v128): v128 {
  const magnitudes = f32x4.abs(factors), least = f32x4.div(f32x4.splat(f32.MIN_NORMAL_VALUE), magnitudes);
  return v128.andnot(least, f32x4.ge(magnitudes, f32x4.splat(SAFE_FACTOR)));
}

/** x, 0 where it is below `least`; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function clearBelow(x: v128, least: v128): v128 {
  return v128.andnot(x, f32x4.lt(x, least));
}
