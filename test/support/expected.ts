import type { AlongAxis } from './alongAxis.js';
import type { Facts } from './bounds.js';
import type { Problem } from './cases.js';
import * as oracle from './oracle.js';

/** The oracle's results for a problem, in the positions of the result. */
export interface Expected {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
  facts(i: number): Facts;
}

const known = new WeakMap<Problem, Map<AlongAxis, Expected>>();

/** The exact result of a problem, computed once for all backends. */
export function expectedOf(operation: AlongAxis, problem: Problem): Expected {
  let results = known.get(problem);
  if (results === undefined) {
    results = new Map();
    known.set(problem, results);
  }
  let result = results.get(operation);
  if (result === undefined) {
    result = compute(operation, problem);
    results.set(operation, result);
  }
  return result;
}

/** The values of a smaller operand at every element of a shape, of which its own is trailing axes. */
export function broadcast<T>(values: ArrayLike<T>, own: readonly number[], shape: readonly number[]): T[] {
  const size = shape.reduce((a, b) => a * b, 1);
  const result = new Array<T>(size);
  for (let element = 0; element < size; element++) {
    let rest = element;
    let at = 0;
    let step = 1;
    for (let i = 1; i <= shape.length; i++) {
      const length = shape[shape.length - i] as number;
      const ownLength = own[own.length - i] ?? 1;
      if (ownLength > 1) at += (rest % length) * step;
      rest = Math.floor(rest / length);
      step *= ownLength;
    }
    result[element] = values[at] as T;
  }
  return result;
}

/** An operand that broadcasts, at every element of x. */
function spread<T>(
  operand: ArrayLike<T> | { readonly data: ArrayLike<T>; readonly shape: readonly number[] },
  shape: readonly number[],
): T[] {
  return 'data' in operand ? broadcast(operand.data, operand.shape, shape) : Array.from(operand);
}

/** 1 for every element of x that mask and causality keep. */
export function keptOf({ shape, mask, causal }: Problem): Float64Array {
  const size = shape.reduce((a, b) => a * b, 1);
  const flags = mask === undefined ? undefined : spread<unknown>(mask as ArrayLike<unknown>, shape);
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return Float64Array.from({ length: size }, (_, element) => {
    const row = Math.floor(element / columns) % rows;
    if (causal && element % columns > row + columns - rows) return 0;
    return flags === undefined || flags[element] ? 1 : 0;
  });
}

function compute(operation: AlongAxis, problem: Problem): Expected {
  const { dtype, shape, axis, temperature, x, weights } = problem;
  const precision = oracle.precisionOf(dtype);
  const n = shape[axis < 0 ? axis + shape.length : axis] as number;
  const rows = oracle.toRows(x, shape, axis);
  const isMasked = problem.mask !== undefined || problem.causal === true;
  const keptRows = isMasked ? oracle.toRows(keptOf(problem), shape, axis) : undefined;
  const weightRows = weights && oracle.toRows(spread(weights as ArrayLike<number>, shape), shape, axis);
  const count =
    n === 0
      ? shape.filter((_, i) => i !== (axis + shape.length) % shape.length).reduce((a, b) => a * b, 1)
      : x.length / n;
  const reduces = operation.out === 'rows';
  const parts = { hi: new Float64Array(reduces ? count : x.length), lo: new Float64Array(reduces ? count : x.length) };
  const scale = new Float64Array(parts.hi.length);
  const largest = new Float64Array(parts.hi.length);
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * n, r * n + n);
    const mask = keptRows?.subarray(r * n, r * n + n);
    const kept = mask === undefined ? row : row.filter((_, j) => mask[j] !== 0);
    const own = weightRows?.subarray(r * n, r * n + n);
    const result = operation.exact({ precision, x: row, temperature, weights: own, kept: mask });
    const start = reduces ? r : r * n;
    parts.hi.set(result.hi, start);
    parts.lo.set(result.lo, start);
    scale.set(result.scale, start);
    const end = start + (reduces ? 1 : n);
    largest.fill(
      kept.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
      start,
      end,
    );
  }
  const place = (values: Float64Array) => (reduces ? values : oracle.fromRows(values, shape, axis));
  const hi = place(parts.hi);
  const placedScale = place(scale);
  const placedLargest = place(largest);
  const facts = (i: number): Facts => ({
    magnitude: Math.abs(hi[i] as number),
    scale: placedScale[i] as number,
    largest: placedLargest[i] as number,
    temperature,
    n,
  });
  return { hi, lo: place(parts.lo), facts };
}
