import { type ElementLoss, elementLoss } from '../call/element-loss.js';
import type { OptionNames } from '../call/options.js';
import { klDivKernel, logKlDivKernel } from '../generated/kernels.js';
import { logKlDiv as logReference, klDiv as reference } from '../reference/klDiv.js';
import type {
  BatchReduction,
  ElementGradResult,
  ElementLossResult,
  ElementsOut,
  GradOptions,
  Input,
  NoOptions,
  OptionsArgument,
} from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link klDiv}. */
export interface KlDivOptions {
  /** Sizes of the axes of the log-probabilities. */
  shape?: readonly number[] | undefined;
  /** Whether the targets are log-probabilities too. Default false. */
  logTarget?: boolean | undefined;
  /**
   * `'mean'` (the default) is the mean over all elements; `'batchMean'` divides by the size of the first axis, which
   * gives the divergence as it is defined, or by 1 if that is the only axis (torch: by its size); it needs `shape`, for
   * nothing else says what a batch is. `'none'` gives a loss for each element.
   */
  reduction?: BatchReduction | undefined;
  /**
   * With reduction `'none'`, receives the losses of the elements. It may be the log-probabilities themselves, and must
   * not overlap with any other argument.
   */
  out?: ElementsOut | undefined;
}

/** Options of {@link klDivWithGrad}. */
export interface KlDivWithGradOptions extends KlDivOptions, GradOptions {}

const OPTIONS: OptionNames<KlDivOptions> = { shape: true, logTarget: true, reduction: true, out: true };
const GRAD_OPTIONS: OptionNames<KlDivWithGradOptions> = { ...OPTIONS, gradOutput: true, accumulate: true };

const LOSS: ElementLoss = {
  name: 'klDiv',
  withGrad: false,
  argument: 'logProbs',
  kernel: /* @__PURE__ */ defineKernel(klDivKernel, reference),
  logKernel: /* @__PURE__ */ defineKernel(logKlDivKernel, logReference),
  reductions: ['mean', 'batchMean', 'sum', 'none'],
  options: OPTIONS,
};
const WITH_GRAD: ElementLoss = { ...LOSS, name: 'klDivWithGrad', withGrad: true, options: GRAD_OPTIONS };

/**
 * Kullback-Leibler divergence of probabilities from log-probabilities: t · log t − t · logProbs for each element, where
 * 0 · log 0 = 0; with `logTarget`, e^t · (t − logProbs).
 *
 * As in torch, the first argument is the approximation, and `'mean'` divides by the number of elements: for the mean
 * divergence of a batch of distributions use `'batchMean'`. A target below 0 gives NaN, and so does a target of 0 where
 * the log-probability is -∞, or a target of -∞ with `logTarget`. Formula: torch.nn.functional.kl_div; Kullback and
 * Leibler, On information and sufficiency, 1951.
 *
 * @param logProbs log-probabilities of any shape, as {@link logSoftmax} gives them.
 * @param targets probabilities of the same number and dtype, or their logarithms.
 * @returns a number; with reduction `'none'`, a loss for each element, in the same kind of array or tensor as the
 * log-probabilities.
 * @throws TypeError for an argument of the wrong type, RangeError for a wrong shape or length. Nothing is written then.
 *
 * @example
 * klDiv([-0.5, -1.0], [0.6, 0.4], { reduction: 'sum' }); // 0.027
 * @example
 * klDiv([-0.5, -1.0], [-0.5, -1.2], { logTarget: true, reduction: 'none' }); // Float32Array [0, -0.06]
 */
export function klDiv<X extends Input, const O extends KlDivOptions | undefined = NoOptions>(
  logProbs: X,
  targets: Input,
  ...options: OptionsArgument<O, KlDivOptions>
): ElementLossResult<X, O>;
export function klDiv(logProbs: unknown, targets: unknown, options?: unknown): unknown {
  return elementLoss(LOSS, logProbs, targets, options);
}

/**
 * {@link klDiv} and its gradient with respect to the log-probabilities, in one pass over them: −t, or −e^t with
 * `logTarget`, divided by what the loss is divided by. `out` may be the log-probabilities.
 *
 * @returns the loss, and the gradient in the same kind of array or tensor as the log-probabilities, or in `out`.
 * @throws as {@link klDiv}.
 *
 * @example
 * const { loss, grad } = klDivWithGrad([-0.5, -1.0], [0.6, 0.4], { reduction: 'sum' });
 * loss; // 0.027
 * grad; // Float32Array [-0.6, -0.4]
 */
export function klDivWithGrad<X extends Input, const O extends KlDivWithGradOptions | undefined = NoOptions>(
  logProbs: X,
  targets: Input,
  ...options: OptionsArgument<O, KlDivWithGradOptions>
): ElementGradResult<X, O>;
export function klDivWithGrad(logProbs: unknown, targets: unknown, options?: unknown): unknown {
  return elementLoss(WITH_GRAD, logProbs, targets, options);
}
