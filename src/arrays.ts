// Safe access to typed arrays. A caller's array may override `length` or `set`, so only its elements are read from the
// array itself; everything else comes from the engine's own getters and methods.

/** The element types: float32 for `number[]` and Float32Array, float64 for Float64Array, float16 for Float16Array. */
export type Dtype = 'float16' | 'float32' | 'float64';

/** Bytes of an element. */
export const BYTES: Readonly<Record<Dtype, number>> = { float16: 2, float32: 4, float64: 8 };

/** The 16-bit float types: kernels take them as float32, and results are rounded once. */
export type Half = 'float16' | 'bfloat16';

/** Float16Array, where TypeScript's library has it. */
export type HalfArray = typeof globalThis extends { Float16Array: { prototype: infer A } } ? A : never;

/** Floats as kernels take them. */
export type WideArray = Float32Array | Float64Array;

export type FloatArray = WideArray | HalfArray;

/** Integers of any width. */
export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A typed array of any numbers. */
export type AnyNumbers = FloatArray | IntegerArray;

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const getter = (name: string | symbol) => Object.getOwnPropertyDescriptor(prototype, name)!.get!;
const tagGetter = getter(Symbol.toStringTag) as (this: unknown) => string | undefined;
const lengthGetter = getter('length') as (this: AnyNumbers) => number;
const offsetGetter = getter('byteOffset') as (this: AnyNumbers) => number;
const bufferGetter = getter('buffer') as (this: AnyNumbers) => ArrayBufferLike;
const setMethod = prototype.set as (this: AnyNumbers, source: AnyNumbers | readonly number[], at: number) => void;
const fillMethod = prototype.fill as (this: AnyNumbers, value: number) => unknown;
const keysMethod = prototype.keys as (this: AnyNumbers) => unknown;

interface Constructor {
  new (source: AnyNumbers | ArrayBufferLike, offset?: number, length?: number): AnyNumbers;
  readonly BYTES_PER_ELEMENT: number;
}

const TYPES = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  Float16Array: (globalThis as { Float16Array?: unknown }).Float16Array,
} as unknown as Record<string, Constructor | undefined>;

/** The type of array that holds float16: Float16Array where the engine has it, else Uint16Array, for their bits. */
export const HALF_TAG = TYPES.Float16Array === undefined ? 'Uint16Array' : 'Float16Array';

/**
 * The name of a typed array's type, such as 'Float32Array'; undefined for anything else. Unlike instanceof, it works
 * for arrays of other realms.
 */
export function typedArrayTag(value: unknown): string | undefined {
  return tagGetter.call(value);
}

/** The number of elements: 0 where the buffer is detached, or has shrunk so that the array is out of its bounds. */
export function countOf(array: AnyNumbers): number {
  return lengthGetter.call(array);
}

/** Where the array begins in its buffer, in bytes: 0 where the buffer is detached. */
export function offsetOf(array: AnyNumbers): number {
  return offsetGetter.call(array);
}

/** The array's buffer, detached or not. Slow: some 15 ns. */
export function bufferOf(array: AnyNumbers): ArrayBufferLike {
  return bufferGetter.call(array);
}

/** The number of elements. @throws TypeError for an array whose buffer is detached, or has become too short for it */
export function attachedCount(operation: string, argument: string, array: AnyNumbers): number {
  const count = countOf(array);
  // Such an array has count 0, as an empty one does, but its methods throw.
  if (count === 0) checkAttached(operation, argument, array);
  return count;
}

function checkAttached(operation: string, argument: string, array: AnyNumbers): void {
  try {
    keysMethod.call(array);
  } catch {
    throw new TypeError(`${operation}: ${argument} is detached, expected an array whose buffer is alive`);
  }
}

/** The array, or a copy where it views this memory: growth would detach the view. */
export function outsideOf<A extends AnyNumbers>(memory: ArrayBufferLike, array: A): A {
  return bufferOf(array) === memory ? copyOf(array) : array;
}

/** A view of a part of the array. */
export function viewOf<A extends AnyNumbers>(array: A, start: number, count: number): A {
  const Type = TYPES[typedArrayTag(array)!]!;
  return new Type(bufferOf(array), offsetOf(array) + start * elementBytesOf(array), count) as A;
}

/** A copy of the array. */
export function copyOf<A extends AnyNumbers>(array: A): A {
  return new TYPES[typedArrayTag(array)!]!(array) as A;
}

/** A new array of the type with this tag. */
export function arrayOf(tag: string, source: number | ArrayBufferLike, offset?: number, length?: number): AnyNumbers {
  return new TYPES[tag]!(source as ArrayBufferLike, offset, length);
}

/** The bits of 16-bit floats. */
export function bitsOf(array: AnyNumbers, start: number, count: number): Uint16Array {
  return new Uint16Array(bufferOf(array), offsetOf(array) + 2 * start, count);
}

/** Writes numbers into the array from an element on. */
export function write(array: AnyNumbers, numbers: AnyNumbers | readonly number[], at = 0): void {
  setMethod.call(array, numbers, at);
}

/** Sets every element. */
export function fill(array: AnyNumbers, value: number): void {
  fillMethod.call(array, value);
}

/** Bytes of an element; 0 for anything else. */
export function elementBytesOf(array: AnyNumbers): number {
  return TYPES[typedArrayTag(array)!]?.BYTES_PER_ELEMENT ?? 0;
}

/** Bytes of an element of a typed array of integers with this tag, 0 for anything else. */
export function integerBytes(tag: string | undefined): number {
  return tag === undefined || tag.startsWith('Float') ? 0 : TYPES[tag]!.BYTES_PER_ELEMENT;
}
