import { storageOf, type TensorOwner, type TensorStorage } from '../memory/tensor.js';

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

/** Whether an option asks for the last axis of a tensor, or for none, which is the same. */
export function isLastAxis(axis: unknown, { shape }: TensorStorage): boolean {
  return axis === undefined || axis === -1 || axis === shape.length - 1;
}
