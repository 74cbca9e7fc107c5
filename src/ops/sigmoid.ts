import { type ElementMap, mapElements } from '../call/elements.js';
import type { OptionNames } from '../call/options.js';
import { sigmoidKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { sigmoid as reference } from '../reference/sigmoid.js';
import type { ElementsOut, Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link sigmoid} and {@link logSigmoid}. */
export interface SigmoidOptions {
  /**
   * Sizes of the axes; their product is the number of elements. Each element is computed on its own, whatever the
   * shape.
   */
  shape?: readonly number[] | undefined;
  /**
   * Receives the result: same dtype and number of elements. It may be x itself; otherwise it must not overlap with x.
   */
  out?: ElementsOut | undefined;
}

export const SIGMOID_OPTIONS: OptionNames<SigmoidOptions> = { shape: true, out: true };

const SIGMOID: ElementMap = {
  name: 'sigmoid',
  kernel: /* @__PURE__ */ defineKernel(sigmoidKernel, reference),
  options: SIGMOID_OPTIONS,
};

/**
 * The logistic function of each element, 1 / (1 + e^−x): the probability of "yes" in a yes-or-no question, from its
 * logit.
 *
 * Accurate over the whole range of the floats: sigmoid(-20) is 2.06e-9, not 0. Results below the smallest normal number
 * may be 0. NaN gives NaN. Formula: torch.sigmoid.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}; each element is computed on its
 * own.
 * @returns probabilities in the same kind of array or tensor as x, or in `out`.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, or an `out`
 * of the wrong length or that overlaps with part of x; OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * sigmoid([-1, 0, 1]); // Float32Array [0.269, 0.5, 0.731]
 */
export function sigmoid<X extends Input, const O extends SigmoidOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, SigmoidOptions>
): MapResult<X, O>;
export function sigmoid(x: unknown, options?: unknown): unknown {
  return mapElements(SIGMOID, x, options);
}
