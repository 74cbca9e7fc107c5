// Every operation along an axis × backend × dtype, against the oracle.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import { alongAxis } from './operations/index.js';
import { type AlongAxis, compute, isOffered, kindFor, mixture, testAccuracy } from './support/alongAxis.js';
import { sets } from './support/backends.js';
import {
  ALL_KINDS,
  DTYPES,
  type Dtype,
  everyAxis,
  type Floats,
  floatsOf,
  innerSizes,
  lanesOf,
  lengths,
  logitsWithHalves,
  lonelyMaxima,
  newFloats,
  type Problem,
  problem,
  ROW_COUNTS,
} from './support/cases.js';
import { expectAccurate, expectSame } from './support/compare.js';
import { expectedOf } from './support/expected.js';
import type { AlongAxisCase } from './support/fixtures.js';
import { runBy, takes } from './support/operation.js';
import type { Exactly } from './support/special.js';

/** Row lengths for every form: transposed blocks, the row form, and tails of both. */
const SOME_LENGTHS = [1, 2, 3, 5, 8, 10, 23, 24, 25, 47, 48, 49, 63, 64, 65, 100];

/** Lengths that take several staged blocks, and more elements than any partial sum. */
const LONG: Record<Dtype, number> = { float32: 2 ** 18, float64: 2 ** 17 };

describe.each(alongAxis)('$name', (operation: AlongAxis) => {
  describe('rows of every length', () => {
    for (const kind of ALL_KINDS) {
      testAccuracy(operation, kind, (dtype) => lengths(dtype).map((n) => problem(dtype, [n], kind, { seed: n })));
    }
  });

  describe.runIf(takes(operation, 'temperature'))('temperature', () => {
    for (const temperature of [0.5, 3, 100, 2 ** -20]) {
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

  describe('axes that are not the last', () => {
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

  // Sums whose roundings all have the same direction.
  describe('a large exponential and half units in its last place', () => {
    testAccuracy(operation, 'rows', (dtype) => logitsWithHalves(dtype, lanesOf(dtype), 1));
    testAccuracy(operation, 'short rows', (dtype) => logitsWithHalves(dtype, 1, 1));
    testAccuracy(operation, 'columns', (dtype) => logitsWithHalves(dtype, 1, 5));
  });

  describe('long rows', () => {
    testAccuracy(operation, '50257', (dtype) =>
      (['within ±30', 'within ±1e4'] as const).map((kind) => problem(dtype, [50_257], kind, { seed: 50_257 })),
    );
    testAccuracy(operation, 'several blocks', (dtype) => [problem(dtype, [LONG[dtype]], 'within ±8', { seed: 20 })]);
    // Terms that all round in the same direction, many more than a partial sum adds up.
    testAccuracy(operation, 'of equals', (dtype) => [
      ...[3000, 300_000].map((n) => problem(dtype, [n], 'all equal')),
      problem(dtype, [3000, 5], 'all equal', { axis: 0 }),
      problem(dtype, [40_000, 4], 'all equal', { axis: 0 }),
    ]);
    testAccuracy(operation, 'of columns', (dtype) => [
      problem(dtype, [dtype === 'float32' ? 3 : 1, 50_257, 3], 'within ±30', { axis: 1 }),
    ]);
  });

  describe('fixtures', () => {
    for (const c of operation.fixtures) {
      const p = fixtureProblem(c);
      if (!isTaken(operation, c, p)) continue;
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
                expectSame(y, special.of(operation)(p.x, y), p.what);
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

  describe('results', () => {
    test.each(sets)('$name: have the kind of the input, and its shape or the shape without the axis', (set) => {
      const { kernels } = set;
      const runWith = (x: unknown, options: object = {}) => runBy(kernels, operation.name, x, options);
      for (const dtype of DTYPES) {
        const p = problem(dtype, [2, 3, 4], 'within ±8', { axis: 1 });
        const { x: data, shape } = p;
        const y = compute(set, operation, p) as Floats;
        expect(y.constructor, 'a typed array').toBe(data.constructor);
        const isReduced = operation.out === 'rows';
        const choices = takes(operation, 'keepDims') ? [{}, { keepDims: true }, { keepDims: false }] : [{}];
        for (const choice of choices) {
          const kept = 'keepDims' in choice && choice.keepDims ? [2, 1, 4] : [2, 4];
          const own = isReduced ? kept : shape;
          for (const like of [
            { data, shape },
            { data, dims: shape },
          ]) {
            expect(runWith(like, { axis: 1, ...choice })).toEqual({ data: y, shape: own });
          }
          using x = kernels.tensor(data, [...shape]);
          using result = runWith(x, { axis: -2, ...choice }) as Tensor;
          expect(result.shape).toEqual(own);
          expect(result.dtype).toBe(dtype);
          expectSame(result.data, y, 'a tensor');
        }
        // Plain numbers are float32, and without a shape one row.
        const row = Array.from(data.subarray(0, 3));
        const one = runWith(Float32Array.from(row));
        expect(runWith(row)).toEqual(one);
        expect(typeof one).toBe(isReduced ? 'number' : 'object');
      }
    });
  });

  describe('rows of different kinds side by side', () => {
    testAccuracy(operation, 'all', (dtype) =>
      [1, 5, 17].flatMap((inner) => [9, 50, 70].map((n) => mixture(dtype, n, inner))),
    );
  });
});

/** The largest temperature that calls accept. */
const LARGEST_TEMPERATURE: Record<Dtype, number> = { float32: 2 ** 100, float64: 2 ** 900 };

/** Whether the operation has the options of a fixture and accepts its temperature. */
function isTaken(operation: AlongAxis, { dtype, temperature }: AlongAxisCase, p: Problem): boolean {
  return temperature <= LARGEST_TEMPERATURE[dtype] && isOffered(operation, p);
}

function fixtureProblem(c: AlongAxisCase): Problem {
  const { mask, weights, ...rest } = c;
  return {
    ...rest,
    what: c.name,
    x: floatsOf(c.dtype, c.x),
    ...(mask && { mask: Uint8Array.from(mask) }),
    ...(weights && { weights: floatsOf(c.dtype, weights) }),
  };
}

interface SpecialRow {
  readonly name: string;
  /** The shortest row in which this occurs. */
  readonly least: number;
  readonly fill: (x: Floats, at: number) => void;
  /** The results that are known exactly; the oracle gives the others. */
  readonly of: (operation: AlongAxis) => Exactly;
}

const SPECIAL_ROWS: readonly SpecialRow[] = [
  {
    name: 'NaN',
    least: 1,
    fill: (x, at) => x.fill(NaN, at, at + 1),
    of: ({ special }) => special['holds NaN'].is,
  },
  {
    name: 'NaN beside +∞',
    least: 2,
    fill: (x, at) => x.fill(Infinity).fill(NaN, at, at + 1),
    of: ({ special }) => special['holds NaN'].is,
  },
  {
    name: 'NaN beside -∞',
    least: 2,
    fill: (x, at) => x.fill(-Infinity).fill(NaN, at, at + 1),
    of: ({ special }) => special['holds NaN'].is,
  },
  {
    name: 'nothing but -∞',
    least: 1,
    fill: (x) => x.fill(-Infinity),
    of: ({ special }) => special['holds nothing but −∞'].is,
  },
  {
    name: '+∞',
    least: 1,
    fill: (x, at) => x.fill(Infinity, at, at + 1),
    of: ({ special }) => special['holds +∞'].is,
  },
  {
    name: '+∞ beside -∞',
    least: 2,
    fill: (x, at) => x.fill(-Infinity).fill(Infinity, at, at + 1),
    of: ({ special }) => special['holds +∞'].is,
  },
  {
    name: '-∞ beside finite values',
    least: 2,
    fill: (x, at) => x.fill(-Infinity, at, at + 1),
    of: ({ special }) => special['holds −∞ beside finite values'].is,
  },
  {
    name: 'one finite value',
    least: 1,
    fill: (x, at) => x.fill(-Infinity).fill(2.5, at, at + 1),
    of: ({ special }) => special.single,
  },
  {
    // Equal to 0, and so are the results.
    name: '-0',
    least: 1,
    fill: (x, at) => x.fill(0).fill(-0, at, at + 1),
    of: () => (_, y) => Float64Array.from(y, () => y[0] as number),
  },
];

function specialProblem(dtype: Dtype, n: number, special: SpecialRow, at: number): Problem {
  const p = problem(dtype, [n], 'within ±8', { seed: n });
  special.fill(p.x, at);
  return { ...p, what: `${dtype} [${n}], ${special.name} at ${at}` };
}
