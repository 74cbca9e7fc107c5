import {
  bufferOf,
  checkAttached,
  countOf,
  type Dtype,
  type FloatArray,
  fill,
  offsetOf,
  typedArrayTag,
} from '../arrays.js';
import { OutOfMemoryError, typeError } from '../errors.js';
import type { Moment } from '../memory/arena.js';
import { dataOf, Tensor } from '../memory/tensor.js';
import { addPlace, type Call } from './call.js';
import { arrayOperand, checkOwner, tensorOperand } from './operand.js';
import { type IndexPlace, newArray, newOperand, type Operand, type Place } from './place.js';
import { product } from './shape.js';

/** Where results go, and how the caller gets them. */

export function dtypeOf({ elementBytes }: Operand): Dtype {
  return elementBytes === 4 ? 'float32' : 'float64';
}

/** Reads the option `out`, if it is given. @throws TypeError unless its elements have these bytes */
export function readOptionalOut(call: Call, out: unknown, elementBytes: 4 | 8): Operand | undefined {
  return out === undefined ? undefined : readOut(call, 'out', out, elementBytes);
}

/** Reads where results go. @throws TypeError unless its elements have these bytes */
export function readOut(call: Call, argument: string, out: unknown, elementBytes: 4 | 8): Operand {
  return addPlace(call, outOf(call, argument, out, elementBytes));
}

function outOf(call: Call, argument: string, out: unknown, elementBytes: 4 | 8): Operand {
  const { operation } = call;
  const dtype = elementBytes === 4 ? 'float32' : 'float64';
  const name = elementBytes === 4 ? 'Float32Array' : 'Float64Array';
  const tag = typedArrayTag(out);
  if (tag === name) return arrayOperand(call, argument, 'array', out as FloatArray, undefined);
  if (tag !== undefined || !Tensor.is(out)) throw typeError(operation, argument, out, `a ${name} or a Tensor`);
  checkOwner(call, argument, out);
  const operand = tensorOperand(operation, argument, out);
  if (operand.elementBytes !== elementBytes) {
    throw new TypeError(`${operation}: ${argument} is a ${dtypeOf(operand)} tensor, expected ${dtype}`);
  }
  return operand;
}

/** Reads where indices go. @throws TypeError unless it is an Int32Array */
export function readIndexOut(call: Call, argument: string, out: unknown): IndexPlace {
  const { operation, runtime } = call;
  if (typedArrayTag(out) !== 'Int32Array') throw typeError(operation, argument, out, 'an Int32Array');
  const array = out as Int32Array;
  const length = countOf(array);
  if (length === 0) checkAttached(operation, argument, array);
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

/** @throws RangeError unless it takes this many elements */
export function checkSize({ operation }: Call, { argument, length }: Place, size: number): void {
  if (length !== size) throw new RangeError(`${operation}: ${argument} has ${length} elements, expected ${size}`);
}

/** Storage for a result like the input: a Tensor for a Tensor, else an array. @throws OutOfMemoryError */
export function newResult({ operation, runtime }: Call, input: Operand, shape: readonly number[]): Operand {
  if (input.kind === 'tensor') {
    return tensorOperand(operation, 'the result', runtime.allocate(operation, shape, dtypeOf(input)));
  }
  const { elementBytes } = input;
  const length = product(shape);
  // Only rows without elements can have more results than anything that was given has elements.
  const { limit } = runtime.arena;
  if (input.length === 0 && length * elementBytes > limit) {
    const bytes = length * elementBytes;
    throw new OutOfMemoryError(`${operation}: ${bytes} bytes are needed for the result, the limit is ${limit}`);
  }
  return newOperand('the result', 'array', newArray(elementBytes, length), length, -1, undefined, undefined);
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

/** A result as the caller gets it: `out` and Tensors themselves, data and shape for a tensor-like argument. */
export function wrapResult(
  { array, tensor }: Operand,
  isOut: boolean,
  { kind }: Operand,
  shape: readonly number[] | undefined,
): unknown {
  return isOut || kind !== 'tensorLike' ? (tensor ?? array) : { data: array, shape: shape!.slice() };
}

/** The same where each row has a number: a plain row gives that number. */
export function wrapReduced(result: Operand, isOut: boolean, input: Operand, shape: readonly number[]): unknown {
  if (input.shape === undefined && !isOut) return result.array![0];
  return wrapResult(result, isOut, input, shape);
}
