import { BYTES, type Dtype, type FloatArray, type Half, typedArrayTag, write } from '../arrays.js';
import { addPlace, type Call, openCall, settle } from '../call/call.js';
import { readNested } from '../call/nested.js';
import { arrayOperand, checkFloats, readTensorLike, tensorOperand } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { dtypeOf, elementsOf, halvesOf, type Operand, shapeOf } from '../call/place.js';
import { checkLength, product, readShape } from '../call/shape.js';
import { isArray, showShape, typeError } from '../errors.js';
import { narrow } from '../half.js';
import { STAGING_BYTES } from '../memory/arena.js';
import { dataOf, storageOf, type Tensor } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import type { TensorLike } from '../types.js';

/** Nested arrays of numbers, one level for each axis; the innermost arrays may be typed arrays. */
export type NestedNumbers = readonly (number | FloatArray | NestedNumbers)[];

/** Options of {@link tensor} and {@link zeros}. */
export interface TensorOptions {
  /**
   * The element type. Default: float64 for a Float64Array or nested arrays that begin with one; float16 for a
   * Float16Array, or for a tensor-like object whose `type` says that it holds the bits of float16; else float32.
   */
  dtype?: Dtype | undefined;
}

const OPTIONS: OptionNames<TensorOptions> = { dtype: true };

/** The number of float32 elements that fit into the staging memory. */
const MOST_STAGED = STAGING_BYTES / 4;

function readDtype(operation: string, options: unknown): Dtype | undefined {
  const { dtype } = readOptions<TensorOptions>(operation, options, OPTIONS);
  if (dtype !== undefined && !(typeof dtype === 'string' && Object.hasOwn(BYTES, dtype))) {
    throw typeError(operation, 'dtype', dtype, '"float16", "float32" or "float64"');
  }
  return dtype as Dtype | undefined;
}

/**
 * Data as it was found. Nested arrays are not read yet: their elements are read one by one, once the dtype is known.
 */
interface Source {
  readonly operand: Operand | undefined;
  readonly nested: readonly unknown[] | undefined;
  /** What errors call the nested arrays. */
  readonly name: string;
  /** The shape of a tensor-like object. */
  readonly shape: readonly number[] | undefined;
}

const NESTED = 'numbers (nested arrays too), a float array or a tensor-like object';

function readSource(call: Call, data: unknown): Source {
  const source = readNumbers(call, 'data', data, undefined);
  if (source !== undefined) return source;
  if (typeof data !== 'object' || data === null) throw typeError('tensor', 'data', data, NESTED);
  const like = readTensorLike('tensor', 'data', data);
  const inner = readNumbers(call, 'data.data', like.data, like.shape, like.type);
  if (inner === undefined)
    throw typeError('tensor', 'data.data', like.data, 'numbers (nested arrays too) or a float array');
  return inner;
}

/** The numbers in an array or a Tensor; undefined for anything else. */
function readNumbers(
  call: Call,
  name: string,
  data: unknown,
  shape: readonly number[] | undefined,
  type?: Half,
): Source | undefined {
  const tag = typedArrayTag(data);
  if (tag !== undefined) {
    const floats = checkFloats('tensor', name, data, tag, type);
    const operand = arrayOperand(call, 'data', 'array', floats, undefined, type);
    return { operand, nested: undefined, name, shape };
  }
  if (isArray(data)) return { operand: undefined, nested: data, name, shape };
  const storage = storageOf(data);
  if (storage === undefined) return undefined;
  return { operand: tensorOperand('tensor', 'data', data as Tensor, storage), nested: undefined, name, shape };
}

/**
 * A tensor with a copy of the data in linear memory, where calls use it without copying it again.
 *
 * @param data numbers, nested arrays of them or of float arrays, a float array or a tensor-like object.
 * @param shape sizes of the axes; default: the shape of the data.
 * @param options the element type, {@link TensorOptions}.
 * @returns the tensor; call its `dispose` to free its memory.
 * @throws TypeError for data of another type, RangeError for ragged arrays or a shape that does not fit,
 * OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * x.shape; // [2, 2]
 * @example
 * tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]).data; // Float64Array [1, 2, 3, 4]
 * tensor([1, 2], undefined, { dtype: 'float64' }).data; // Float64Array [1, 2]
 */
export function tensor(
  data: NestedNumbers | FloatArray | TensorLike,
  shape?: readonly number[],
  options?: TensorOptions,
): Tensor {
  const call = openCall('tensor');
  const { runtime, operation } = call;
  const source = readSource(call, data);
  const given = shape === undefined ? undefined : readShape(operation, 'shape', shape);
  const dtype = readDtype(operation, options);
  const { nested, name, shape: own } = source;
  const operand = source.operand ?? readNested(runtime.arena, name, nested!, dtype);
  addPlace(call, operand);
  settle(call);
  if (own !== undefined) checkLength(operation, 'data', operand.length, own);
  if (given !== undefined) checkLength(operation, 'data', operand.length, given);
  const usual = dtypeOf(operand);
  const type = dtype ?? (usual === 'bfloat16' ? 'float32' : usual);
  const tensor = runtime.allocate(operation, given ?? own ?? shapeOf(operand), type);
  // A tensor may belong to another set of kernels, whose memory is another one.
  const from = operand.tensor === undefined ? operand : { ...operand, array: dataOf(operand.tensor), address: -1 };
  copyInto(runtime, tensorOperand(operation, 'the result', tensor, storageOf(tensor)!), from);
  return tensor;
}

/** Copies elements into a tensor, and converts those of another dtype. */
function copyInto({ arena, halves }: Runtime, to: Operand, from: Operand): void {
  const { half, address, length } = to;
  if (from.half !== undefined && dtypeOf(to) === 'float32') {
    halves.load({ half: from.half, array: from.array, home: from.address }, 0, address, length);
  } else if (half === undefined) write(elementsOf(arena, to), elementsOf(arena, from));
  else if (half === from.half) write(halvesOf(arena, to), halvesOf(arena, from));
  else if (from.elementBytes === 4) {
    const elements = elementsOf(arena, from);
    for (let i = 0; i < length; i += MOST_STAGED) {
      const count = Math.min(length - i, MOST_STAGED);
      arena.f32.set(elements.subarray(i, i + count), arena.staging / 4);
      halves.store({ half, array: undefined, home: address }, i, arena.staging, 0, count);
    }
  } else {
    const bits = halvesOf(arena, to);
    elementsOf(arena, from).forEach((value, i) => {
      bits[i] = narrow(half, value);
    });
  }
}

/**
 * A tensor of zeros, for instance to receive results as `out`.
 *
 * @param shape sizes of the axes.
 * @param options the element type, {@link TensorOptions}; default: float32.
 * @returns the tensor; call its `dispose` to free its memory.
 * @throws TypeError, RangeError for a wrong shape or dtype, OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * zeros([2, 3]).size; // 6
 */
export function zeros(shape: readonly number[], options?: TensorOptions): Tensor {
  const { runtime, operation } = openCall('zeros');
  const dtype = readDtype(operation, options) ?? 'float32';
  const sizes = readShape(operation, 'shape', shape);
  if (!Number.isSafeInteger(product(sizes))) {
    throw new RangeError(`zeros: shape is ${showShape(sizes)}, expected fewer than 2^53 elements`);
  }
  const tensor = runtime.allocate(operation, sizes, dtype);
  dataOf(tensor).fill(0);
  return tensor;
}
