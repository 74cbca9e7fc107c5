import { type ElementMap, mapElements } from '../call/elements.js';
import type { OptionNames } from '../call/options.js';
import { sigmoidKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { sigmoid as reference } from '../reference/sigmoid.js';
import type { ElementsOut, Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link sigmoid} and {@link logSigmoid}. */
export interface SigmoidOptions {
  /** Sizes of the axes; their product is the number of elements. Every element is on its own whatever they are. */
  shape?: readonly number[] | undefined;
  /** Receives the result: same dtype and number of elements; x itself, or no overlap with x. */
  out?: ElementsOut | undefined;
}

export const SIGMOID_OPTIONS: OptionNames<SigmoidOptions> = { shape: true, out: true };

const SIGMOID: ElementMap = {
  name: 'sigmoid',
  kernel: /* @__PURE__ */ defineKernel(sigmoidKernel, reference),
  options: SIGMOID_OPTIONS,
};

/**
 * The logistic function of each element, 1 / (1 + e^−x): the probability of a yes-or-no question from its logit.
 *
 * Right to the limits of the floats on both sides: sigmoid(-20) is 2.06e-9, not 0; what is less than the smallest
 * normal number may be 0. NaN gives NaN.
 * Formula: torch.sigmoid.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}; every element is on its own.
 * @returns probabilities in the kind of array or tensor that came in, or `out`.
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, a wrong length of
 * `out` or its partial overlap with x, OutOfMemoryError at the limit of linear memory.
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
