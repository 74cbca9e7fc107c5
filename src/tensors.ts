import { rangeError, showShape, typedArrayTag, typeError } from './runtime/errors.js';
import { checkLength, product, readShape } from './runtime/geometry.js';
import { checkFloats, readTensorLike } from './runtime/input.js';
import { checkOptions } from './runtime/options.js';
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
  if (options === undefined) return undefined;
  checkOptions(operation, options, OPTIONS);
  const { dtype } = options as TensorOptions;
  if (dtype !== undefined && dtype !== 'float32' && dtype !== 'float64') {
    throw typeError(operation, 'dtype', dtype, '"float32" or "float64"');
  }
  return dtype;
}

/** Data read once: its numbers, and the shape they came in. */
interface Source {
  data: FloatArray | number[];
  shape: readonly number[];
}

function readSource(data: unknown): Source {
  const tag = typedArrayTag(data);
  if (tag !== undefined) {
    const floats = checkFloats('tensor', 'data', data, tag);
    return { data: floats, shape: [floats.length] };
  }
  if (Array.isArray(data)) return flatten(data);
  if (Tensor.is(data)) return { data: data.data, shape: data.shape };
  if (typeof data !== 'object' || data === null) {
    throw typeError('tensor', 'data', data, 'numbers (nested arrays too), a float array or a tensor-like object');
  }
  const like = readTensorLike('tensor', 'data', data);
  const source = readSource(like.data);
  checkLength('tensor', 'data', source.data.length, like.shape);
  return { data: source.data, shape: like.shape };
}

/** Nested arrays as flat numbers and a shape, each element read once: the first number found tells the rank. */
function flatten(nested: readonly unknown[]): Source {
  const shape: number[] = [];
  const data: number[] = [];
  let rank = -1;
  const visit = (level: unknown, depth: number, where: string): void => {
    if (!Array.isArray(level)) {
      if (depth < rank) throw typeError('tensor', where, level, `an array of ${shape[depth]}`);
      if (typeof level !== 'number') throw typeError('tensor', where, level, 'a number');
      rank = depth;
      data.push(level);
      return;
    }
    if (depth === rank) throw typeError('tensor', where, level, 'a number');
    const length = level.length;
    if (depth === shape.length) shape.push(length);
    else if (length !== shape[depth]) throw rangeError('tensor', where, level, `an array of ${shape[depth]}`);
    if (length === 0) rank = shape.length;
    for (let i = 0; i < length; i++) visit(level[i], depth + 1, `${where}[${i}]`);
  };
  visit(nested, 0, 'data');
  return { data, shape };
}

/** @internal */
export function tensorOn(runtime: Runtime, data: unknown, shape?: unknown, options?: unknown): Tensor {
  const dtype = readDtype('tensor', options);
  const given = shape === undefined ? undefined : readShape('tensor', 'shape', shape);
  const source = readSource(data);
  if (given !== undefined) checkLength('tensor', 'data', source.data.length, given);
  const isFloat64 = typedArrayTag(source.data) === 'Float64Array';
  const { data: numbers } = source;
  // Data that views our own memory would be detached by growth: its address outlives that.
  const home = !Array.isArray(numbers) && numbers.buffer === runtime.arena.buffer ? numbers.byteOffset : -1;
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
