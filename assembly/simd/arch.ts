// The only file that differs between the builds: SIMD with relaxed instructions or without.

/**
 * Whether multiply-add rounds once. The relaxed instruction need not: TypeScript probes it before it takes that build.
 */
export const FUSED: bool = ASC_FEATURE_RELAXED_SIMD;

/** a · b + c */
// @ts-ignore: decorator
@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (FUSED) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** c − a · b */
// @ts-ignore: decorator
@inline
export function nmadd<T>(a: v128, b: v128, c: v128): v128 {
  if (FUSED) return v128.relaxed_nmadd<T>(a, b, c);
  return v128.sub<T>(c, v128.mul<T>(a, b));
}

/** a where the mask is set, else b; all bits of a lane of the mask are alike. */
// @ts-ignore: decorator
@inline
export function select<T>(a: v128, b: v128, mask: v128): v128 {
  if (!FUSED) return v128.bitselect(a, b, mask);
  if (sizeof<T>() == 4) return v128.relaxed_laneselect<i32>(a, b, mask);
  return v128.relaxed_laneselect<i64>(a, b, mask);
}
