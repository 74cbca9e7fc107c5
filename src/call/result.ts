import {
  arrayOf,
  attachedCount,
  bufferOf,
  type Dtype,
  type FloatArray,
  fill,
  type Half,
  offsetOf,
  typedArrayTag,
} from '../arrays.js';
import { countError, OutOfMemoryError, typeError } from '../errors.js';
import type { Moment } from '../memory/arena.js';
import { dataOf, storageOf, type Tensor } from '../memory/tensor.js';
import { addPlace, type Call } from './call.js';
import { arrayOperand, checkOwner, mayBeTensorLike, readTensorLike, tensorOperand } from './operand.js';
import { dtypeOf, halfOf, type IndexPlace, newArray, newOperand, type Operand, type Place, shapeOf } from './place.js';
import { checkLength, product } from './shape.js';

/** Where results are stored, and how the caller gets them. */

/** Reads the option `out`, if it is given: see readOut. */
export function readOptionalOut(call: Call, out: unknown, elementBytes: 4 | 8, half?: Half): Operand | undefined {
  return out === undefined ? undefined : readOut(call, 'out', out, elementBytes, half);
}

/**
 * Reads an `out` for elements of this many bytes, or of the 16-bit type `half` if that is given.
 * @throws TypeError for anything else
 */
export function readOut(call: Call, argument: string, out: unknown, elementBytes: 4 | 8, half?: Half): Operand {
  return addPlace(call, outOf(call, argument, out, elementBytes, half));
}

function outOf(call: Call, argument: string, out: unknown, elementBytes: 4 | 8, half: Half | undefined): Operand {
  const { operation } = call;
  const name = elementBytes === 4 ? 'Float32Array' : 'Float64Array';
  const tag = typedArrayTag(out);
  if (tag === name || (half !== undefined && halfOf(tag, undefined) === half)) {
    return arrayOperand(call, argument, 'array', out as FloatArray);
  }
  const storage = storageOf(out);
  if (storage === undefined) {
    if (half === undefined) throw typeError(operation, argument, out, `a ${name} or a Tensor`);
    return halfOut(call, argument, out, half);
  }
  checkOwner(call, argument, storage);
  const operand = tensorOperand(operation, argument, out as Tensor, storage);
  if (operand.elementBytes !== elementBytes || (operand.half !== undefined && operand.half !== half)) {
    const dtype = dtypeOf({ elementBytes, half: undefined });
    const expected = half === undefined ? dtype : `${half} or ${dtype}`;
    throw new TypeError(`${operation}: ${argument} is a ${dtypeOf(operand)} tensor, expected ${expected}`);
  }
  return operand;
}

/** Reads a tensor-like `out` that holds 16-bit floats. */
function halfOut(call: Call, argument: string, out: unknown, half: Half): Operand {
  const { operation } = call;
  const like = mayBeTensorLike(out) ? readTensorLike(operation, argument, out) : undefined;
  if (like === undefined || halfOf(typedArrayTag(like.data), like.type) !== half) {
    const array = half === 'float16' ? 'a Float16Array, ' : '';
    const bits = `{ data: Uint16Array, shape, type: '${half}' }`;
    throw typeError(operation, argument, out, `${array}${bits}, a Float32Array or a Tensor`);
  }
  const operand = arrayOperand(call, argument, 'array', like.data as FloatArray, undefined, half);
  checkLength(operation, argument, operand.length, like.shape);
  return { ...operand, owner: out as object };
}

/** Reads an `out` for indices. @throws TypeError unless it is an Int32Array */
export function readIndexOut(call: Call, argument: string, out: unknown): IndexPlace {
  const { operation, runtime } = call;
  if (typedArrayTag(out) !== 'Int32Array') throw typeError(operation, argument, out, 'an Int32Array');
  const array = out as Int32Array;
  const length = attachedCount(operation, argument, array);
  const { moment } = runtime.arena;
  const address = bufferOf(array) === moment.buffer ? offsetOf(array) : -1;
  return addPlace(call, newIndexPlace(argument, array, address, length, moment));
}

function newIndexPlace(
  argument: string,
  array: Int32Array,
  address: number,
  length: number,
  moment: Moment | undefined,
): IndexPlace {
  return { argument, array, tensor: undefined, address, length, elementBytes: 4, moment, before: undefined };
}

/** Checks that a result has this many elements. @throws RangeError */
export function checkSize({ operation }: Call, { argument, length }: Place, size: number): void {
  if (length !== size) throw countError(operation, argument, length, size);
}

/**
 * Storage for a result of the input's kind: a Tensor for a Tensor, else an array. It holds 16-bit floats if `half` is
 * given.
 * @throws OutOfMemoryError
 */
export function newResult(
  { operation, runtime }: Call,
  input: Operand,
  shape: readonly number[],
  half?: Half,
): Operand {
  const { elementBytes } = input;
  if (input.kind === 'tensor') {
    const dtype = dtypeOf({ elementBytes, half }) as Dtype;
    const tensor = runtime.allocate(operation, shape, dtype);
    return tensorOperand(operation, 'the result', tensor, storageOf(tensor)!);
  }
  const length = product(shape);
  // If rows have no elements, the result can be larger than everything that the caller has passed.
  const { limit } = runtime.arena;
  if (input.length === 0 && length * elementBytes > limit) {
    const bytes = length * elementBytes;
    throw new OutOfMemoryError(`${operation}: ${bytes} bytes are needed for the result, the limit is ${limit}`);
  }
  const array = half === undefined ? newArray(elementBytes, length) : arrayOf(typedArrayTag(input.array)!, length);
  return newOperand('the result', 'array', array as FloatArray, length, undefined, half);
}

/** Storage for a result of the input's shape and element type. */
export function newLike(call: Call, input: Operand): Operand {
  return newResult(call, input, shapeOf(input), input.half);
}

/** Sets every element of a result. */
export function fillResult({ tensor, array }: Operand, value: number): void {
  fill(tensor === undefined ? array! : dataOf(tensor), value);
}

/** Storage for new indices. */
export function newIndices(length: number): IndexPlace {
  const array = new Int32Array(length);
  return newIndexPlace('the result', array, -1, length, undefined);
}

/** A result as the caller gets it: `out` or a Tensor itself, data and shape for a tensor-like argument. */
export function wrapResult(
  result: Operand,
  isOut: boolean,
  { kind }: Operand,
  shape: readonly number[] | undefined,
): unknown {
  if (isOut && result.owner !== undefined) return result.owner;
  return isOut || kind !== 'tensorLike' ? (result.tensor ?? result.array) : tensorLikeOf(result, shape!);
}

/** Data and shape, and the dtype if the data are the bits of 16-bit floats. */
export function tensorLikeOf({ array, half }: Operand, shape: readonly number[]): object {
  const like = { data: array, shape: shape.slice() };
  return typedArrayTag(array) === 'Uint16Array' ? { ...like, dtype: half } : like;
}

/** The same for a result with a number for each row: a plain row gives that number. */
export function wrapReduced(result: Operand, isOut: boolean, input: Operand, shape: readonly number[]): unknown {
  if (input.shape === undefined && !isOut) return result.array![0];
  return wrapResult(result, isOut, input, shape);
}
