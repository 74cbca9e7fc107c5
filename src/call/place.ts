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

/** Where the elements of an argument lie, as they were found when it was read. */
export interface Place {
  /** What errors call the argument. */
  readonly argument: string;
  /** The elements, undefined where they are a Tensor's. */
  readonly array: AnyNumbers | undefined;
  readonly tensor: Tensor | undefined;
  /** Where the elements lie in linear memory, -1 where they lie elsewhere: right even where growth took the array away. */
  readonly address: number;
  readonly length: number;
  /** Bytes of an element, and when it was read: of what lies in linear memory. */
  readonly elementBytes?: number;
  readonly moment?: Moment | undefined;
  /** How the elements are stored where that is in 16 bits. */
  readonly half?: Half | undefined;
  /** The argument that the call read before this one. */
  before: Place | undefined;
}

/** Where indices go. */
export interface IndexPlace extends Place {
  readonly array: Int32Array;
}

/** What kind of argument it was: a result is of the same kind. */
export type OperandKind = 'array' | 'tensorLike' | 'tensor';

/** A float argument, read once. */
export interface Operand extends Place {
  readonly kind: OperandKind;
  readonly array: FloatArray | undefined;
  /** Bytes of an element as kernels take it. */
  readonly elementBytes: 4 | 8;
  readonly half: Half | undefined;
  /** The tensor-like object that results in the array are returned as, where it was given for them. */
  readonly owner?: object;
  /** The shape the caller or the argument gave, undefined for plain numbers without one. */
  shape: readonly number[] | undefined;
}

/** Where the elements of an operand lie, and what they are. */
export type Elements = Pick<Operand, 'array' | 'address' | 'length' | 'elementBytes' | 'half'>;

export function newArray(elementBytes: 4 | 8, length: number): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  return elementBytes === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** What the elements of an operand are, as errors and tensors name it. */
export function dtypeOf({ elementBytes, half }: Pick<Operand, 'elementBytes' | 'half'>): Dtype | Half {
  return half ?? (elementBytes === 4 ? 'float32' : 'float64');
}

/** The shape of an operand: plain numbers without one are a row. */
export function shapeOf({ shape, length }: Operand): readonly number[] {
  return shape ?? [length];
}

/** The 16-bit floats that an array holds, of which its owner may say so; undefined where it holds others. */
export function halfOf(tag: string | undefined, said: Half | undefined): Half | undefined {
  return tag === 'Float16Array' ? 'float16' : tag === 'Uint16Array' ? said : undefined;
}

/** An array whose place is known; `said` is what its owner says of it. */
export function newOperand(
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  length: number,
  address: number,
  moment: Moment | undefined,
  shape: readonly number[] | undefined,
  said?: Half,
): Operand {
  const tag = typedArrayTag(array);
  const elementBytes = tag === 'Float64Array' ? 8 : 4;
  const half = halfOf(tag, said);
  const before = undefined;
  return { argument, kind, array, tensor: undefined, address, length, elementBytes, half, moment, shape, before };
}

/** The elements of an operand, wherever they lie, until the memory grows; a copy where they are stored in 16 bits. */
export function elementsOf(arena: Arena, operand: Elements): WideArray {
  const { array, address, elementBytes, length, half } = operand;
  if (half !== undefined) return Float32Array.from(halvesOf(arena, operand), (bits) => widen(half, bits));
  if (address < 0) return array as WideArray;
  return arena.floats(elementBytes).subarray(address / elementBytes, address / elementBytes + length);
}

/** The bits of an operand that is stored in 16, until the memory grows. */
export function halvesOf(arena: Arena, { array, address, length }: Elements): Uint16Array {
  return address < 0 ? bitsOf(array!, 0, length) : new Uint16Array(arena.buffer, address, length);
}

/** Reads single elements of an operand, until the memory grows. */
export function readerOf(arena: Arena, operand: Elements): (i: number) => number {
  const { half } = operand;
  if (half === undefined) {
    const elements = elementsOf(arena, operand);
    return (i) => elements[i]!;
  }
  const halves = halvesOf(arena, operand);
  return (i) => widen(half, halves[i]!);
}

/** Writes single elements of an operand, until the memory grows: to 16 bits by way of float32, as kernels do. */
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

/** The operand, or a copy of it in float32 where it is stored in 16 bits. */
export function widened(arena: Arena, operand: Operand): Operand {
  if (operand.half === undefined) return operand;
  return { ...operand, array: elementsOf(arena, operand), tensor: undefined, address: -1, half: undefined };
}
