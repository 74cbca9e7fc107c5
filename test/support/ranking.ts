/** Shared by the tests of operations that rank elements. Nothing is rounded there, so results are compared exactly. */

import { mixture } from './alongAxis.js';
import {
  type Dtype,
  everyAxis,
  type Floats,
  floatsOf,
  innerSizes,
  type Kind,
  lengths,
  numbers,
  type Problem,
  problem,
  ROW_COUNTS,
  randomOf,
} from './cases.js';
import type { Operation } from './operation.js';
import * as oracle from './oracle.js';

/** The record of an exact operation, whose result follows from the oracle's ranking of a row. */
export interface Ranking extends Operation {
  readonly kind: 'ranking';
}

const KINDS: readonly Kind[] = ['within ±8', 'few values', 'all equal', 'some -∞', 'long runs of equals', 'subnormal'];

/** Elements that compare in special ways, each more than once. */
const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2 ** -149, 2 ** 127];

/** A row with many special elements. */
function specialRow(dtype: Dtype, n: number, seed: number): Floats {
  const random = randomOf(seed);
  // Some rows have only a few, so that NaN is not always the largest.
  const first = seed % 3;
  const draw = () => SPECIAL[first + Math.floor(random() * (SPECIAL.length - first))] as number;
  return floatsOf(dtype, Array.from({ length: n }, draw));
}

function special(dtype: Dtype, shape: readonly number[], axis: number, seed: number): Problem {
  const x = specialRow(
    dtype,
    shape.reduce((a, b) => a * b, 1),
    seed,
  );
  return { what: `${dtype} [${shape}], axis ${axis}, special values ${seed}`, dtype, shape, axis, temperature: 1, x };
}

/** Ascending rows, descending rows, and rows with the largest element at one place. */
function slopes(dtype: Dtype, n: number): Problem[] {
  const of = (what: string, x: Floats): Problem => ({
    what: `${dtype} [${n}], ${what}`,
    dtype,
    shape: [n],
    axis: 0,
    temperature: 1,
    x,
  });
  const rising = floatsOf(
    dtype,
    Array.from({ length: n }, (_, i) => i),
  );
  // The tail behind whole vectors has up to three elements, each of which may be followed by others.
  const places = [0, 1, n >> 1, n - 5, n - 3, n - 2, n - 1].filter((at) => at >= 0 && at < n);
  return [
    of('rising', rising),
    of('falling', rising.slice().reverse()),
    // For negative numbers, the order of the bits is reversed.
    of(
      'zeros the largest',
      numbers(dtype, n, 'few values', n).map((value) => Math.min(value, 0)),
    ),
    ...places.flatMap((at) => [
      of(`the largest at ${at}`, numbers(dtype, n, 'within ±8', n).fill(9, at, at + 1)),
      of(`NaN at ${at}`, numbers(dtype, n, 'within ±8', n).fill(NaN, at, at + 1)),
    ]),
  ];
}

/** Named groups of problems that take every form and every path. */
export const RANKING_PROBLEMS: Readonly<Record<string, (dtype: Dtype) => Problem[]>> = {
  'rows of every length': (dtype) =>
    lengths(dtype)
      .filter((n) => n > 0)
      .flatMap((n) => [
        ...KINDS.map((kind) => problem(dtype, [n], kind, { seed: n })),
        special(dtype, [n], 0, n),
        special(dtype, [n], 0, n + 1),
      ]),
  'slopes and single peaks': (dtype) => [1, 2, 5, 24, 48, 49, 51, 130, 1000].flatMap((n) => slopes(dtype, n)),
  batches: (dtype) =>
    ROW_COUNTS.flatMap((rows) =>
      [1, 3, 10, 47, 50, 65].flatMap((n, i) => [
        problem(dtype, [rows, n], KINDS[i % KINDS.length] as Kind, { seed: n }),
        special(dtype, [rows, n], 1, n),
      ]),
    ),
  'axes with others behind them': (dtype) =>
    innerSizes(dtype).flatMap((inner) =>
      [1, 2, 9, 50].flatMap((n, i) => [
        problem(dtype, [3, n, inner], KINDS[i] as Kind, { axis: 1, seed: inner }),
        special(dtype, [2, n, inner], 1, inner + i),
      ]),
    ),
  'every axis of every rank': (dtype) =>
    everyAxis().map(({ shape, axis }) => problem(dtype, shape, 'few values', { axis })),
  'rows of different kinds side by side': (dtype) =>
    [1, 5, 17].flatMap((inner) => [9, 50].map((n) => mixture(dtype, n, inner))),
  'long rows': (dtype) => [
    problem(dtype, [2, 50_257], 'within ±30'),
    problem(dtype, [70_000], 'few values'),
    problem(dtype, [20_000, 5], 'within ±8', { axis: 0 }),
    special(dtype, [60_000], 0, 2),
  ],
};

/** The rows of a problem, in the order of the remaining axes. */
export function rowsOf({ x, shape, axis, dtype }: Problem): Floats[] {
  const rows = floatsOf(dtype, oracle.toRows(x, shape, axis));
  const n = shape.at(axis) as number;
  return Array.from({ length: n === 0 ? 0 : rows.length / n }, (_, row) => rows.slice(row * n, row * n + n));
}
