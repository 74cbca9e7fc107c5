import { storageOf, type TensorOwner, type TensorStorage } from '../memory/tensor.js';
import { areEqual } from './shape.js';

/** The short way of a call on tensors: no operand and no run. Kernels get tensors as they lie, whatever their size. */

/** What a tensor is, if it is one of this set that is alive and not stored in 16 bits: kernels get it as it lies. */
export function residentOf(owner: TensorOwner, value: unknown): TensorStorage | undefined {
  const storage = storageOf(value);
  if (storage === undefined || storage.owner !== owner || storage.address < 0) return undefined;
  return storage.dtype === 'float16' ? undefined : storage;
}

/** The address of such a tensor with so many elements of another's dtype, -1 for anything else. */
export function addressLike(value: unknown, { owner, dtype }: TensorStorage, size: number): number {
  const storage = residentOf(owner, value);
  return storage !== undefined && storage.dtype === dtype && storage.size === size ? storage.address : -1;
}

/** The same of another tensor, if it has the shape and the dtype of the first. */
export function residentLike(value: unknown, { owner, dtype, shape }: TensorStorage): TensorStorage | undefined {
  const storage = residentOf(owner, value);
  return storage !== undefined && storage.dtype === dtype && areEqual(storage.shape, shape) ? storage : undefined;
}

/** The elements of a row along the last axis of a tensor, 0 where the options ask for another axis, or for a shape. */
export function rowLength({ shape: sizes }: TensorStorage, shape: unknown, axis: unknown): number {
  const last = sizes.length - 1;
  const isLast = axis === undefined || axis === -1 || axis === last;
  return shape === undefined && isLast && last >= 0 ? sizes[last]! : 0;
}
