import { type ElementLoss, elementLoss } from '../call/element-loss.js';
import { REDUCTIONS } from '../call/loss.js';
import type { OptionNames } from '../call/options.js';
import { bceWithLogitsKernel } from '../generated/kernels.js';
import { bceWithLogits as reference } from '../reference/bceWithLogits.js';
import type {
  ElementGradResult,
  ElementLossResult,
  ElementsOut,
  GradOptions,
  Input,
  Labels,
  NoOptions,
  OptionsArgument,
  Reduction,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link bceWithLogits}. */
export interface BceWithLogitsOptions {
  /** Sizes of the logits' axes. */
  shape?: readonly number[] | undefined;
  /**
   * Multiplies the losses: one weight for each element, or one for each place along the trailing axes, such as one for
   * each label.
   */
  weight?: Input | undefined;
  /** Multiplies the losses of positive targets, as `weight` does; more than 1 makes up for rare labels. */
  posWeight?: Input | undefined;
  /** `'mean'` (the default) is the mean over all elements; `'none'` gives a loss for each element. */
  reduction?: Reduction | undefined;
  /**
   * With reduction `'none'`, receives the losses of the elements. It may be the logits themselves, and must not overlap
   * with any other argument.
   */
  out?: ElementsOut | undefined;
}

/** Options of {@link bceWithLogitsWithGrad}. */
export interface BceWithLogitsWithGradOptions extends BceWithLogitsOptions, GradOptions {}

const OPTIONS: OptionNames<BceWithLogitsOptions> = {
  shape: true,
  weight: true,
  posWeight: true,
  reduction: true,
  out: true,
};
const GRAD_OPTIONS: OptionNames<BceWithLogitsWithGradOptions> = { ...OPTIONS, gradOutput: true, accumulate: true };

const LOSS: ElementLoss = {
  name: 'bceWithLogits',
  withGrad: false,
  argument: 'logits',
  kernel: /* @__PURE__ */ defineKernel(bceWithLogitsKernel, reference),
  takesLabels: true,
  reductions: REDUCTIONS,
  options: OPTIONS,
};
const WITH_GRAD: ElementLoss = { ...LOSS, name: 'bceWithLogitsWithGrad', withGrad: true, options: GRAD_OPTIONS };

/**
 * Binary cross-entropy of logits, for yes-or-no and multi-label targets: (1 − t) · softplus(x) + p · t · softplus(−x)
 * times the weight, for each element, where p is the `posWeight`. The sigmoid is inside: pass logits, not
 * probabilities.
 *
 * Accurate to its last digits for logits of any size: at t = 0, x = -15 it is 3.06e-7. NaN gives NaN, and so does, as in
 * torch, a logit of ∞ with target 1 or of -∞ with target 0. Formula:
 * torch.nn.functional.binary_cross_entropy_with_logits, rearranged so that nothing cancels.
 *
 * @param logits of any shape; each element is a yes-or-no question of its own.
 * @param targets one for each logit: floats in [0, 1] of the logits' dtype, or 0 and 1 as booleans or integers of any
 * width.
 * @returns a number; with reduction `'none'`, a loss for each element, in the same kind of array or tensor as the
 * logits.
 * @throws TypeError for an argument of the wrong type; RangeError for a wrong shape or length, or an integer target
 * that is neither 0 nor 1. Nothing is written then.
 *
 * @example
 * bceWithLogits([2.0, -1.0, 0.5], [1, 0, 1]); // 0.305
 * @example
 * bceWithLogits([2.0, -1.0, 0.5], [1, 0, 1], { posWeight: [3, 1, 1], reduction: 'none' }); // Float32Array [0.381, 0.313, 0.474]
 */
export function bceWithLogits<X extends Input, const O extends BceWithLogitsOptions | undefined = NoOptions>(
  logits: X,
  targets: Labels | Input,
  ...options: OptionsArgument<O, BceWithLogitsOptions>
): ElementLossResult<X, O>;
export function bceWithLogits(logits: unknown, targets: unknown, options?: unknown): unknown {
  return elementLoss(LOSS, logits, targets, options);
}

/**
 * {@link bceWithLogits} and its gradient with respect to the logits, in one pass over them: (p t + 1 − t) · sigmoid(x)
 * − p t times the weight, divided by what the loss is divided by. `out` may be the logits.
 *
 * @returns the loss, and the gradient in the same kind of array or tensor as the logits, or in `out`.
 * @throws as {@link bceWithLogits}.
 *
 * @example
 * const { loss, grad } = bceWithLogitsWithGrad([2.0, -1.0, 0.5], [1, 0, 1], { reduction: 'sum' });
 * loss; // 0.914
 * grad; // Float32Array [-0.119, 0.269, -0.378]
 */
export function bceWithLogitsWithGrad<
  X extends Input,
  const O extends BceWithLogitsWithGradOptions | undefined = NoOptions,
>(
  logits: X,
  targets: Labels | Input,
  ...options: OptionsArgument<O, BceWithLogitsWithGradOptions>
): ElementGradResult<X, O>;
export function bceWithLogitsWithGrad(logits: unknown, targets: unknown, options?: unknown): unknown {
  return elementLoss(WITH_GRAD, logits, targets, options);
}
