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
  /** Multiplies the losses; one for each element, or for the trailing axes: a weight for each label. */
  weight?: Input | undefined;
  /** Multiplies the losses of positive targets, as `weight` does; more than 1 makes up for rare labels. */
  posWeight?: Input | undefined;
  /** `'mean'` (the default) is over all elements; `'none'` gives a loss for each element. */
  reduction?: Reduction | undefined;
  /** Receives the losses of the elements, with reduction `'none'`; the logits themselves, or no overlap with any
   * argument. */
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
 * times the weight, for each element, p the `posWeight`. The sigmoid is inside: pass logits, not probabilities.
 *
 * Right to its last digits for logits of any size: at t = 0, x = -15 it is 3.06e-7. NaN gives NaN, and so does, as in
 * torch, a logit of ∞ with target 1 or of -∞ with target 0.
 * Formula: torch.nn.functional.binary_cross_entropy_with_logits, in an arrangement where nothing cancels.
 *
 * @param logits of any shape; every element is a question of its own.
 * @param targets as many: floats in [0, 1] of the logits' dtype, or 0 and 1 as integers of any width or booleans.
 * @returns a number; with reduction `'none'` a loss for each element, in the kind of array or tensor that came in.
 * @throws TypeError for a wrong kind of argument, RangeError for a wrong shape or length or an integer target that is
 * neither 0 nor 1: nothing is written then.
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
 * − p t times the weight, divided as the loss is. `out` may be the logits.
 *
 * @returns the loss, and the gradient in the kind of array or tensor that the logits came in, or `out`.
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
