import { product } from '../call/shape.js';
import { argmax } from '../ops/argmax.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { sigmoid } from '../ops/sigmoid.js';
import { softmax } from '../ops/softmax.js';
import { topK } from '../ops/topK.js';
import type { Storage } from './backends.js';
import { fill, lastAsMinusOne } from './compute.js';
import type { KernelCall, TensorInfo } from './types.js';

/**
 * A faster form of a kernel of TensorFlow.js, undefined where that kernel itself has to do it. It asks for the storage once
 * it knows: what is left to TensorFlow.js is small, and should not wait.
 */
export type Replacement = (
  call: KernelCall,
  storageIn: (backend: object) => Storage,
) => TensorInfo | TensorInfo[] | undefined;

/** Elements from which on a call is worth its price, where a kernel of TensorFlow.js's does little for each. */
const WORTH_A_CALL = 1000;

/** Elements of a row from which on the largest are found faster here: shorter ones are simply sorted, there too. */
const WORTH_A_SEARCH = 64;

/** Whether a tensor is worth the way here: what TensorFlow.js does with other dtypes, it goes on doing. */
function suits({ dtype, shape }: TensorInfo, least = WORTH_A_CALL): boolean {
  return dtype === 'float32' && shape.length > 0 && product(shape) >= least;
}

/** The faster forms, by the kernel's name. */
export const REPLACEMENTS = {
  Softmax: ({ inputs, attrs, backend }, storageIn) =>
    mapRows(softmax, storageIn(backend), inputs.logits!, attrs!.dim as number),
  LogSoftmax: ({ inputs, attrs, backend }, storageIn) =>
    mapRows(logSoftmax, storageIn(backend), inputs.logits!, attrs!.axis as number),

  Sigmoid({ inputs, backend }, storageIn) {
    const x = inputs.x!;
    if (!suits(x)) return undefined;
    const storage = storageIn(backend);
    const y = storage.create(x.shape, 'float32');
    fill(storage, [x], [y], () => sigmoid(storage.floatsOf(x), { out: storage.floatsOf(y) }));
    return y;
  },

  ArgMax({ inputs, attrs, backend }, storageIn) {
    const x = inputs.x!;
    const { shape } = x;
    const axis = readAxis(attrs!.axis, shape.length);
    if (axis === undefined || !suits(x)) return undefined;
    const storage = storageIn(backend);
    const winners = storage.create([...shape.slice(0, axis), ...shape.slice(axis + 1)], 'int32');
    fill(storage, [x], [winners], () =>
      argmax(storage.floatsOf(x), { shape, axis, out: storage.elementsOf(winners) as Int32Array }),
    );
    const inner = product(shape.slice(axis + 1));
    const isOrdered = isWonByNumbers(storage.floatsOf(x), storage.elementsOf(winners), shape[axis]!, inner);
    return isOrdered ? winners : discard(storage, [winners]);
  },

  TopK({ inputs, attrs, backend }, storageIn) {
    const x = inputs.x!;
    const { shape } = x;
    const k = attrs!.k as number;
    if (k === 0 || shape.at(-1)! < WORTH_A_SEARCH || !suits(x)) return undefined;
    const storage = storageIn(backend);
    const results = [...shape.slice(0, -1), k];
    const outputs = [storage.create(results, 'float32'), storage.create(results, 'int32')] as const;
    const [values, indices] = outputs;
    fill(storage, [x], outputs, () => {
      const out = { values: storage.floatsOf(values), indices: storage.elementsOf(indices) as Int32Array };
      topK(storage.floatsOf(x), k, { shape, out });
    });
    return storage.floatsOf(values).some(Number.isNaN) ? discard(storage, outputs) : [...outputs];
  },
} as const satisfies Record<string, Replacement>;

function mapRows(map: typeof softmax, storage: Storage, x: TensorInfo, given: number): TensorInfo | undefined {
  // TensorFlow.js composes it of several kernels, or works long on each element.
  if (!suits(x, 1)) return undefined;
  const { shape } = x;
  const axis = lastAsMinusOne(given, shape);
  const y = storage.create(shape, 'float32');
  fill(storage, [x], [y], () => map(storage.floatsOf(x), { shape, axis, out: storage.floatsOf(y) }));
  return y;
}

/** Where NaN is among numbers, each backend of TensorFlow.js says in its own way. */
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
function isWonByNumbers(x: ArrayLike<number>, winners: ArrayLike<number>, n: number, inner: number): boolean {
  for (let row = 0; row < winners.length; row++) {
    const column = row % inner;
    if (Number.isNaN(x[(row - column) * n + winners[row]! * inner + column]!)) return false;
  }
  return true;
}
