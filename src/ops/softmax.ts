import { mapRows, type RowMap } from '../call/map.js';
import type { OptionNames } from '../call/options.js';
import { softmaxKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { softmax as reference } from '../reference/softmax.js';
import type { ElementsOut, Input, MapResult, Mask, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link softmax} and {@link logSoftmax}. */
export interface SoftmaxOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that the rows run along; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Divides x first; positive. Default 1. */
  temperature?: number | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of x's shape, or one that broadcasts to it by trailing
   * axes, without being expanded: [B, 1, 1, S] over [B, H, T, S] takes B · S bytes.
   */
  mask?: Mask | undefined;
  /**
   * Whether row i keeps only positions up to its own: with T and S the last two sizes, position j if j ≤ i + S − T.
   * Needs axis -1. Together with a mask, elements that both keep are kept. Default false.
   */
  causal?: boolean | undefined;
  /**
   * Receives the result: same dtype and number of elements. It may be x itself; otherwise it must not overlap with x.
   */
  out?: ElementsOut | undefined;
}

export const SOFTMAX_OPTIONS: OptionNames<SoftmaxOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  mask: true,
  causal: true,
  out: true,
};

const SOFTMAX: RowMap = {
  name: 'softmax',
  kernel: /* @__PURE__ */ defineKernel(softmaxKernel, reference),
  options: SOFTMAX_OPTIONS,
};

/**
 * Softmax along an axis: e^(x_i / t) / Σ_j e^(x_j / t), computed without overflow.
 *
 * A row that holds NaN or +∞, or only -∞, gives NaN everywhere; -∞ next to finite values gives exactly 0. Elements that
 * the mask or causality leaves out give 0 and are ignored, even if NaN or infinite; a row that keeps nothing is all 0.
 * Formula: Goodfellow, Bengio and Courville, Deep Learning, 4.1; torch.nn.functional.softmax.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns probabilities of the same shape, in the same kind of array or tensor as x, or in `out`.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length
 * or temperature, a mask that does not broadcast, or an `out` that overlaps with part of x or with the mask;
 * OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * softmax([2.0, 1.0, 0.1]); // Float32Array [0.659, 0.242, 0.099]
 * @example
 * softmax([1, 2, 3, 4], { shape: [2, 2], axis: 0 }); // Float32Array [0.119, 0.119, 0.881, 0.881]
 * @example
 * softmax([1, 2, NaN], { mask: [true, true, false] }); // Float32Array [0.269, 0.731, 0]
 * @example
 * softmax([1, 2, 3, 4], { shape: [2, 2], causal: true }); // Float32Array [1, 0, 0.269, 0.731]
 */
export function softmax<X extends Input, const O extends SoftmaxOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, SoftmaxOptions>
): MapResult<X, O>;
export function softmax(x: unknown, options?: unknown): unknown {
  return mapRows(SOFTMAX, x, options);
}
