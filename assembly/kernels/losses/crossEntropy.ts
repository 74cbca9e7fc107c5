// Cross-entropy: the loss of each row of [outer, n, inner] and, in the same pass, its gradient.
//
// With q_c the target probability of class c times the class weight, loss = −Σ q_c L_c, L = log-softmax(x / t), and
// d loss / d x_c = (Σ q · softmax_c − q_c) / t. A class index is never expanded to one-hot: its q is the target weight
// (1 − ε) w_target, and label smoothing adds ε / n · w_c to every class (torch.nn.functional.cross_entropy), or
// smoothingTerms · w_c where a mask makes the share differ between classes (smoothTargets).
//
// Where a target class has a softmax p > ½, its gradient is computed from the sum of the other classes' softmax, which
// is known anyway: −q · Σ others instead of q · (p − 1). So the gradient of a row that is almost right keeps its
// digits. Target probabilities that happen to be one-hot would have to be detected first, and are not.
//
// Passes over a row: with smoothing or target probabilities its maximum, and the sums of q and q · x; e^x, stored in
// place of the gradient; the gradient. Without a gradient (0) nothing of the row's size is written. Short rows in range
// against class indices: rows/short-logsum.ts, then row by row.
// targets: i32 indices, −1 where ignored (loss and gradient are 0), or probabilities of T laid out as x ("soft").
// smoothingTerms: T laid out as x, what smoothing adds to the target probabilities, or 0 for smoothing / n; always 0
// with soft targets.
// losses: T for each row, or 0 to add them in order to the f64 at sum. weight: T for each class, or 0. gradOutput: T
// for each row, or 0. gradient may be x; no result overlaps with any other operand. The gradient is multiplied by scale
// and the row's gradOutput. A subnormal softmax may count as 0 in it, even where scale / t would make it normal again.

import { gather, scatter } from "../../blocks/gather";
import { blockExpLogSum, blockLogSum } from "../../blocks/logsum";
import { blockMaxima } from "../../blocks/reduce";
import { blockFactors, clearSubnormalLanes, isSafeScale, smallestScale } from "../../blocks/scale";
import { blockGradient, blockTargetLogits, blockTargetSums } from "../../blocks/targets";
import { checkArray, checkOperand, checkOutside, checkResults, checkSameOrApart, checkTemperature, scratchBytes } from "../../contracts";
import { elementOrOne, quotient, storeLoss } from "../../loss";
import { operandAddress, operandStride } from "../../mask";
import { unshiftedLimit } from "../../math/exp";
import { prepareExp } from "../../math/exp-table";
import { LOGIT_DIVISOR } from "../../math/sum";
import { expSumRow, finishRows, logSumOf, maximumOf, rowsTogether, slotOf, sumRow } from "../../rows/logsum";
import { rowMax } from "../../rows/reduce";
import { clearSubnormal, rowFactor, rowScale } from "../../rows/scale";
import { shortLogSums } from "../../rows/short-logsum";
import { rowGradient, rowTargetSums } from "../../rows/targets";
import {
  FACTOR, GRADIENT_SCALE, HEADER_BYTES, LINE_BYTES, LOG_SUM, MAXIMUM, OTHERS, SCALE, SLOT_OTHERS, SLOT_ROW,
  SLOT_TARGET_DOT, SLOT_TARGET_LOGIT, SLOT_TARGET_SUM, SLOT_TOTAL, TARGET_DOT, TARGET_LOGIT, TARGET_SUM
} from "../../scratch";
import { addressOf, columnsOf, isShort, rowStep, rowsInBlock, usesRowForm } from "../../shape";
import { isNormal } from "../../simd/lanes";

// @ts-ignore: decorator
@inline
function lossAndGradient<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  weight: usize, smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const rows = outer * inner, elements = rows * n, size = scratchBytes(n, inner, soft ? 2 : 1);
  checkResults<T>(losses, rows, gradient, elements, sum, scratch, size);
  checkOutside(scratch, size, x, elements * sizeof<T>());
  checkArray<T>(x, elements);
  checkSameOrApart(x, elements * sizeof<T>(), losses, rows * sizeof<T>());
  checkSameOrApart(x, elements * sizeof<T>(), gradient, elements * sizeof<T>());
  if (soft) checkOperand<T, T>(targets, elements, losses, rows, gradient, elements, scratch, size);
  else checkOperand<T, i32>(targets, rows, losses, rows, gradient, elements, scratch, size);
  checkOperand<T, T>(smoothingTerms, elements, losses, rows, gradient, elements, scratch, size);
  checkOperand<T, T>(weight, n, losses, rows, gradient, elements, scratch, size);
  checkOperand<T, T>(gradOutput, rows, losses, rows, gradient, elements, scratch, size);
  checkTemperature(t);
  prepareExp<T>(t, scratch);
  if (usesRowForm<T>(n, inner)) {
    rowForm<T>(
      soft, x, targets, losses, gradient, outer, n, t, weight, smoothing, smoothingTerms, scale, gradOutput, sum,
      scratch
    );
  } else {
    blockForm<T>(
      soft, x, targets, losses, gradient, outer, n, inner, t, weight, smoothing, smoothingTerms, scale, gradOutput, sum,
      scratch
    );
  }
}

// @ts-ignore: decorator
@inline
function rowForm<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, count: usize, n: usize, t: f64,
  weight: usize, smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const bytes = n * sizeof<T>(), together = rowsTogether<T>(n);
  const uniform = smoothingTerms ? 0 : smoothing / <f64>n;
  const own = soft ? targets : smoothingTerms, ownFactor = soft ? 1 - smoothing : 1;
  let rows: usize = 0;
  for (let row: usize = 0; row < count; row++, x += bytes) {
    const target = soft ? 0 : load<i32>(targets + (row << 2)), g = gradient + row * bytes;
    if (target < 0) {
      if (gradient) memory.fill(g, 0, bytes);
      storeLoss<T>(losses, sum, row, 0);
      continue;
    }
    // The gradient may overwrite the logits, so the sums that need them come first.
    const slot = slotOf(rows, scratch);
    store<usize>(slot, row, SLOT_ROW);
    if (!soft) store<f64>(slot, <f64>load<T>(x + target * sizeof<T>()), SLOT_TARGET_LOGIT);
    if (soft || smoothing != 0) {
      const sums = rowTargetSums<T>(x, own ? own + row * bytes : 0, weight, n, rowMax<T>(x, n), ownFactor, uniform);
      store<f64>(slot, f64x2.extract_lane(sums, 0), SLOT_TARGET_SUM);
      store<f64>(slot, f64x2.extract_lane(sums, 1), SLOT_TARGET_DOT);
    }
    if (gradient) expSumRow<T>(x, g, n, t, slot, scratch);
    else sumRow<T>(x, n, t, slot, scratch);
    if (++rows < together) continue;
    finish<T>(
      soft, rows, targets, losses, gradient, n, t, weight, smoothing, smoothingTerms, scale, gradOutput, sum, scratch
    );
    rows = 0;
  }
  finish<T>(
    soft, rows, targets, losses, gradient, n, t, weight, smoothing, smoothingTerms, scale, gradOutput, sum, scratch
  );
}

/** The losses and gradients of the rows in the first slots. */
function finish<T>(
  soft: bool, rows: usize, targets: usize, losses: usize, gradient: usize, n: usize, t: f64, weight: usize,
  smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const bytes = n * sizeof<T>(), narrow = t / LOGIT_DIVISOR, isSpread = soft || smoothing != 0;
  const keep = 1 - smoothing, uniform = smoothingTerms ? 0 : smoothing / <f64>n;
  const own = soft ? targets : smoothingTerms, ownFactor = soft ? keep : 1;
  finishRows<T>(slotOf(0, scratch), rows, t, scratch);
  for (let i: usize = 0; i < rows; i++) {
    const slot = slotOf(i, scratch), row = load<usize>(slot, SLOT_ROW);
    const target = soft ? 0 : load<i32>(targets + (row << 2)), w = soft ? 1 : elementOrOne<T>(weight, target);
    const targetWeight = soft || keep == 0 ? 0 : keep * w, targetLogit = soft ? 0 : load<f64>(slot, SLOT_TARGET_LOGIT);
    const q = isSpread ? load<f64>(slot, SLOT_TARGET_SUM) : 0, qx = isSpread ? load<f64>(slot, SLOT_TARGET_DOT) : 0;
    const logSum = logSumOf(slot);
    let loss = q * logSum - qx / narrow;
    // A target probability of 0 (smoothing 1) makes the term 0 even if the logit is infinite or NaN.
    if (!soft && keep != 0) loss += targetWeight * (logSum + quotient<T>(maximumOf(slot), targetLogit, t));
    storeLoss<T>(losses, sum, row, loss);
    if (!gradient) continue;
    const g = gradient + row * bytes, probabilities = own ? own + row * bytes : 0;
    const s = scale * elementOrOne<T>(gradOutput, row) / t;
    const total = load<f64>(slot, SLOT_TOTAL), scaledWeight = s * (targetWeight + q);
    const factor = rowFactor<T>(g, n, scaledWeight / total, scaledWeight, total);
    if (isSpread) rowGradient<T>(g, probabilities, weight, n, factor, <T>s, ownFactor, uniform);
    else rowScale<T>(g, g, n, factor);
    if (soft) continue;
    const p = g + target * sizeof<T>(), others = load<f64>(slot, SLOT_OTHERS) / total;
    if (others < 0.5 && targetLogit == maximumOf(slot)) {
      const spread = smoothingTerms ? <f64>load<T>(probabilities + target * sizeof<T>()) : uniform;
      store<T>(p, <T>(s * (q * (1 - others) - spread * w - targetWeight * others)));
    } else store<T>(p, <T>(<f64>load<T>(p) - s * targetWeight));
  }
}

// @ts-ignore: decorator
@inline
function blockForm<T>(
  soft: bool, x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize, t: f64,
  weight: usize, smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const block = scratch + HEADER_BYTES, limit = unshiftedLimit<T>(t);
  const keep = 1 - smoothing, uniform = smoothingTerms ? 0 : smoothing / <f64>n;
  const own = soft ? targets : smoothingTerms, ownFactor = soft ? keep : 1;
  const probabilities = own ? block + n * LINE_BYTES : 0;
  const isSpread = soft || smoothing != 0;
  const narrow = t / LOGIT_DIVISOR, smallest = smallestScale<T>(n);
  const short = !isSpread && isShort<T>(n, inner);
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    if (short && shortLogSums(x, first, rows, n, t, scratch)) {
      lossesOfShortRows(
        x, targets, losses, gradient, first, first + rows, n, t, weight, scale, gradOutput, sum, scratch
      );
      continue;
    }
    const columns = columnsOf<T>(rows);
    const form = gather<T>(x, n, inner, first, rows, block, limit);
    if (own) gather<T>(own, n, inner, first, rows, probabilities, limit);
    if (!soft) blockTargetLogits<T>(block, targets + (first << 2), rows, scratch);
    blockMaxima<T>(block, n, columns, form, scratch);
    if (isSpread) blockTargetSums<T>(block, probabilities, weight, n, columns, ownFactor, uniform, scratch);
    if (gradient) blockExpLogSum<T>(block, n, columns, form, t, scratch);
    else blockLogSum<T>(block, n, columns, form, t, scratch);
    let unsafe: u32 = 0;
    for (let i: usize = 0; i < rows; i++) {
      const target = soft ? 0 : load<i32>(targets + ((first + i) << 2));
      const state = scratch + i * sizeof<T>();
      if (target < 0) {
        storeLoss<T>(losses, sum, first + i, 0);
        store<T>(state, 0, FACTOR);
        store<T>(state, 0, SCALE);
        continue;
      }
      const targetWeight = soft || keep == 0 ? 0 : keep * elementOrOne<T>(weight, target);
      const q = isSpread ? load<f64>(scratch + (i << 3), TARGET_SUM) : 0;
      const logSum = <f64>load<T>(state, LOG_SUM);
      let loss = isSpread ? q * logSum - load<f64>(scratch + (i << 3), TARGET_DOT) / narrow : 0;
      if (!soft && keep != 0) {
        const maximum = <f64>load<T>(state, MAXIMUM), targetLogit = <f64>load<T>(state, TARGET_LOGIT);
        loss += targetWeight * (logSum + quotient<T>(maximum, targetLogit, t));
      }
      storeLoss<T>(losses, sum, first + i, loss);
      if (!gradient) continue;
      const s = scale * elementOrOne<T>(gradOutput, first + i) / t;
      const scaledWeight = s * (targetWeight + q);
      if (isSafeScale<T>(scaledWeight, smallest)) {
        store<T>(state, <T>(scaledWeight * <f64>load<T>(state, FACTOR)), FACTOR);
      } else {
        store<f64>(scratch + (i << 3), scaledWeight, GRADIENT_SCALE);
        unsafe |= 1 << <u32>i;
      }
      store<T>(state, <T>s, SCALE);
    }
    if (!gradient) continue;
    if (unsafe) blockFactors(sizeof<T>(), block, n, unsafe, scratch);
    clearSubnormalLanes<T>(block, n, columns, scratch);
    if (isSpread) blockGradient<T>(block, probabilities, weight, n, columns, ownFactor, uniform, scratch);
    scatter<T>(block, gradient, n, inner, first, rows, scratch);
    if (!soft) {
      targetGradients<T>(gradient, targets, n, inner, first, rows, weight, keep, smoothingTerms, uniform, scratch);
    }
  }
}

/**
 * The gradient at the targets. Whether one is the maximum, and above ½, is unpredictable, so there is no branch for it:
 * OTHERS becomes NaN where the target is not the maximum.
 */
function targetGradients<T>(
  gradient: usize, targets: usize, n: usize, inner: usize, first: usize, rows: usize, weight: usize, keep: f64,
  smoothingTerms: usize, uniform: f64, scratch: usize
): void {
  for (let at = scratch, end = scratch + LINE_BYTES; at < end; at += 16) {
    const isElsewhere = v128.ne<T>(v128.load(at, TARGET_LOGIT), v128.load(at, MAXIMUM));
    v128.store(at, v128.or(v128.load(at, OTHERS), isElsewhere), OTHERS);
  }
  // A block never crosses an outer slice: its rows are evenly apart.
  const step = rowStep<T>(n, inner), stride = inner * sizeof<T>();
  let element = addressOf<T>(0, n, inner, first);
  for (let i: usize = 0; i < rows; i++, element += step) {
    const state = scratch + i * sizeof<T>(), target = load<i32>(targets + ((first + i) << 2));
    if (target < 0) continue;
    const at = element + <usize>target * stride, p = gradient + at;
    const s = <f64>load<T>(state, SCALE), w = elementOrOne<T>(weight, target), others = <f64>load<T>(state, OTHERS);
    const targetWeight = keep == 0 ? 0 : s * keep * w;
    let confident = -targetWeight * others;
    const spread = smoothingTerms ? <f64>load<T>(smoothingTerms + at) : uniform;
    if (spread != 0) confident += s * (load<f64>(scratch + (i << 3), TARGET_SUM) * (1 - others) - spread * w);
    store<T>(p, <T>select<f64>(confident, <f64>load<T>(p) - targetWeight, others < 0.5));
  }
}

/** The block form of short rows of f32, given their log-sums and exponentials; nothing is spread. */
function lossesOfShortRows(
  x: usize, targets: usize, losses: usize, gradient: usize, first: usize, end: usize, n: usize, t: f64, weight: usize,
  scale: f64, gradOutput: usize, sum: usize, scratch: usize
): void {
  const bytes = n << 2, wholeScale = scale / t;
  let e = scratch + HEADER_BYTES, state = scratch;
  for (let row = first; row < end; row++, e += bytes, state += 4) {
    const target = load<i32>(targets + (row << 2)), y = gradient + row * bytes;
    if (target < 0) {
      storeLoss<f32>(losses, sum, row, 0);
      if (gradient) memory.fill(y, 0, bytes);
      continue;
    }
    const w = elementOrOne<f32>(weight, target), at = <usize>target << 2;
    const logit = load<f32>(x + row * bytes + at), maximum = load<f32>(state, MAXIMUM);
    const ratio = quotient<f32>(<f64>maximum, <f64>logit, t);
    storeLoss<f32>(losses, sum, row, w * (<f64>load<f32>(state, LOG_SUM) + ratio));
    if (!gradient) continue;
    const s = gradOutput ? scale * <f64>load<f32>(gradOutput + (row << 2)) / t : wholeScale, scaledWeight = s * w;
    const reciprocal = load<f32>(state, FACTOR);
    let factor = scaledWeight * <f64>reciprocal;
    if (scaledWeight != 0 && !isNormal(4, factor)) {
      rowScale<f32>(e, e, n, reciprocal);
      factor = scaledWeight;
    }
    const others = <f64>load<f32>(state, OTHERS), targetWeight = <f64><f32>s * w;
    const p = <f64>(load<f32>(e + at) * <f32>factor) - targetWeight;
    clearSubnormal<f32>(e, n, <f32>factor);
    scaleRow(e, y, bytes, f32x4.splat(<f32>factor));
    // Unpredictable, so without a branch.
    const isConfident = i32(logit == maximum) & i32(others < 0.5);
    store<f32>(y + at, <f32>select<f64>(-targetWeight * others, p, isConfident));
  }
}

/** y = x · factor for a row of a vector or more; its last vector ends with it, so that x must be elsewhere. */
// @ts-ignore: decorator
@inline
function scaleRow(x: usize, y: usize, bytes: usize, factor: v128): void {
  const end = bytes - 16;
  for (let at: usize = 0; at < end; at += 16) v128.store(y + at, f32x4.mul(v128.load(x + at), factor));
  v128.store(y + end, f32x4.mul(v128.load(x + end), factor));
}

/** Targets are class indices. */
// @ts-ignore: decorator
@inline
export function crossEntropy<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  temperature: f64, weight: usize, smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  lossAndGradient<T>(
    false, x, targets, losses, gradient, outer, n, inner, temperature, weight, smoothing, smoothingTerms, scale,
    gradOutput, sum, scratch
  );
}

/** Targets are class probabilities. */
// @ts-ignore: decorator
@inline
export function softCrossEntropy<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  temperature: f64, weight: usize, smoothing: f64, smoothingTerms: usize, scale: f64, gradOutput: usize, sum: usize,
  scratch: usize
): void {
  lossAndGradient<T>(
    true, x, targets, losses, gradient, outer, n, inner, temperature, weight, smoothing, smoothingTerms, scale,
    gradOutput, sum, scratch
  );
}

/**
 * Label smoothing beside a mask: of each row the share `smoothing` of the targets goes evenly to the classes that are
 * kept. y = targets · (1 − smoothing), and smoothing / (classes kept) more where kept. Without targets (0) what is added
 * alone, the smoothingTerms of crossEntropy. y may be targets. mask: a descriptor of bytes, not causal.
 */
export function smoothTargets<T>(
  targets: usize, y: usize, outer: usize, n: usize, inner: usize, smoothing: f64, mask: usize
): void {
  const elements = outer * n * inner;
  checkArray<T>(y, elements);
  if (targets) checkArray<T>(targets, elements);
  checkSameOrApart(targets, elements * sizeof<T>(), y, elements * sizeof<T>());
  const stride = operandStride(mask), step = inner * sizeof<T>();
  for (let row: usize = 0; row < outer * inner; row++) {
    const bytes = operandAddress(mask, row, 1);
    let kept = 0;
    for (let j: usize = 0; j < n; j++) kept += i32(load<u8>(bytes + j * stride) != 0);
    const spread = smoothing / <f64>kept;
    let at = addressOf<T>(0, n, inner, row);
    for (let j: usize = 0; j < n; j++, at += step) {
      const own = targets ? <f64>load<T>(targets + at) * (1 - smoothing) : 0;
      store<T>(y + at, <T>(load<u8>(bytes + j * stride) ? own + spread : own));
    }
  }
}
