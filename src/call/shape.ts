import { type AnyNumbers, countOf, typedArrayTag } from '../arrays.js';
import { countError, rangeError, showShape, typeError } from '../errors.js';
import { lengthOf, readingError } from './caller.js';

const EXPECTED = 'an array of sizes';

/** A copy of a shape, each element read once. @throws TypeError, RangeError unless it is a valid shape. */
export function readShape(operation: string, argument: string, shape: unknown): number[] {
  try {
    const isPlain = Array.isArray(shape);
    if (!isPlain && typedArrayTag(shape) === undefined) throw typeError(operation, argument, shape, EXPECTED);
    const rank = isPlain ? lengthOf(operation, argument, shape) : countOf(shape as AnyNumbers);
    const sizes = new Array<number>(rank);
    for (let i = 0; i < rank; i++) {
      const size = (shape as readonly unknown[])[i];
      if (typeof size !== 'number') throw typeError(operation, `${argument}[${i}]`, size, 'a whole number');
      if (!Number.isInteger(size) || size < 0) {
        throw rangeError(operation, `${argument}[${i}]`, size, 'a whole number, 0 or more');
      }
      sizes[i] = size;
    }
    return sizes;
  } catch (error) {
    throw readingError(error, operation, argument, shape, EXPECTED);
  }
}

/** The number of elements. */
export function product(shape: readonly number[]): number {
  let size = 1;
  for (let i = 0; i < shape.length; i++) size *= shape[i]!;
  // 0 times a product that has overflowed to Infinity.
  return Number.isNaN(size) ? 0 : size;
}

export function areEqual(shape: readonly number[], other: readonly number[]): boolean {
  if (shape.length !== other.length) return false;
  for (let i = 0; i < shape.length; i++) if (shape[i] !== other[i]) return false;
  return true;
}

/** Checks that data has as many elements as its shape. @throws RangeError */
export function checkLength(operation: string, argument: string, length: number, shape: readonly number[]): void {
  if (length !== product(shape)) {
    throw countError(operation, argument, length, `${product(shape)} for shape ${showShape(shape)}`);
  }
}

/** The shape without an axis. */
export function withoutAxis(shape: readonly number[], axis: number): number[] {
  const result = shape.slice();
  result.splice(axis, 1);
  return result;
}

/** The shape with another size of an axis. */
export function withAxis(shape: readonly number[], axis: number, size: number): number[] {
  const result = shape.slice();
  result[axis] = size;
  return result;
}
