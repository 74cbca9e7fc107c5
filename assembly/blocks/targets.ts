// The rows of a block against their targets: the sums of a cross-entropy, and its gradient.

import { shareOf } from "../loss";
import { laneRounding, logitScale } from "../math/sum";
import { FACTOR, LINE_BYTES, MAXIMUM, SCALE, TARGET_DOT, TARGET_LOGIT, TARGET_SUM } from "../scratch";
import { madd, nmadd } from "../simd/arch";
import { lanes, promoteHigh, promoteLow } from "../simd/lanes";

/** TARGET_LOGIT of each row; unchanged where the target is −1. */
export function blockTargetLogits<T>(block: usize, targets: usize, rows: usize, scratch: usize): void {
  for (let i: usize = 0; i < rows; i++) {
    const target = load<i32>(targets + (i << 2));
    const at = i * sizeof<T>();
    if (target >= 0) store<T>(scratch + at, load<T>(block + <usize>target * LINE_BYTES + at), TARGET_LOGIT);
  }
}

/**
 * TARGET_SUM and TARGET_DOT of each row, as rowTargetSums has them, given MAXIMUM. `targets` is a block or 0, `weight`
 * an element for each line or 0.
 */
export function blockTargetSums<T>(
  block: usize, targets: usize, weight: usize, n: usize, columns: usize, keep: f64, spread: f64, scratch: usize
): void {
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread), zero = v128.splat<T>(0);
  const narrow = logitScale<T>();
  for (let column: usize = 0; column < columns; column++, block += 16) {
    const c = nmadd<T>(v128.load(scratch + (column << 4), MAXIMUM), narrow, zero);
    let t = targets + (column << 4), w = weight;
    let sumLow = zero, sumHigh = zero, dotLow = zero, dotHigh = zero;
    for (let p = block, end = block + n * LINE_BYTES; p < end; p += LINE_BYTES, t += LINE_BYTES) {
      const probability = targets ? madd<T>(v128.load(t), k, s) : s;
      let q = probability;
      if (weight) {
        q = shareOf<T>(probability, v128.load_splat<T>(w));
        w += sizeof<T>();
      }
      const product = v128.mul<T>(q, madd<T>(v128.load(p), narrow, c));
      const term = v128.andnot(product, v128.eq<T>(probability, zero));
      if (sizeof<T>() == 4) {
        sumLow = f64x2.add(sumLow, promoteLow(q));
        sumHigh = f64x2.add(sumHigh, promoteHigh(q));
        dotLow = f64x2.add(dotLow, promoteLow(term));
        dotHigh = f64x2.add(dotHigh, promoteHigh(term));
      } else {
        // sumHigh and dotHigh collect what rounding takes from sumLow and dotLow.
        const sum = f64x2.add(sumLow, q), dot = f64x2.add(dotLow, term);
        sumHigh = f64x2.add(sumHigh, laneRounding(sumLow, q, sum));
        dotHigh = f64x2.add(dotHigh, laneRounding(dotLow, term, dot));
        sumLow = sum;
        dotLow = dot;
      }
    }
    if (sizeof<T>() == 8) {
      sumLow = f64x2.add(sumLow, sumHigh);
      // NaN where the sum is infinite.
      const whole = f64x2.add(dotLow, dotHigh);
      dotLow = v128.bitselect(dotLow, whole, f64x2.ne(whole, whole));
    }
    const state = scratch + column * lanes<T>() * 8;
    v128.store(state, sumLow, TARGET_SUM);
    v128.store(state, dotLow, TARGET_DOT);
    if (sizeof<T>() == 4) {
      v128.store(state, sumHigh, TARGET_SUM + 16);
      v128.store(state, dotHigh, TARGET_DOT + 16);
    }
  }
}

/**
 * x = x · FACTOR − SCALE · q, with the q of blockTargetSums, which is 0 where SCALE is: in ignored rows. FACTOR becomes 1
 * for scatter.
 */
export function blockGradient<T>(
  block: usize, targets: usize, weight: usize, n: usize, columns: usize, keep: f64, spread: f64, scratch: usize
): void {
  const k = v128.splat<T>(<T>keep), s = v128.splat<T>(<T>spread);
  for (let column: usize = 0; column < columns; column++, block += 16, scratch += 16) {
    const factor = v128.load(scratch, FACTOR), scale = v128.load(scratch, SCALE);
    const isIgnored = v128.eq<T>(scale, v128.splat<T>(0));
    let t = targets + (column << 4), w = weight;
    for (let p = block, end = block + n * LINE_BYTES; p < end; p += LINE_BYTES, t += LINE_BYTES) {
      let q = targets ? madd<T>(v128.load(t), k, s) : s;
      if (weight) {
        q = v128.andnot(shareOf<T>(q, v128.load_splat<T>(w)), isIgnored);
        w += sizeof<T>();
      }
      v128.store(p, nmadd<T>(q, scale, v128.mul<T>(v128.load(p), factor)));
    }
    v128.store(scratch, v128.splat<T>(1), FACTOR);
  }
}
