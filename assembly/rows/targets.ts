// A row against its targets: the sums of a cross-entropy, and its gradient.

import { ZEROS, shareOf } from "../loss";
import { LOGIT_DIVISOR, PARTIAL_BYTES, laneRounding, logitScale, widen } from "../math/sum";
import { madd } from "../simd/arch";
import { laneSum, lanes } from "../simd/lanes";
import { loadTail, storeTail, tailMask } from "../simd/tail";

/**
 * The sums of a cross-entropy, f64: with q_c = (t_c · keep + spread) · w_c, Σ q_c in lane 0 and, in lane 1, Σ q_c (x_c
 * − centre) / LOGIT_DIVISOR, where a target probability t_c · keep + spread of 0 makes both terms 0 even if w_c or x_c
 * is infinite or NaN. Without targets (0) t = 0, without weight (0) w = 1.
 */
export function rowTargetSums<T>(
  x: usize, targets: usize, weight: usize, n: usize, centre: T, keep: f64, spread: f64
): v128 {
  const c = v128.splat<T>(<T>(<f64>-centre / LOGIT_DIVISOR)), narrow = logitScale<T>();
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight;
  let sumsQ = v128.splat<f64>(0), sumsQx = sumsQ, lostQ = sumsQ, lostQx = sumsQ;
  while (x < end) {
    const partialEnd = min(end, x + PARTIAL_BYTES);
    let partialQ = zero, partialQx = zero;
    for (; x < partialEnd; x += 16, t += targetStep) {
      const probability = madd<T>(v128.load(t), k, s);
      let v = probability;
      if (weight) {
        v = shareOf<T>(probability, v128.load(w));
        w += 16;
      }
      partialQ = v128.add<T>(partialQ, v);
      const term = v128.mul<T>(v, madd<T>(v128.load(x), narrow, c));
      partialQx = v128.add<T>(partialQx, v128.andnot(term, v128.eq<T>(probability, zero)));
    }
    const termsQ = widen<T>(partialQ), totalQ = f64x2.add(sumsQ, termsQ);
    const termsQx = widen<T>(partialQx), totalQx = f64x2.add(sumsQx, termsQx);
    if (sizeof<T>() == 8) {
      lostQ = f64x2.add(lostQ, laneRounding(sumsQ, termsQ, totalQ));
      lostQx = f64x2.add(lostQx, laneRounding(sumsQx, termsQx, totalQx));
    }
    sumsQ = totalQ;
    sumsQx = totalQx;
  }
  let q = laneSum<f64>(sumsQ), qx = laneSum<f64>(sumsQx);
  if (rest) {
    const probability = madd<T>(loadTail<T>(t, rest), k, s);
    const counts = v128.andnot(tailMask<T>(rest), v128.eq<T>(probability, zero));
    const v = weight ? v128.mul<T>(probability, loadTail<T>(w, rest)) : probability;
    q += laneSum<T>(v128.and(v, counts));
    qx += laneSum<T>(v128.and(v128.mul<T>(v, madd<T>(loadTail<T>(x, rest), narrow, c)), counts));
  }
  if (sizeof<T>() == 8) {
    q += laneSum<f64>(lostQ);
    if (isFinite(qx)) qx += laneSum<f64>(lostQx);
  }
  return f64x2.replace_lane(f64x2.splat(q), 1, qx);
}

/** y = y · factor − scale · q, with the q of rowTargetSums: the gradient of a cross-entropy, from e^x. */
export function rowGradient<T>(
  y: usize, targets: usize, weight: usize, n: usize, factor: T, scale: T, keep: f64, spread: f64
): void {
  const f = v128.splat<T>(factor), g = v128.splat<T>(-scale);
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread);
  const rest = n % lanes<T>(), end = y + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight;
  for (; y < end; y += 16, t += targetStep) {
    let q = madd<T>(v128.load(t), k, s);
    if (weight) {
      q = shareOf<T>(q, v128.load(w));
      w += 16;
    }
    v128.store(y, madd<T>(q, g, v128.mul<T>(v128.load(y), f)));
  }
  if (rest) {
    let q = madd<T>(loadTail<T>(t, rest), k, s);
    if (weight) q = shareOf<T>(q, loadTail<T>(w, rest));
    storeTail<T>(y, madd<T>(q, g, v128.mul<T>(loadTail<T>(y, rest), f)), rest);
  }
}
