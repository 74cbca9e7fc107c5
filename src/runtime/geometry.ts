import { rangeError, showShape, typedArrayTag, typeError } from './errors.js';

/**
 * How the axis cuts a shape: [outer, n, inner], a problem for each pair of outer and inner.
 *
 * One object serves all calls, so that a call makes none: whoever fills it uses it before any of the caller's code
 * (a getter, a proxy) can run again.
 */
export const geometry = { outer: 0, n: 0, inner: 0, size: 0 };

/** A copy of a shape, each element read once. @throws TypeError, RangeError unless it is one. */
export function readShape(operation: string, argument: string, shape: unknown): number[] {
  if (!Array.isArray(shape) && typedArrayTag(shape) === undefined) {
    throw typeError(operation, argument, shape, 'an array of sizes');
  }
  const rank = (shape as ArrayLike<unknown>).length;
  const sizes = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const size = (shape as ArrayLike<unknown>)[i];
    if (typeof size !== 'number') throw typeError(operation, `${argument}[${i}]`, size, 'a whole number');
    if (!Number.isSafeInteger(size) || size < 0) {
      throw rangeError(operation, `${argument}[${i}]`, size, 'a whole number, 0 or more');
    }
    sizes[i] = size;
  }
  return sizes;
}

/** The product of sizes `from` to `to`: 0 where one of them is, even if the others are too many for a number. */
export function product(shape: readonly number[], from = 0, to = shape.length): number {
  let size = 1;
  for (let i = from; i < to; i++) {
    if (shape[i] === 0) return 0;
    size *= shape[i]!;
  }
  return size;
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
  const outer = product(shape, 0, at);
  const n = shape[at]!;
  const inner = product(shape, at + 1);
  // No rows are 0 by 0 of them: 0 times what is too large for a number would be NaN.
  const isEmpty = outer === 0 || inner === 0;
  geometry.outer = isEmpty ? 0 : outer;
  geometry.n = n;
  geometry.inner = isEmpty ? 0 : inner;
  geometry.size = isEmpty || n === 0 ? 0 : outer * n * inner;
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
