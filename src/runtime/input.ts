import { arrayFor, lengthOf, ownOf, PLAIN, readingError } from './caller.js';
import { isArray, show, showShape, typedArrayTag, typeError } from './errors.js';
import { checkLength, product, readShape } from './geometry.js';
import type { Runtime } from './runtime.js';
import { Tensor } from './tensor.js';
import type { FloatArray } from './types.js';

/** How a call's result is handed back. */
export type OperandKind = 'array' | 'tensorLike' | 'tensor';

/** A float argument, read once and checked. */
export interface Operand {
  readonly kind: OperandKind;
  /** The elements, undefined where they are a Tensor's. */
  readonly array: FloatArray | undefined;
  /** Where the elements lie in linear memory, -1 where they lie elsewhere. */
  readonly address: number;
  readonly length: number;
  readonly elementBytes: 4 | 8;
  /** The shape the caller or the argument gave, undefined for plain numbers without one. */
  readonly shape: readonly number[] | undefined;
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
 * Reads a float argument and its shape. Plain numbers become elements of plainBytes: float32 for the first argument of
 * an operation, and for the others what the first one is.
 * @throws TypeError, RangeError
 */
export function readOperand(
  runtime: Runtime,
  operation: string,
  argument: string,
  value: unknown,
  shape: unknown,
  plainBytes: 4 | 8 = 4,
): Operand {
  const tag = typedArrayTag(value);
  if (tag !== undefined) {
    const array = checkFloats(operation, argument, value, tag);
    return arrayOperand(runtime, operation, argument, 'array', array, shape, undefined);
  }
  if (Tensor.is(value)) return tensorOperand(runtime, operation, argument, value, shape);
  if (isArray(value)) {
    const array = readNumbers(operation, argument, value, plainBytes);
    return arrayOperand(runtime, operation, argument, 'array', array, shape, undefined);
  }
  return tensorLikeOperand(runtime, operation, argument, value, shape, plainBytes);
}

function arrayOperand(
  runtime: Runtime,
  operation: string,
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  shape: unknown,
  ownShape: readonly number[] | undefined,
): Operand {
  const agreed = agreeOnShape(operation, argument, shape, ownShape);
  if (agreed !== undefined) checkLength(operation, argument, array.length, agreed);
  const address = array.buffer === runtime.arena.buffer ? array.byteOffset : -1;
  return { kind, array, address, length: array.length, elementBytes: array.BYTES_PER_ELEMENT as 4 | 8, shape: agreed };
}

function tensorOperand(runtime: Runtime, operation: string, argument: string, tensor: Tensor, shape: unknown): Operand {
  checkOwner(runtime, operation, argument, tensor);
  return {
    kind: 'tensor',
    array: undefined,
    address: tensor.address(operation, argument),
    length: tensor.size,
    elementBytes: tensor.elementBytes,
    shape: agreeOnShape(operation, argument, shape, tensor.shape),
  };
}

export function checkOwner(runtime: Runtime, operation: string, argument: string, tensor: Tensor): void {
  if (tensor.runtime !== runtime) {
    throw new TypeError(
      `${operation}: ${argument} is a tensor of another set of kernels, expected one of the same set`,
    );
  }
}

/** The shape given by the caller or the argument's own; both must agree. */
function agreeOnShape(
  operation: string,
  argument: string,
  shape: unknown,
  own: readonly number[] | undefined,
): readonly number[] | undefined {
  if (shape === undefined) return own;
  const given = readShape(operation, 'shape', shape);
  if (own !== undefined && (given.length !== own.length || given.some((size, i) => size !== own[i]))) {
    throw new RangeError(
      `${operation}: shape is ${showShape(given)}, expected ${showShape(own)}, the shape of ${argument} itself`,
    );
  }
  return given;
}

/**
 * The value as a float array; `owner` is the tensor-like object whose data it is.
 * @throws TypeError for another element type or a detached buffer
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
  const array = value as FloatArray;
  if (array.length === 0) checkAttached(operation, argument, array);
  return array;
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

/** An empty array may be one whose buffer was transferred or grew away. */
export function checkAttached(operation: string, argument: string, array: ArrayBufferView): void {
  try {
    new Uint8Array(array.buffer);
  } catch {
    throw new TypeError(`${operation}: ${argument} is detached, expected an array whose buffer is alive`);
  }
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
  shape: unknown,
  plainBytes: 4 | 8,
): Operand {
  if (typeof value !== 'object' || value === null) throw typeError(operation, argument, value, EXPECTED);
  const { data, shape: ownShape } = readTensorLike(operation, argument, value);
  const tag = typedArrayTag(data);
  const name = `${argument}.data`;
  const array =
    tag === undefined && isArray(data)
      ? readNumbers(operation, name, data, plainBytes)
      : checkFloats(operation, name, data, tag ?? '', value);
  return arrayOperand(runtime, operation, argument, 'tensorLike', array, shape, ownShape);
}

/** `data` and the shape of another library's tensor. @throws TypeError where its numbers cannot be read as they lie */
export function readTensorLike(operation: string, argument: string, value: object): LikeParts {
  try {
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
  const data = source.data;
  if (typeof data === 'function') throw refuse('an array of another library', 'pass await x.data() and shape');
  if (data === undefined) throw typeError(operation, argument, source, EXPECTED);
  const sizes = source.shape ?? source.dims;
  if (sizes === undefined) {
    throw new TypeError(`${operation}: ${argument} has neither shape nor dims, expected a tensor-like object with one`);
  }
  const shape = readShape(operation, `${argument}.shape`, sizes);
  if (!isContiguous(shape, source.stride ?? source.strides, source.offset)) {
    throw refuse('a strided view', 'pass a row-major contiguous copy');
  }
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
