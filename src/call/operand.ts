import { bufferOf, checkAttached, countOf, offsetOf, typedArrayTag } from '../arrays.js';
import { isArray, show, showShape, typeError } from '../errors.js';
import type { Arena, Moment } from '../memory/arena.js';
import { addressOf, dtypeOfTensor, runtimeOf, shapeOfTensor, sizeOfTensor, Tensor } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import type { FloatArray } from '../types.js';
import { arrayFor, lengthOf, ownOf, PLAIN, readingError } from './caller.js';
import type { Place } from './place.js';
import { checkLength, product, readShape } from './rows.js';

/** How a call's result is handed back. */
export type OperandKind = 'array' | 'tensorLike' | 'tensor';

/** A float argument, read once. */
export interface Operand extends Place {
  readonly kind: OperandKind;
  readonly array: FloatArray | undefined;
  readonly elementBytes: 4 | 8;
  /** The shape the caller or the argument gave, undefined for plain numbers without one. */
  shape: readonly number[] | undefined;
}

export function newArray(elementBytes: 4 | 8, length: number): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  return elementBytes === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** The shape of an operand: plain numbers without one are a row. */
export function shapeOf({ shape, length }: Operand): readonly number[] {
  return shape ?? [length];
}

const EXPECTED = 'number[], Float32Array, Float64Array, a tensor-like object or a Tensor';

/**
 * Reads a float argument. Plain numbers become elements of plainBytes: float32 for the first argument of an operation,
 * and for the others what the first one is.
 * @throws TypeError, RangeError
 */
export function readOperand(
  runtime: Runtime,
  operation: string,
  argument: string,
  value: unknown,
  plainBytes: 4 | 8 = 4,
): Operand {
  const tag = typedArrayTag(value);
  if (tag !== undefined) {
    const array = checkFloats(operation, argument, value, tag);
    return readArray(runtime.arena, operation, argument, 'array', array, undefined);
  }
  if (Tensor.is(value)) {
    checkOwner(runtime, operation, argument, value);
    return tensorOperand(operation, argument, value);
  }
  if (isArray(value)) {
    const array = readNumbers(operation, argument, value, plainBytes);
    return arrayOperand(argument, 'array', array, array.length, -1, undefined, undefined);
  }
  return tensorLikeOperand(runtime, operation, argument, value, plainBytes);
}

/** The same, of an argument that may be left out. */
export function readOptional(
  runtime: Runtime,
  operation: string,
  argument: string,
  value: unknown,
  plainBytes: 4 | 8,
): Operand | undefined {
  return value === undefined ? undefined : readOperand(runtime, operation, argument, value, plainBytes);
}

/** Reads an array as it is now. @throws TypeError when its buffer is detached */
export function readArray(
  { moment }: Arena,
  operation: string,
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  shape: readonly number[] | undefined,
): Operand {
  const length = countOf(array);
  if (length === 0) checkAttached(operation, argument, array);
  const address = bufferOf(array) === moment.buffer ? offsetOf(array) : -1;
  return arrayOperand(argument, kind, array, length, address, moment, shape);
}

/** An array whose place is known. */
export function arrayOperand(
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  length: number,
  address: number,
  moment: Moment | undefined,
  shape: readonly number[] | undefined,
): Operand {
  const elementBytes = typedArrayTag(array) === 'Float32Array' ? 4 : 8;
  return { argument, kind, array, tensor: undefined, address, length, elementBytes, moment, shape };
}

/** An array as it was at that moment, with this length and offset. */
export function operandFrom(
  argument: string,
  array: FloatArray,
  length: number,
  offset: number,
  moment: Moment,
): Operand {
  const address = bufferOf(array) === moment.buffer ? offset : -1;
  return arrayOperand(argument, 'array', array, length, address, moment, undefined);
}

/** @throws TypeError when the tensor is disposed */
export function tensorOperand(operation: string, argument: string, tensor: Tensor): Operand {
  const address = addressOf(operation, argument, tensor);
  const length = sizeOfTensor(tensor);
  const shape = shapeOfTensor(tensor);
  const elementBytes = dtypeOfTensor(tensor) === 'float32' ? 4 : 8;
  return {
    argument,
    kind: 'tensor',
    array: undefined,
    tensor,
    address,
    length,
    elementBytes,
    moment: undefined,
    shape,
  };
}

export function checkOwner(runtime: Runtime, operation: string, argument: string, tensor: Tensor): void {
  if (runtimeOf(tensor) !== runtime) {
    throw new TypeError(
      `${operation}: ${argument} is a tensor of another set of kernels, expected one of the same set`,
    );
  }
}

/** Reads the option `shape`. */
export function readSizes(operation: string, shape: unknown): readonly number[] | undefined {
  return shape === undefined ? undefined : readShape(operation, 'shape', shape);
}

/** Gives an operand the shape that the caller gave, if any. @throws RangeError unless it is the operand's own, or fits. */
export function giveShape(operation: string, operand: Operand, given: readonly number[] | undefined): void {
  const { argument, length, shape: own } = operand;
  if (given === undefined) return;
  if (own !== undefined && (given.length !== own.length || given.some((size, i) => size !== own[i]))) {
    throw new RangeError(
      `${operation}: shape is ${showShape(given)}, expected ${showShape(own)}, the shape of ${argument} itself`,
    );
  }
  checkLength(operation, argument, length, given);
  operand.shape = given;
}

/** The elements of an operand, wherever they lie, until the memory grows. */
export function elementsOf(arena: Arena, { array, address, elementBytes, length }: Operand): FloatArray {
  if (address < 0) return array!;
  return arena.floats(elementBytes).subarray(address / elementBytes, address / elementBytes + length);
}

/**
 * The value as a float array; `owner` is the tensor-like object whose data it is.
 * @throws TypeError for another element type
 */
export function checkFloats(
  operation: string,
  argument: string,
  value: unknown,
  tag: string,
  owner?: { type?: unknown; dtype?: unknown },
): FloatArray {
  if (tag !== 'Float32Array' && tag !== 'Float64Array') {
    const hint = floatHint(tag, argument, owner);
    throw new TypeError(`${operation}: ${argument} is ${show(value)}, expected ${EXPECTED}${hint}`);
  }
  return value as FloatArray;
}

/** How to make floats of the elements, in words that are right whatever these are. */
function floatHint(tag: string, argument: string, owner?: { type?: unknown; dtype?: unknown }): string {
  if (tag === '' || tag.startsWith('Big')) return '';
  if (tag === 'Float16Array') return ' (convert float16 with Float32Array.from)';
  if (tag !== 'Uint16Array') return ' (convert integers with Float32Array.from)';
  // Float32Array.from of the bits makes 15360 of 1.
  const halves = `new Float16Array(${argument}.buffer, ${argument}.byteOffset, ${argument}.length)`;
  const bits = `the bits of float16 with Float32Array.from(${halves}), where the engine has Float16Array`;
  const isFloat16 = owner?.type === 'float16' || owner?.dtype === 'float16';
  return isFloat16 ? ` (convert ${bits})` : ` (convert integers with Float32Array.from, ${bits})`;
}

/** A copy of plain numbers, each element read once. */
function readNumbers(operation: string, argument: string, values: readonly unknown[], elementBytes: 4 | 8): FloatArray {
  try {
    const length = lengthOf(operation, argument, values);
    const array = arrayFor(operation, length, (n) => newArray(elementBytes, n));
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number') {
        throw typeError(operation, `${argument}[${i}]`, value, 'a number (nested arrays: tensor() takes them)');
      }
      array[i] = value;
    }
    return array;
  } catch (error) {
    throw readingError(error, operation, argument, values, EXPECTED);
  }
}

function tensorLikeOperand(
  runtime: Runtime,
  operation: string,
  argument: string,
  value: unknown,
  plainBytes: 4 | 8,
): Operand {
  if (typeof value !== 'object' || value === null) throw typeError(operation, argument, value, EXPECTED);
  const { data, shape } = readTensorLike(operation, argument, value);
  const tag = typedArrayTag(data);
  const name = `${argument}.data`;
  const array =
    tag === undefined && isArray(data)
      ? readNumbers(operation, name, data, plainBytes)
      : checkFloats(operation, name, data, tag ?? '', value);
  const operand = readArray(runtime.arena, operation, argument, 'tensorLike', array, shape);
  checkLength(operation, argument, operand.length, shape);
  return operand;
}

/** `data` and the shape of another library's tensor. @throws TypeError where its numbers cannot be read as they lie */
export function readTensorLike(operation: string, argument: string, value: object): LikeParts {
  try {
    if (value instanceof Tensor) {
      throw new TypeError(`${operation}: ${argument} is a proxy of a tensor, expected the tensor itself`);
    }
    const source = isPolluted() ? ownOf(value) : value;
    return readParts(operation, argument, source as Record<string, unknown>);
  } catch (error) {
    throw readingError(error, operation, argument, value, EXPECTED);
  }
}

interface LikeParts {
  readonly data: unknown;
  readonly shape: readonly number[];
}

/** Whether Object.prototype was given anything that is read of a tensor-like: see isPolluted of options.ts. */
function isPolluted(): boolean {
  const plain = PLAIN;
  return (
    plain.data !== undefined ||
    plain.shape !== undefined ||
    plain.dims !== undefined ||
    plain.type !== undefined ||
    plain.dtype !== undefined ||
    plain.dataSync !== undefined ||
    plain.location !== undefined ||
    plain.stride !== undefined ||
    plain.strides !== undefined ||
    plain.offset !== undefined
  );
}

function readParts(operation: string, argument: string, source: Record<string, unknown>): LikeParts {
  const refuse = (what: string, call: string) =>
    new TypeError(`${operation}: ${argument} is ${what}, expected numbers in memory: ${call}`);
  if (typeof source.dataSync === 'function') throw refuse('a tensor of another library', 'pass x.dataSync() and shape');
  const location = source.location;
  if (typeof location === 'string' && location !== 'cpu' && location !== 'cpu-pinned' && location !== 'none') {
    throw refuse(`a tensor on ${show(location)}`, 'pass await x.getData() and shape');
  }
  const sizes = source.shape ?? source.dims;
  const shape = sizes === undefined ? undefined : readShape(operation, `${argument}.shape`, sizes);
  const isView = shape !== undefined && !isContiguous(shape, source.stride ?? source.strides, source.offset);
  // The data comes last: whatever the others run, it is taken as it is then.
  const data = source.data;
  if (typeof data === 'function') throw refuse('an array of another library', 'pass await x.data() and shape');
  if (data === undefined) throw typeError(operation, argument, source, EXPECTED);
  if (shape === undefined) {
    throw new TypeError(`${operation}: ${argument} has neither shape nor dims, expected a tensor-like object with one`);
  }
  if (isView) throw refuse('a strided view', 'pass a row-major contiguous copy');
  return { data, shape };
}

function isContiguous(shape: readonly number[], strides: unknown, offset: unknown): boolean {
  if (typeof offset === 'number' && offset !== 0) return false;
  if (!isArray(strides) && typedArrayTag(strides) === undefined) return true;
  if (product(shape) === 0) return true;
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1 && (strides as ArrayLike<number>)[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}
