import { type AnyNumbers, countOf, typedArrayTag } from '../arrays.js';
import { rangeError, showShape, typeError } from '../errors.js';
import { lengthOf, readingError } from './caller.js';

/**
 * How the axis cuts a shape: [outer, n, inner], a problem for each pair of outer and inner.
 *
 * One object serves all calls, so that a call makes none: whoever fills it uses it before any of the caller's code
 * (a getter, a proxy) can run again.
 */
export const geometry = { outer: 0, n: 0, inner: 0, size: 0 };

const EXPECTED = 'an array of sizes';

/** A copy of a shape, each element read once. @throws TypeError, RangeError unless it is one. */
export function readShape(operation: string, argument: string, shape: unknown): number[] {
  try {
    const isPlain = Array.isArray(shape);
    if (!isPlain && typedArrayTag(shape) === undefined) throw typeError(operation, argument, shape, EXPECTED);
    const rank = isPlain ? lengthOf(operation, argument, shape) : countOf(shape as AnyNumbers);
    const sizes = new Array<number>(rank);
    for (let i = 0; i < rank; i++) {
      const size = (shape as readonly unknown[])[i];
      if (typeof size !== 'number') throw typeError(operation, `${argument}[${i}]`, size, 'a whole number');
      if (!Number.isSafeInteger(size) || size < 0) {
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
  // 0 times sizes whose product is too large for a number.
  return Number.isNaN(size) ? 0 : size;
}

/** Fills `geometry` from a checked shape. @throws TypeError, RangeError for the axis. */
export function cut(operation: string, shape: readonly number[], axis: unknown): void {
  const rank = shape.length;
  if (typeof axis !== 'number') throw typeError(operation, 'axis', axis, 'a whole number');
  if (!(Number.isInteger(axis) && axis >= -rank && axis < rank)) {
    throw rangeError(
      operation,
      'axis',
      axis,
      rank === 0 ? 'a shape with an axis' : `a whole number in [-${rank}, ${rank})`,
    );
  }
  const at = axis < 0 ? axis + rank : axis;
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < at; i++) outer *= shape[i]!;
  for (let i = at + 1; i < rank; i++) inner *= shape[i]!;
  geometry.outer = outer;
  geometry.n = shape[at]!;
  geometry.inner = inner;
  geometry.size = outer * geometry.n * inner;
  if (!(geometry.size > 0)) cutNothing(shape, at);
}

/** The same where one of the sizes is 0, and the others may be too many for a number: no rows are 0 by 0 of them. */
function cutNothing(shape: readonly number[], at: number): void {
  const hasRows = shape.every((size, i) => size > 0 || i === at);
  if (!hasRows) geometry.outer = geometry.inner = 0;
  geometry.size = 0;
}

/** @throws RangeError when the data's length is not the shape's. */
export function checkLength(operation: string, argument: string, length: number, shape: readonly number[]): void {
  if (length !== product(shape)) {
    throw new RangeError(
      `${operation}: ${argument} has ${length} elements, expected ${product(shape)} for shape ${showShape(shape)}`,
    );
  }
}

/** The shape without its axis, or with 1 in its place. */
export function withoutAxis(shape: readonly number[], axis: number, keepDims: boolean): number[] {
  if (keepDims) return withAxis(shape, axis, 1);
  const result = shape.slice();
  result.splice(axis < 0 ? axis + shape.length : axis, 1);
  return result;
}

/** The shape with another size of its axis. */
export function withAxis(shape: readonly number[], axis: number, size: number): number[] {
  const result = shape.slice();
  result[axis < 0 ? axis + shape.length : axis] = size;
  return result;
}
