// Probes from which TypeScript learns whether this build runs in the engine.

import { madd, nmadd, select } from "../../simd/arch";

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
