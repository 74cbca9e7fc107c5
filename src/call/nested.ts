// Reads nested arrays as flat numbers with a shape, each element once. The first number determines the rank, and the
// array that holds it the element type, unless a dtype was asked for.
import { attachedCount, type Dtype, type FloatArray, typedArrayTag, write } from '../arrays.js';
import { isArray, rangeError, typeError } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import { arrayFor, lengthOf, readingError } from './caller.js';
import { checkFloats } from './operand.js';
import { newArray, newOperand, type Operand } from './place.js';
import { product } from './shape.js';

/** The most axes that nested arrays may have: deeper nesting may be endless, as in an array that contains itself. */
const MOST_AXES = 64;

/** @throws TypeError, RangeError for ragged arrays, OutOfMemoryError at the limit of linear memory */
export function readNested(arena: Arena, name: string, nested: readonly unknown[], dtype: Dtype | undefined): Operand {
  const reader = new NestedReader(arena, name, dtype);
  reader.read(nested);
  const data = reader.data!;
  return newOperand('data', 'array', data, data.length, reader.shape);
}

class NestedReader {
  readonly shape: number[] = [];
  /** Made once the shape is known. */
  data: FloatArray | undefined;
  #count = 0;
  /** The indices of the current element. */
  readonly #path: number[] = [];
  readonly #arena: Arena;
  readonly #name: string;
  readonly #dtype: Dtype | undefined;

  constructor(arena: Arena, name: string, dtype: Dtype | undefined) {
    this.#arena = arena;
    this.#name = name;
    this.#dtype = dtype;
  }

  read(level: unknown): void {
    const depth = this.#path.length;
    const tag = typedArrayTag(level);
    const isInnermost = this.data !== undefined && depth === this.shape.length;
    if (tag !== undefined && !isInnermost) this.#readTyped(checkFloats('tensor', this.#where(), level, tag), depth);
    else if (!isArray(level)) this.#readNumber(level, depth);
    else if (isInnermost) throw typeError('tensor', this.#where(), level, 'a number');
    else if (depth < MOST_AXES) this.#readArray(level, depth);
    else {
      throw new RangeError(
        `tensor: ${this.#name} is nested more than ${MOST_AXES} deep, expected at most ${MOST_AXES} axes`,
      );
    }
  }

  #readNumber(value: unknown, depth: number): void {
    if (this.data !== undefined && depth < this.shape.length) {
      throw typeError('tensor', this.#where(), value, `an array of ${this.shape[depth]}`);
    }
    if (typeof value !== 'number') throw typeError('tensor', this.#where(), value, 'a number');
    this.data ??= this.#make('float32');
    this.data[this.#count++] = value;
  }

  /** Reads a typed array, which must be innermost. */
  #readTyped(row: FloatArray, depth: number): void {
    const length = attachedCount('tensor', this.#where(), row);
    this.#checkOrAdd(row, depth, length);
    if (depth < this.shape.length - 1) {
      throw typeError('tensor', `${this.#where()}[0]`, row[0], `an array of ${this.shape[depth + 1]}`);
    }
    this.data ??= this.#make(typedArrayTag(row) === 'Float64Array' ? 'float64' : 'float32');
    write(this.data, row, this.#count);
    this.#count += length;
  }

  #readArray(level: readonly unknown[], depth: number): void {
    const path = this.#path;
    try {
      const length = lengthOf('tensor', this.#name, level);
      this.#checkOrAdd(level, depth, length);
      if (length === 0) this.data ??= this.#make('float32');
      for (let i = 0; i < length; i++) {
        path[depth] = i;
        this.read(level[i]);
      }
      path.length = depth;
    } catch (error) {
      path.length = depth;
      throw readingError(error, 'tensor', this.#where(), level, 'an array');
    }
  }

  #where(): string {
    return `${this.#name}${this.#path.map((i) => `[${i}]`).join('')}`;
  }

  #checkOrAdd(level: unknown, depth: number, length: number): void {
    const size = this.shape[depth];
    if (size === undefined) this.shape.push(length);
    else if (length !== size) throw rangeError('tensor', this.#where(), level, `an array of ${size}`);
  }

  #make(usual: Dtype): FloatArray {
    const size = product(this.shape);
    // For float16, numbers are kept as float64, so that they are rounded only once.
    const elementBytes = (this.#dtype ?? usual) === 'float32' ? 4 : 8;
    this.#arena.checkLimit(size * elementBytes, 'tensor');
    return arrayFor('tensor', size, (n) => newArray(elementBytes, n));
  }
}
