import type { FloatArray } from '../arrays.js';
import { product } from '../call/shape.js';
import { bceWithLogits, bceWithLogitsWithGrad } from '../ops/bceWithLogits.js';
import { crossEntropy, crossEntropyWithGrad } from '../ops/crossEntropy.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { logSoftmaxBackward } from '../ops/logSoftmaxBackward.js';
import { logSumExp } from '../ops/logSumExp.js';
import { softmax } from '../ops/softmax.js';
import { softmaxBackward } from '../ops/softmaxBackward.js';
import type { Storage } from './backends.js';
import { compute, computeLike, type Made } from './compute.js';
import type { KernelCall, TensorInfo } from './types.js';

/** A kernel that TensorFlow.js has none for. */
type Operation = (storage: Storage, call: KernelCall) => TensorInfo | TensorInfo[];

/** Options of this library, which come as a kernel's attributes. */
export type MapAttributes = Pick<NonNullable<Parameters<typeof softmax>[1]>, 'axis' | 'temperature' | 'causal'>;

export interface LossAttributes {
  /** Class indices; labels of the logits' shape come as an input. */
  readonly targets?: readonly number[] | Int32Array;
  readonly withGrad: boolean;
  /** The reduction, and what else the loss takes. */
  readonly options: { readonly reduction: 'mean' | 'sum' | 'none'; readonly [name: string]: unknown };
}

function mapWith(operation: typeof softmax): Operation {
  return (storage, { inputs: { x, mask }, attrs }) => {
    const { shape } = x!;
    const { axis, temperature, causal } = attrs as MapAttributes;
    const options = { shape, axis, temperature, causal };
    const inputs = mask === undefined ? [x!] : [x!, mask];
    return computeLike(storage, inputs, ([x, data], out) =>
      operation(x!, mask === undefined ? { ...options, out } : { ...options, mask: { data, shape: mask.shape }, out }),
    );
  };
}

function backwardWith(operation: typeof softmaxBackward): Operation {
  return (storage, { inputs: { y, dy }, attrs }) => {
    const { shape } = y!;
    const { axis = -1, temperature = 1 } = attrs as MapAttributes;
    return computeLike(storage, [y!, dy!], ([y, dy], out) => operation(y!, dy!, { shape, axis, temperature, out }));
  };
}

type Loss = (logits: FloatArray, targets: never, options: object) => number | FloatArray;
type LossWithGrad = (logits: FloatArray, targets: never, options: object) => { loss: number | FloatArray };

/** A loss, and its gradient where it is asked for; `shapeOfLosses` is for reduction 'none'. */
function lossWith(
  operation: Loss,
  withGradient: LossWithGrad,
  shapeOfLosses: (shape: readonly number[]) => readonly number[],
): Operation {
  return (storage, { inputs: { logits, labels }, attrs }) => {
    const { shape } = logits!;
    const { targets, withGrad, options } = attrs as unknown as LossAttributes;
    const lossShape = options.reduction === 'none' ? shapeOfLosses(shape) : [];
    const made: Made[] = [{ shape: lossShape, dtype: 'float32' }];
    if (withGrad) made.push({ shape, dtype: 'float32' });
    const inputs = labels === undefined ? [logits!] : [logits!, labels];
    const { tensors, result } = compute(storage, inputs, made, ([x, probabilities], [, out]) => {
      const y = (targets ?? probabilities) as never;
      const given = { ...options, shape };
      return withGrad ? withGradient(x as FloatArray, y, { ...given, out }).loss : operation(x as FloatArray, y, given);
    });
    storage.elementsOf(tensors[0]!).set(typeof result === 'number' ? [result] : result);
    return tensors;
  };
}

/** The kernels by the names that they are registered with. */
export const OPERATIONS = {
  SoftmaxWasmSoftmax: mapWith(softmax),
  SoftmaxWasmSoftmaxBackward: backwardWith(softmaxBackward),
  SoftmaxWasmLogSoftmax: mapWith(logSoftmax),
  SoftmaxWasmLogSoftmaxBackward: backwardWith(logSoftmaxBackward),

  /** Along axes that follow each other, `from` the first and `to` before the last. */
  SoftmaxWasmLogSumExp(storage, { inputs: { x }, attrs }) {
    const { from, to } = attrs as { from: number; to: number };
    const sizes = x!.shape;
    const shape = [...sizes.slice(0, from), product(sizes.slice(from, to)), ...sizes.slice(to)];
    const reduced = [...sizes.slice(0, from), ...sizes.slice(to)];
    const { tensors } = compute(storage, [x!], [{ shape: reduced, dtype: 'float32' }], ([x], [out]) =>
      logSumExp(x as FloatArray, { shape, axis: from, out: out as FloatArray }),
    );
    return tensors[0]!;
  },

  SoftmaxWasmCrossEntropy: lossWith(crossEntropy, crossEntropyWithGrad, (shape) => shape.slice(0, -1)),
  SoftmaxWasmSigmoidCrossEntropy: lossWith(bceWithLogits, bceWithLogitsWithGrad, (shape) => shape),
} as const satisfies Record<string, Operation>;

export type OperationKernel = keyof typeof OPERATIONS;
