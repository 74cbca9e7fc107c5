/** The records of operations along an axis of one array, and how the suites compute problems with them. */

import { test } from 'vitest';
import type { Input } from '../../src/index.js';
import { sets, type TestSet } from './backends.js';
import { type Bounds, type Facts, SMALLEST_NORMAL } from './bounds.js';
import { ALL_KINDS, DTYPES, type Dtype, type Kind, newFloats, type Problem, problem } from './cases.js';
import { expectAccurate } from './compare.js';
import { expectedOf } from './expected.js';
import type { AlongAxisCase } from './fixtures.js';
import { once } from './once.js';
import { type Operation, runBy, takes } from './operation.js';
import { errorInUnits, type Precision, type Scaled } from './oracle.js';
import type { SpecialRows } from './special.js';

/** A row as it is passed to the oracle. */
export interface ExactRow {
  readonly precision: Precision;
  readonly x: Float64Array;
  readonly temperature: number;
  readonly weights?: Float64Array;
  /** 0 where the mask or causality drops an element. */
  readonly kept?: Float64Array;
}

/** The record of an operation that takes x and returns an element for each element or a number for each row. */
export interface AlongAxis extends Operation {
  readonly kind: 'along an axis';
  readonly out: 'elements' | 'rows';
  /** The exact result of a row, and the scale of which bounds are multiples. */
  readonly exact: (row: ExactRow) => Scaled;
  /** Whether results lie in [0, 1], and may be 0 below the smallest normal number. */
  readonly isProbability?: boolean;
  readonly bounds: Bounds;
  /** The definitions of the names in the bounds. */
  readonly meaning: string;
  readonly fixtures: readonly AlongAxisCase[];
  readonly special: SpecialRows;
}

/** Computes a problem with the operation of a set. */
export function compute(set: TestSet, operation: Operation, p: Problem, x: Input = p.x): ArrayLike<number> {
  return runBy(set.kernels, operation.name, x, optionsOf(p)) as ArrayLike<number>;
}

/** The options of a problem's call. */
export function optionsOf({ shape, axis, temperature, mask, causal, weights }: Problem): Record<string, unknown> {
  return {
    shape,
    axis,
    ...(temperature !== 1 && { temperature }),
    ...(mask && { mask }),
    ...(causal && { causal }),
    ...(weights && { weights }),
  };
}

/**
 * One test for each set and dtype. Problems and their exact results are computed once for all sets. Problems with an
 * option that the operation does not have are skipped.
 */
export function testAccuracy(operation: AlongAxis, name: string, make: (dtype: Dtype) => Problem[]): void {
  for (const dtype of DTYPES) {
    const problems = once(() => make(dtype).filter((p) => isOffered(operation, p)));
    for (const set of sets) {
      test(`${set.name} ${dtype}: ${name}`, () => {
        for (const p of problems()) expectAccurate(operation, set.backend, p, compute(set, operation, p));
      });
    }
  }
}

/** Whether the operation has all options of the problem. */
export function isOffered(operation: AlongAxis, p: Problem): boolean {
  return Object.keys(optionsOf(p)).every((name) => takes(operation, name));
}

/** The largest error of a problem's elements in units of `unit`, of those whose exact result is a normal number. */
export function measureWorst(set: TestSet, operation: AlongAxis, p: Problem, unit: (facts: Facts) => number): number {
  const y = compute(set, operation, p);
  const expected = expectedOf(operation, p);
  let worst = 0;
  for (let i = 0; i < y.length; i++) {
    const facts = expected.facts(i);
    if (facts.magnitude < SMALLEST_NORMAL[p.dtype]) continue;
    const error = errorInUnits(y[i] as number, expected.hi[i] as number, expected.lo[i] as number, unit(facts));
    worst = Math.max(worst, error);
  }
  return worst;
}

/** The kinds of numbers, in turn. */
export function kindFor(i: number): Kind {
  return ALL_KINDS[i % ALL_KINDS.length] as Kind;
}

/** A problem of shape [outer, n, inner] whose rows hold different kinds of numbers, also special values. */
export function mixture(dtype: Dtype, n: number, inner: number): Problem {
  const outer = 20;
  const x = newFloats(dtype, outer * n * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const row = problem(dtype, [n], kindFor(o * inner + i), { seed: o * inner + i + 1 }).x;
      if ((o + i) % 5 === 1) row[(o * 7) % n] = [NaN, Infinity, -Infinity][(o + i) % 3] as number;
      if ((o + i) % 7 === 3) row.fill(-Infinity);
      for (let j = 0; j < n; j++) x[(o * n + j) * inner + i] = row[j] as number;
    }
  }
  const what = `${dtype} [${outer}, ${n}, ${inner}], rows of all kinds`;
  return { what, dtype, shape: [outer, n, inner], axis: 1, temperature: 1, x };
}
