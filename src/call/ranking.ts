import { rangeError, typeError } from '../errors.js';
import type { TensorResult } from '../types.js';
import type { Operand } from './place.js';
import type { Rows } from './rows.js';
import { withAxis, withoutAxis } from './shape.js';

/** What argmax, topK, accuracy and sample share: checks of ranks, and results that are indices. */

/** Checks that rows have elements: an empty row has no largest one. @throws RangeError */
export function checkNotEmpty(operation: string, { argument }: Operand, { n, count }: Rows): void {
  if (n === 0 && count > 0) {
    throw new RangeError(`${operation}: ${argument} has 0 elements along the axis, expected at least 1`);
  }
}

/** Checks that k is a whole number from 1 to n. @throws TypeError, RangeError */
export function checkRank(operation: string, k: unknown, n: number): asserts k is number {
  if (typeof k !== 'number') throw typeError(operation, 'k', k, 'a whole number');
  if (!(Number.isInteger(k) && k >= 1 && k <= n)) throw rangeError(operation, 'k', k, `a whole number in [1, ${n}]`);
}

/** The indices of the rows as the caller gets them: data and shape for tensors, a number for a plain row. */
export function wrapIndices(
  indices: Int32Array,
  { kind, shape }: Operand,
  { axis }: Rows,
  keepDims: boolean,
): Int32Array | TensorResult<Int32Array> | number {
  if (shape === undefined) return indices[0]!;
  if (kind === 'array') return indices;
  return { data: indices, shape: keepDims ? withAxis(shape, axis, 1) : withoutAxis(shape, axis) };
}
