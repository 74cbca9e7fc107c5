// Kullback-Leibler divergence, elementwise: t · log t − t · x with log-probabilities x and 0 · log 0 = 0, or e^t · (t −
// x) for targets that are logarithms. The gradient is −t · scale, or −e^t · scale.
//
// One pass; every operand is read before its element is written, so a result may be any of the operands.
// x, targets: T for each element. gradOutput: T for each element, or 0. losses: T for each element, or 0 to add them to
// the f64 at sum. gradient: T for each element, or 0. NaN for a target below 0 and, as in torch, for a target of 0 with
// x = −∞.
// Error: 4 · 2^-23 (f64: 2^-52) of the sum of the terms' magnitudes.

import { checkElementOperand, checkResults } from "../../contracts";
import { BLOCK_MULTIPLE, addLanesToSum, onesAddress, storeLossTail } from "../../loss";
import { leastExponent, wideExp } from "../../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, oneVector, prepareExp } from "../../math/exp-table";
import { xLogX, xLogXOfNormal } from "../../math/log";
import { PARTIAL_BYTES, laneRounding, widen } from "../../math/sum";
import { HEADER_BYTES, TEMPORARY } from "../../scratch";
import { nmadd } from "../../simd/arch";
import { laneSum, lanes, splatAt } from "../../simd/lanes";
import { copyTail, storeTailCopy, tailSlot } from "../../simd/tail";

/** Kinds of targets: probabilities that areOrdinary (f32), any probabilities, logarithms. */
const ORDINARY: i32 = 0;
const ANY: i32 = 1;
const LOGARITHMS: i32 = 2;

function divergence<T>(
  logTarget: bool, x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64,
  gradOutput: usize, sum: usize, scratch: usize
): void {
  checkResults<T>(losses, count, gradient, count, sum, scratch, HEADER_BYTES);
  checkElementOperand<T>(x, count, losses, gradient, scratch);
  checkElementOperand<T>(targets, count, losses, gradient, scratch);
  checkElementOperand<T>(gradOutput, count, losses, gradient, scratch);
  prepareExp<T>(1, scratch);
  const rest = count % lanes<T>(), whole = count - rest, at = whole * sizeof<T>();
  if (whole) vectors<T>(logTarget, x, targets, losses, gradient, whole, scale, gradOutput, sum, scratch);
  if (!rest) return;
  const lossTail = tailSlot(0, scratch), gradientTail = tailSlot(1, scratch);
  const xTail = copyTail<T>(x, at, rest, tailSlot(2, scratch));
  const targetTail = copyTail<T>(targets, at, rest, tailSlot(3, scratch));
  const gradOutputTail = copyTail<T>(gradOutput, at, rest, tailSlot(4, scratch));
  vectors<T>(
    logTarget, xTail, targetTail, lossTail, gradient ? gradientTail : 0, lanes<T>(), scale, gradOutputTail, sum, scratch
  );
  storeLossTail<T>(losses, at, rest, lossTail, sum);
  storeTailCopy<T>(gradient, at, rest, gradientTail);
}

/** A whole number of vectors. */
function vectors<T>(
  logTarget: bool, x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64,
  gradOutput: usize, sum: usize, scratch: usize
): void {
  for (let n: usize = 0; count; count -= n) {
    n = min(count, BLOCK_MULTIPLE);
    if (logTarget) logarithms<T>(x, targets, losses, gradient, n, scale, gradOutput, sum, scratch);
    else if (sizeof<T>() == 4 && areOrdinary(targets, n)) {
      ordinary(x, targets, losses, gradient, n, scale, gradOutput, sum, scratch);
    } else probabilities<T>(x, targets, losses, gradient, n, scale, gradOutput, sum, scratch);
    const bytes = n * sizeof<T>();
    x += bytes;
    targets += bytes;
    if (losses) losses += bytes;
    if (gradient) gradient += bytes;
    if (gradOutput) gradOutput += bytes;
  }
}

/** Whether n elements, a whole number of vectors, are all above 0 and not subnormal: their logarithms are then fast. */
function areOrdinary(p: usize, n: usize): bool {
  // Compared as integers: negative numbers are below 0, and a positive NaN above all numbers, as it may be.
  let least = v128.load(p);
  const end = p + (n << 2);
  for (const end4 = p + ((end - p) & ~63); p < end4; p += 64) {
    const a = i32x4.min_s(v128.load(p), v128.load(p, 16)), b = i32x4.min_s(v128.load(p, 32), v128.load(p, 48));
    least = i32x4.min_s(least, i32x4.min_s(a, b));
  }
  for (; p < end; p += 16) least = i32x4.min_s(least, v128.load(p));
  return i32x4.all_true(i32x4.ge_s(least, i32x4.splat(0x00800000)));
}

// Each loop in a function of its own, so that its constants stay in registers.
function ordinary(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  elements<f32>(ORDINARY, x, targets, losses, gradient, count, scale, gradOutput, sum, scratch);
}

function probabilities<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  elements<T>(ANY, x, targets, losses, gradient, count, scale, gradOutput, sum, scratch);
}

function logarithms<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  elements<T>(LOGARITHMS, x, targets, losses, gradient, count, scale, gradOutput, sum, scratch);
}

/** At most BLOCK_MULTIPLE elements, a whole number of vectors; `form` is a literal. */
// @ts-ignore: decorator
@inline
function elements<T>(
  form: i32, x: usize, t: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize,
  sum: usize, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const least = leastExponent<T>(), one = oneVector<T>(scratch), zero = v128.splat<T>(0);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const factor = splatAt<T>(scratch + TEMPORARY, <T>-scale);
  const gradOutputStep: usize = gradOutput ? 16 : 0;
  const end = x + count * sizeof<T>();
  let f = gradOutput ? gradOutput : onesAddress<T>();
  let sums = v128.splat<f64>(0), lost = sums;
  while (x < end) {
    const partialEnd = min(end, x + PARTIAL_BYTES);
    let s = zero;
    for (; x < partialEnd; x += 16, t += 16) {
      const v = v128.load(x), target = v128.load(t);
      const p = form == LOGARITHMS
        ? wideExp<T>(target, least, scratch, log2e, magic, high, c5, c4, c3, c2, c1)
        : target;
      const loss = lossOf<T>(form, v, target, p, zero, one);
      if (gradient) {
        v128.store(gradient, v128.mul<T>(p, v128.mul<T>(factor, v128.load(f))));
        gradient += 16;
        f += gradOutputStep;
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

// @ts-ignore: decorator
@inline
function lossOf<T>(form: i32, x: v128, target: v128, p: v128, zero: v128, one: v128): v128 {
  if (form == LOGARITHMS) return v128.mul<T>(p, v128.sub<T>(target, x));
  const entropy = form == ORDINARY ? xLogXOfNormal<T>(target, one) : xLogX<T>(target, zero, one);
  return nmadd<T>(target, x, entropy);
}

/** Targets are probabilities. */
export function klDiv<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  divergence<T>(false, x, targets, losses, gradient, count, scale, gradOutput, sum, scratch);
}

/** Targets are logarithms of probabilities. */
export function logKlDiv<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, count: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  divergence<T>(true, x, targets, losses, gradient, count, scale, gradOutput, sum, scratch);
}
