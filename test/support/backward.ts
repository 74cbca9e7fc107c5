/** The records of backward operations, with problems, exact results and comparisons within the bounds. */

import type { Kernels } from '../../src/index.js';
import { setOf, type TestSet } from './backends.js';
import type { Units } from './bounds.js';
import { type Dtype, type Floats, type Kind, numbers, sizeOf } from './cases.js';
import type { BackwardCase } from './fixtures.js';
import { expectWithin } from './losses.js';
import { once } from './once.js';
import type { Operation } from './operation.js';
import * as oracle from './oracle.js';

/** The record of an operation that takes the result of a forward operation and the gradient with respect to it. */
export interface Backward extends Operation {
  readonly kind: 'backward';
  readonly forward: 'softmax' | 'logSoftmax';
  /** The exact gradients of a row. */
  readonly exact: (
    precision: oracle.Precision,
    given: oracle.Numbers,
    dy: oracle.Numbers,
    temperature: number,
  ) => oracle.Scaled;
  /** Bounds in units of 2^-23 (float64: 2^-52) of the scale, the sum of the magnitudes of the formula's terms. */
  readonly units: Units;
  readonly fixtures: readonly BackwardCase[];
}

/** A call, and its exact result. */
export interface BackwardProblem {
  readonly what: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly temperature: number;
  /** The result of the forward operation. */
  readonly given: Floats;
  readonly dy: Floats;
  readonly exact: () => oracle.Scaled;
}

type Run = (given: unknown, dy: unknown, options?: object) => unknown;
export type Forward = (x: Floats, options: object) => Floats;

export function runOf(kernels: Kernels, { name }: Backward): Run {
  return kernels[name] as Run;
}

/** The problem's result with the operation of a set. */
export function compute({ kernels }: TestSet, operation: Backward, p: BackwardProblem, extra: object = {}): Floats {
  const { shape, axis, temperature } = p;
  return runOf(kernels, operation)(p.given, p.dy, { shape, axis, temperature, ...extra }) as Floats;
}

export function withExact(operation: Backward, p: Omit<BackwardProblem, 'exact'>): BackwardProblem {
  const { dtype, shape, axis, temperature, given, dy } = p;
  const exact = once(() => {
    const n = shape.at(axis) as number;
    const [rows, gradients] = [oracle.toRows(given, shape, axis), oracle.toRows(dy, shape, axis)];
    const parts = { hi: rows.slice(), lo: rows.slice(), scale: rows.slice() };
    for (let start = 0; start < rows.length; start += n) {
      const slice = (values: Float64Array) => values.subarray(start, start + n);
      const result = operation.exact(oracle.precisionOf(dtype), slice(rows), slice(gradients), temperature);
      parts.hi.set(result.hi, start);
      parts.lo.set(result.lo, start);
      parts.scale.set(result.scale, start);
    }
    const place = (values: Float64Array) => oracle.fromRows(values, shape, axis);
    return { hi: place(parts.hi), lo: place(parts.lo), scale: place(parts.scale) };
  });
  return { ...p, exact };
}

export interface Choice {
  readonly axis?: number;
  readonly temperature?: number;
  /** The kind of numbers in the logits. */
  readonly kind?: Kind;
  /** The kind of numbers in dy. */
  readonly gradient?: Kind;
}

export function make(
  operation: Backward,
  dtype: Dtype,
  shape: readonly number[],
  { axis = -1, temperature = 1, kind = 'within ±8', gradient = 'within ±8' }: Choice = {},
): BackwardProblem {
  const seed = sizeOf(shape) + 1;
  const forward = setOf('reference').kernels[operation.forward] as Forward;
  const given = forward(numbers(dtype, sizeOf(shape), kind, seed), { shape, axis, temperature });
  const dy = numbers(dtype, sizeOf(shape), gradient, seed + 1);
  const what = `${dtype} [${shape}], axis ${axis}, T ${temperature}, logits ${kind}, dy ${gradient}`;
  return withExact(operation, { what, dtype, shape, axis, temperature, given, dy });
}

export function expectAccurate(set: TestSet, operation: Backward, p: BackwardProblem): void {
  const exact = p.exact();
  const bound = operation.units[p.dtype][set.backend];
  expectWithin(p.what, p.dtype, compute(set, operation, p), exact, exact.scale, bound);
}
