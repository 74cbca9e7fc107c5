import { bufferOf, checkAttached, copyOf, countOf, elementBytesOf, typedArrayTag, viewOf } from '../arrays.js';
import { isArray, rangeError, typeError } from '../errors.js';
import { Tensor } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import type { IntegerArray } from '../types.js';
import { checkBroadcast } from './broadcast.js';
import { arrayFor, lengthOf, readingError } from './caller.js';
import { BesideRecord, isWhole } from './descriptor.js';
import { type Operand, readTensorLike, shapeOf } from './operand.js';
import type { Place } from './place.js';
import { checkLength } from './rows.js';

/** Elements of a mask: anything but 0 keeps. */
export type MaskArray = Exclude<IntegerArray, Int16Array | Uint16Array>;

/** A mask as it was read. */
export interface MaskPlace extends Place {
  readonly array: MaskArray;
  readonly shape: readonly number[] | undefined;
}

/** What a call leaves out of its problems, checked. */
export interface Mask {
  /** undefined where causality alone leaves something out. */
  readonly array: MaskArray | undefined;
  /** The array's shape, of trailing axes. */
  readonly own: readonly number[];
  readonly causal: boolean;
}

const EXPECTED = 'booleans or integers, anything but 0 keeps';
const MASKS = /^(?:Int8|Uint8|Uint8Clamped|Int32|Uint32|BigInt64|BigUint64)Array$/;

/** Checks what was read of `mask`, and `causal`. @throws TypeError, RangeError */
export function checkMask(
  operation: string,
  mask: MaskPlace | undefined,
  causal: unknown,
  input: Operand,
  axis: unknown,
): Mask | undefined {
  if (mask === undefined && (causal === undefined || causal === false)) return undefined;
  const shape = shapeOf(input);
  checkCausal(operation, causal, shape, axis);
  if (mask === undefined) return { array: undefined, own: [], causal: true };
  return { array: mask.array, own: checkBroadcast(operation, 'mask', mask, shape), causal: causal === true };
}

function checkCausal(operation: string, causal: unknown, shape: readonly number[], axis: unknown): void {
  if (causal === undefined || causal === false) return;
  if (causal !== true) throw typeError(operation, 'causal', causal, 'true or false');
  if (shape.length < 2) {
    throw new RangeError(`${operation}: causal is true, expected a shape with two axes or more for it`);
  }
  if (typeof axis !== 'number') throw typeError(operation, 'axis', axis, 'a whole number');
  if (axis !== -1 && axis !== shape.length - 1) throw rangeError(operation, 'axis', axis, '-1 when causal is true');
}

/** Reads `mask`. @throws TypeError, RangeError */
export function readMask(runtime: Runtime, operation: string, value: unknown): MaskPlace | undefined {
  if (value === undefined) return undefined;
  let data: unknown = value;
  let shape: readonly number[] | undefined;
  if (typedArrayTag(value) === undefined && !isArray(value) && !Tensor.is(value)) {
    if (typeof value !== 'object' || value === null) throw typeError(operation, 'mask', value, EXPECTED);
    ({ data, shape } = readTensorLike(operation, 'mask', value));
  }
  const array = isArray(data) ? readFlags(operation, data) : checkMaskArray(runtime, operation, data);
  const length = countOf(array);
  if (shape !== undefined) checkLength(operation, 'mask', length, shape);
  return { argument: 'mask', array, tensor: undefined, address: -1, length, shape };
}

/** A copy of plain flags, each read once. */
function readFlags(operation: string, values: readonly unknown[]): Uint8Array {
  try {
    const flags = arrayFor(operation, lengthOf(operation, 'mask', values), (n) => new Uint8Array(n));
    for (let i = 0; i < flags.length; i++) {
      const value = values[i];
      if (typeof value !== 'boolean' && value !== 0 && value !== 1) {
        throw typeError(operation, `mask[${i}]`, value, 'true or false, 1 or 0');
      }
      flags[i] = Number(value);
    }
    return flags;
  } catch (error) {
    throw readingError(error, operation, 'mask', values, EXPECTED);
  }
}

function checkMaskArray(runtime: Runtime, operation: string, value: unknown): MaskArray {
  const tag = typedArrayTag(value);
  if (tag === undefined || !MASKS.test(tag)) {
    const isFloat = Tensor.is(value) || tag === 'Float32Array' || tag === 'Float64Array';
    // An additive mask, 0 to keep and -∞ not to, would be read upside down.
    const hint = isFloat ? ' (of an additive mask: Uint8Array.from(mask, (m) => m === 0))' : '';
    throw typeError(operation, 'mask', value, EXPECTED + hint);
  }
  const array = value as MaskArray;
  if (countOf(array) === 0) checkAttached(operation, 'mask', array);
  // A view of our own memory would be lost if that grew.
  return bufferOf(array) === runtime.arena.buffer ? copyOf(array) : array;
}

/** Copies a mask into linear memory: bytes, anything but 0 keeps. */
export function copyMask(array: MaskArray, start: number, count: number, u8: Uint8Array, at: number): void {
  if (elementBytesOf(array) === 1) u8.set(viewOf(array as Uint8Array, start, count), at);
  else for (let i = 0; i < count; i++) u8[at + i] = array[start + i] ? 1 : 0;
}

/** The record of a mask, once the stream is open; one as large as the elements is streamed like them. */
export function placeMask(
  runtime: Runtime,
  { array, own, causal }: Mask,
  shape: readonly number[],
  axis: number,
): BesideRecord {
  const { stream, arena } = runtime;
  if (array === undefined) return new BesideRecord(runtime, own, shape, axis, 0, -1, causal);
  if (isWhole(own, shape)) return new BesideRecord(runtime, own, shape, axis, 0, stream.mask(array), causal);
  const length = countOf(array);
  const address = stream.claim(length);
  copyMask(array, 0, length, arena.u8, address);
  return new BesideRecord(runtime, own, shape, axis, address, -1, causal);
}
