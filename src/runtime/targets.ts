import { arrayFor, lengthOf, readingError } from './caller.js';
import { isArray, rangeError, show, showShape, typedArrayTag, typeError } from './errors.js';
import { checkLength, withoutAxis } from './geometry.js';
import { checkAttached, newArray, type Operand, readOperand, readTensorLike } from './input.js';
import type { Runtime } from './runtime.js';
import { Tensor } from './tensor.js';
import type { FloatArray, IntegerArray } from './types.js';

/** The targets of a loss, read once: class indices, or class probabilities. */
export interface Targets {
  /** Numbers that may be class indices. */
  readonly indices: IntegerArray | Float64Array | undefined;
  /** Whether they came as plain numbers, which are not checked to be integers yet. */
  readonly plain: boolean;
  readonly shape: readonly number[] | undefined;
  readonly probabilities: Operand | undefined;
}

const EXPECTED = 'class indices (integers) or class probabilities (floats)';
const INTEGERS = /^(?:Big)?(?:Int|Uint)\d+(?:Clamped)?Array$/;

/** Reads targets; what they must be is known only with the logits' geometry: see placeIndices. @throws TypeError */
export function readTargets(runtime: Runtime, operation: string, value: unknown, shape: unknown): Targets {
  if (typeof value === 'number') return plainIndices([value], operation);
  if (isArray(value)) return plainIndices(value, operation);
  const tag = typedArrayTag(value);
  if (tag === undefined && !Tensor.is(value) && typeof value === 'object' && value !== null) {
    const like = readTensorLike(operation, 'targets', value);
    if (INTEGERS.test(typedArrayTag(like.data) ?? '')) return integerIndices(runtime, operation, like.data, like.shape);
    return probabilities(readOperand(runtime, operation, 'targets', like, undefined));
  }
  if (tag !== undefined && INTEGERS.test(tag)) return integerIndices(runtime, operation, value, undefined);
  if (tag === undefined && !Tensor.is(value)) throw typeError(operation, 'targets', value, EXPECTED);
  return probabilities(readOperand(runtime, operation, 'targets', value, Tensor.is(value) ? undefined : shape));
}

function plainIndices(values: readonly unknown[], operation: string): Targets {
  try {
    const indices = arrayFor(operation, lengthOf(operation, 'targets', values), (n) => new Float64Array(n));
    for (let i = 0; i < indices.length; i++) {
      const value = values[i];
      if (typeof value !== 'number') throw typeError(operation, `targets[${i}]`, value, 'an integer');
      indices[i] = value;
    }
    return { indices, plain: true, shape: undefined, probabilities: undefined };
  } catch (error) {
    throw readingError(error, operation, 'targets', values, EXPECTED);
  }
}

function integerIndices(
  runtime: Runtime,
  operation: string,
  value: unknown,
  shape: readonly number[] | undefined,
): Targets {
  let indices = value as IntegerArray;
  // A view of our own memory would be lost if that grew.
  if (indices.buffer === runtime.arena.buffer) indices = indices.slice();
  if (indices.length === 0) checkAttached(operation, 'targets', indices);
  if (shape !== undefined) checkLength(operation, 'targets', indices.length, shape);
  return { indices, plain: false, shape, probabilities: undefined };
}

function probabilities(operand: Operand): Targets {
  return { indices: undefined, plain: false, shape: operand.shape, probabilities: operand };
}

function checkIndexCount(operation: string, targets: Targets, rows: number, size: number): void {
  const { length } = targets.indices!;
  if (length === rows) return;
  if (targets.plain && length === size) {
    throw new TypeError(
      `${operation}: targets has as many numbers as the logits, expected ${rows} class indices, or class probabilities ` +
        'as a Float32Array or Float64Array',
    );
  }
  throw new RangeError(`${operation}: targets has ${length} elements, expected ${rows}, one for each row`);
}

/** @throws TypeError, RangeError unless it is an integer, or not given. */
export function checkIgnoreIndex(
  operation: string,
  ignoreIndex: unknown,
  targets: Targets,
): asserts ignoreIndex is number | undefined {
  if (ignoreIndex === undefined) return;
  if (targets.probabilities !== undefined) {
    throw new TypeError(`${operation}: ignoreIndex is given, expected none with class probabilities as targets`);
  }
  if (typeof ignoreIndex !== 'number') throw typeError(operation, 'ignoreIndex', ignoreIndex, 'an integer');
  if (!Number.isSafeInteger(ignoreIndex)) throw rangeError(operation, 'ignoreIndex', ignoreIndex, 'an integer');
}

/** @throws TypeError, RangeError unless there is an index for each of the rows, in their shape where both have one. */
export function checkIndices(
  operation: string,
  targets: Targets,
  input: Operand,
  axis: number,
  rows: number,
  size: number,
): void {
  checkIndexCount(operation, targets, rows, size);
  if (targets.shape === undefined || input.shape === undefined) return;
  const expected = withoutAxis(input.shape, axis, false);
  if (targets.shape.length !== expected.length || targets.shape.some((length, i) => length !== expected[i])) {
    throw new RangeError(
      `${operation}: targets has shape ${showShape(targets.shape)}, expected ${showShape(expected)}, ` +
        'the shape without its axis',
    );
  }
}

/**
 * Copies class indices into linear memory as int32, -1 where ignored, each checked: kernels use them as they are.
 * Returns how many are not ignored.
 * @throws RangeError for an index that is neither in [0, n) nor ignoreIndex
 */
export function placeIndices(
  runtime: Runtime,
  operation: string,
  { indices }: Targets,
  n: number,
  ignoreIndex: number,
  address: number,
): number {
  const { i32 } = runtime.arena;
  const at = address / 4;
  const source = indices!;
  // Once the other loop has met several types of arrays it is slow; this one, for the usual type, never meets them.
  const counted =
    source instanceof Int32Array
      ? copyIndices(source, n, ignoreIndex, i32, at)
      : convertIndices(source, n, typeof source[0] === 'bigint' ? BigInt(ignoreIndex) : ignoreIndex, i32, at);
  if (counted >= 0) return counted;
  const stray = -1 - counted;
  const expected = `an integer in [0, ${n}) or ignoreIndex (${show(ignoreIndex)})`;
  throw rangeError(operation, `targets[${stray}]`, source[stray], expected);
}

/** Returns how many are not ignored, or at the first that is no index -1 less its place. */
function copyIndices(source: Int32Array, n: number, ignored: number, i32: Int32Array, at: number): number {
  let counted = 0;
  for (let i = 0; i < source.length; i++) {
    const value = source[i]!;
    if (value === ignored) i32[at + i] = -1;
    else if (value >= 0 && value < n) {
      i32[at + i] = value;
      counted++;
    } else return -1 - i;
  }
  return counted;
}

/** The same for any numbers. */
function convertIndices(
  source: ArrayLike<unknown>,
  n: number,
  ignored: number | bigint,
  i32: Int32Array,
  at: number,
): number {
  let counted = 0;
  for (let i = 0; i < source.length; i++) {
    const value = source[i] as number | bigint;
    // A BigInt is compared before it is narrowed: 2n ** 32n is not 0.
    if (value === ignored) i32[at + i] = -1;
    else if (value >= 0 && value < n && (typeof value === 'bigint' || Number.isInteger(value))) {
      i32[at + i] = Number(value);
      counted++;
    } else return -1 - i;
  }
  return counted;
}

/** Targets with one for each element, read once. */
export interface ElementTargets {
  /** Floats. */
  readonly operand: Operand | undefined;
  /** Zeros and ones of an integer type. */
  readonly integers: IntegerArray | undefined;
  readonly length: number;
  readonly shape: readonly number[] | undefined;
}

/**
 * Reads targets of a loss that takes one for each element: floats, or labels as integers or booleans.
 * @throws TypeError, RangeError for a label that is neither 0 nor 1
 */
export function readElementTargets(
  runtime: Runtime,
  operation: string,
  value: unknown,
  elementBytes: 4 | 8,
): ElementTargets {
  let data = value;
  let shape: readonly number[] | undefined;
  if (typedArrayTag(value) === undefined && !isArray(value) && !Tensor.is(value)) {
    if (typeof value !== 'object' || value === null) {
      throw typeError(operation, 'targets', value, 'an array, a tensor-like object or a Tensor');
    }
    const like = readTensorLike(operation, 'targets', value);
    ({ data, shape } = like);
    value = like;
  }
  if (isArray(data)) return labels(operation, data, shape, elementBytes);
  if (!INTEGERS.test(typedArrayTag(data) ?? '')) {
    const operand = readOperand(runtime, operation, 'targets', value, undefined, elementBytes);
    return { operand, integers: undefined, length: operand.length, shape: operand.shape };
  }
  const { indices } = integerIndices(runtime, operation, data, shape);
  const integers = indices as IntegerArray;
  if (!areLabels(integers)) {
    const stray = (integers as Int32Array).findIndex((label) => label < 0 || label > 1);
    throw rangeError(operation, `targets[${stray}]`, integers[stray], '0 or 1');
  }
  return { operand: undefined, integers, length: integers.length, shape };
}

/** The bits that labels of so many bytes may have set, in pairs of 32-bit words and in pairs of bytes. */
const WORD_BITS = { 1: [0x01010101, 0x01010101], 2: [0x00010001, 0x00010001], 4: [1, 1], 8: [1, 0] } as const;
const BYTE_BITS = { 1: [1, 1], 2: [1, 0] } as const;

/**
 * Whether all elements are 0 or 1. Taken by words whatever the type, or by bytes where they do not lie on words: a loop
 * that meets every type of array is several times as slow, and one that meets BigInts twenty times.
 */
function areLabels({ buffer, byteOffset, byteLength, BYTES_PER_ELEMENT }: IntegerArray): boolean {
  const onWords = byteOffset % 4 === 0 && byteLength % 4 === 0;
  const units = onWords
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
  const [evenBits, oddBits] = onWords
    ? WORD_BITS[BYTES_PER_ELEMENT as 1 | 2 | 4 | 8]
    : BYTE_BITS[BYTES_PER_ELEMENT as 1 | 2];
  let even = 0;
  let odd = 0;
  for (let i = 1; i < units.length; i += 2) {
    even |= units[i - 1]!;
    odd |= units[i]!;
  }
  if (units.length % 2 === 1) even |= units[units.length - 1]!;
  return (even & ~evenBits) === 0 && (odd & ~oddBits) === 0;
}

/** Plain numbers, true and false. */
function labels(
  operation: string,
  values: readonly unknown[],
  shape: readonly number[] | undefined,
  elementBytes: 4 | 8,
): ElementTargets {
  const array = readLabels(operation, values, elementBytes);
  const { length } = array;
  if (shape !== undefined) checkLength(operation, 'targets', length, shape);
  const operand: Operand = { kind: 'array', array, address: -1, length, elementBytes, shape };
  return { operand, integers: undefined, length, shape };
}

/** The same as an array, each element read once. */
function readLabels(operation: string, values: readonly unknown[], elementBytes: 4 | 8): FloatArray {
  try {
    const length = lengthOf(operation, 'targets', values);
    const array = arrayFor(operation, length, (n) => newArray(elementBytes, n));
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number' && typeof value !== 'boolean') {
        throw typeError(operation, `targets[${i}]`, value, 'a number, true or false');
      }
      array[i] = Number(value);
    }
    return array;
  } catch (error) {
    throw readingError(error, operation, 'targets', values, 'numbers, true and false');
  }
}
