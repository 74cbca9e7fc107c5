import {
  attachedCount,
  bufferOf,
  countOf,
  elementBytesOf,
  type FloatArray,
  type Half,
  offsetOf,
  typedArrayTag,
  viewOf,
} from '../arrays.js';
import { isArray, show, typeError } from '../errors.js';
import { checkAlive, storageOf, Tensor, type TensorStorage } from '../memory/tensor.js';
import { addPlace, type Call } from './call.js';
import { arrayFor, lengthOf, PLAIN, readingError, unpolluted } from './caller.js';
import { halfOf, newArray, newOperand, type Operand, type OperandKind } from './place.js';
import { checkLength, product, readShape } from './shape.js';

const EXPECTED = 'number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor';

/**
 * Reads a float argument. Plain numbers become floats of `plainBytes` bytes: float32 for the first argument of an
 * operation, and the first one's dtype for the others.
 * @throws TypeError, RangeError
 */
export function readOperand(call: Call, argument: string, value: unknown, plainBytes: 4 | 8 = 4): Operand {
  return addPlace(call, operandOf(call, argument, value, plainBytes));
}

/** The same for an argument that may be left out. */
export function readOptional(call: Call, argument: string, value: unknown, plainBytes: 4 | 8): Operand | undefined {
  return value === undefined ? undefined : readOperand(call, argument, value, plainBytes);
}

function operandOf(call: Call, argument: string, value: unknown, plainBytes: 4 | 8): Operand {
  const { operation } = call;
  const tag = typedArrayTag(value);
  if (tag !== undefined) {
    return arrayOperand(call, argument, 'array', checkFloats(operation, argument, value, tag));
  }
  const storage = storageOf(value);
  if (storage !== undefined) {
    checkOwner(call, argument, storage);
    return tensorOperand(operation, argument, value as Tensor, storage);
  }
  if (!isArray(value)) return tensorLikeOperand(call, argument, value, plainBytes);
  const array = readNumbers(operation, argument, value, plainBytes);
  return newOperand(argument, 'array', array, array.length);
}

/**
 * An array as an operand, as it is now. `declared` is the 16-bit type that its owner declares. @throws TypeError when
 * its buffer is detached
 */
export function arrayOperand(
  { operation, runtime }: Call,
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  shape?: readonly number[],
  declared?: Half,
): Operand {
  const { moment } = runtime.arena;
  const length = attachedCount(operation, argument, array);
  const address = bufferOf(array) === moment.buffer ? offsetOf(array) : -1;
  return newOperand(argument, kind, array, length, shape, declared, address, moment);
}

/** @throws TypeError when the tensor is disposed */
export function tensorOperand(operation: string, argument: string, tensor: Tensor, storage: TensorStorage): Operand {
  checkAlive(operation, argument, storage);
  const { address, shape, size, dtype, elementBytes } = storage;
  return {
    argument,
    kind: 'tensor',
    array: undefined,
    tensor,
    address,
    length: size,
    elementBytes,
    half: dtype === 'float16' ? dtype : undefined,
    moment: undefined,
    shape,
    before: undefined,
  };
}

export function checkOwner({ operation, runtime }: Call, argument: string, { owner }: TensorStorage): void {
  if (owner !== runtime) {
    throw new TypeError(
      `${operation}: ${argument} is a tensor of another set of kernels, expected one of the same set`,
    );
  }
}

/** Checks that a typed array holds floats; `declared` is the 16-bit type that its owner declares. @throws TypeError */
export function checkFloats(
  operation: string,
  argument: string,
  value: unknown,
  tag: string | undefined,
  declared?: Half,
): FloatArray {
  if (tag !== 'Float32Array' && tag !== 'Float64Array' && halfOf(tag, declared) === undefined) {
    throw typeError(operation, argument, value, EXPECTED + floatHint(tag, argument));
  }
  return value as FloatArray;
}

/** A hint how to convert the elements to floats, which is right whatever they are. */
function floatHint(tag: string | undefined, argument: string): string {
  if (!tag || tag.startsWith('Big')) return '';
  const hint = ' (convert integers with Float32Array.from';
  // Float32Array.from would turn the bits of 1, 0x3c00, into 15360.
  return tag === 'Uint16Array'
    ? `${hint}, pass bits of float16 as { data: ${argument}, shape, type: 'float16' })`
    : `${hint})`;
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

/** Whether it is an object that is neither an array nor one of our tensors. */
export function mayBeTensorLike(value: unknown): value is object {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && typedArrayTag(value) === undefined && !isArray(value) && !Tensor.is(value);
}

function tensorLikeOperand(call: Call, argument: string, value: unknown, plainBytes: 4 | 8): Operand {
  const { operation } = call;
  if (typeof value !== 'object' || value === null) throw typeError(operation, argument, value, EXPECTED);
  const { data, shape, type } = readTensorLike(operation, argument, value);
  const tag = typedArrayTag(data);
  const name = `${argument}.data`;
  // Throws if it knows what to pass instead, such as the value of a promise.
  if (mayBeTensorLike(data)) readTensorLike(operation, name, data);
  const array =
    tag === undefined && isArray(data)
      ? readNumbers(operation, name, data, plainBytes)
      : checkFloats(operation, name, data, tag, type);
  const operand = arrayOperand(call, argument, 'tensorLike', array, shape, type);
  checkLength(operation, argument, operand.length, shape);
  return operand;
}

/** The data and shape of another library's tensor. @throws TypeError if its numbers cannot be read where they are */
export function readTensorLike(
  operation: string,
  argument: string,
  value: object,
  expected: string = EXPECTED,
): LikeParts {
  try {
    if (value instanceof Tensor) {
      throw new TypeError(`${operation}: ${argument} is a proxy of a tensor, expected the tensor itself`);
    }
    const source = isPolluted() ? unpolluted(value) : value;
    return readParts(operation, argument, source as Record<string, unknown>, expected);
  } catch (error) {
    throw readingError(error, operation, argument, value, expected);
  }
}

export interface LikeParts {
  readonly data: unknown;
  readonly shape: readonly number[];
  /** The type that it declares, if that is a 16-bit float. */
  readonly type: Half | undefined;
}

/**
 * Whether someone has added a property that is read from tensor-like objects to Object.prototype: see isPolluted in
 * options.ts.
 */
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

function readParts(operation: string, argument: string, source: Record<string, unknown>, expected: string): LikeParts {
  const refuse = (what: string, read: string) =>
    new TypeError(
      `${operation}: ${argument} is ${what}, expected numbers in memory: ` +
        `{ data: ${read}, shape: ${argument}.${source.shape === undefined ? 'dims' : 'shape'} }`,
    );
  if (typeof source.dataSync === 'function') throw refuse('a tensor of another library', `${argument}.dataSync()`);
  const location = source.location;
  if (typeof location === 'string' && location !== 'cpu' && location !== 'cpu-pinned' && location !== 'none') {
    throw refuse(`a tensor on ${show(location)}`, `await ${argument}.getData()`);
  }
  const sizes = source.shape ?? source.dims;
  const shape = sizes === undefined ? undefined : readShape(operation, `${argument}.shape`, sizes);
  const isStrided = shape !== undefined && !isContiguous(shape, source.stride ?? source.strides);
  const offset = source.offset;
  const type = halfNamed(source.type) ?? halfNamed(source.dtype);
  // Last: the reads above may run the caller's code, which may replace the data.
  const data = source.data;
  if (typeof data === 'function') throw refuse('a tensor of another library', `await ${argument}.data()`);
  if (data === undefined || shape === undefined) throw noNumbers(operation, argument, source, expected);
  const part = typeof offset === 'number' ? partOf(data, offset, product(shape)) : data;
  if (isStrided || part === undefined) throw refuse('a strided view', `ndarrayUnpack(${argument}).flat(Infinity)`);
  return { data: part, shape, type };
}

function halfNamed(name: unknown): Half | undefined {
  return name === 'float16' || name === 'bfloat16' ? name : undefined;
}

/** The elements of a contiguous view that begins at an offset; undefined if a copy would be needed. */
function partOf(data: unknown, offset: number, size: number): unknown {
  const array = data as FloatArray;
  // A detached array has no elements; the error comes from whoever reads it.
  const isWithin =
    elementBytesOf(array) && countOf(array) && offset >>> 0 === offset && offset + size <= countOf(array);
  if (isWithin) return viewOf(array, offset, size);
  return offset === 0 ? data : undefined;
}

/** The error for an object without data or a shape: it names the object's class, and what to write instead. */
function noNumbers(
  operation: string,
  argument: string,
  source: Record<PropertyKey, unknown>,
  expected: string,
): TypeError {
  const name = source[Symbol.toStringTag] ?? (source.constructor as { name?: unknown } | undefined)?.name;
  const isNamed = typeof name === 'string' && name && name !== 'Object';
  const what = isNamed ? `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}` : 'an object';
  const line = numbersExpression(argument, source);
  return new TypeError(`${operation}: ${argument} is ${what}, expected ${expected}${line && ` (pass ${line})`}`);
}

/** The expression that gives the numbers of such an object, '' if it is not known. */
function numbersExpression(x: string, source: Record<PropertyKey, unknown>): string {
  if (typeof source.then === 'function') return `await ${x}`;
  if (ArrayBuffer.isView(source)) return `new Float32Array(${x}.buffer)`;
  if (source[Symbol.toStringTag] === 'ArrayBuffer') return `new Float32Array(${x})`;
  // math.js, whose iterator gives objects.
  if (source.isMatrix) return `tensor(${x}.toArray())`;
  // ml-matrix.
  if (source.to1DArray) return `{ data: Float64Array.from(${x}.to1DArray()), shape: [${x}.rows, ${x}.columns] }`;
  // Apache Arrow: a vector of lists has a child.
  if (source.numChildren) return `{ data: ${x}.getChildAt(0).toArray(), shape: [${x}.length, ${x}.stride] }`;
  if (source.numChildren === 0) return `${x}.toArray()`;
  if (typeof source[Symbol.iterator] === 'function') return `Array.from(${x})`;
  // What a session of ONNX Runtime returns: tensors by their names.
  return Object.keys(source)
    .filter((key) => typeof source[key] === 'object')
    .slice(0, 3)
    .map((key) => `${x}.${key}`)
    .join(' or ');
}

function isContiguous(shape: readonly number[], strides: unknown): boolean {
  if (!isArray(strides) && typedArrayTag(strides) === undefined) return true;
  if (product(shape) === 0) return true;
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1 && (strides as ArrayLike<number>)[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}
