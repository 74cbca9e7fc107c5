import { rangeError, showShape, typeError } from '../errors.js';
import { type Operand, shapeOf } from './place.js';
import { areEqual, checkLength, readShape } from './shape.js';

/** How an axis splits a shape: `outer` · `inner` rows of n elements, which are `inner` apart. */
export interface Rows {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** The number of rows. */
  readonly count: number;
  /** The axis, counted from the first; never negative. */
  readonly axis: number;
}

/** Independent elements, each as a row of its own. */
export function elementsAsRows(count: number): Rows {
  return { outer: count, n: 1, inner: 1, count, axis: 0 };
}

/**
 * Reads the options `shape` and `axis`. Gives the shape to the first operand, and returns its rows.
 * @throws TypeError, RangeError
 */
export function readRows(
  operation: string,
  input: Operand,
  { shape, axis = -1 }: { readonly shape?: unknown; readonly axis?: unknown },
): Rows {
  giveShape(operation, input, shape);
  if (input.shape === undefined && (axis === -1 || axis === 0)) {
    return { outer: 1, n: input.length, inner: 1, count: 1, axis: 0 };
  }
  return splitByAxis(operation, shapeOf(input), axis);
}

/**
 * Gives an operand the option `shape`, if there is one. @throws RangeError unless it is the operand's own shape, or
 * fits.
 */
export function giveShape(operation: string, operand: Operand, shape: unknown): void {
  if (shape === undefined) return;
  const given = readShape(operation, 'shape', shape);
  const { argument, length, shape: own } = operand;
  if (own !== undefined && !areEqual(given, own)) {
    throw new RangeError(
      `${operation}: shape is ${showShape(given)}, expected ${showShape(own)}, the shape of ${argument} itself`,
    );
  }
  checkLength(operation, argument, length, given);
  operand.shape = given;
}

/** The rows along an axis of a shape. @throws TypeError, RangeError for a wrong axis. */
function splitByAxis(operation: string, shape: readonly number[], axis: unknown): Rows {
  const rank = shape.length;
  if (typeof axis !== 'number') throw typeError(operation, 'axis', axis, 'a whole number');
  if (!(Number.isInteger(axis) && axis >= -rank && axis < rank)) {
    const expected = rank === 0 ? 'a shape with an axis' : `a whole number in [-${rank}, ${rank})`;
    throw rangeError(operation, 'axis', axis, expected);
  }
  const at = axis < 0 ? axis + rank : axis;
  const n = shape[at]!;
  let outer = 1;
  let inner = 1;
  for (let i = 0; i < at; i++) outer *= shape[i]!;
  for (let i = at + 1; i < rank; i++) inner *= shape[i]!;
  // If a size is 0, the product of the others may overflow to Infinity or NaN; there are no rows then.
  if (!(outer * inner > 0)) outer = inner = 0;
  return { outer, n, inner, count: outer * inner, axis: at };
}

/**
 * The rows of a chunk with the same number of elements for each of `rows` rows, one row after the other.
 * @throws RangeError
 */
export function rowsOfChunk(operation: string, chunk: Operand, rows: number): Rows {
  const { argument, length, shape } = chunk;
  const n = rows === 0 ? 0 : length / rows;
  if (shape === undefined && Number.isInteger(n)) chunk.shape = [rows, n];
  const split = splitByAxis(operation, shapeOf(chunk), -1);
  if (split.count === rows || (rows === 0 && length === 0)) return split;
  const got = shape === undefined ? `${length} elements` : `shape ${showShape(shape)}`;
  const expected = rows === 1 ? 'one row' : `as many elements for each of ${rows} rows`;
  throw new RangeError(`${operation}: ${argument} has ${got}, expected ${expected}`);
}
