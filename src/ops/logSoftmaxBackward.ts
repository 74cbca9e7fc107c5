import { type BackwardMap, mapBackward } from '../call/map.js';
import { logSoftmaxBackwardKernel } from '../generated/kernels.js';
import { logSoftmaxBackward as reference } from '../reference/logSoftmaxBackward.js';
import type { Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';
import { BACKWARD_OPTIONS, type SoftmaxBackwardOptions } from './softmaxBackward.js';

const LOG_SOFTMAX_BACKWARD: BackwardMap = {
  name: 'logSoftmaxBackward',
  argument: 'logP',
  kernel: /* @__PURE__ */ defineKernel(logSoftmaxBackwardKernel, reference),
  options: BACKWARD_OPTIONS,
};

/**
 * The backward pass of {@link logSoftmax}: from its result logP and the gradient dy with respect to logP, the gradient
 * with respect to the logits, (dy_i − e^logP_i Σ_j dy_j) / t.
 *
 * Special values follow the formula: NaN in dy makes the whole row NaN, NaN in logP its own element. Where logP is -∞,
 * the gradient is dy / t for any finite dy. Formula: the backward pass of torch.nn.functional.log_softmax.
 *
 * @param logP what logSoftmax returned: numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @param dy the gradient with respect to logP, of its shape and dtype.
 * @returns the gradient with respect to the logits, in the same kind of array or tensor as logP, or in `out`.
 * @throws TypeError for an argument of the wrong type, a dy of another dtype or an unknown option; RangeError for a
 * wrong shape, axis, length or temperature, or an `out` that overlaps with part of logP or dy; OutOfMemoryError at the
 * limit of linear memory.
 *
 * @example
 * const logP = logSoftmax([0, 0]);
 * logSoftmaxBackward(logP, [-1, 0]); // Float32Array [-0.5, 0.5]
 * @example
 * const rows = logSoftmax(new Float64Array([1, 2, 3, 4]), { shape: [2, 2], axis: 0 });
 * const dy = new Float64Array([-1, 0, 0, -1]);
 * logSoftmaxBackward(rows, dy, { shape: [2, 2], axis: 0, out: dy }); // Float64Array [-0.881, 0.119, 0.881, -0.119]
 */
export function logSoftmaxBackward<X extends Input, const O extends SoftmaxBackwardOptions | undefined = NoOptions>(
  logP: X,
  dy: Input,
  ...options: OptionsArgument<O, SoftmaxBackwardOptions>
): MapResult<X, O>;
export function logSoftmaxBackward(logP: unknown, dy: unknown, options?: unknown): unknown {
  return mapBackward(LOG_SOFTMAX_BACKWARD, logP, dy, options);
}
