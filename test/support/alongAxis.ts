/** The tests that the operations along an axis share: every backend × dtype, against the oracle. */

import { describe, expect, test } from 'vitest';
import type { Input } from '../../src/index.js';
import { sets, type TestSet } from './backends.js';
import { type Facts, type Operation, SMALLEST_NORMAL } from './bounds.js';
import {
  ALL_KINDS,
  DTYPES,
  type Dtype,
  everyAxis,
  type Floats,
  floatsOf,
  innerSizes,
  type Kind,
  lengths,
  lonelyMaxima,
  newFloats,
  type Problem,
  problem,
  ROW_COUNTS,
} from './cases.js';
import { expectAccurate, expectSame } from './compare.js';
import { expectedOf } from './expected.js';
import * as fixtures from './fixtures.js';
import { once } from './losses.js';
import { errorInUnits } from './oracle.js';

/** Computes a problem with the operation of a set. */
export function compute(set: TestSet, operation: Operation, p: Problem, x: Input = p.x): ArrayLike<number> {
  const { shape, axis, temperature, mask, causal, weights } = p;
  const run = set.kernels[operation] as (x: Input, options: object) => ArrayLike<number>;
  const options = { shape, axis, temperature, mask, ...(causal && { causal }), ...(weights && { weights }) };
  return run(x, options);
}

/** One test for each set and dtype; the problems are made, and their oracle asked, once for all sets. */
export function testAccuracy(operation: Operation, name: string, make: (dtype: Dtype) => Problem[]): void {
  for (const dtype of DTYPES) {
    const problems = once(() => make(dtype));
    for (const set of sets) {
      test(`${set.name} ${dtype}: ${name}`, () => {
        for (const p of problems()) expectAccurate(operation, set.backend, p, compute(set, operation, p));
      });
    }
  }
}

/** The largest error of a problem's elements in units of `unit`, of those whose exact result is a normal number. */
export function measureWorst(set: TestSet, operation: Operation, p: Problem, unit: (facts: Facts) => number): number {
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

/** Rows whose terms all round the same way, far longer than any chain of additions. */
const EQUALS = [3000, 300_000];

const TEMPERATURES = [0.5, 3, 100, 2 ** -20];

/** n that takes every form: tiles, rows, and their tails. */
const SOME_LENGTHS = [1, 2, 3, 5, 8, 10, 23, 24, 25, 47, 48, 49, 63, 64, 65, 100];

export function describeAlongAxis(operation: Operation): void {
  describe('rows of every length', () => {
    for (const kind of ALL_KINDS) {
      testAccuracy(operation, kind, (dtype) => lengths(dtype).map((n) => problem(dtype, [n], kind, { seed: n })));
    }
  });

  describe('temperature', () => {
    for (const temperature of TEMPERATURES) {
      testAccuracy(operation, `${temperature}`, (dtype) =>
        (['within ±8', 'within ±1e4', 'around 1000', 'some -∞', 'few values'] as const).flatMap((kind) =>
          [1, 3, 17, 64, 301].map((n) => problem(dtype, [n], kind, { temperature, seed: n })),
        ),
      );
    }
  });

  describe('batches', () => {
    for (const rows of ROW_COUNTS) {
      testAccuracy(operation, `${rows} rows`, (dtype) =>
        SOME_LENGTHS.map((n, i) => problem(dtype, [rows, n], kindFor(i), { seed: rows + n })),
      );
    }
  });

  describe('axes with others behind them', () => {
    for (const short of [true, false]) {
      testAccuracy(operation, short ? 'short' : 'long', (dtype) =>
        innerSizes(dtype).flatMap((inner) =>
          (short ? [1, 2, 7, 9] : [65, 130]).map((n, i) =>
            problem(dtype, [3, n, inner], kindFor(inner + i), { axis: 1, seed: n + inner }),
          ),
        ),
      );
    }
    testAccuracy(operation, '[8, 1000, 2]', (dtype) => [problem(dtype, [8, 1000, 2], 'within ±30', { axis: 1 })]);
  });

  describe('every axis of every rank', () => {
    testAccuracy(operation, 'all', (dtype) =>
      everyAxis().map(({ shape, axis }, i) => problem(dtype, shape, kindFor(i), { axis, seed: i + 1 })),
    );
  });

  describe('a maximum and one other element', () => {
    for (const temperature of [1, 3, 0.7]) {
      testAccuracy(operation, `temperature ${temperature}`, (dtype) =>
        [2, 50].map((n) => lonelyMaxima(dtype, n, temperature)),
      );
    }
  });

  describe('long rows', () => {
    for (const n of [50_257, 2 ** 20]) {
      const kinds = n === 50_257 ? (['within ±30', 'within ±1e4'] as const) : (['within ±8'] as const);
      testAccuracy(operation, `${n}`, (dtype) => kinds.map((kind) => problem(dtype, [n], kind, { seed: n })));
    }
    testAccuracy(operation, 'of equals', (dtype) => [
      ...EQUALS.map((n) => problem(dtype, [n], 'all equal')),
      problem(dtype, [3000, 5], 'all equal', { axis: 0 }),
      problem(dtype, [100_000, 4], 'all equal', { axis: 0 }),
    ]);
    testAccuracy(operation, '[8, 50257, 3]', (dtype) =>
      dtype === 'float32' || operation === 'softmax'
        ? [problem(dtype, [dtype === 'float32' ? 8 : 2, 50_257, 3], 'within ±30', { axis: 1 })]
        : [],
    );
  });

  describe('fixtures', () => {
    const cases = FIXTURES[operation].filter((c) => c.temperature <= LARGEST_TEMPERATURE[c.dtype] && isOffered(c));
    for (const c of cases) {
      const p = fixtureProblem(c);
      for (const set of sets) {
        test(`${set.name} ${c.name}`, () => {
          const y = compute(set, operation, p);
          expectAccurate(operation, set.backend, p, y);
          expect(expectedOf(operation, p).hi.length).toBe(c.y.hi.length);
        });
      }
    }
  });

  describe('special values', () => {
    for (const dtype of DTYPES) {
      for (const set of sets) {
        test(`${set.name} ${dtype}`, () => {
          for (const n of [1, 2, 3, 5, 8, 24, 47, 48, 49, 300]) {
            for (const special of SPECIAL_ROWS) {
              if (special.least > n) continue;
              for (const at of new Set([0, 1, n >> 1, n - 1])) {
                if (at >= n) continue;
                const p = specialProblem(dtype, n, special, at);
                const y = compute(set, operation, p);
                expectAccurate(operation, set.backend, p, y);
                expectSame(y, special[operation](p.x, y), p.what);
              }
            }
          }
        });
      }
    }
  });

  describe('finite where the exact result is', () => {
    testAccuracy(operation, 'huge values', (dtype) => {
      const huge = dtype === 'float32' ? 3e38 : 1.7e308;
      return [2, 3, 50].flatMap((n) =>
        [1, 3, 2 ** 90].flatMap((temperature) =>
          [
            [huge, -huge],
            [huge, huge],
            [-huge, -huge],
            [huge, 0],
            [0, -huge],
          ].map(([a, b]) => {
            const x = newFloats(dtype, n).fill(b as number);
            x[n - 1] = a as number;
            const what = `${dtype} [${n}], temperature ${temperature}, ${a} and ${b}`;
            return { what, dtype, shape: [n], axis: -1, temperature, x };
          }),
        ),
      );
    });
  });

  describe('no elements', () => {
    const shapes = [[0], [3, 0], [0, 3], [2, 0, 3], [0, 0], [2, 3, 0]];
    testAccuracy(operation, 'all', (dtype) =>
      shapes.flatMap((shape) => shape.map((_, axis) => problem(dtype, shape, 'within ±8', { axis }))),
    );
  });

  describe('problems of different kinds side by side', () => {
    testAccuracy(operation, 'all', (dtype) =>
      [1, 5, 17].flatMap((inner) => [9, 50, 70].map((n) => mixture(dtype, n, inner))),
    );
  });
}

/** causal is for softmax and logSoftmax. */
function isOffered(c: fixtures.SoftmaxCase | fixtures.LogSumExpCase): boolean {
  return !(c.causal && 'scale' in c && c.scale.length < c.x.length);
}

function fixtureProblem(c: fixtures.SoftmaxCase | fixtures.LogSumExpCase): Problem {
  const { mask, ...rest } = c;
  const weights = 'weights' in c && c.weights ? { weights: floatsOf(c.dtype, c.weights) } : {};
  return {
    ...rest,
    what: c.name,
    x: floatsOf(c.dtype, c.x),
    ...(mask && { mask: Uint8Array.from(mask) }),
    ...weights,
  } as Problem;
}

/** What calls accept. */
const LARGEST_TEMPERATURE: Record<Dtype, number> = { float32: 2 ** 100, float64: 2 ** 900 };

const FIXTURES: Record<Operation, readonly (fixtures.SoftmaxCase | fixtures.LogSumExpCase)[]> = {
  softmax: fixtures.softmaxCases,
  logSoftmax: fixtures.logSoftmaxCases,
  logSumExp: fixtures.logSumExpCases,
};

interface SpecialRow extends Record<Operation, (x: ArrayLike<number>, y: ArrayLike<number>) => ArrayLike<number>> {
  readonly name: string;
  /** The shortest row that has it. */
  readonly least: number;
  readonly fill: (x: Floats, at: number) => void;
}

const all = (value: number) => (x: ArrayLike<number>) => new Float64Array(x.length).fill(value);
const one = (value: number) => () => Float64Array.of(value);

/** The table of special values: what is exact; the rest of a row is the oracle's. */
const SPECIAL_ROWS: readonly SpecialRow[] = [
  {
    name: 'NaN',
    least: 1,
    fill: (x, at) => x.fill(NaN, at, at + 1),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(NaN),
  },
  {
    name: 'NaN beside +∞',
    least: 2,
    fill: (x, at) => x.fill(Infinity).fill(NaN, at, at + 1),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(NaN),
  },
  {
    name: 'NaN beside -∞',
    least: 2,
    fill: (x, at) => x.fill(-Infinity).fill(NaN, at, at + 1),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(NaN),
  },
  {
    name: 'nothing but -∞',
    least: 1,
    fill: (x) => x.fill(-Infinity),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(-Infinity),
  },
  {
    name: '+∞',
    least: 1,
    fill: (x, at) => x.fill(Infinity, at, at + 1),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(Infinity),
  },
  {
    name: '+∞ beside -∞',
    least: 2,
    fill: (x, at) => x.fill(-Infinity).fill(Infinity, at, at + 1),
    softmax: all(NaN),
    logSoftmax: all(NaN),
    logSumExp: one(Infinity),
  },
  {
    name: '-∞ beside finite values',
    least: 2,
    fill: (x, at) => x.fill(-Infinity, at, at + 1),
    softmax: (x, y) => Float64Array.from(y, (value, i) => (x[i] === -Infinity ? 0 : value)),
    logSoftmax: (x, y) => Float64Array.from(y, (value, i) => (x[i] === -Infinity ? -Infinity : value)),
    logSumExp: (_, y) => y,
  },
  {
    name: 'one finite value',
    least: 1,
    fill: (x, at) => x.fill(-Infinity).fill(2.5, at, at + 1),
    softmax: (x) => Float64Array.from(x, (value) => (value === 2.5 ? 1 : 0)),
    logSoftmax: (x) => Float64Array.from(x, (value) => (value === 2.5 ? 0 : -Infinity)),
    logSumExp: one(2.5),
  },
  {
    name: '-0',
    least: 1,
    fill: (x, at) => x.fill(0).fill(-0, at, at + 1),
    softmax: (_, y) => Float64Array.from(y, () => y[0] as number),
    logSoftmax: (_, y) => Float64Array.from(y, () => y[0] as number),
    logSumExp: (_, y) => y,
  },
];

function specialProblem(dtype: Dtype, n: number, special: SpecialRow, at: number): Problem {
  const p = problem(dtype, [n], 'within ±8', { seed: n });
  special.fill(p.x, at);
  return { ...p, what: `${dtype} [${n}], ${special.name} at ${at}` };
}

function kindFor(i: number): Kind {
  return ALL_KINDS[i % ALL_KINDS.length] as Kind;
}

/** [outer, n, inner] with another kind of numbers, special rows among them, in each problem. */
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
  const what = `${dtype} [${outer}, ${n}, ${inner}], problems of all kinds`;
  return { what, dtype, shape: [outer, n, inner], axis: 1, temperature: 1, x };
}
