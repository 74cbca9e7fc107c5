import { mapRows, type RowMap } from '../call/map.js';
import { logSoftmaxKernel } from '../generated/kernels.js';
import { logSoftmax as reference } from '../reference/logSoftmax.js';
import type { Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';
import { SOFTMAX_OPTIONS, type SoftmaxOptions } from './softmax.js';

const LOG_SOFTMAX: RowMap = {
  name: 'logSoftmax',
  kernel: /* @__PURE__ */ defineKernel(logSoftmaxKernel, reference),
  options: SOFTMAX_OPTIONS,
};

/**
 * The logarithm of softmax along an axis: x_i / t − log Σ_j e^(x_j / t). It is finite wherever x is, and accurate to
 * its last digits: log(softmax(x)) would round to 0 where the probability is almost 1, and to -∞ where it is tiny.
 *
 * A row that holds NaN or +∞, or only -∞, gives NaN everywhere; -∞ next to finite values stays -∞. Elements that the
 * mask or causality leaves out give -∞ and are ignored, even if NaN or infinite; a row that keeps nothing is all -∞.
 * Formula: torch.nn.functional.log_softmax; accuracy: Blanchard, Higham and Higham, Accurately computing the
 * log-sum-exp and softmax functions, 2021.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns log-probabilities of the same shape, in the same kind of array or tensor as x, or in `out`.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length
 * or temperature, a mask that does not broadcast, or an `out` that overlaps with part of x; OutOfMemoryError at the
 * limit of linear memory.
 *
 * @example
 * logSoftmax([2.0, 1.0, 0.1]); // Float32Array [-0.417, -1.417, -2.317]
 * @example
 * logSoftmax([2, 1, 3], { mask: [true, true, false] }); // Float32Array [-0.313, -1.313, -Infinity]
 */
export function logSoftmax<X extends Input, const O extends SoftmaxOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, SoftmaxOptions>
): MapResult<X, O>;
export function logSoftmax(x: unknown, options?: unknown): unknown {
  return mapRows(LOG_SOFTMAX, x, options);
}
