// Binary cross-entropy of logits, elementwise: w · ((1 − t) · softplus(x) + p · t · softplus(−x)), and its gradient
// w · ((p t + 1 − t) · sigmoid(x) − p t) · scale.
//
// The factors of both targets, w p t and w (1 − t), come first, so that no intermediate of a finite loss overflows.
// softplus(x) = max(x, 0) + log1p(e^−|x|): one e^−|x| = up / down serves both softplus and the sigmoid, and nothing
// cancels (torch's arrangement gives 0 at t = 0, x = −15 in float32).
// One pass; every operand is read before its element is written, so a result may be any of the operands.
// x, targets: T for each element. weight, posWeight, gradOutput: T for each element, or 0. losses: T for each element,
// or 0 to add them to the f64 at sum. gradient: T for each element, or 0.
// Error: 4 · 2^-23 (f64: 2^-52) of the sum of the terms' magnitudes.

import { checkElementOperand, checkResults } from "../../contracts";
import { BLOCK_MULTIPLE, addLanesToSum, onesAddress, storeLossTail } from "../../loss";
import { biasedMagic, leastBounded } from "../../math/exp";
import { log1pOfRatio } from "../../math/log";
import { HIGH, INVERSE_LN2, LOW, TWO, constant, evenOf, remainderOf, upOf } from "../../math/ratio";
import { PARTIAL_BYTES, laneRounding, widen } from "../../math/sum";
import { HEADER_BYTES, TEMPORARY } from "../../scratch";
import { log1pOfTwo, ratioOfTwo } from "../../math/ratio-two";
import { madd, select } from "../../simd/arch";
import { e0, e1, r0, r1, s0, s1 } from "../../simd/registers";
import { laneSum, lanes, splatAt } from "../../simd/lanes";
import { copyTail, storeTailCopy, tailSlot } from "../../simd/tail";

export function bceWithLogits<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  weight: usize, posWeight: usize, scratch: usize
): void {
  checkResults<T>(losses, count, gradient, count, sum, scratch, HEADER_BYTES);
  checkElementOperand<T>(x, count, losses, gradient, scratch);
  checkElementOperand<T>(targets, count, losses, gradient, scratch);
  checkElementOperand<T>(gradOutput, count, losses, gradient, scratch);
  checkElementOperand<T>(weight, count, losses, gradient, scratch);
  checkElementOperand<T>(posWeight, count, losses, gradient, scratch);
  const rest = count % lanes<T>(), whole = count - rest, at = whole * sizeof<T>();
  if (whole) vectors<T>(x, targets, losses, gradient, whole, scale, gradOutput, sum, weight, posWeight, scratch);
  if (!rest) return;
  const lossTail = tailSlot(0, scratch), gradientTail = tailSlot(1, scratch);
  const xTail = copyTail<T>(x, at, rest, tailSlot(2, scratch));
  const targetTail = copyTail<T>(targets, at, rest, tailSlot(3, scratch));
  const gradOutputTail = copyTail<T>(gradOutput, at, rest, tailSlot(4, scratch));
  const weightTail = copyTail<T>(weight, at, rest, tailSlot(5, scratch));
  const posWeightTail = copyTail<T>(posWeight, at, rest, tailSlot(6, scratch));
  vectors<T>(
    xTail, targetTail, lossTail, gradient ? gradientTail : 0, lanes<T>(), scale, gradOutputTail, sum,
    weightTail, posWeightTail, scratch
  );
  storeLossTail<T>(losses, at, rest, lossTail, sum);
  storeTailCopy<T>(gradient, at, rest, gradientTail);
}

/** A whole number of vectors. */
function vectors<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  weight: usize, posWeight: usize, scratch: usize
): void {
  if (weight | posWeight | gradOutput) {
    if (gradient) {
      weightedGradient<T>(x, targets, losses, gradient, count, scale, gradOutput, sum, weight, posWeight, scratch);
    } else weighted<T>(x, targets, losses, count, sum, weight, posWeight, scratch);
  } else if (gradient) plainGradient<T>(x, targets, losses, gradient, count, scale, sum, scratch);
  else plain<T>(x, targets, losses, count, sum, scratch);
}

// Each loop in a function of its own, so that its constants stay in registers.
function plain<T>(x: usize, targets: usize, losses: usize, count: usize, sum: usize, scratch: usize): void {
  elements<T>(false, false, x, targets, losses, 0, count, 0, 0, sum, 0, 0, scratch);
}

function plainGradient<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, sum: usize, scratch: usize
): void {
  elements<T>(false, true, x, targets, losses, gradient, count, scale, 0, sum, 0, 0, scratch);
}

function weighted<T>(
  x: usize, targets: usize, losses: usize, count: usize, sum: usize, weight: usize, posWeight: usize, scratch: usize
): void {
  elements<T>(true, false, x, targets, losses, 0, count, 0, 0, sum, weight, posWeight, scratch);
}

function weightedGradient<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  weight: usize, posWeight: usize, scratch: usize
): void {
  elements<T>(true, true, x, targets, losses, gradient, count, scale, gradOutput, sum, weight, posWeight, scratch);
}

/** `isWeighted` and `withGradient` are literals. */
// @ts-ignore: decorator
@inline
function elements<T>(
  isWeighted: bool, withGradient: bool, x: usize, t: usize, losses: usize, gradient: usize, count: usize, scale: f64,
  gradOutput: usize, sum: usize, weight: usize, posWeight: usize, scratch: usize
): void {
  const log2e = constant<T>(INVERSE_LN2), magic = biasedMagic<T>(), high = constant<T>(HIGH), low = constant<T>(LOW);
  const least = leastBounded<T>(), two = constant<T>(TWO);
  const one = v128.load_splat<T>(onesAddress<T>()), zero = v128.splat<T>(0);
  const sign = v128.splat<T>(<T>-0.0), factor = splatAt<T>(scratch + TEMPORARY, <T>scale);
  const wStep: usize = weight ? 16 : 0, pStep: usize = posWeight ? 16 : 0, gStep: usize = gradOutput ? 16 : 0;
  let w = weight ? weight : onesAddress<T>(), p = posWeight ? posWeight : onesAddress<T>();
  let g = gradOutput ? gradOutput : onesAddress<T>();
  const end = x + count * sizeof<T>();
  while (x < end) {
    const chunkEnd = min(end, x + BLOCK_MULTIPLE * sizeof<T>());
    let sums = v128.splat<f64>(0), lost = sums;
    while (x < chunkEnd) {
      const partialEnd = min(chunkEnd, x + PARTIAL_BYTES);
      let s = zero;
      if (sizeof<T>() == 4 && !isWeighted) {
        for (; x + 32 <= partialEnd; x += 32, t += 32) {
          r0 = f32x4.pmax(v128.or(v128.load(x), sign), least);
          r1 = f32x4.pmax(v128.or(v128.load(x, 16), sign), least);
          ratioOfTwo();
          const v0 = v128.load(x), v1 = v128.load(x, 16), t0 = v128.load(t), t1 = v128.load(t, 16);
          const is0 = f32x4.ge(v0, zero), is1 = f32x4.ge(v1, zero);
          if (withGradient) {
            e0 = f32x4.div(select<f32>(r0, s0, is0), f32x4.add(r0, s0));
            e1 = f32x4.div(select<f32>(r1, s1, is1), f32x4.add(r1, s1));
            v128.store(gradient, f32x4.mul(f32x4.sub(e0, t0), factor));
            v128.store(gradient, f32x4.mul(f32x4.sub(e1, t1), factor), 16);
            gradient += 32;
          }
          log1pOfTwo();
          e0 = madd<f32>(v128.andnot(v0, sign), select<f32>(f32x4.sub(one, t0), t0, is0), e0);
          e1 = madd<f32>(v128.andnot(v1, sign), select<f32>(f32x4.sub(one, t1), t1, is1), e1);
          if (losses) {
            v128.store(losses, e0);
            v128.store(losses, e1, 16);
            losses += 32;
          } else s = f32x4.add(s, f32x4.add(e0, e1));
        }
      }
      for (; x < partialEnd; x += 16, t += 16) {
        const v = v128.load(x);
        let positive = v128.load(t), negative = v128.sub<T>(one, positive);
        if (isWeighted) {
          const elementWeight = v128.load(w);
          positive = v128.mul<T>(v128.mul<T>(positive, v128.load(p)), elementWeight);
          negative = v128.mul<T>(negative, elementWeight);
          w += wStep;
          p += pStep;
        }
        const d = v128.pmax<T>(v128.or(v, sign), least), shifted = madd<T>(d, log2e, magic);
        const r = remainderOf<T>(d, shifted, magic, high, low), a = evenOf<T>(r, two);
        const up = upOf<T>(a, r, shifted), down = v128.sub<T>(a, r);
        const loss = lossOf<T>(isWeighted, v, positive, negative, up, down, sign, zero, two);
        if (withGradient) {
          const slope = slopeOf<T>(isWeighted, v, positive, negative, up, down, zero);
          v128.store(gradient, v128.mul<T>(slope, isWeighted ? v128.mul<T>(factor, v128.load(g)) : factor));
          gradient += 16;
          g += gStep;
        }
        if (losses) {
          v128.store(losses, loss);
          losses += 16;
        } else s = v128.add<T>(s, loss);
      }
      const terms = widen<T>(s), total = f64x2.add(sums, terms);
      if (sizeof<T>() == 8) lost = f64x2.add(lost, laneRounding(sums, terms, total));
      sums = total;
    }
    if (!losses) addLanesToSum<T>(sum, sums, lost);
  }
}

/** |x| · (negative if x ≥ 0, else positive) + (negative + positive) · log1p(e^−|x|). */
// @ts-ignore: decorator
@inline
function lossOf<T>(
  isWeighted: bool, x: v128, positive: v128, negative: v128, up: v128, down: v128, sign: v128, zero: v128, two: v128
): v128 {
  const against = select<T>(negative, positive, v128.ge<T>(x, zero));
  let shared = log1pOfRatio<T>(up, down, two);
  if (isWeighted) shared = v128.mul<T>(v128.add<T>(negative, positive), shared);
  return madd<T>(v128.andnot(x, sign), against, shared);
}

/** (negative + positive) · sigmoid(x) − positive */
// @ts-ignore: decorator
@inline
function slopeOf<T>(
  isWeighted: bool, x: v128, positive: v128, negative: v128, up: v128, down: v128, zero: v128
): v128 {
  let sigmoid = v128.div<T>(select<T>(down, up, v128.ge<T>(x, zero)), v128.add<T>(down, up));
  if (isWeighted) sigmoid = v128.mul<T>(v128.add<T>(negative, positive), sigmoid);
  return v128.sub<T>(sigmoid, positive);
}
