import {
  bufferOf,
  countOf,
  elementBytesOf,
  type FloatArray,
  type Half,
  offsetOf,
  type WideArray,
  write,
} from '../arrays.js';
import type { Arena, Moment } from '../memory/arena.js';
import { storageIn, Tensor, type TensorStorage } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import { addPlace, type Call } from './call.js';
import { checkFloats, readOperand } from './operand.js';
import { type Elements, newArray, newOperand, type Operand } from './place.js';
import { readOut } from './result.js';
import { areEqual, product, readShape } from './shape.js';

/**
 * The fast path of a call, without operands and without a run. Tensors of any size take it, and kernels use them where
 * they lie; short typed arrays take it too, with one copy in and one copy out. These may also be views of linear
 * memory, because it does not grow here.
 *
 * An operation reads its arguments, and each of its options once; then it takes the fast path if it can, and otherwise
 * makes operands from what it has read.
 */

/** The most elements of an array that takes the fast path. */
const SMALL = 1024;
/** Up to this many elements, a loop copies in, or out, faster than `set`. */
const LOOP_IN = 8;
const LOOP_OUT = 32;

/** A short typed array, as it was when it was read. */
interface ShortArray {
  readonly array: FloatArray;
  /** Its offset in its buffer, in bytes. */
  readonly address: number;
  readonly size: number;
  readonly elementBytes: 4 | 8;
  readonly shape: undefined;
  readonly moment: Moment;
  readonly kind: undefined;
  readonly half?: undefined;
}

/**
 * What may take the fast path: a short array, or a tensor of this set of kernels, which cannot change except by being
 * disposed.
 */
export type FastArgument =
  | ShortArray
  | (TensorStorage & { readonly array?: undefined; readonly kind?: undefined; readonly half?: undefined });

/** A float argument that was read. */
export type Argument = FastArgument | Operand;

/** Reads a float argument: see readOperand. */
export function readArgument(call: Call, argument: string, value: unknown, plainBytes?: 4 | 8): Argument {
  return readFast(call.runtime, value) ?? readOperand(call, argument, value, plainBytes);
}

/** Reads the option `out`, if it is given, for results of x's dtype, or of `half` if that is given: see readOut. */
export function readResult(call: Call, x: Argument, out: unknown, half?: Half): Argument | undefined {
  if (out === undefined) return undefined;
  return readFast(call.runtime, out) ?? readOut(call, 'out', out, x.elementBytes, half);
}

/**
 * The value, if it may take the fast path. It asks with instanceof, because the tag of a typed array takes WebKit a
 * quarter of a short call; arrays of another realm therefore take the slow path. An array with the prototype of another
 * type does no harm here, where only its elements are read or written; the slow path refuses it.
 */
export function readFast(runtime: Runtime, value: unknown): FastArgument | undefined {
  try {
    if (value instanceof Float32Array) return readShort(runtime, value, 4);
    if (value instanceof Tensor) {
      const storage = storageIn(value);
      const isOurs = storage?.owner === runtime && storage.address >= 0;
      return isOurs && storage.dtype !== 'float16' ? storage : undefined;
    }
    return value instanceof Float64Array ? readShort(runtime, value, 8) : undefined;
  } catch {
    // A proxy, or an object with the prototype of an array: the slow path reports it.
    return undefined;
  }
}

function readShort({ arena: { moment } }: Runtime, array: WideArray, elementBytes: 4 | 8): ShortArray | undefined {
  // Reading an element first tells the engine the type of the array, so that it inlines the getters of length and
  // offset.
  const size = array[0] === undefined ? 0 : countOf(array);
  if (size === 0 || size > SMALL) return undefined;
  return { array, address: offsetOf(array), size, elementBytes, shape: undefined, moment, kind: undefined };
}

export function isShortArray(read: Argument): read is ShortArray {
  return read.kind === undefined && read.array !== undefined;
}

/** The argument as an operand, which settle then checks with the others. */
export function operandOf(call: Call, argument: string, value: unknown, read: Argument): Operand {
  if (read.kind !== undefined) return read;
  const { array } = read;
  if (array === undefined) return readOperand(call, argument, value);
  const { moment, size, address, elementBytes } = read;
  // The array has the prototype of another type.
  if (elementBytesOf(array) !== elementBytes) checkFloats(call.operation, argument, array, '');
  const memoryAddress = bufferOf(array) === moment.buffer ? address : -1;
  return addPlace(call, newOperand(argument, 'array', array, size, undefined, undefined, memoryAddress, moment));
}

/** The option `out`, if it is given, as an operand for results of x's dtype, or of `half` if that is given. */
export function resultOf(
  call: Call,
  x: Argument,
  out: unknown,
  read: Argument | undefined,
  half?: Half,
): Operand | undefined {
  if (read === undefined) return undefined;
  const isAlike = read.elementBytes === x.elementBytes;
  return isAlike ? operandOf(call, 'out', out, read) : readOut(call, 'out', out, x.elementBytes, half);
}

/**
 * Whether x is unchanged and `size` results can go where they belong on the fast path: into `out`, if that is of the
 * same kind as x and either the same range or without overlap; or, if x is an array, into a new one.
 */
export function takesFastPath(
  arena: Arena,
  x: FastArgument,
  out: Argument | undefined,
  size: number,
): out is FastArgument | undefined {
  if (out === undefined) return x.array !== undefined && isArrayUnchanged(arena, x);
  if (out.kind !== undefined || out.size !== size || out.elementBytes !== x.elementBytes) return false;
  if (x.array === undefined) return out.array === undefined && x.address >= 0 && out.address >= 0;
  return out.array !== undefined && isArrayUnchanged(arena, x) && isArrayUnchanged(arena, out) && isSameOrApart(out, x);
}

/**
 * Whether another argument can take the fast path together with x: it is unchanged, and has the kind, dtype and shape
 * of x.
 */
export function isFastLike(arena: Arena, other: Argument, x: FastArgument): other is FastArgument {
  if (other.kind !== undefined || other.elementBytes !== x.elementBytes || other.size !== x.size) return false;
  if (x.array === undefined) return other.array === undefined && other.address >= 0 && areEqual(other.shape, x.shape);
  return other.array !== undefined && isArrayUnchanged(arena, other);
}

/** Whether x is unchanged since it was read. */
export function isUnchanged(arena: Arena, x: FastArgument): boolean {
  return x.array === undefined ? x.address >= 0 : isArrayUnchanged(arena, x);
}

/**
 * A detached or shortened array has lost its last element, and one that grew has another behind it; reading the length
 * takes longer.
 */
function isArrayUnchanged(arena: Arena, { array, size, moment }: ShortArray): boolean {
  return arena.moment === moment && array[size - 1] !== undefined && array[size] === undefined;
}

/** Whether two arguments of the same kind are the same range, or share no bytes. */
export function isSameOrApart(out: FastArgument, x: FastArgument): boolean {
  return (out.address === x.address && out.size === x.size) || !overlap(out, x);
}

/** Whether two arguments of the same kind share bytes. */
export function overlap(out: FastArgument, x: FastArgument): boolean {
  const { elementBytes } = x;
  const shift = out.address - x.address;
  if (shift >= x.size * elementBytes || -shift >= out.size * elementBytes) return false;
  // Last, because reading a buffer is slow.
  return x.array === undefined || bufferOf(out.array!) === bufferOf(x.array);
}

/** The option `shape`, if it is given: copied if the fast path may read it, since the slow path would read it again. */
export function readSizes({ operation }: Call, x: Argument, shape: unknown): unknown {
  return x.kind === undefined && shape !== undefined ? readShape(operation, 'shape', shape) : shape;
}

/**
 * Whether the option `shape` fits x: only an array can take it, with as many elements, because a tensor has a shape of
 * its own.
 */
export function hasShape({ shape, size }: FastArgument, given: unknown): boolean {
  return shape === undefined && product(given as number[]) === size;
}

/**
 * The number of elements in a row along the last axis; 0 if the options ask for another axis, or for a shape that does
 * not fit x.
 */
export function rowLength(x: FastArgument, given: unknown, axis: unknown): number {
  const { shape: own, size } = x;
  if (given === undefined && own === undefined) return axis === undefined || axis === -1 || axis === 0 ? size : 0;
  if (given !== undefined && !hasShape(x, given)) return 0;
  const shape = (given ?? own) as readonly number[];
  const last = shape.length - 1;
  return last >= 0 && (axis === undefined || axis === -1 || axis === last) ? shape[last]! : 0;
}

/** The elements where they are, without a copy. */
export function asElements({ array, address, size, elementBytes }: FastArgument): Elements {
  return { array, address: array === undefined ? address : -1, length: size, elementBytes, half: undefined };
}

// The next three functions are small enough for engines to inline them everywhere.

/**
 * The address of the elements. Those of an array are copied to a slot of staging memory: each argument needs its own,
 * from 1 on.
 */
export function addressOf(arena: Arena, x: FastArgument, slot: number): number {
  return x.array === undefined ? x.address : copyIn(arena, x, slot);
}

/** The address to which a kernel writes results for `out`, or for a new array. */
export function resultAddress(arena: Arena, out: FastArgument | undefined): number {
  return out === undefined || out.array !== undefined ? arena.staging : out.address;
}

/** Copies the results from there into an array unless x is a tensor, and returns what the caller gets. */
export function takeResult(arena: Arena, x: FastArgument, out: unknown, size: number): unknown {
  return x.array === undefined ? out : copyOut(arena, x, out, size);
}

function copyIn(arena: Arena, { array, elementBytes, size }: ShortArray, slot: number): number {
  const address = arena.staging + slot * (SMALL * 8);
  const heap = arena.floats(elementBytes);
  const at = elementAt(address, elementBytes);
  if (size <= LOOP_IN) for (let i = 0; i < size; i++) heap[at + i] = array[i]!;
  else heap.set(array, at);
  return address;
}

function copyOut(arena: Arena, { elementBytes }: ShortArray, out: unknown, size: number): FloatArray {
  const result = (out ?? newArray(elementBytes, size)) as FloatArray;
  const heap = arena.floats(elementBytes);
  const at = elementAt(arena.staging, elementBytes);
  if (size <= LOOP_OUT) for (let i = 0; i < size; i++) result[i] = heap[at + i]!;
  else write(result, heap.subarray(at, at + size));
  return result;
}

/** The index of the element at an address. A division would take as long as the rest of a copy. */
function elementAt(address: number, elementBytes: 4 | 8): number {
  return elementBytes === 4 ? address >>> 2 : address >>> 3;
}
