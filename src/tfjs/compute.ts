import type { WideArray } from '../arrays.js';
import { product } from '../call/shape.js';
import type { Runtime } from '../runtime.js';
import type { Elements, Storage } from './backends.js';
import type { TensorInfo } from './types.js';

/**
 * A computation in two forms. Each returns whether its results are valid; if they are not, TensorFlow.js has to compute
 * them.
 */
export interface Computation {
  /** On contiguous rows of n float32 at address x, into one output at address y or into two. */
  readonly onRows: (runtime: Runtime, x: number, outer: number, n: number, y: number, second: number) => boolean;
  /** On elements, along any axis. */
  readonly onElements: (x: WideArray, outputs: readonly Elements[], shape: readonly number[], axis: number) => boolean;
}

/**
 * Fills the outputs, which are new tensors, along an axis (-1: the last). In a shared memory, rows along the last axis
 * are passed to the kernel in place, without typed arrays; TensorFlow.js has checked their shapes.
 * @returns whether the results are valid. If they are not, or if it throws, the outputs are disposed of.
 */
export function compute(
  { onRows, onElements }: Computation,
  storage: Storage,
  x: TensorInfo,
  outputs: readonly TensorInfo[],
  axis: number,
): boolean {
  const { shared } = storage;
  const { shape } = x;
  let stands = false;
  try {
    if (shared !== undefined && axis === -1) {
      const n = shape[shape.length - 1]!;
      const from = shared.addressOf(x);
      const y = shared.addressOf(outputs[0]!);
      const second = outputs.length === 1 ? 0 : shared.addressOf(outputs[1]!);
      stands = onRows(shared.open(), from, product(shape) / n, n, y, second);
    } else {
      storage.fetch(x);
      stands = storage.run(() => {
        const results = outputs.map((output) => storage.elementsOf(output));
        return onElements(storage.floatsOf(x), results, shape, axis);
      });
    }
    return stands;
  } finally {
    if (!stands) for (const output of outputs) storage.dispose(output);
  }
}

/**
 * Calls one function of this library, which reads the inputs and fills the outputs, which are new tensors. The views of
 * their elements are taken last, because memory may grow until the call.
 * @throws what the function throws, after disposing of the outputs
 */
export function fill<R>(
  storage: Storage,
  inputs: readonly TensorInfo[],
  outputs: readonly TensorInfo[],
  call: () => R,
): R {
  try {
    for (const input of inputs) storage.fetch(input);
    return storage.run(call);
  } catch (error) {
    for (const output of outputs) storage.dispose(output);
    throw error;
  }
}

/** The form of an axis that this library handles fastest: -1 for the last. */
export function lastAsMinusOne(axis: number | undefined, { length }: readonly number[]): number {
  return axis === undefined || axis === length - 1 ? -1 : axis;
}
