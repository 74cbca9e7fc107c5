import { describe, expect, test } from 'vitest';
import type { FloatArray, Kernels } from '../src/index.js';
import { crossEntropy } from './operations/crossEntropy.js';
import { logSoftmax } from './operations/logSoftmax.js';
import { sets, type TestSet } from './support/backends.js';
import {
  ALL_KINDS,
  DTYPES,
  type Dtype,
  everyAxis,
  floatsOf,
  innerSizes,
  LARGE,
  lengths,
  type Problem,
  problem,
  sizeOf,
} from './support/cases.js';
import { complaintOf, expectSame } from './support/compare.js';
import { expectedOf } from './support/expected.js';
import { describeErrors } from './support/failures.js';
import type { CrossEntropyCase } from './support/fixtures.js';
import { expectWithin, randomIndices } from './support/losses.js';
import { once } from './support/once.js';
import { describeTargets } from './support/targets.js';

const IGNORED = -100;

interface Case {
  readonly p: Problem;
  readonly targets: Int32Array;
}

/** A problem with targets for its rows, some of them ignored. */
function withTargets(p: Problem): Case {
  const n = p.shape.at(p.axis) as number;
  const rows = p.x.length / n;
  const targets = randomIndices(rows, n, p.x.length + n, IGNORED);
  if (rows === 1) targets[0] = Math.abs(targets[0] as number) % n;
  return { p, targets };
}

function compute(kernels: Kernels, { p, targets }: Case): FloatArray {
  const { x, shape, axis, temperature } = p;
  return kernels.logProbs(x, targets, { shape, axis, temperature });
}

/** Compares each result with the corresponding element of log-softmax. */
function expectAccurate(set: TestSet, c: Case): void {
  const { p, targets } = c;
  const actual = compute(set.kernels, c);
  const expected = expectedOf(logSoftmax, p);
  const axis = p.axis < 0 ? p.axis + p.shape.length : p.axis;
  const n = p.shape[axis] as number;
  const inner = sizeOf(p.shape.slice(axis + 1));
  expect(actual.length).toBe(targets.length);
  targets.forEach((target, row) => {
    if (target === IGNORED) {
      expect(actual[row], `${p.what}: ignored row ${row}`).toBe(0);
      return;
    }
    const element = (row - (row % inner)) * n + target * inner + (row % inner);
    const complaint = complaintOf(logSoftmax, set.backend, p.dtype, actual[row] as number, expected, element);
    if (complaint !== undefined) expect.fail(`${p.what}: row ${row}, target ${target} ${complaint}`);
  });
}

const GROUPS: Readonly<Record<string, (dtype: Dtype) => Problem[]>> = {
  'rows of every length': (dtype) =>
    lengths(dtype)
      .filter((n) => n > 0)
      .flatMap((n) => ALL_KINDS.map((kind) => problem(dtype, [3, n], kind, { seed: n }))),
  temperature: (dtype) =>
    [0.5, 3, 100, 2 ** -20].flatMap((temperature) =>
      (['within ±8', 'within ±1e4', 'around 1000', 'some -∞'] as const).flatMap((kind) =>
        [3, 17, 64, 301].map((n) => problem(dtype, [2, n], kind, { temperature, seed: n })),
      ),
    ),
  'every axis': (dtype) => [
    ...everyAxis().map(({ shape, axis }) => problem(dtype, shape, 'within ±30', { axis })),
    ...innerSizes(dtype).flatMap((inner) =>
      [7, 130].map((n) => problem(dtype, [3, n, inner], 'within ±8', { axis: 1, seed: inner })),
    ),
  ],
  'long rows': (dtype) => [
    problem(dtype, [3, 50_257], 'within ±30'),
    problem(dtype, [2, 30_000, 3], 'within ±8', { axis: 1 }),
  ],
};

for (const [name, make] of Object.entries(GROUPS)) {
  describe(name, () => {
    for (const dtype of DTYPES) {
      const cases = once(() => make(dtype).map(withTargets));
      for (const set of sets) {
        test(`${set.name} ${dtype}`, () => {
          for (const c of cases()) expectAccurate(set, c);
        });
      }
    }
  });
}

describe('fixtures of crossEntropy, which it is the negative of', () => {
  const cases = (crossEntropy.fixtures as readonly CrossEntropyCase[]).filter(
    (c) => c.reduction === 'none' && c.targets !== undefined && c.weight === undefined && c.labelSmoothing === 0,
  );
  test('are there', () => expect(cases.length).toBeGreaterThan(1));
  for (const set of sets) {
    for (const c of cases) {
      test(`${set.name} ${c.name}`, () => {
        const { dtype, shape, axis, temperature, ignoreIndex } = c;
        const mask = c.mask && Uint8Array.from(c.mask);
        const options = { shape, axis, temperature, mask, ...(ignoreIndex === undefined ? {} : { ignoreIndex }) };
        const actual = set.kernels.logProbs(floatsOf(dtype, c.logits), c.targets as number[], options);
        const exact = { hi: c.loss.hi.map((v) => -v), lo: c.loss.lo.map((v) => -v) };
        const bound = crossEntropy.units.loss[dtype][set.backend];
        expectWithin(c.name, dtype, actual, exact, c.lossScale, bound);
      });
    }
  }
});

describe.each(sets)('$name', ({ kernels }) => {
  const x = Float32Array.of(1, 2, 3, 1, 5, 1);

  test('special values', () => {
    const { logProbs } = kernels;
    expect(logProbs([1, NaN, 2], 0)).toBeNaN();
    expect(logProbs([1, Infinity, 2], 1)).toBeNaN();
    expect(logProbs([-Infinity, -Infinity], 1)).toBeNaN();
    expect(logProbs([1, -Infinity, 2], 1)).toBe(-Infinity);
    expect(logProbs([-Infinity, -Infinity, 2], 1, { mask: [true, true, false] })).toBeNaN();
    expect(logProbs([-Infinity, -Infinity, 2], 2, { mask: [true, true, false] })).toBe(-Infinity);
    for (const n of [1, 5, 100]) {
      const lonely = new Float32Array(n).fill(-Infinity).fill(2.5, n - 1);
      expect(logProbs(lonely, n - 1)).toBe(0);
    }
    expect(logProbs(Float64Array.of(0, -40), 0)).toBe(-4.248354255291589e-18);
  });

  test('results have the kind of the logits', () => {
    const { logProbs, tensor } = kernels;
    const values = logProbs(x, [0, 1], { shape: [2, 3] });
    expect(values).toBeInstanceOf(Float32Array);
    expect(logProbs([1, 2, 3], 0)).toBe(values[0]);
    expect(logProbs([1, 2, 3], [0], { shape: [3] })).toEqual(values.slice(0, 1));
    expect(logProbs({ data: x, dims: [2, 3] }, { data: Int32Array.of(0, 1), shape: [2] })).toEqual({
      data: values,
      shape: [2],
    });
    using resident = tensor(x, [2, 3]);
    using result = logProbs(resident, BigInt64Array.of(0n, 1n));
    expect(result.shape).toEqual([2]);
    expectSame(result.data, values, 'tensor');
    expect(logProbs(x, [7, 1], { shape: [2, 3], ignoreIndex: 7 })).toEqual(Float32Array.of(0, values[1] as number));
    expect(logProbs([], [], { shape: [0, 3] })).toEqual(new Float32Array(0));
  });

  test.each(DTYPES)('the same streamed and resident: %s', (dtype: Dtype) => {
    for (const [shape, axis] of LARGE) {
      const c = withTargets(problem(dtype, shape, 'within ±79', { axis }));
      const expected = compute(kernels, c);
      using resident = kernels.tensor(c.p.x, [...shape]);
      using result = kernels.logProbs(resident, c.targets, { axis });
      expectSame(result.data, expected, `[${shape}]`);
    }
  });
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];

describeTargets('logProbs');

describeErrors([
  {
    message: 'logProbs: unknown option "reduction", expected one of shape, axis, temperature, mask, ignoreIndex, out',
    type: TypeError,
    call: (k) => k.logProbs(X, [0, 1], { shape, reduction: 'sum' } as never),
  },
  {
    message:
      'logProbs: logits is undefined, expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor',
    type: TypeError,
    call: (k) => k.logProbs(undefined as never, [0, 1]),
  },
  {
    message: 'logProbs: temperature is 0, expected a number in [2^-100, 2^100] (for 0 take argmax, or sample)',
    call: (k) => k.logProbs(X, [0, 1], { shape, temperature: 0 }),
  },
]);
