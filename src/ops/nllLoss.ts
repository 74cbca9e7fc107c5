import { type ClassLoss, classLoss } from '../call/class-loss.js';
import { REDUCTIONS } from '../call/loss.js';
import type { OptionNames } from '../call/options.js';
import { pickTargets, sumTargets } from '../call/pick-targets.js';
import { nllLossKernel } from '../generated/kernels.js';
import { nllLoss as reference } from '../reference/nllLoss.js';
import type {
  ClassIndices,
  ClassLossOptions,
  GradOptions,
  GradResult,
  Input,
  LossResult,
  NoOptions,
  OptionsArgument,
  TensorLike,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link nllLoss}. */
export interface NllLossOptions extends ClassLossOptions {}

/** Options of {@link nllLossWithGrad}. */
export interface NllLossWithGradOptions extends Omit<NllLossOptions, 'out'>, GradOptions {}

const OPTIONS: OptionNames<NllLossOptions> = {
  shape: true,
  axis: true,
  weight: true,
  ignoreIndex: true,
  reduction: true,
  out: true,
};
const GRAD_OPTIONS: OptionNames<NllLossWithGradOptions> = { ...OPTIONS, gradOutput: true, accumulate: true };

const LOSS: ClassLoss = {
  name: 'nllLoss',
  withGrad: false,
  argument: 'logProbs',
  kernel: /* @__PURE__ */ defineKernel(nllLossKernel, reference),
  pick: pickTargets,
  sum: sumTargets,
  reductions: REDUCTIONS,
  options: OPTIONS,
};
const WITH_GRAD: ClassLoss = { ...LOSS, name: 'nllLossWithGrad', withGrad: true, options: GRAD_OPTIONS };

/**
 * Negative log-likelihood of log-probabilities against class indices: −w_target · logProbs_target. Use it after {@link
 * logSoftmax}; {@link crossEntropy} takes logits and does both at once.
 *
 * Only the elements at the targets are read: NaN and -∞ elsewhere do not matter. If all rows are ignored, `'mean'`
 * gives NaN and `'sum'` 0. Formula: torch.nn.functional.nll_loss.
 *
 * @param logProbs shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the log-probabilities' shape without its axis.
 * @returns a number; with reduction `'none'`, a loss for each row.
 * @throws TypeError for an argument of the wrong type; RangeError for a wrong shape, length or value, such as a target
 * that is not a class. Nothing is written then.
 *
 * @example
 * nllLoss([-0.417, -1.417, -2.317], 0); // 0.417
 * @example
 * nllLoss(logSoftmax([1, 2, 3, 1, 5, 1], { shape: [2, 3] }), [0, 1], { shape: [2, 3] }); // 1.222
 */
export function nllLoss<X extends Input, const O extends NllLossOptions | undefined = NoOptions>(
  logProbs: X,
  targets: ClassIndices | TensorLike,
  ...options: OptionsArgument<O, NllLossOptions>
): LossResult<X, O>;
export function nllLoss(logProbs: unknown, targets: unknown, options?: unknown): unknown {
  return classLoss(LOSS, logProbs, targets, options);
}

/**
 * {@link nllLoss} and its gradient with respect to the log-probabilities: −w_target at the target, divided by what the
 * loss is divided by, and 0 elsewhere. `out` may be the log-probabilities.
 *
 * @returns the loss, and the gradient in the same kind of array or tensor as the log-probabilities, or in `out`.
 * @throws as {@link nllLoss}.
 *
 * @example
 * const { loss, grad } = nllLossWithGrad([-0.417, -1.417, -2.317], 1, { weight: [1, 2, 1], reduction: 'sum' });
 * loss; // 2.834
 * grad; // Float32Array [0, -2, 0]
 */
export function nllLossWithGrad<X extends Input, const O extends NllLossWithGradOptions | undefined = NoOptions>(
  logProbs: X,
  targets: ClassIndices | TensorLike,
  ...options: OptionsArgument<O, NllLossWithGradOptions>
): GradResult<X, O>;
export function nllLossWithGrad(logProbs: unknown, targets: unknown, options?: unknown): unknown {
  return classLoss(WITH_GRAD, logProbs, targets, options);
}
