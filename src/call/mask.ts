import { attachedCount, countOf, type IntegerArray, integerBytes, outsideOf, typedArrayTag } from '../arrays.js';
import { isArray, rangeError, typeError } from '../errors.js';
import { Tensor } from '../memory/tensor.js';
import { checkBroadcast } from './broadcast.js';
import { addPlace, type Call } from './call.js';
import { arrayFor, lengthOf, readingError } from './caller.js';
import { mayBeTensorLike, readTensorLike } from './operand.js';
import { readFlag } from './options.js';
import { type Operand, type Place, shapeOf } from './place.js';
import { checkLength } from './shape.js';

/** A mask as it was read. */
export interface MaskPlace extends Place {
  readonly array: IntegerArray;
  readonly shape: readonly number[] | undefined;
}

/** A checked mask: flags, causality, or both. */
export interface Mask {
  /** undefined if there is only causality. */
  readonly array: IntegerArray | undefined;
  /** The array's shape, of trailing axes. */
  readonly own: readonly number[];
  readonly causal: boolean;
}

const EXPECTED = 'booleans or integers, anything but 0 keeps';

/** Checks the options `mask`, as it was read, and `causal` against the first operand. @throws TypeError, RangeError */
export function checkMask(
  operation: string,
  mask: MaskPlace | undefined,
  causal: unknown,
  input: Operand,
  axis: number,
): Mask | undefined {
  const isCausal = readFlag(operation, 'causal', causal);
  if (mask === undefined && !isCausal) return undefined;
  const shape = shapeOf(input);
  if (isCausal) checkCausal(operation, shape, axis);
  if (mask === undefined) return { array: undefined, own: [], causal: true };
  return { array: mask.array, own: checkBroadcast(operation, 'mask', mask, shape), causal: isCausal };
}

function checkCausal(operation: string, shape: readonly number[], axis: number): void {
  if (shape.length < 2) {
    throw new RangeError(`${operation}: causal is true, expected a shape with two axes or more for it`);
  }
  if (axis !== shape.length - 1) throw rangeError(operation, 'axis', axis, '-1 when causal is true');
}

/** Reads `mask`, if it is given. @throws TypeError, RangeError */
export function readMask(call: Call, value: unknown): MaskPlace | undefined {
  if (value === undefined) return undefined;
  const { operation, runtime } = call;
  let data: unknown = value;
  let shape: readonly number[] | undefined;
  if (mayBeTensorLike(value)) {
    if (holdsBits(operation, value))
      throw new TypeError(`${operation}: mask is { bits }, which sample takes, expected ${EXPECTED}`);
    const like = readTensorLike(operation, 'mask', value, EXPECTED);
    if (like.type !== undefined) {
      const keep = 'Uint8Array.from(mask.data, (m) => (m & 0x7fff) === 0)';
      throw new TypeError(`${operation}: mask holds ${like.type}, expected ${EXPECTED} (of an additive mask: ${keep})`);
    }
    ({ data, shape } = like);
  }
  const array = isArray(data) ? readFlags(operation, data) : readMaskArray(operation, data, runtime.arena.buffer);
  const length = countOf(array);
  if (shape !== undefined) checkLength(operation, 'mask', length, shape);
  return addPlace(call, { argument: 'mask', array, tensor: undefined, address: -1, length, shape, before: undefined });
}

function holdsBits(operation: string, mask: object): boolean {
  try {
    return Object.hasOwn(mask, 'bits');
  } catch (error) {
    throw readingError(error, operation, 'mask', mask, EXPECTED);
  }
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

function readMaskArray(operation: string, value: unknown, memory: ArrayBuffer): IntegerArray {
  const tag = typedArrayTag(value);
  if (integerBytes(tag) === 0) {
    const isFloat = Tensor.is(value) || /^Float/.test(tag ?? '');
    // In an additive mask, 0 keeps an element and -∞ removes it: the opposite of ours.
    const hint = isFloat ? ' (of an additive mask: Uint8Array.from(mask, (m) => m === 0))' : '';
    throw typeError(operation, 'mask', value, EXPECTED + hint);
  }
  const array = value as IntegerArray;
  attachedCount(operation, 'mask', array);
  return outsideOf(memory, array);
}
