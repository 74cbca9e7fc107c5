import type { Facts, Operation } from './bounds.js';
import type { Dtype, Problem } from './cases.js';
import * as oracle from './oracle.js';

/** What the oracle says about a problem, in the positions of the result. */
export interface Expected {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
  facts(i: number): Facts;
}

const PRECISION: Record<Dtype, oracle.Precision> = { float32: 'float64', float64: 'double-double' };

const known = new WeakMap<Problem, Map<Operation, Expected>>();

/** The exact result of a problem; computed once, whichever backends are compared with it. */
export function expectedOf(operation: Operation, problem: Problem): Expected {
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

function compute(operation: Operation, { dtype, shape, axis, temperature, x }: Problem): Expected {
  const precision = PRECISION[dtype];
  const n = shape[axis < 0 ? axis + shape.length : axis] as number;
  const rows = oracle.toRows(x, shape, axis);
  const count =
    n === 0
      ? shape.filter((_, i) => i !== (axis + shape.length) % shape.length).reduce((a, b) => a * b, 1)
      : x.length / n;
  const reduces = operation === 'logSumExp';
  const parts = { hi: new Float64Array(reduces ? count : x.length), lo: new Float64Array(reduces ? count : x.length) };
  const scale = new Float64Array(parts.hi.length);
  const largest = new Float64Array(parts.hi.length);
  const reach = new Float64Array(parts.hi.length);
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * n, r * n + n);
    const result =
      operation === 'softmax'
        ? oracle.softmax(precision, row, temperature)
        : oracle[operation](precision, row, temperature);
    const start = reduces ? r : r * n;
    parts.hi.set(result.hi, start);
    parts.lo.set(result.lo, start);
    scale.set('distance' in result ? result.distance : result.scale, start);
    const end = start + (reduces ? 1 : n);
    largest.fill(
      row.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
      start,
      end,
    );
    reach.fill(reachOf(row, temperature), start, end);
  }
  const place = (values: Float64Array) => (reduces ? values : oracle.fromRows(values, shape, axis));
  const hi = place(parts.hi);
  const placedScale = place(scale);
  const placedLargest = place(largest);
  const placedReach = place(reach);
  const facts = (i: number): Facts => ({
    magnitude: Math.abs(hi[i] as number),
    distance: placedScale[i] as number,
    scale: placedScale[i] as number,
    largest: placedLargest[i] as number,
    temperature,
    n,
    reach: placedReach[i] as number,
  });
  return { hi, lo: place(parts.lo), facts };
}

/** The largest (max − x) / T whose exponential is not 0 in float64. */
function reachOf(row: Float64Array, temperature: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return row.reduce((reach, x) => {
    const distance = (max - x) / temperature;
    return distance < 745.2 ? Math.max(reach, distance) : reach;
  }, 0);
}
