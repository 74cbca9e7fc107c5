import { type ElementMap, mapElements } from '../call/elements.js';
import { logSigmoidKernel } from '../generated/kernels.js';
import { logSigmoid as reference } from '../reference/logSigmoid.js';
import type { Input, MapResult, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';
import { SIGMOID_OPTIONS, type SigmoidOptions } from './sigmoid.js';

const LOG_SIGMOID: ElementMap = {
  name: 'logSigmoid',
  kernel: /* @__PURE__ */ defineKernel(logSigmoidKernel, reference),
  options: SIGMOID_OPTIONS,
};

/**
 * The logarithm of the sigmoid of each element, −log(1 + e^−x). It is finite wherever x is, and accurate to its last
 * digits: log(sigmoid(x)) would round to 0 where the sigmoid is almost 1, and to -∞ where it is tiny.
 *
 * logSigmoid(-1e4) is -1e4. NaN gives NaN, -∞ gives -∞.
 * Formula: torch.nn.functional.logsigmoid.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}; each element is computed on its
 * own.
 * @returns log-probabilities in the same kind of array or tensor as x, or in `out`.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, or an `out`
 * of the wrong length or that overlaps with part of x; OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * logSigmoid([-90, -1, 0]); // Float32Array [-90, -1.313, -0.693]
 */
export function logSigmoid<X extends Input, const O extends SigmoidOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, SigmoidOptions>
): MapResult<X, O>;
export function logSigmoid(x: unknown, options?: unknown): unknown {
  return mapElements(LOG_SIGMOID, x, options);
}
