import { bufferOf, checkAttached, countOf, fill, offsetOf, typedArrayTag } from '../arrays.js';
import { OutOfMemoryError, typeError } from '../errors.js';
import { dataOf, Tensor } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import type { Dtype, FloatArray } from '../types.js';
import { arrayOperand, checkOwner, newArray, type Operand, readArray, tensorOperand } from './operand.js';
import type { Place } from './place.js';
import { product } from './rows.js';

/** Where results go, and how the caller gets them. */

export function dtypeOf({ elementBytes }: Operand): Dtype {
  return elementBytes === 4 ? 'float32' : 'float64';
}

/** Reads `out`, if it is given. @throws TypeError unless its elements have these bytes */
export function readOptionalOut(
  runtime: Runtime,
  operation: string,
  argument: string,
  out: unknown,
  elementBytes: 4 | 8,
): Operand | undefined {
  return out === undefined ? undefined : readOut(runtime, operation, argument, out, elementBytes);
}

/** Reads where results go. @throws TypeError unless its elements have these bytes */
export function readOut(
  runtime: Runtime,
  operation: string,
  argument: string,
  out: unknown,
  elementBytes: 4 | 8,
): Operand {
  const dtype = elementBytes === 4 ? 'float32' : 'float64';
  const name = dtype === 'float32' ? 'Float32Array' : 'Float64Array';
  const tag = typedArrayTag(out);
  if (tag === name) return readArray(runtime.arena, operation, argument, 'array', out as FloatArray, undefined);
  if (tag !== undefined || !Tensor.is(out)) throw typeError(operation, argument, out, `a ${name} or a Tensor`);
  checkOwner(runtime, operation, argument, out);
  const operand = tensorOperand(operation, argument, out);
  if (operand.elementBytes !== elementBytes) {
    throw new TypeError(`${operation}: ${argument} is a ${dtypeOf(operand)} tensor, expected ${dtype}`);
  }
  return operand;
}

/** Reads where indices go. @throws TypeError unless it is an Int32Array */
export function readIndexOut({ arena }: Runtime, operation: string, argument: string, out: unknown): IndexPlace {
  if (typedArrayTag(out) !== 'Int32Array') throw typeError(operation, argument, out, 'an Int32Array');
  const array = out as Int32Array;
  const length = countOf(array);
  if (length === 0) checkAttached(operation, argument, array);
  const address = bufferOf(array) === arena.buffer ? offsetOf(array) : -1;
  return { argument, array, tensor: undefined, address, length, elementBytes: 4, moment: arena.moment };
}

/** Where indices go. */
export interface IndexPlace extends Place {
  readonly array: Int32Array;
}

/** @throws RangeError unless it takes this many elements */
export function checkSize(operation: string, { argument, length }: Place, size: number): void {
  if (length !== size) throw new RangeError(`${operation}: ${argument} has ${length} elements, expected ${size}`);
}

/** Storage for a result like the input: a Tensor for a Tensor, else an array. @throws OutOfMemoryError */
export function newResult(runtime: Runtime, operation: string, input: Operand, shape: readonly number[]): Operand {
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
  return arrayOperand('the result', 'array', newArray(elementBytes, length), length, -1, undefined, undefined);
}

/** Sets every element of a result. */
export function fillResult({ tensor, array }: Operand, value: number): void {
  fill(tensor === undefined ? array! : dataOf(tensor), value);
}

/** Storage for new indices. */
export function newIndices(length: number): IndexPlace {
  const array = new Int32Array(length);
  return { argument: 'the result', array, tensor: undefined, address: -1, length, elementBytes: 4, moment: undefined };
}

/** A result as the caller gets it: `out` and Tensors themselves, data and shape for a tensor-like argument. */
export function handBack(
  { array, tensor }: Operand,
  isOut: boolean,
  { kind }: Operand,
  shape: readonly number[] | undefined,
): unknown {
  return isOut || kind !== 'tensorLike' ? (tensor ?? array) : { data: array, shape: shape!.slice() };
}
