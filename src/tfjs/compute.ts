import type { Storage } from './backends.js';
import type { TensorInfo } from './types.js';

/**
 * Calls one function of this library, which reads the inputs and fills the outputs, new tensors. Their elements are taken
 * in the call itself: memory may grow until then.
 * @throws what the function throws; the outputs are disposed of then
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

/** An axis as this library takes it quickest: the last as -1. */
export function lastAsMinusOne(axis: number | undefined, { length }: readonly number[]): number {
  return axis === undefined || axis === length - 1 ? -1 : axis;
}
