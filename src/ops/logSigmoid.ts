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
 * The logarithm of the sigmoid of each element, −log(1 + e^−x): finite wherever x is, and right to its last digits
 * where the sigmoid is almost 1: log(sigmoid(x)) would be 0 there, and -∞ where it is tiny.
 *
 * logSigmoid(-1e4) is -1e4. NaN gives NaN, -∞ gives -∞.
 * Formula: torch.nn.functional.logsigmoid.
 *
 * @param x logits: numbers, a typed array, a tensor-like object or a {@link Tensor}; every element is on its own.
 * @returns logarithms of probabilities in the kind of array or tensor that came in, or `out`.
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, a wrong length of
 * `out` or its partial overlap with x, OutOfMemoryError at the limit of linear memory.
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
