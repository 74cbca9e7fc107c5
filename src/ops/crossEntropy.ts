import { type ClassLoss, classLoss } from '../call/class-loss.js';
import { REDUCTIONS } from '../call/loss.js';
import type { OptionNames } from '../call/options.js';
import { crossEntropyKernel, softCrossEntropyKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { crossEntropy as reference, softCrossEntropy as softReference } from '../reference/crossEntropy.js';
import type {
  ClassIndices,
  ClassLossOptions,
  FloatArray,
  GradOptions,
  GradResult,
  Input,
  LossResult,
  Mask,
  NoOptions,
  OptionsArgument,
  TensorLike,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** Divides the logits first; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * Classes to keep: those where it is neither 0 nor false. Of the logits' shape, or one that broadcasts to it by
   * trailing axes. A masked-out class has probability 0 and gradient 0; as a target it gives a loss of ∞.
   */
  mask?: Mask | undefined;
  /**
   * The share ε of each target that is spread evenly over all classes, or with `mask` over those kept in its row; in
   * [0, 1]. Default 0.
   */
  labelSmoothing?: number | undefined;
}

/** Options of {@link crossEntropyWithGrad}. */
export interface CrossEntropyWithGradOptions extends Omit<CrossEntropyOptions, 'out'>, GradOptions {}

const OPTIONS: OptionNames<CrossEntropyOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  mask: true,
  weight: true,
  ignoreIndex: true,
  labelSmoothing: true,
  reduction: true,
  out: true,
};
const GRAD_OPTIONS: OptionNames<CrossEntropyWithGradOptions> = { ...OPTIONS, gradOutput: true, accumulate: true };

const LOSS: ClassLoss = {
  name: 'crossEntropy',
  withGrad: false,
  argument: 'logits',
  kernel: /* @__PURE__ */ defineKernel(crossEntropyKernel, reference),
  softKernel: /* @__PURE__ */ defineKernel(softCrossEntropyKernel, softReference),
  lossOfEmptyRow: Infinity,
  reductions: REDUCTIONS,
  options: OPTIONS,
};
const WITH_GRAD: ClassLoss = { ...LOSS, name: 'crossEntropyWithGrad', withGrad: true, options: GRAD_OPTIONS };

/**
 * Cross-entropy of logits against class indices or class probabilities: −Σ_c q_c · logSoftmax(x / t)_c, where q is the
 * target after label smoothing, times the class weights. The softmax is inside: pass logits, not probabilities.
 *
 * Rows that hold NaN or +∞, or only -∞, give NaN. If all rows are ignored, `'mean'` gives NaN and `'sum'` 0. A target
 * probability of 0 contributes 0 even where the logit is -∞. A masked-out class counts as a logit of -∞, and label
 * smoothing gives it no share; a row that keeps nothing has a loss of ∞, or of 0 if its target probabilities are all 0.
 * Formula: torch.nn.functional.cross_entropy.
 *
 * @param logits shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis, or class probabilities (Float32Array, Float64Array, tensors) of
 * the logits' shape. Their values are not checked; {@link inspectTargets} finds negative ones and sums other than 1.
 * @returns a number; with reduction `'none'`, a loss for each row.
 * @throws TypeError for an argument of the wrong type; RangeError for a wrong shape, length or value, such as a target
 * that is not a class. Nothing is written then.
 *
 * @example
 * crossEntropy([2.0, 1.0, 0.1], 0); // 0.417
 * @example
 * crossEntropy([2.0, 1.0, 9.0], 0, { mask: [true, true, false] }); // 0.313
 * @example
 * crossEntropy([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] }); // 1.222
 */
export function crossEntropy<X extends Input, const O extends CrossEntropyOptions | undefined = NoOptions>(
  logits: X,
  targets: ClassIndices | FloatArray | TensorLike | Tensor,
  ...options: OptionsArgument<O, CrossEntropyOptions>
): LossResult<X, O>;
export function crossEntropy(logits: unknown, targets: unknown, options?: unknown): unknown {
  return classLoss(LOSS, logits, targets, options);
}

/**
 * {@link crossEntropy} and its gradient with respect to the logits, in one pass over them: the gradient is (Σ q ·
 * softmax(x / t) − q) / t, divided by what the loss is divided by. `out` may be the logits.
 *
 * Masked-out classes have a gradient of 0. If the target is masked out, the loss is ∞ and the other classes still have
 * the gradient of this formula, as in torch after masked_fill; if the row has no logit above -∞ either, its gradient is
 * 0.
 *
 * @returns the loss, and the gradient in the same kind of array or tensor as the logits, or in `out`.
 * @throws as {@link crossEntropy}.
 *
 * @example
 * const { loss, grad } = crossEntropyWithGrad([2.0, 1.0, 0.1], 0);
 * loss; // 0.417
 * grad; // Float32Array [-0.341, 0.242, 0.099]
 */
export function crossEntropyWithGrad<
  X extends Input,
  const O extends CrossEntropyWithGradOptions | undefined = NoOptions,
>(
  logits: X,
  targets: ClassIndices | FloatArray | TensorLike | Tensor,
  ...options: OptionsArgument<O, CrossEntropyWithGradOptions>
): GradResult<X, O>;
export function crossEntropyWithGrad(logits: unknown, targets: unknown, options?: unknown): unknown {
  return classLoss(WITH_GRAD, logits, targets, options);
}
