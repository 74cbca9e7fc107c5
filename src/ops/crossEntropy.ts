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
  /** What is kept: anything but 0 and false. Of the logits' shape or one that broadcasts to it by trailing axes. A class
   * that is not has no probability, no gradient, and as a target a loss of ∞. */
  mask?: Mask | undefined;
  /** The share ε of every target that is spread evenly over all classes, those of its row that `mask` keeps, in [0, 1].
   * Default 0. */
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
 * Cross-entropy of logits against class indices or class probabilities: −Σ_c q_c · logSoftmax(x / t)_c, where q is
 * the target after label smoothing, times the class weights. Softmax is inside: pass logits, not probabilities.
 *
 * Rows that hold NaN or +∞, or nothing but -∞, give NaN. All rows ignored: NaN for `'mean'`, 0 for `'sum'`. A
 * probability of 0 beside a logit of -∞ counts 0. What a mask leaves out is a logit of -∞ that no target is spread to; of a
 * row that keeps nothing the loss is ∞, or 0 without a target.
 * Formula: torch.nn.functional.cross_entropy.
 *
 * @param logits shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis, or class probabilities (Float32Array, Float64Array, tensors) of
 * the logits' shape. What these hold is no error: {@link inspectTargets} tells negative ones.
 * @returns a number; with reduction `'none'` a loss for each row.
 * @throws TypeError for a wrong kind of argument, RangeError for a wrong shape, length or value, targets out of range
 * included: nothing is written then.
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
 * {@link crossEntropy} and its gradient with respect to the logits, in one pass over them: the gradient is
 * (Σ q · softmax(x / t) − q) / t, divided as the loss is. `out` may be the logits.
 *
 * What a mask leaves out has a gradient of 0. Where that is the target, the loss is ∞ and the gradient of the others still
 * this formula's, as in torch after masked_fill; a row without anything above -∞ then has none.
 *
 * @returns the loss, and the gradient in the kind of array or tensor that the logits came in, or `out`.
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
