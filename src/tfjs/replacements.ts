import { product } from '../call/shape.js';
import { argmax } from '../ops/argmax.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { sigmoid } from '../ops/sigmoid.js';
import { softmax } from '../ops/softmax.js';
import { topK } from '../ops/topK.js';
import type { Storage } from './backends.js';
import { compute, computeLike } from './compute.js';
import type { KernelCall, TensorInfo } from './types.js';

/** A faster form of a kernel of TensorFlow.js, undefined where that kernel itself has to do it. */
export type Replacement = (storage: Storage, call: KernelCall) => TensorInfo | TensorInfo[] | undefined;

/** Elements from which on a call is worth the copies to our memory and back. */
const WORTH_COPIES = 1000;

/** Whether a tensor is worth the way here: what TensorFlow.js does with other dtypes, it goes on doing. */
function suits({ memory }: Storage, { dtype, shape }: TensorInfo): boolean {
  const size = product(shape);
  return dtype === 'float32' && shape.length > 0 && size >= (memory === 'shared' ? 1 : WORTH_COPIES);
}

/** The faster forms, by the kernel's name. */
export const REPLACEMENTS = {
  Softmax(storage, { inputs: { logits }, attrs }) {
    const { shape } = logits!;
    const axis = attrs!.dim as number;
    if (!suits(storage, logits!)) return undefined;
    return computeLike(storage, [logits!], ([x], out) => softmax(x!, { shape, axis, out }));
  },

  LogSoftmax(storage, { inputs: { logits }, attrs }) {
    const { shape } = logits!;
    const axis = attrs!.axis as number;
    if (!suits(storage, logits!)) return undefined;
    return computeLike(storage, [logits!], ([x], out) => logSoftmax(x!, { shape, axis, out }));
  },

  Sigmoid(storage, { inputs: { x } }) {
    if (!suits(storage, x!)) return undefined;
    return computeLike(storage, [x!], ([x], out) => sigmoid(x!, { out }));
  },

  ArgMax(storage, { inputs: { x }, attrs }) {
    const { shape } = x!;
    const axis = readAxis(attrs!.axis, shape.length);
    if (axis === undefined || !suits(storage, x!)) return undefined;
    const rows = shape.filter((_, i) => i !== axis);
    const { tensors } = compute(storage, [x!], [{ shape: rows, dtype: 'int32' }], ([x], [out]) =>
      argmax(x as Float32Array, { shape, axis, out: out as Int32Array }),
    );
    const [winners] = tensors.map((tensor) => storage.elementsOf(tensor) as Int32Array);
    const isOrdered = hasNoNaNWinner(
      storage.elementsOf(x!) as Float32Array,
      winners!,
      product(shape.slice(axis + 1)),
      shape[axis]!,
    );
    return isOrdered ? tensors[0] : discard(storage, tensors);
  },

  TopK(storage, { inputs: { x }, attrs }) {
    const { shape } = x!;
    const k = attrs!.k as number;
    if (k === 0 || !suits(storage, x!)) return undefined;
    const results = [...shape.slice(0, -1), k];
    const made = [
      { shape: results, dtype: 'float32' },
      { shape: results, dtype: 'int32' },
    ] as const;
    const { tensors } = compute(storage, [x!], made, ([x], [values, indices]) => {
      topK(x as Float32Array, k, { shape, out: { values: values as Float32Array, indices: indices as Int32Array } });
    });
    const values = storage.elementsOf(tensors[0]!);
    return values.some(Number.isNaN) ? discard(storage, tensors) : tensors;
  },
} as const satisfies Record<string, Replacement>;

/** Where NaN is among numbers, TensorFlow.js's backends say each in its own way. */
function discard(storage: Storage, tensors: readonly TensorInfo[]): undefined {
  for (const tensor of tensors) storage.dispose(tensor);
}

/** One axis, counted from the first; undefined for anything else. */
function readAxis(given: unknown, rank: number): number | undefined {
  const axis = Array.isArray(given) && given.length === 1 ? (given[0] as unknown) : given;
  if (typeof axis !== 'number' || !Number.isInteger(axis) || axis < -rank || axis >= rank) return undefined;
  return axis < 0 ? axis + rank : axis;
}

/** Whether the largest of every row is a number: rows of n elements that lie `inner` apart. */
function hasNoNaNWinner(x: Float32Array, winners: Int32Array, inner: number, n: number): boolean {
  for (let row = 0; row < winners.length; row++) {
    const column = row % inner;
    if (Number.isNaN(x[(row - column) * n + winners[row]! * inner + column]!)) return false;
  }
  return true;
}
