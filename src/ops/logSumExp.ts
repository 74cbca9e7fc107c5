import type { OptionNames } from '../call/options.js';
import { type RowReduction, reduceRows } from '../call/reduce.js';
import { logSumExpKernel, weightedLogSumExpKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { logSumExp as reference, weightedLogSumExp as weightedReference } from '../reference/logSumExp.js';
import type { Input, Mask, NoOptions, OptionsArgument, ReduceResult, RowsOut } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link logSumExp}. */
export interface LogSumExpOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is summed over; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Whether a tensor result keeps the axis, with size 1. Default false. */
  keepDims?: boolean | undefined;
  /** Divides x first; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * The factors of the exponentials e^(x / t), SciPy's b: of x's shape, or one that broadcasts to it by trailing axes.
   * A weight of 0 removes its element, even if that is NaN or ∞.
   */
  weights?: Input | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of x's shape, or one that broadcasts to it by trailing
   * axes.
   */
  mask?: Mask | undefined;
  /** Receives the result, a number of the same dtype for each row; it must not overlap with any argument. */
  out?: RowsOut | undefined;
}

const OPTIONS: OptionNames<LogSumExpOptions> = {
  shape: true,
  axis: true,
  keepDims: true,
  temperature: true,
  weights: true,
  mask: true,
  out: true,
};

const LOG_SUM_EXP: RowReduction = {
  name: 'logSumExp',
  kernel: /* @__PURE__ */ defineKernel(logSumExpKernel, reference),
  weightedKernel: /* @__PURE__ */ defineKernel(weightedLogSumExpKernel, weightedReference),
  options: OPTIONS,
  emptyRowResult: -Infinity,
};

/**
 * The logarithm of a sum of exponentials along an axis: log Σ_j e^(x_j / t), computed without overflow and without
 * losing terms that are small next to the largest: logSumExp([0, -40]) is 4.25e-18 in float64. With weights, log Σ_j
 * w_j e^(x_j / t).
 *
 * Of the elements that the mask keeps: NaN if one is NaN, else +∞ if one is +∞, and -∞ if all are -∞ or there are none.
 * A weighted sum of 0 gives -∞, a negative one NaN. Formula: scipy.special.logsumexp (1.15 or later); Blanchard, Higham
 * and Higham, 2021.
 *
 * @param x numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns a number for a plain row, a typed array with `shape`, and for tensors a tensor, the axis removed.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length
 * or temperature, a mask or weights that do not broadcast, or an `out` that overlaps with an argument; OutOfMemoryError
 * at the limit of linear memory.
 *
 * @example
 * logSumExp([1000, 1000]); // 1000.693
 * @example
 * logSumExp([1, 2, 3, 4], { shape: [2, 2] }); // Float32Array [2.313, 4.313]
 * @example
 * logSumExp([1, 2, 3], { weights: [0.5, 0.25, 0.25] }); // 2.108
 * @example
 * logSumExp([1, 2, Infinity], { mask: [true, true, false] }); // 2.313
 */
export function logSumExp<X extends Input, const O extends LogSumExpOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, LogSumExpOptions>
): ReduceResult<X, O>;
export function logSumExp(x: unknown, options?: unknown): unknown {
  return reduceRows(LOG_SUM_EXP, x, options);
}
