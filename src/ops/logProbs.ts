import { type ClassLoss, classLoss } from '../call/class-loss.js';
import { LOG_PROBS_KERNEL } from '../call/log-probs.js';
import type { OptionNames } from '../call/options.js';
import type {
  ClassIndices,
  Input,
  Mask,
  NoOptions,
  OptionsArgument,
  ReduceResult,
  RowsOut,
  TensorLike,
} from '../types.js';

/** Options of {@link logProbs}. */
export interface LogProbsOptions {
  /** Sizes of the logits' axes. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Divides the logits first; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * Classes to keep: those where it is neither 0 nor false. Of the logits' shape, or one that broadcasts to it by
   * trailing axes. A masked-out target gives -∞.
   */
  mask?: Mask | undefined;
  /** Rows with this target give 0. Default -100. */
  ignoreIndex?: number | undefined;
  /** Receives the result, a number of the same dtype for each row; it must not overlap with any argument. */
  out?: RowsOut | undefined;
}

const OPTIONS: OptionNames<LogProbsOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  mask: true,
  ignoreIndex: true,
  out: true,
};

const LOG_PROBS: ClassLoss = {
  name: 'logProbs',
  withGrad: false,
  argument: 'logits',
  kernel: LOG_PROBS_KERNEL,
  lossOfEmptyRow: -Infinity,
  reductions: ['none'],
  options: OPTIONS,
};

/**
 * The log-probability of each row's target: logSoftmax(x / t)_target, without computing the log-softmax of the other
 * classes. For instance the log-probabilities that a language model gives to the tokens of a text; their sum is that of
 * the text.
 *
 * It is the negative of {@link crossEntropy} with reduction `'none'`, and as accurate. Rows that hold NaN or +∞, or
 * only -∞, give NaN; a target whose logit is -∞ gives -∞ if the row has finite logits. A masked-out target gives -∞
 * even if the row keeps only -∞.
 *
 * @param logits shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis.
 * @returns a number for a plain row, a typed array with `shape`, and for tensors a tensor, the axis removed.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length,
 * temperature or target, or a mask that does not broadcast; OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * logProbs([2.0, 1.0, 0.1], 0); // -0.417
 * @example
 * logProbs([2.0, 1.0, 9.0], 0, { mask: [true, true, false] }); // -0.313
 * @example
 * logProbs([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] }); // Float32Array [-2.408, -0.036]
 */
export function logProbs<X extends Input, const O extends LogProbsOptions | undefined = NoOptions>(
  logits: X,
  targets: ClassIndices | TensorLike,
  ...options: OptionsArgument<O, LogProbsOptions>
): ReduceResult<X, O>;
export function logProbs(logits: unknown, targets: unknown, options?: unknown): unknown {
  return classLoss(LOG_PROBS, logits, targets, options);
}
