import type { OptionNames } from '../call/options.js';
import { type RowReduction, reduceRows } from '../call/reduce.js';
import { entropyKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { entropy as reference } from '../reference/entropy.js';
import type { Input, Mask, NoOptions, OptionsArgument, ReduceResult, RowsOut } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link entropy}. */
export interface EntropyOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Whether a tensor result keeps the axis, with size 1. Default false. */
  keepDims?: boolean | undefined;
  /** Divides the logits first; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of the logits' shape, or one that broadcasts to it by
   * trailing axes.
   */
  mask?: Mask | undefined;
  /** Receives the result, a number of the same dtype for each row; it must not overlap with any argument. */
  out?: RowsOut | undefined;
}

const OPTIONS: OptionNames<EntropyOptions> = {
  shape: true,
  axis: true,
  keepDims: true,
  temperature: true,
  mask: true,
  out: true,
};

const ENTROPY: RowReduction = {
  name: 'entropy',
  kernel: /* @__PURE__ */ defineKernel(entropyKernel, reference),
  options: OPTIONS,
  emptyRowResult: 0,
};

/**
 * The entropy of softmax(x / t) along an axis, in nats: −Σ_i p_i log p_i, computed from the logits. It is 0 for a row
 * that is certain of one class, and log n for n equally probable classes.
 *
 * Accurate to its last digits for confident rows too, where −Σ p log p from the probabilities would lose them:
 * entropy([20, 0]) is 4.33e-8. Masked-out elements are ignored, even if NaN or infinite; a row that keeps nothing gives
 * 0. Rows that hold NaN or +∞, or only -∞, give NaN. Formula: Shannon, A mathematical theory of communication, 1948;
 * scipy.stats.entropy of the probabilities.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns a number for a plain row, a typed array with `shape`, and for tensors a tensor, the axis removed.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length
 * or temperature, a mask that does not broadcast, or an `out` that overlaps with an argument; OutOfMemoryError at the
 * limit of linear memory.
 *
 * @example
 * entropy([0, 0]); // 0.693
 * @example
 * entropy([1, 2, 3, 9, 0, 0], { shape: [2, 3] }); // Float32Array [0.832, 0.002]
 * @example
 * entropy([1, 2, 3], { temperature: 0.5, mask: [true, true, false] }); // 0.365
 */
export function entropy<X extends Input, const O extends EntropyOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, EntropyOptions>
): ReduceResult<X, O>;
export function entropy(x: unknown, options?: unknown): unknown {
  return reduceRows(ENTROPY, x, options);
}
