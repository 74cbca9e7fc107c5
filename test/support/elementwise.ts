/** The records of elementwise operations, and how the suites compare their results. */

import { expect } from 'vitest';
import type { Kernels } from '../../src/index.js';
import type { TestSet } from './backends.js';
import { SMALLEST_NORMAL, type Units } from './bounds.js';
import type { Dtype, Floats } from './cases.js';
import type { Points } from './fixtures.js';
import type { Operation } from './operation.js';
import type { Exact, Numbers, Precision } from './oracle.js';

/** The record of an operation that takes x alone and returns an element for each. */
export interface Elementwise extends Operation {
  readonly kind: 'elementwise';
  readonly exact: (precision: Precision, x: Numbers) => Exact;
  /** The range of the results. */
  readonly range: readonly [least: number, most: number];
  /** Bounds in units in the last place wherever the result is normal. */
  readonly units: Units;
  readonly fixtures: Points;
  /** The results of special inputs, as docs/numerics.md states them. */
  readonly special: Readonly<Record<'NaN' | '+∞' | '−∞' | 0, string>>;
}

type Run = (x: unknown, options?: object) => Floats;

export function runOf(kernels: Kernels, { name }: Elementwise): Run {
  return kernels[name] as unknown as Run;
}

/** One unit in the last place of numbers of this magnitude. */
export function ulpOf(dtype: Dtype, magnitude: number): number {
  const bits = dtype === 'float32' ? 23 : 52;
  let ulp = 2 ** (Math.floor(Math.log2(magnitude)) - bits);
  // The logarithm of a number close to a power of two may be rounded to the next integer.
  if (ulp * 2 ** bits > magnitude) ulp /= 2;
  return ulp;
}

/** Compares results with exact ones within the bound of the table, and returns the largest error in ULP. */
export function expectAccurateElements(
  set: TestSet,
  operation: Elementwise,
  dtype: Dtype,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  exact: Exact,
): number {
  const bound = operation.units[dtype][set.backend];
  expect(y.length).toBe(x.length);
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const ulps = elementError(operation, dtype, y[i] as number, exact, i);
    if (!(ulps <= bound)) {
      expect.fail(
        `${dtype} ${operation.name}(${x[i]}) is ${y[i]}, expected ${exact.hi[i]}: off by ${ulps} ULP of ${bound}`,
      );
    }
    worst = Math.max(worst, ulps);
  }
  return worst;
}

/** The error of an element in ULP; infinite if it is not a valid result. */
export function elementError(operation: Elementwise, dtype: Dtype, value: number, exact: Exact, i: number): number {
  const [hi, lo] = [exact.hi[i] as number, exact.lo[i] as number];
  if (!Number.isFinite(hi)) return Object.is(value, hi) ? 0 : Infinity;
  const [least, most] = operation.range;
  if (!(value >= least && value <= most)) return Infinity;
  const error = Math.abs(value - hi - lo);
  const magnitude = Math.abs(hi);
  if (magnitude < SMALLEST_NORMAL[dtype]) return error > SMALLEST_NORMAL[dtype] ? Infinity : 0;
  return error / ulpOf(dtype, magnitude);
}
