import { addressOf, checkOverlap, dtypeOf, newArray } from './call.js';
import { show, showShape, typeError } from './errors.js';
import { type Operand, readOperand } from './input.js';
import type { Runtime } from './runtime.js';
import { Tensor } from './tensor.js';
import type { FloatArray } from './types.js';

/** How a loss is reduced: the mean, the sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** What the losses have in common: their reduction, and the gradient that comes in from above. */

/** @throws TypeError unless it is one of the allowed reductions. */
export function checkReduction<R extends string>(operation: string, reduction: unknown, allowed: readonly R[]): R {
  if (allowed.includes(reduction as R)) return reduction as R;
  throw typeError(operation, 'reduction', reduction, `one of ${allowed.map(show).join(', ')}`);
}

/** gradOutput as it was read: a number, or an operand with a number for each unreduced loss. */
export type GradOutput = number | Operand;

/** @throws TypeError unless gradOutput fits: a number, or numbers where losses are not reduced. */
export function readGradOutput(
  runtime: Runtime,
  operation: string,
  value: unknown,
  reduction: string,
): GradOutput {
  if (value === undefined) return 1;
  if (typeof value === 'number') return value;
  if (reduction !== 'none') throw typeError(operation, 'gradOutput', value, `a number for reduction "${reduction}"`);
  return readOperand(runtime, operation, 'gradOutput', value, undefined);
}

/** @throws RangeError unless the operand has this many elements. */
export function checkCount(operation: string, argument: string, operand: Operand, count: number, what: string): void {
  if (operand.length !== count) {
    throw new RangeError(`${operation}: ${argument} has ${operand.length} elements, expected ${count}, ${what}`);
  }
}

/** Copies a small operand into claimed linear memory, as elements of the call's dtype. */
export function placeFloats(runtime: Runtime, operand: Operand, elementBytes: 4 | 8, address: number): void {
  const { arena } = runtime;
  const own = operand.elementBytes;
  const source =
    operand.address < 0
      ? operand.array!
      : arena.floats(own).subarray(operand.address / own, operand.address / own + operand.length);
  arena.floats(elementBytes).set(source, address / elementBytes);
}

/** @throws TypeError unless both have the same dtype, RangeError unless they have the same shape or length. */
export function checkLikeness(operation: string, argument: string, operand: Operand, first: string, model: Operand): void {
  if (operand.elementBytes !== model.elementBytes) {
    throw new TypeError(`${operation}: ${argument} is ${dtypeOf(operand)}, expected ${dtypeOf(model)}, as ${first}`);
  }
  const { shape } = operand;
  const differs =
    shape !== undefined && model.shape !== undefined
      ? shape.length !== model.shape.length || shape.some((size, i) => size !== model.shape![i])
      : operand.length !== model.length;
  if (!differs) return;
  const got = shape !== undefined && model.shape !== undefined ? `has shape ${showShape(shape)}` : `has ${operand.length} elements`;
  const expected = shape !== undefined && model.shape !== undefined ? showShape(model.shape) : `${model.length}`;
  throw new RangeError(`${operation}: ${argument} ${got}, expected ${expected}, as ${first}`);
}

/** Storage for a result of a loss: `out`, or a new array or Tensor like the first argument. */
export function resultStorage(
  runtime: Runtime,
  operation: string,
  out: unknown,
  model: Operand,
  shape: readonly number[] | undefined,
  length: number,
): FloatArray | Tensor {
  if (out !== undefined) return out as FloatArray | Tensor;
  if (model.kind === 'tensor') return runtime.allocate(operation, shape!, dtypeOf(model));
  return newArray(model.elementBytes, length);
}

/** A result as the caller gets it: `out` and Tensors themselves, data and shape for a tensor-like argument. */
export function handBack(
  result: FloatArray | Tensor,
  isOut: boolean,
  model: Operand,
  shape: readonly number[] | undefined,
): unknown {
  if (isOut || model.kind !== 'tensorLike') return result;
  return { data: result, shape: shape!.slice() };
}

/** Checks `out` against dtype, length and overlap with the operands: the first may be the very same range. */
export function checkLossOut(
  runtime: Runtime,
  operation: string,
  out: unknown,
  length: number,
  first: string,
  model: Operand,
  others: Readonly<Record<string, Operand | undefined>>,
): void {
  if (out === undefined) return;
  runtime.checkOut(operation, 'out', out, dtypeOf(model), length);
  const address = addressOf(runtime, operation, out);
  checkOverlap(operation, first, model, out, address);
  for (const [name, operand] of Object.entries(others)) {
    if (operand !== undefined) checkOverlap(operation, name, operand, out, address);
  }
}

export function arrayOf(result: FloatArray | Tensor): FloatArray | undefined {
  return Tensor.is(result) ? undefined : result;
}
