import {
  type AnyNumbers,
  bitsOf,
  type Dtype,
  type FloatArray,
  type Half,
  typedArrayTag,
  type WideArray,
} from '../arrays.js';
import { narrow, widen } from '../half.js';
import type { Arena, Moment } from '../memory/arena.js';
import type { Tensor } from '../memory/tensor.js';

/** Where the elements of an argument are, as found when it was read. */
export interface Place {
  /** What errors call the argument. */
  readonly argument: string;
  /** The array with the elements, undefined for a Tensor. */
  readonly array: AnyNumbers | undefined;
  readonly tensor: Tensor | undefined;
  /**
   * The address of the elements in linear memory, -1 if they are elsewhere. It stays valid when growth detaches the
   * array.
   */
  readonly address: number;
  readonly length: number;
  /** For elements in linear memory: the bytes of one, and the memory's state when the argument was read. */
  readonly elementBytes?: number;
  readonly moment?: Moment | undefined;
  /** The type of the elements, if they are stored in 16 bits. */
  readonly half?: Half | undefined;
  /** The argument that the call read before this one. */
  before: Place | undefined;
}

/** The place for indices. */
export interface IndexPlace extends Place {
  readonly array: Int32Array;
}

/** The kind of an argument; a result is of the same kind. */
export type OperandKind = 'array' | 'tensorLike' | 'tensor';

/** A float argument, read once. */
export interface Operand extends Place {
  readonly kind: OperandKind;
  readonly array: FloatArray | undefined;
  /** Bytes of an element as kernels take it. */
  readonly elementBytes: 4 | 8;
  readonly half: Half | undefined;
  /** The tensor-like object that was passed as `out` and holds the array: it is returned in place of the array. */
  readonly owner?: object;
  /** The shape the caller or the argument gave, undefined for plain numbers without one. */
  shape: readonly number[] | undefined;
}

/** The elements of an operand: where they are, and of which type. */
export type Elements = Pick<Operand, 'array' | 'address' | 'length' | 'elementBytes' | 'half'>;

export function newArray(elementBytes: 4 | 8, length: number): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  return elementBytes === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** The name of an operand's element type. */
export function dtypeOf({ elementBytes, half }: Pick<Operand, 'elementBytes' | 'half'>): Dtype | Half {
  return half ?? (elementBytes === 4 ? 'float32' : 'float64');
}

/** The shape of an operand: plain numbers without one are a row. */
export function shapeOf({ shape, length }: Operand): readonly number[] {
  return shape ?? [length];
}

/**
 * The type of 16-bit floats that an array holds, by its tag and by what its owner says; undefined for other elements.
 */
export function halfOf(tag: string | undefined, declared: Half | undefined): Half | undefined {
  return tag === 'Float16Array' ? 'float16' : tag === 'Uint16Array' ? declared : undefined;
}

/**
 * An operand for an array; `declared` is the 16-bit type that the array's owner declares. An array that may be a view of
 * linear memory comes with its address there and the moment when it was read.
 */
export function newOperand(
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  length: number,
  shape?: readonly number[],
  declared?: Half,
  address = -1,
  moment?: Moment,
): Operand {
  const tag = typedArrayTag(array);
  const elementBytes = tag === 'Float64Array' ? 8 : 4;
  const half = halfOf(tag, declared);
  const before = undefined;
  return { argument, kind, array, tensor: undefined, address, length, elementBytes, half, moment, shape, before };
}

/**
 * The elements of an operand, wherever they are; a copy if they are stored in 16 bits. Valid until the memory grows.
 */
export function elementsOf(arena: Arena, operand: Elements): WideArray {
  const { array, address, elementBytes, length, half } = operand;
  if (half !== undefined) return Float32Array.from(halvesOf(arena, operand), (bits) => widen(half, bits));
  if (address < 0) return array as WideArray;
  return arena.floats(elementBytes).subarray(address / elementBytes, address / elementBytes + length);
}

/** The bits of an operand that is stored in 16 bits. Valid until the memory grows. */
export function halvesOf(arena: Arena, { array, address, length }: Elements): Uint16Array {
  return address < 0 ? bitsOf(array!, 0, length) : new Uint16Array(arena.buffer, address, length);
}

/** A function that reads single elements of an operand. Valid until the memory grows. */
export function readerOf(arena: Arena, operand: Elements): (i: number) => number {
  const { half } = operand;
  if (half === undefined) {
    const elements = elementsOf(arena, operand);
    return (i) => elements[i]!;
  }
  const halves = halvesOf(arena, operand);
  return (i) => widen(half, halves[i]!);
}

/**
 * A function that writes single elements of an operand, to 16 bits by way of float32, as kernels do. Valid until the
 * memory grows.
 */
export function writerOf(arena: Arena, operand: Operand): (i: number, value: number) => void {
  const { half } = operand;
  if (half === undefined) {
    const elements = elementsOf(arena, operand);
    return (i, value) => {
      elements[i] = value;
    };
  }
  const halves = halvesOf(arena, operand);
  return (i, value) => {
    halves[i] = narrow(half, Math.fround(value));
  };
}

/** The operand, or a float32 copy of it if it is stored in 16 bits. */
export function widened(arena: Arena, operand: Operand): Operand {
  if (operand.half === undefined) return operand;
  return { ...operand, array: elementsOf(arena, operand), tensor: undefined, address: -1, half: undefined };
}
