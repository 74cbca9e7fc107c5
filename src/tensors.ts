import { arrayFor, lengthOf, readingError } from './runtime/caller.js';
import { isArray, rangeError, showShape, typedArrayTag, typeError } from './runtime/errors.js';
import { checkLength, product, readShape } from './runtime/geometry.js';
import { checkFloats, newArray, readTensorLike } from './runtime/input.js';
import { readOptions } from './runtime/options.js';
import { currentRuntime, type Runtime } from './runtime/runtime.js';
import { Tensor } from './runtime/tensor.js';
import type { Dtype, FloatArray, TensorLike } from './runtime/types.js';

/** Numbers in arrays in arrays, as deep as there are axes. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

/** Options of {@link tensor} and {@link zeros}. */
export interface TensorOptions {
  /** The element type. Default: float64 for a Float64Array, else float32. */
  dtype?: Dtype;
}

const OPTIONS = { dtype: true } as const;

function readDtype(operation: string, options: unknown): Dtype | undefined {
  const { dtype } = readOptions<TensorOptions>(operation, options, OPTIONS);
  if (dtype !== undefined && dtype !== 'float32' && dtype !== 'float64') {
    throw typeError(operation, 'dtype', dtype, '"float32" or "float64"');
  }
  return dtype;
}

/** Data read once: its numbers, and the shape they came in. */
interface Source {
  data: FloatArray;
  shape: readonly number[];
}

const NESTED = 'numbers (nested arrays too), a float array or a tensor-like object';

function readSource(runtime: Runtime, data: unknown, dtype: Dtype | undefined): Source {
  const source = readNumbers(runtime, 'data', data, dtype);
  if (source !== undefined) return source;
  if (typeof data !== 'object' || data === null) throw typeError('tensor', 'data', data, NESTED);
  const like = readTensorLike('tensor', 'data', data);
  const inner = readNumbers(runtime, 'data.data', like.data, dtype, data);
  if (inner === undefined)
    throw typeError('tensor', 'data.data', like.data, 'numbers (nested arrays too) or a float array');
  checkLength('tensor', 'data', inner.data.length, like.shape);
  return { data: inner.data, shape: like.shape };
}

/** undefined for what is neither an array nor a Tensor. */
function readNumbers(
  runtime: Runtime,
  name: string,
  data: unknown,
  dtype: Dtype | undefined,
  owner?: object,
): Source | undefined {
  const tag = typedArrayTag(data);
  if (tag !== undefined) {
    const floats = checkFloats('tensor', name, data, tag, owner);
    return { data: floats, shape: [floats.length] };
  }
  if (isArray(data)) return flatten(runtime, name, data, dtype === 'float64' ? 8 : 4);
  return Tensor.is(data) ? { data: data.data, shape: data.shape } : undefined;
}

/** The most axes that nested arrays make: deeper ones may well go on for ever, as an array does that is within itself. */
const MOST_AXES = 64;

/** Nested arrays as flat numbers and a shape, each element read once: the first number found tells the rank. */
function flatten(runtime: Runtime, name: string, nested: readonly unknown[], elementBytes: 4 | 8): Source {
  const shape: number[] = [];
  /** Where the element at hand is. */
  const path: number[] = [];
  const where = () => `${name}${path.map((i) => `[${i}]`).join('')}`;
  /** Made once the shape is known. */
  let data: FloatArray | undefined;
  let count = 0;
  const make = (): FloatArray => {
    const size = product(shape);
    runtime.arena.checkLimit(size * elementBytes, 'tensor');
    return arrayFor('tensor', size, (n) => newArray(elementBytes, n));
  };
  const visit = (level: unknown): void => {
    const depth = path.length;
    if (!isArray(level)) {
      if (data !== undefined && depth < shape.length) {
        throw typeError('tensor', where(), level, `an array of ${shape[depth]}`);
      }
      if (typeof level !== 'number') throw typeError('tensor', where(), level, 'a number');
      data ??= make();
      data[count++] = level;
    } else if (data !== undefined && depth === shape.length) {
      throw typeError('tensor', where(), level, 'a number');
    } else if (depth === MOST_AXES) {
      throw new RangeError(`tensor: ${name} is nested more than ${MOST_AXES} deep, expected at most ${MOST_AXES} axes`);
    } else visitAll(level, depth);
  };
  const visitAll = (level: readonly unknown[], depth: number): void => {
    try {
      const length = lengthOf('tensor', name, level);
      if (depth === shape.length) shape.push(length);
      else if (length !== shape[depth]) throw rangeError('tensor', where(), level, `an array of ${shape[depth]}`);
      if (length === 0) data ??= make();
      for (let i = 0; i < length; i++) {
        path[depth] = i;
        visit(level[i]);
      }
      path.length = depth;
    } catch (error) {
      path.length = depth;
      throw readingError(error, 'tensor', where(), level, 'an array');
    }
  };
  visit(nested);
  return { data: data!, shape };
}

/** @internal */
export function tensorOn(runtime: Runtime, data: unknown, shape?: unknown, options?: unknown): Tensor {
  const dtype = readDtype('tensor', options);
  const given = shape === undefined ? undefined : readShape('tensor', 'shape', shape);
  const source = readSource(runtime, data, dtype);
  if (given !== undefined) checkLength('tensor', 'data', source.data.length, given);
  const isFloat64 = typedArrayTag(source.data) === 'Float64Array';
  const { data: numbers } = source;
  // Data that views our own memory would be detached by growth: its address outlives that.
  const home = numbers.buffer === runtime.arena.buffer ? numbers.byteOffset : -1;
  const length = numbers.length;
  const tensor = runtime.allocate('tensor', given ?? source.shape, dtype ?? (isFloat64 ? 'float64' : 'float32'));
  const bytes = isFloat64 ? 8 : 4;
  tensor.data.set(home < 0 ? numbers : runtime.arena.floats(bytes).subarray(home / bytes, home / bytes + length));
  return tensor;
}

/**
 * Numbers copied into linear memory, where calls use them without copying.
 *
 * @param data numbers, nested arrays of them, a float array or a tensor-like object.
 * @param shape sizes of the axes; default: the shape the data came in.
 * @throws TypeError for data of another kind, RangeError for ragged arrays or a shape that does not fit,
 * OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * x.shape; // [2, 2]
 */
export function tensor(
  data: NestedNumbers | FloatArray | TensorLike,
  shape?: readonly number[],
  options?: TensorOptions,
): Tensor {
  return tensorOn(currentRuntime(), data, shape, options);
}

/** @internal */
export function zerosOn(runtime: Runtime, shape: unknown, options?: unknown): Tensor {
  const dtype = readDtype('zeros', options) ?? 'float32';
  const sizes = readShape('zeros', 'shape', shape);
  if (!Number.isSafeInteger(product(sizes))) {
    throw new RangeError(`zeros: shape is ${showShape(sizes)}, expected fewer than 2^53 elements`);
  }
  const tensor = runtime.allocate('zeros', sizes, dtype);
  tensor.data.fill(0);
  return tensor;
}

/**
 * A tensor of zeros, for instance to receive results as `out`.
 *
 * @throws TypeError, RangeError for a wrong shape or dtype, OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * zeros([2, 3]).size; // 6
 */
export function zeros(shape: readonly number[], options?: TensorOptions): Tensor {
  return zerosOn(currentRuntime(), shape, options);
}
