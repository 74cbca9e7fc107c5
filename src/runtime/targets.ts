import { rangeError, show, showShape, typedArrayTag, typeError } from './errors.js';
import { product } from './geometry.js';
import { checkAttached, type Operand, readOperand, readTensorLike } from './input.js';
import type { Runtime } from './runtime.js';
import { Tensor } from './tensor.js';

type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

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
  if (Array.isArray(value)) return plainIndices(value, operation);
  const tag = typedArrayTag(value);
  if (tag === undefined && !Tensor.is(value) && typeof value === 'object' && value !== null) {
    const like = readTensorLike(operation, 'targets', value);
    if (INTEGERS.test(typedArrayTag(like.data) ?? '')) return integerIndices(operation, like.data, like.shape);
    return probabilities(readOperand(runtime, operation, 'targets', like, undefined));
  }
  if (tag !== undefined && INTEGERS.test(tag)) return integerIndices(operation, value, undefined);
  if (tag === undefined && !Tensor.is(value)) throw typeError(operation, 'targets', value, EXPECTED);
  return probabilities(readOperand(runtime, operation, 'targets', value, Tensor.is(value) ? undefined : shape));
}

function plainIndices(values: readonly unknown[], operation: string): Targets {
  const length = values.length;
  const indices = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (typeof value !== 'number') throw typeError(operation, `targets[${i}]`, value, 'an integer');
    indices[i] = value;
  }
  return { indices, plain: true, shape: undefined, probabilities: undefined };
}

function integerIndices(operation: string, value: unknown, shape: readonly number[] | undefined): Targets {
  const indices = value as IntegerArray;
  if (indices.length === 0) checkAttached(operation, 'targets', indices);
  if (shape !== undefined && product(shape) !== indices.length) {
    throw new RangeError(
      `${operation}: targets has ${indices.length} elements, expected ${product(shape)} for shape ${showShape(shape)}`,
    );
  }
  return { indices, plain: false, shape, probabilities: undefined };
}

function probabilities(operand: Operand): Targets {
  return { indices: undefined, plain: false, shape: operand.shape, probabilities: operand };
}

/** @throws TypeError, RangeError unless there is an index for each of the rows. */
export function checkIndexCount(operation: string, targets: Targets, rows: number, size: number): void {
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

/**
 * Copies class indices into linear memory as int32, -1 where ignored, each checked: kernels use them as they are.
 * @throws RangeError for an index that is neither in [0, n) nor ignoreIndex
 */
export function placeIndices(
  runtime: Runtime,
  operation: string,
  { indices }: Targets,
  n: number,
  ignoreIndex: number,
  address: number,
): void {
  const { i32 } = runtime.arena;
  const at = address / 4;
  const source = indices!;
  for (let i = 0; i < source.length; i++) {
    const value = source[i]!;
    // A BigInt is compared before it is narrowed: 2n ** 32n is not 0.
    if (value >= 0 && value < n && value != ignoreIndex && (typeof value === 'bigint' || Number.isInteger(value))) {
      i32[at + i] = Number(value);
    } else if (value == ignoreIndex) i32[at + i] = -1;
    else {
      throw rangeError(
        operation,
        `targets[${i}]`,
        value,
        `an integer in [0, ${n}) or ignoreIndex (${show(ignoreIndex)})`,
      );
    }
  }
}
