import type { WideArray } from '../arrays.js';
import { product } from '../call/shape.js';
import { bceWithLogits, bceWithLogitsWithGrad } from '../ops/bceWithLogits.js';
import { crossEntropy, crossEntropyWithGrad } from '../ops/crossEntropy.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { logSoftmaxBackward } from '../ops/logSoftmaxBackward.js';
import { logSumExp } from '../ops/logSumExp.js';
import { softmax } from '../ops/softmax.js';
import { softmaxBackward } from '../ops/softmaxBackward.js';
import type { Storage } from './backends.js';
import { fill, lastAsMinusOne } from './compute.js';
import type { KernelCall, TensorInfo } from './types.js';

/** A kernel of ours that has no counterpart in TensorFlow.js. */
type Operation = (storage: Storage, call: KernelCall) => TensorInfo | TensorInfo[];

/** The options of this library as a kernel's attributes. */
export type MapAttributes = Pick<NonNullable<Parameters<typeof softmax>[1]>, 'axis' | 'temperature' | 'causal'>;

export interface LossAttributes {
  /** Class indices; labels of the logits' shape are an input instead. */
  readonly targets?: readonly number[] | Int32Array;
  readonly withGrad: boolean;
  /** The reduction and the other options of the loss. */
  readonly options: { readonly reduction: 'mean' | 'sum' | 'none'; readonly [name: string]: unknown };
}

function mapWith(map: typeof softmax): Operation {
  return (storage, { inputs: { x, mask }, attrs }) => {
    const { shape } = x!;
    const { axis, temperature, causal } = attrs as MapAttributes;
    const y = storage.create(shape, 'float32');
    fill(storage, mask === undefined ? [x!] : [x!, mask], [y], () =>
      map(storage.floatsOf(x!), {
        shape,
        axis: lastAsMinusOne(axis, shape),
        temperature,
        causal,
        mask: mask && { data: storage.elementsOf(mask), shape: mask.shape },
        out: storage.floatsOf(y),
      }),
    );
    return y;
  };
}

function backwardWith(backward: typeof softmaxBackward): Operation {
  return (storage, { inputs: { y, dy }, attrs }) => {
    const { shape } = y!;
    const { axis, temperature = 1 } = attrs as MapAttributes;
    const dx = storage.create(shape, 'float32');
    fill(storage, [y!, dy!], [dx], () =>
      backward(storage.floatsOf(y!), storage.floatsOf(dy!), {
        shape,
        axis: lastAsMinusOne(axis, shape),
        temperature,
        out: storage.floatsOf(dx),
      }),
    );
    return dx;
  };
}

type Loss = (logits: WideArray, targets: never, options: object) => number | WideArray;
type LossWithGrad = (logits: WideArray, targets: never, options: object) => { loss: number | WideArray };

/**
 * A loss, and its gradient if that is asked for; `shapeOfLosses` is for reduction 'none'. `optionsOf` lists every
 * option of the call: V8 gives each object made by spreading a hidden class of its own and reads it slowly.
 */
function lossWith(
  operation: Loss,
  withGradient: LossWithGrad,
  shapeOfLosses: (shape: number[]) => number[],
  optionsOf: (options: LossAttributes['options'], shape: readonly number[], out: WideArray | undefined) => object,
): Operation {
  return (storage, { inputs: { logits, labels }, attrs }) => {
    const { shape } = logits!;
    const { targets, withGrad, options } = attrs as unknown as LossAttributes;
    const loss = storage.create(options.reduction === 'none' ? shapeOfLosses(shape) : [], 'float32');
    const outputs = withGrad ? [loss, storage.create(shape, 'float32')] : [loss];
    const result = fill(storage, labels === undefined ? [logits!] : [logits!, labels], outputs, () => {
      const x = storage.floatsOf(logits!);
      const y = (targets ?? storage.elementsOf(labels!)) as never;
      if (!withGrad) return operation(x, y, optionsOf(options, shape, undefined));
      return withGradient(x, y, optionsOf(options, shape, storage.floatsOf(outputs[1]!))).loss;
    });
    const elements = storage.floatsOf(loss);
    if (typeof result === 'number') elements[0] = result;
    else elements.set(result);
    return outputs;
  };
}

/** The kernels by the names under which they are registered. */
export const OPERATIONS = {
  SoftmaxWasmSoftmax: mapWith(softmax),
  SoftmaxWasmSoftmaxBackward: backwardWith(softmaxBackward),
  SoftmaxWasmLogSoftmax: mapWith(logSoftmax),
  SoftmaxWasmLogSoftmaxBackward: backwardWith(logSoftmaxBackward),

  /** Along the consecutive axes from `from` up to, but not including, `to`. */
  SoftmaxWasmLogSumExp(storage, { inputs: { x }, attrs }) {
    const { from, to, keepDims } = attrs as { from: number; to: number; keepDims: boolean };
    const [before, along, after] = [x!.shape.slice(0, from), x!.shape.slice(from, to), x!.shape.slice(to)];
    const shape = [...before, product(along), ...after];
    const y = storage.create([...before, ...(keepDims ? along.map(() => 1) : []), ...after], 'float32');
    fill(storage, [x!], [y], () =>
      logSumExp(storage.floatsOf(x!), { shape, axis: lastAsMinusOne(from, shape), out: storage.floatsOf(y) }),
    );
    return y;
  },

  SoftmaxWasmCrossEntropy: lossWith(
    crossEntropy,
    crossEntropyWithGrad,
    (shape) => shape.slice(0, -1),
    ({ weight, ignoreIndex, labelSmoothing, temperature, reduction }, shape, out) => {
      return { weight, ignoreIndex, labelSmoothing, temperature, reduction, shape, out };
    },
  ),
  SoftmaxWasmSigmoidCrossEntropy: lossWith(
    bceWithLogits,
    bceWithLogitsWithGrad,
    (shape) => shape,
    ({ weight, posWeight, reduction }, shape, out) => ({ weight, posWeight, reduction, shape, out }),
  ),
} as const satisfies Record<string, Operation>;

export type OperationKernel = keyof typeof OPERATIONS;
