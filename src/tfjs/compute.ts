import type { FloatArray } from '../arrays.js';
import type { Elements, Storage } from './backends.js';
import type { TensorInfo } from './types.js';

/** A tensor that is made for a result. */
export interface Made {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
}

/**
 * Calls one function of this library on the elements of tensors; those of new tensors are for it to fill.
 * @throws what the function throws; there are no new tensors then
 */
export function compute<R>(
  storage: Storage,
  inputs: readonly TensorInfo[],
  made: readonly Made[],
  call: (inputs: readonly Elements[], outputs: readonly Elements[]) => R,
): { tensors: TensorInfo[]; result: R } {
  for (const input of inputs) storage.fetch(input);
  const tensors = made.map(({ shape, dtype }) => storage.create(shape, dtype));
  try {
    const views = inputs.map((tensor) => storage.elementsOf(tensor));
    const outputs = tensors.map((tensor) => storage.elementsOf(tensor));
    return { tensors, result: storage.run(() => call(views, outputs)) };
  } catch (error) {
    for (const tensor of tensors) storage.dispose(tensor);
    throw error;
  }
}

/** Calls a function that gives as many elements as it gets. */
export function computeLike(
  storage: Storage,
  inputs: readonly TensorInfo[],
  call: (inputs: readonly FloatArray[], out: FloatArray) => unknown,
): TensorInfo {
  const { shape } = inputs[0]!;
  const { tensors } = compute(storage, inputs, [{ shape, dtype: 'float32' }], (views, [out]) =>
    call(views as readonly FloatArray[], out as FloatArray),
  );
  return tensors[0]!;
}
