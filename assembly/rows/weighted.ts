// A row's weighted sum of exponentials.

import { hasOperand, operandAddress, operandStride } from "../mask";
import { leastExponent, wideExp } from "../math/exp";
import { ln2HighOf, log2eOver, magicNumber } from "../math/exp-table";
import { roundingOf } from "../math/sum";
import { ROW_SUM_LOST, ROW_SUM_MAXIMUM, ROW_SUM_OTHERS, ROW_SUM_TOP } from "../scratch";
import { element } from "../simd/lanes";

/** Stores a row's sum of exponentials: four f64 at `sums`. */
// @ts-ignore: decorator
@inline
export function storeSums(sums: usize, maximum: f64, top: f64, others: f64, lost: f64): void {
  store<f64>(sums, maximum, ROW_SUM_MAXIMUM);
  store<f64>(sums, top, ROW_SUM_TOP);
  store<f64>(sums, others, ROW_SUM_OTHERS);
  store<f64>(sums, lost, ROW_SUM_LOST);
}

/**
 * Stores Σ w_j e^(x_j / t) of row i, element by element in float64: an element of weight 0 is ignored, even if NaN or
 * infinite. Where the result is not a number times e^(maximum / t), it is itself the maximum: ∞, −∞ for a sum without
 * elements above −∞, or NaN. mask, or 0, and weights are descriptors (mask.ts).
 *
 * One function for both types, elements of `size` bytes `inner` apart: it computes in f64 anyway. prepareExp<f64> was
 * called for temperature 1.
 */
export function weightedSums(
  size: usize, x: usize, n: usize, inner: usize, t: f64, scratch: usize, mask: usize, weights: usize, i: usize,
  sums: usize
): void {
  const weight = operandAddress(weights, i, size), bytes = mask && hasOperand(mask) ? operandAddress(mask, i, 1) : 0;
  const wStep = operandStride(weights) * size, bStep = bytes ? operandStride(mask) : 0, xStep = inner * size;
  let m: f64 = -Infinity, total: f64 = 0;
  for (let j: usize = 0; j < n; j++) {
    const w = element(size, weight + j * wStep), v = element(size, x + j * xStep);
    if (w == 0 || (bytes && !load<u8>(bytes + j * bStep))) continue;
    m = max<f64>(m, v);
    // Decides the result if there are infinities or NaN: any finite e^v counts as 1.
    total += w * (isFinite(v) ? 1 : v < 0 ? 0 : v);
  }
  if (!isFinite(m) || !isFinite(total)) {
    storeSums(sums, total > 0 ? total : total == 0 ? -Infinity : NaN, 0, 0, 0);
    return;
  }
  const log2e = log2eOver<f64>(scratch), magic = magicNumber<f64>(scratch), high = ln2HighOf<f64>(scratch);
  const least = leastExponent<f64>(), unused = log2e;
  let top = 0.0, topLost = 0.0, others = 0.0, othersLost = 0.0;
  for (let j: usize = 0; j < n; j++) {
    const w = element(size, weight + j * wStep), v = element(size, x + j * xStep);
    if (w == 0 || (bytes && !load<u8>(bytes + j * bStep))) continue;
    if (v == m) {
      const sum = top + w;
      topLost += roundingOf<f64>(top, w, sum);
      top = sum;
    } else {
      // In halves: v − m could overflow where (v − m) / t does not.
      const d = f64x2.splat((v * 0.5 - m * 0.5) / t * 2);
      const e = wideExp<f64>(d, least, scratch, log2e, magic, high, unused, unused, unused, unused, unused);
      const term = w * v128.extract_lane<f64>(e, 0), sum = others + term;
      othersLost += roundingOf<f64>(others, term, sum);
      others = sum;
    }
  }
  storeSums(sums, m, top, others, topLost + othersLost);
}
