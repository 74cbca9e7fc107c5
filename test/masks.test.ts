// Masks and causality: every operation along an axis that takes them × backend × dtype.
import { describe, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import { alongAxis } from './operations/index.js';
import { type AlongAxis, compute, testAccuracy } from './support/alongAxis.js';
import { sets, type TestSet, wasmSets } from './support/backends.js';
import { DTYPES, type Dtype, type Flags, type Kind, type Problem, problem, randomOf, sizeOf } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { keptOf } from './support/expected.js';
import { once } from './support/once.js';
import { runBy, takes } from './support/operation.js';

/** Patterns of masks along an axis: whether element j of a row of n is kept. */
const PATTERNS: Record<string, (j: number, n: number, random: () => number) => boolean> = {
  all: () => true,
  nothing: () => false,
  padding: (j, n) => j < Math.ceil(n * 0.6),
  'the end': (j, n) => j >= Math.floor(n * 0.7),
  'a window': (j, n) => j >= n / 4 && j < n / 2,
  'every third': (j) => j % 3 === 1,
  random: (_, __, random) => random() < 0.5,
  'one element': (j, n) => j === n >> 1,
  'the first and the last': (j, n) => j === 0 || j === n - 1,
};

/** A mask of this shape with a pattern along its last axis; if there are several rows, each has another pattern. */
function flags(shape: readonly number[], names: readonly string[], seed: number): Uint8Array {
  const n = shape.at(-1) ?? 1;
  const random = randomOf(seed);
  return Uint8Array.from({ length: sizeOf(shape) }, (_, i) => {
    const pattern = PATTERNS[names[Math.floor(i / n) % names.length] as string];
    return pattern?.(i % n, n, random) ? 1 + (i % 200) : 0;
  });
}

/** The problem with NaN and infinities wherever it is not kept. */
function poisoned(p: Problem): Problem {
  const kept = keptOf(p);
  const x = p.x.map((value, i) => (kept[i] === 0 ? ([NaN, Infinity, -Infinity, 3e38][i % 4] as number) : value));
  return {
    ...p,
    x,
    what: `${p.what}, mask ${'mask' in p && p.mask && 'shape' in p.mask ? `[${p.mask.shape}]` : 'of x'}`,
  };
}

/** A problem with a mask of the given shape. */
function masked(
  dtype: Dtype,
  shape: readonly number[],
  own: readonly number[],
  names: readonly string[],
  kind: Kind,
  { axis = -1, seed = 1, causal = false, temperature = 1 } = {},
): Problem {
  const p = problem(dtype, shape, kind, { axis, seed, temperature });
  return poisoned({ ...p, mask: { data: flags(own, names, seed), shape: own }, ...(causal && { causal }) });
}

/** The same with x in linear memory. */
function computeResident(set: TestSet, operation: AlongAxis, p: Problem): ArrayLike<number> {
  using x = set.kernels.tensor(p.x, p.shape as number[]);
  using y = compute(set, operation, p, x) as unknown as Tensor;
  return y.toArray();
}

const NAMES = Object.keys(PATTERNS);
const SOME_LENGTHS = [1, 2, 3, 7, 16, 23, 24, 25, 47, 48, 49, 64, 65, 100, 301];
const KINDS: readonly Kind[] = ['within ±8', 'within ±79', 'around 1000', 'within ±1e4', 'some -∞', 'few values'];

function streamed(dtype: Dtype): Problem[] {
  const shapes = [
    [[130, 1000], 1],
    [[3, 70, 600], 1],
    [[2, 100_000], 1],
    [[20_000, 4], 0],
  ] as const;
  return shapes.map(([shape, axis]) =>
    masked(dtype, shape, shape, ['random', 'padding', 'all'], 'within ±30', { axis }),
  );
}

const STREAMED = { float32: once(() => streamed('float32')), float64: once(() => streamed('float64')) };

describe.each(alongAxis.filter((operation) => takes(operation, 'mask')))('$name', (operation) => {
  describe('masks', () => {
    for (const name of NAMES) {
      testAccuracy(operation, `of ${name}`, (dtype) =>
        SOME_LENGTHS.flatMap((n, i) => [
          masked(dtype, [3, n], [3, n], [name], KINDS[i % KINDS.length] as Kind, { seed: n }),
          masked(dtype, [20, n], [n], [name], 'within ±30', { seed: n, temperature: 0.7 }),
        ]),
      );
    }

    testAccuracy(operation, 'that broadcast', (dtype) =>
      [5, 50, 64].flatMap((n) =>
        [
          [n],
          [1],
          [4, n],
          [4, 1],
          [1, n],
          [3, 1, n],
          [3, 1, 1],
          [2, 1, 1, n],
          [2, 3, 4, n],
          [1, 3, 1, 1],
          [2, 1, 4, 1],
        ].map((own, i) => masked(dtype, [2, 3, 4, n], own, NAMES, KINDS[i % KINDS.length] as Kind, { seed: n + i })),
      ),
    );

    testAccuracy(operation, 'along other axes', (dtype) =>
      [1, 2, 3, 4, 5, 16, 17, 40].flatMap((inner) =>
        [3, 9, 60].flatMap((n, i) =>
          [[2, n, inner], [n, inner], [n, 1], [inner], [2, 1, inner], [2, n, 1], [1]].map((own, k) =>
            masked(
              dtype,
              [2, n, inner],
              own,
              ['random', 'padding', 'all', 'nothing'],
              KINDS[(i + k) % KINDS.length] as Kind,
              {
                axis: 1,
                seed: inner + n,
              },
            ),
          ),
        ),
      ),
    );

    testAccuracy(operation, 'of every element type', (dtype) => {
      const bytes = flags([6, 60], ['random', 'padding'], 5);
      const integers = Array.from(bytes, (flag, i) => (flag ? [1, -1, 256, 2 ** 31][i % 4] : 0) as number);
      const types: Flags[] = [
        Array.from(bytes, Boolean),
        bytes,
        Int8Array.from(integers, (flag) => -(flag ? 1 : 0)),
        Int16Array.from(integers, (flag) => (flag ? -256 : 0)),
        Uint16Array.from(integers, (flag) => (flag ? 2 ** 15 : 0)),
        Uint8ClampedArray.from(bytes),
        Int32Array.from(integers),
        Uint32Array.from(integers),
        BigInt64Array.from(integers, (flag) => BigInt(flag) * 2n ** 31n),
        BigUint64Array.from(integers, (flag) => (flag ? 2n ** 33n : 0n)),
      ];
      return types.flatMap((data) => [
        poisoned({ ...problem(dtype, [6, 60], 'within ±8'), mask: data }),
        poisoned({ ...problem(dtype, [2, 6, 60], 'within ±8'), mask: { data, shape: [6, 60] } }),
      ]);
    });

    testAccuracy(operation, 'of nothing at all', (dtype) =>
      [[0], [3, 0], [0, 3], [2, 0, 3]].map((shape) => ({
        ...problem(dtype, shape, 'within ±8'),
        mask: { data: new Uint8Array(0), shape: shape.map((size) => (size > 0 ? size : 0)) },
      })),
    );
  });

  describe('a row that keeps nothing, next to rows that keep NaN, ∞ and -∞', () => {
    testAccuracy(operation, 'all', (dtype) =>
      [3, 60].flatMap((n) =>
        [1, 5].map((inner) => {
          const p = problem(dtype, [8, n, inner], 'within ±8', { axis: 1 });
          const mask = flags([8, 1, inner], NAMES, 1).map((_, i) => (i % 3 === 0 ? 0 : 1));
          for (const [i, value] of [NaN, Infinity, -Infinity].entries())
            p.x.fill(value, i * n * inner, (i + 1) * n * inner);
          return { ...p, mask: { data: mask, shape: [8, 1, inner] } };
        }),
      ),
    );
  });

  describe('bits do not depend on', () => {
    for (const set of wasmSets) {
      for (const dtype of DTYPES) {
        test(`${set.name} ${dtype}: other rows, the position in memory, or a mask that keeps all`, () => {
          for (const n of [7, 30, 60, 1000]) {
            const rows = 21;
            const p = masked(dtype, [rows, n], [rows, n], NAMES, 'within ±30', { seed: n });
            const together = compute(set, operation, p);
            const per = together.length / rows;
            const mask = (p.mask as { data: Uint8Array }).data;
            const x = p.x.slice();
            for (let row = 0; row < rows; row++) {
              const own = {
                ...p,
                shape: [1, n],
                x: x.slice(row * n, row * n + n),
                mask: mask.slice(row * n, row * n + n),
              };
              const alone = compute(set, operation, own);
              expectSame(Array.from(together).slice(row * per, row * per + per), alone, `row ${row} of ${p.what}`);
            }
            // If a row needs its maximum subtracted, its whole transposed block is computed in that form.
            x.fill(3000, 0, n);
            const beside = compute(set, operation, { ...p, x });
            expectSame(Array.from(beside).slice(per), Array.from(together).slice(per), p.what);
            expectSame(computeResident(set, operation, p), together, p.what);
          }
        });
        test(`${set.name} ${dtype}: streaming`, () => {
          for (const p of STREAMED[dtype]()) {
            const streamed = compute(set, operation, p);
            expectSame(computeResident(set, operation, p), streamed, p.what);
          }
        });
      }
    }
  });
});

function causal(dtype: Dtype, shape: readonly number[], kind: Kind, seed: number): Problem {
  return poisoned({ ...problem(dtype, shape, kind, { seed }), causal: true });
}

describe.each(alongAxis.filter((operation) => takes(operation, 'causal')))('$name', (operation) => {
  const { name } = operation;

  describe('causal', () => {
    testAccuracy(operation, 'square, wide and high', (dtype) =>
      [1, 2, 5, 16, 23, 48, 60, 130].flatMap((n, i) =>
        [n, n >> 1, n + 3, 2 * n + 17].map((rows, k) =>
          causal(dtype, [2, rows, n], KINDS[(i + k) % KINDS.length] as Kind, n + rows),
        ),
      ),
    );
    testAccuracy(operation, 'with a mask', (dtype) =>
      [7, 50, 64].flatMap((n) =>
        [[2, 1, 1, n], [2, 3, n, n], [n], [n, n], [2, 1, n, 1]].map((own, i) =>
          masked(dtype, [2, 3, n, n], own, NAMES, KINDS[i % KINDS.length] as Kind, { seed: n, causal: true }),
        ),
      ),
    );
    for (const set of sets) {
      test(`${set.name}: in place, streamed and resident`, () => {
        for (const n of [40, 300]) {
          const p = causal('float32', [3, n, n], 'within ±8', n);
          const y = compute(set, operation, p);
          const out = Float32Array.from(y, () => 7);
          runBy(set.kernels, name, p.x, { shape: [3, n, n], causal: true, out });
          expectSame(out, y, p.what);
          using tensor = set.kernels.tensor(p.x, [3, n, n]);
          runBy(set.kernels, name, tensor, { causal: true, out });
          expectSame(out, y, `${p.what}, resident`);
          if (operation.out !== 'elements') continue;
          const x = p.x.slice();
          runBy(set.kernels, name, x, { shape: [3, n, n], causal: true, out: x });
          expectSame(x, y, `${p.what}, in place`);
          runBy(set.kernels, name, tensor, { causal: true, out: tensor });
          expectSame(tensor.data, y, `${p.what}, resident in place`);
        }
      });
    }
  });
});
