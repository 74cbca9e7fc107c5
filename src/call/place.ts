import { type AnyNumbers, type FloatArray, typedArrayTag } from '../arrays.js';
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
  readonly elementBytes: 4 | 8;
  /** The shape the caller or the argument gave, undefined for plain numbers without one. */
  shape: readonly number[] | undefined;
}

export function newArray(elementBytes: 4 | 8, length: number): Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> {
  return elementBytes === 4 ? new Float32Array(length) : new Float64Array(length);
}

/** The shape of an operand: plain numbers without one are a row. */
export function shapeOf({ shape, length }: Operand): readonly number[] {
  return shape ?? [length];
}

/** An array whose place is known. */
export function newOperand(
  argument: string,
  kind: OperandKind,
  array: FloatArray,
  length: number,
  address: number,
  moment: Moment | undefined,
  shape: readonly number[] | undefined,
): Operand {
  const elementBytes = typedArrayTag(array) === 'Float32Array' ? 4 : 8;
  return { argument, kind, array, tensor: undefined, address, length, elementBytes, moment, shape, before: undefined };
}

/** The elements of an operand, wherever they lie, until the memory grows. */
export function elementsOf(arena: Arena, { array, address, elementBytes, length }: Operand): FloatArray {
  if (address < 0) return array!;
  return arena.floats(elementBytes).subarray(address / elementBytes, address / elementBytes + length);
}
