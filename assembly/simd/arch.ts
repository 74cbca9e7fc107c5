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

/** x · x − y, for the probe: only a fused multiply-add keeps the low bits of x · x. */
export function multiplyAddProbe(x: f64, y: f64): f64 {
  return v128.extract_lane<f64>(madd<f64>(v128.splat<f64>(x), v128.splat<f64>(x), v128.splat<f64>(-y)), 0);
}

/**
 * Every instruction that only one build has: an engine that lacks one then refuses core, and with it the backend,
 * before any other module of the build is loaded. Never called.
 */
export function instructionProbe(p: usize): void {
  const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32);
  v128.store(p, select<f32>(madd<f32>(a, b, c), nmadd<f32>(a, b, c), a));
  v128.store(p, select<f64>(madd<f64>(a, b, c), nmadd<f64>(a, b, c), b), 16);
}
