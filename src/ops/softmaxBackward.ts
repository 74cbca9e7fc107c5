import { type BackwardMap, mapBackward } from '../call/map.js';
import type { OptionNames } from '../call/options.js';
import { softmaxBackwardKernel } from '../generated/kernels.js';
import type { Tensor } from '../memory/tensor.js';
import { softmaxBackward as reference } from '../reference/softmaxBackward.js';
import type { ElementsOut, Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link softmaxBackward} and {@link logSoftmaxBackward}. */
export interface SoftmaxBackwardOptions {
  /** Sizes of the axes of both arguments. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that the forward operation ran along; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** The temperature of the forward operation. Default 1. */
  temperature?: number | undefined;
  /**
   * Receives the result: same dtype and number of elements. It may be dy or the first argument itself; otherwise it
   * must not overlap with either.
   */
  out?: ElementsOut | undefined;
}

export const BACKWARD_OPTIONS: OptionNames<SoftmaxBackwardOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  out: true,
};

const SOFTMAX_BACKWARD: BackwardMap = {
  name: 'softmaxBackward',
  argument: 'y',
  kernel: /* @__PURE__ */ defineKernel(softmaxBackwardKernel, reference),
  options: BACKWARD_OPTIONS,
};

/**
 * The backward pass of {@link softmax}: from its result y and the gradient dy with respect to y, the gradient with
 * respect to the logits, y_i (dy_i − Σ_j y_j dy_j) / t.
 *
 * Special values follow the formula: NaN in a row of y or dy makes the whole row NaN. Where y is 0, as for a masked-out
 * element, the gradient is 0 for any finite dy. Formula: Goodfellow, Bengio and Courville, Deep Learning, 6.2.2; the
 * backward pass of torch.nn.functional.softmax.
 *
 * @param y what softmax returned: numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @param dy the gradient with respect to y, of its shape and dtype.
 * @returns the gradient with respect to the logits, in the same kind of array or tensor as y, or in `out`.
 * @throws TypeError for an argument of the wrong type, a dy of another dtype or an unknown option; RangeError for a
 * wrong shape, axis, length or temperature, or an `out` that overlaps with part of y or dy; OutOfMemoryError at the
 * limit of linear memory.
 *
 * @example
 * softmaxBackward([0.5, 0.25, 0.25], [1, 0, 2]); // Float32Array [0, -0.25, 0.25]
 * @example
 * const y = softmax([1, 2, 3, 4], { shape: [2, 2], temperature: 2 });
 * const dy = new Float32Array([1, 0, 0, 1]);
 * softmaxBackward(y, dy, { shape: [2, 2], temperature: 2, out: dy }); // Float32Array [0.118, -0.118, -0.118, 0.118]
 */
export function softmaxBackward<X extends Input, const O extends SoftmaxBackwardOptions | undefined = NoOptions>(
  y: X,
  dy: Input,
  ...options: OptionsArgument<O, SoftmaxBackwardOptions>
): MapResult<X, O>;
export function softmaxBackward(y: unknown, dy: unknown, options?: unknown): unknown {
  return mapBackward(SOFTMAX_BACKWARD, y, dy, options);
}
