// A row against its targets: the sums of a cross-entropy, and its gradient.

import { ZEROS, ones } from "../loss";
import { BLOCK_BYTES, CHAIN_BYTES, WIDE, narrowing, roundingOf } from "../math/sum";
import { madd } from "../simd/arch";
import { laneSum, lanes } from "../simd/lanes";
import { loadTail, storeTail, tailMask } from "../simd/tail";

/**
 * The targets of a cross-entropy against x: with q_c = (t_c · keep + spread) · w_c the f64 sums of q_c, returned in
 * lane 0, and of q_c (x_c − centre) / WIDE, in lane 1, where t_c · keep + spread = 0 counts as 0 whatever x is.
 * No targets (0) means t = 0, no weight (0) means w = 1.
 */
export function rowTargetSums<T>(
  x: usize, targets: usize, weight: usize, n: usize, centre: T, keep: f64, spread: f64
): v128 {
  const c = v128.splat<T>(<T>(<f64>-centre / WIDE)), narrow = narrowing<T>();
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0, weightStep: usize = weight ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight ? weight : ones<T>();
  let q: f64 = 0, qx: f64 = 0, lostQ: f64 = 0, lostQx: f64 = 0;
  while (x < end) {
    const blockEnd = min(end, x + BLOCK_BYTES);
    let blockQ = zero, blockQx = zero;
    while (x < blockEnd) {
      const chainEnd = min(blockEnd, x + CHAIN_BYTES);
      let chainQ = zero, chainQx = zero;
      for (; x < chainEnd; x += 16, t += targetStep, w += weightStep) {
        const share = madd<T>(v128.load(t), k, s);
        const v = v128.mul<T>(share, v128.load(w));
        chainQ = v128.add<T>(chainQ, v);
        const term = v128.mul<T>(v, madd<T>(v128.load(x), narrow, c));
        chainQx = v128.add<T>(chainQx, v128.andnot(term, v128.eq<T>(share, zero)));
      }
      blockQ = v128.add<T>(blockQ, chainQ);
      blockQx = v128.add<T>(blockQx, chainQx);
    }
    const partQ = laneSum<T>(blockQ), totalQ = q + partQ, partQx = laneSum<T>(blockQx), totalQx = qx + partQx;
    lostQ += roundingOf<T>(q, partQ, totalQ);
    lostQx += roundingOf<T>(qx, partQx, totalQx);
    q = totalQ;
    qx = totalQx;
  }
  if (rest) {
    const inside = tailMask<T>(rest);
    const share = madd<T>(loadTail<T>(t, rest), k, s);
    const v = v128.mul<T>(share, loadTail<T>(w, rest));
    q += laneSum<T>(v128.and(v, inside));
    const term = v128.mul<T>(v, madd<T>(loadTail<T>(x, rest), narrow, c));
    qx += laneSum<T>(v128.and(v128.andnot(term, v128.eq<T>(share, zero)), inside));
  }
  q += lostQ;
  if (isFinite(qx)) qx += lostQx;
  return f64x2.replace_lane(f64x2.splat(q), 1, qx);
}

/** y = y · factor − scale · q, with the q of rowTargetSums: the gradient of a cross-entropy from e^x. */
export function rowGradient<T>(
  y: usize, targets: usize, weight: usize, n: usize, factor: T, scale: T, keep: f64, spread: f64
): void {
  const f = v128.splat<T>(factor), g = v128.splat<T>(-scale), k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread);
  const rest = n % lanes<T>(), end = y + (n - rest) * sizeof<T>();
  const targetStep: usize = targets ? 16 : 0, weightStep: usize = weight ? 16 : 0;
  let t = targets ? targets : ZEROS, w = weight ? weight : ones<T>();
  for (; y < end; y += 16, t += targetStep, w += weightStep) {
    const q = v128.mul<T>(madd<T>(v128.load(t), k, s), v128.load(w));
    v128.store(y, madd<T>(q, g, v128.mul<T>(v128.load(y), f)));
  }
  if (rest) {
    const q = v128.mul<T>(madd<T>(loadTail<T>(t, rest), k, s), loadTail<T>(w, rest));
    storeTail<T>(y, madd<T>(q, g, v128.mul<T>(loadTail<T>(y, rest), f)), rest);
  }
}
