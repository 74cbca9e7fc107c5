import {
  attachedCount,
  bufferOf,
  elementBytesOf,
  type FloatArray,
  type IntegerArray,
  integerBytes,
  offsetOf,
  outsideOf,
  typedArrayTag,
} from '../arrays.js';
import { countError, isArray, rangeError, show, showShape, typeError } from '../errors.js';
import { Tensor } from '../memory/tensor.js';
import { readNumber } from '../numbers.js';
import type { Runtime } from '../runtime.js';
import { addPlace, type Call } from './call.js';
import { arrayFor, lengthOf, readingError } from './caller.js';
import { type LikeParts, mayBeTensorLike, readOperand, readTensorLike } from './operand.js';
import { halfOf, newArray, newOperand, type Operand, type Place } from './place.js';
import type { Rows } from './rows.js';
import { areEqual, checkLength, withoutAxis } from './shape.js';

/** Integers as they were read. */
export interface IntegerPlace extends Place {
  /** A Float64Array if they came as plain numbers, which may not be integers: see placeIndices. */
  readonly array: IntegerArray | Float64Array;
  readonly shape: readonly number[] | undefined;
}

/** The targets of a loss, read once: class indices, or class probabilities. */
export interface Targets {
  /** Class indices, not checked yet. */
  readonly indices: IntegerPlace | undefined;
  /** Whether the indices came as plain numbers. */
  readonly plain: boolean;
  readonly probabilities: Operand | undefined;
}

const EXPECTED = 'class indices (integers) or class probabilities (floats)';
/** What errors expect if probabilities are not allowed. */
const CLASS_INDICES = 'class indices (integers: Int32Array.from converts)';

/**
 * Reads targets. They are checked later, when the rows of the logits are known: see checkIndices and placeIndices.
 * @throws TypeError
 */
export function readTargets(call: Call, value: unknown, expected = EXPECTED): Targets {
  const { operation } = call;
  if (typeof value === 'number') return plainIndices(operation, [value], expected);
  if (isArray(value)) return plainIndices(operation, value, expected);
  const tag = typedArrayTag(value);
  if (tag === undefined && !Tensor.is(value)) {
    if (typeof value !== 'object' || value === null) throw typeError(operation, 'targets', value, expected);
    const like = readTensorLike(operation, 'targets', value);
    if (holdsIntegers(like)) return integerIndices(call, like.data, like.shape);
    return probabilities(readOperand(call, 'targets', like));
  }
  if (integerBytes(tag) > 0) return integerIndices(call, value, undefined);
  return probabilities(readOperand(call, 'targets', value));
}

/** Reads targets that must be class indices. @throws TypeError */
export function readClassIndices(call: Call, value: unknown): Targets {
  const targets = readTargets(call, value, CLASS_INDICES);
  if (targets.probabilities !== undefined) throw typeError(call.operation, 'targets', value, CLASS_INDICES);
  return targets;
}

/** The parts of a tensor-like object, or plain numbers without shape and type. */
type Numbers = Pick<LikeParts, 'data' | 'type'> & { readonly shape: readonly number[] | undefined };

/** Whether the data are integers, and not the bits of 16-bit floats. */
function holdsIntegers({ data, type }: Numbers): boolean {
  const tag = typedArrayTag(data);
  return integerBytes(tag) > 0 && halfOf(tag, type) === undefined;
}

function plainIndices(operation: string, values: readonly unknown[], expected: string): Targets {
  try {
    const length = lengthOf(operation, 'targets', values);
    const array = arrayFor(operation, length, (n) => new Float64Array(n));
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number') {
        const hint = isArray(value) && expected === EXPECTED ? ' (nested probabilities: tensor() takes them)' : '';
        throw typeError(operation, `targets[${i}]`, value, `an integer${hint}`);
      }
      array[i] = value;
    }
    return { indices: integerPlace(array, length, undefined), plain: true, probabilities: undefined };
  } catch (error) {
    throw readingError(error, operation, 'targets', values, expected);
  }
}

function integerIndices(call: Call, value: unknown, shape: readonly number[] | undefined): Targets {
  return { indices: readIntegers(call, value, shape), plain: false, probabilities: undefined };
}

function readIntegers(call: Call, value: unknown, shape: readonly number[] | undefined): IntegerPlace {
  const { operation, runtime } = call;
  const given = value as IntegerArray;
  const length = attachedCount(operation, 'targets', given);
  if (shape !== undefined) checkLength(operation, 'targets', length, shape);
  return addPlace(call, integerPlace(outsideOf(runtime.arena.buffer, given), length, shape));
}

/** The place of integers, which are never in linear memory. */
function integerPlace(
  array: IntegerArray | Float64Array,
  length: number,
  shape: readonly number[] | undefined,
): IntegerPlace {
  return { argument: 'targets', array, tensor: undefined, address: -1, length, shape, before: undefined };
}

function probabilities(operand: Operand): Targets {
  return { indices: undefined, plain: false, probabilities: operand };
}

function rowCountError(operation: string, length: number, rows: number): RangeError {
  return countError(
    operation,
    'targets',
    length,
    `${rows}, one for each row${rows === 1 ? ' (several rows need shape)' : ''}`,
  );
}

/** The option `ignoreIndex`. @throws TypeError, RangeError unless it is an integer, beside class indices */
export function readIgnoreIndex(operation: string, ignoreIndex: unknown, targets?: Targets): number {
  if (ignoreIndex === undefined) return -100;
  if (targets?.probabilities !== undefined) {
    throw new TypeError(`${operation}: ignoreIndex is given, expected none with class probabilities as targets`);
  }
  return readNumber(operation, 'ignoreIndex', ignoreIndex, 'an integer', Number.isSafeInteger);
}

/**
 * Checks that there is an index for each row, and that the shapes match if both have one. If the loss takes
 * probabilities too, the error says how to pass them when there are as many integers or plain numbers as logits.
 * @throws TypeError, RangeError
 */
export function checkIndices(
  operation: string,
  { indices }: Targets,
  input: Operand,
  rows: Rows,
  takesProbabilities = false,
): void {
  const { length, shape } = indices!;
  if (length !== rows.count) {
    if (!(takesProbabilities && length === input.length)) throw rowCountError(operation, length, rows.count);
    throw new TypeError(
      `${operation}: targets has as many numbers as the logits, expected ${rows.count} class ` +
        `${rows.count === 1 ? 'index' : 'indices'}, or class probabilities as a Float32Array or Float64Array`,
    );
  }
  if (shape === undefined || input.shape === undefined) return;
  const expected = withoutAxis(input.shape, rows.axis);
  if (!areEqual(shape, expected)) {
    throw new RangeError(
      `${operation}: targets has shape ${showShape(shape)}, expected ${showShape(expected)}, ` +
        'the shape without its axis',
    );
  }
}

/**
 * Checks class indices and copies them into linear memory as int32, -1 for ignored rows: kernels do not check them.
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
  const { array, length } = indices!;
  // A loop that has met several types of arrays is slow: the most common type has a loop of its own.
  const counted =
    typedArrayTag(array) === 'Int32Array'
      ? copyIndices(array as Int32Array, length, n, ignoreIndex, i32, at)
      : convertIndices(array, length, n, typeof array[0] === 'bigint' ? BigInt(ignoreIndex) : ignoreIndex, i32, at);
  if (counted >= 0) return counted;
  const stray = -1 - counted;
  const expected = `an integer in [0, ${n}) or ignoreIndex (${show(ignoreIndex)})`;
  throw rangeError(operation, `targets[${stray}]`, array[stray], expected);
}

/** Returns how many are not ignored, or, for a wrong index at position i, -1 - i. */
function copyIndices(
  source: Int32Array,
  length: number,
  n: number,
  ignored: number,
  i32: Int32Array,
  at: number,
): number {
  let counted = 0;
  for (let i = 0; i < length; i++) {
    const value = source[i]!;
    if (value === ignored) i32[at + i] = -1;
    else if (value >= 0 && value < n) {
      i32[at + i] = value;
      counted++;
    } else return -1 - i;
  }
  return counted;
}

/** The same for numbers of any type. */
function convertIndices(
  source: ArrayLike<unknown>,
  length: number,
  n: number,
  ignored: number | bigint,
  i32: Int32Array,
  at: number,
): number {
  let counted = 0;
  for (let i = 0; i < length; i++) {
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

/**
 * Class indices for a state, which does not know the number of classes: one for each row, -1 for ignored rows.
 * @throws RangeError for a wrong number of indices, or one that is neither a class nor ignoreIndex
 */
export function classesOf(
  operation: string,
  { array, length }: IntegerPlace,
  rows: number,
  ignoreIndex: number,
): Float64Array {
  if (length !== rows) throw rowCountError(operation, length, rows);
  const classes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const target = Number(array[row]);
    if (target !== ignoreIndex && !(Number.isSafeInteger(target) && target >= 0)) {
      const expected = `an integer, 0 or more, or ignoreIndex (${show(ignoreIndex)})`;
      throw rangeError(operation, `targets[${row}]`, array[row], expected);
    }
    classes[row] = target === ignoreIndex ? -1 : target;
  }
  return classes;
}

/** Targets of an elementwise loss, one for each element. */
export interface ElementTargets {
  /** The targets, if they are floats. */
  readonly operand: Operand | undefined;
  /** The targets, if they are labels of an integer type, not checked yet: see checkLabels. */
  readonly integers: IntegerPlace | undefined;
}

/**
 * Reads the targets of an elementwise loss: floats, or labels as integers or booleans.
 * @throws TypeError, RangeError
 */
export function readElementTargets(call: Call, value: unknown, elementBytes: 4 | 8): ElementTargets {
  const { operation } = call;
  let parts: Numbers = { data: value, shape: undefined, type: undefined };
  if (mayBeTensorLike(value)) {
    value = parts = readTensorLike(operation, 'targets', value);
  }
  const { data, shape } = parts;
  if (isArray(data)) return labels(operation, data, shape, elementBytes);
  if (holdsIntegers(parts)) return { operand: undefined, integers: readIntegers(call, data, shape) };
  return { operand: readOperand(call, 'targets', value, elementBytes), integers: undefined };
}

/** Checks that integer labels are 0 or 1. @throws RangeError */
export function checkLabels(operation: string, { array, length }: IntegerPlace): void {
  if (areLabels(array, length, elementBytesOf(array))) return;
  let stray = 0;
  while (array[stray]! >= 0 && array[stray]! <= 1) stray++;
  throw rangeError(operation, `targets[${stray}]`, array[stray], '0 or 1');
}

/**
 * The bits that labels of 1, 2, 4 or 8 bytes may have set, for the even and odd 32-bit words, or the even and odd
 * bytes.
 */
const WORD_BITS = { 1: [0x01010101, 0x01010101], 2: [0x00010001, 0x00010001], 4: [1, 1], 8: [1, 0] } as const;
const BYTE_BITS = { 1: [1, 1], 2: [1, 0] } as const;

/**
 * Whether all elements are 0 or 1. It reads arrays of any type as 32-bit words, or as bytes if they are not aligned to
 * words: a loop that meets every type of array is several times as slow, and one that meets BigInts twenty times.
 */
function areLabels(array: IntegerPlace['array'], length: number, elementBytes: number): boolean {
  const buffer = bufferOf(array);
  const byteOffset = offsetOf(array);
  const byteLength = length * elementBytes;
  const onWords = byteOffset % 4 === 0 && byteLength % 4 === 0;
  const units = onWords
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength);
  const [evenBits, oddBits] = onWords ? WORD_BITS[elementBytes as 1 | 2 | 4 | 8] : BYTE_BITS[elementBytes as 1 | 2];
  let even = 0;
  let odd = 0;
  for (let i = 1; i < units.length; i += 2) {
    even |= units[i - 1]!;
    odd |= units[i]!;
  }
  if (units.length % 2 === 1) even |= units[units.length - 1]!;
  return (even & ~evenBits) === 0 && (odd & ~oddBits) === 0;
}

/** Labels as plain numbers or booleans. */
function labels(
  operation: string,
  values: readonly unknown[],
  shape: readonly number[] | undefined,
  elementBytes: 4 | 8,
): ElementTargets {
  const array = readLabels(operation, values, elementBytes);
  const { length } = array;
  if (shape !== undefined) checkLength(operation, 'targets', length, shape);
  return { operand: newOperand('targets', 'array', array, length, shape), integers: undefined };
}

/** The labels as a typed array, each element read once. */
function readLabels(operation: string, values: readonly unknown[], elementBytes: 4 | 8): FloatArray {
  try {
    const length = lengthOf(operation, 'targets', values);
    const array = arrayFor(operation, length, (n) => newArray(elementBytes, n));
    for (let i = 0; i < length; i++) {
      const value = values[i];
      if (typeof value !== 'number' && typeof value !== 'boolean') {
        throw typeError(operation, `targets[${i}]`, value, 'a number, true or false');
      }
      const label = Number(value);
      if (label < 0 || label > 1) throw rangeError(operation, `targets[${i}]`, value, 'a number in [0, 1]');
      array[i] = label;
    }
    return array;
  } catch (error) {
    throw readingError(error, operation, 'targets', values, 'numbers, true and false');
  }
}
