import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { type Dtype, floatsOf, type Kind, LARGE, lengths, numbers, sizeOf } from './support/cases.js';
import { distillationCases } from './support/fixtures.js';
import {
  AXES,
  describeErrors,
  describeFixtures,
  describeResults,
  expectGradientOfLoss,
  LOGIT_KINDS,
  type LossProblem,
  lossWithGrad,
  once,
  placed,
  testLosses,
} from './support/losses.js';
import * as oracle from './support/oracle.js';

interface Choice {
  readonly kind?: Kind;
  readonly temperature?: number;
  /** How far the teacher is from the student, where not of another seed altogether. */
  readonly near?: number;
}

function make(
  dtype: Dtype,
  shape: readonly number[],
  axis: number,
  reduction: string,
  { kind = 'within ±8', temperature = 1, near }: Choice = {},
): LossProblem {
  const n = shape.at(axis) as number;
  const seed = sizeOf(shape);
  const first = numbers(dtype, seed, kind, seed);
  const other = numbers(dtype, seed, kind, seed + 1);
  const second = near === undefined ? other : first.map((x, i) => x + near * (other[i] as number));
  const exact = once(() => {
    const [student, teacher] = [first, second].map((x) => oracle.toRows(x, shape, axis)) as [
      Float64Array,
      Float64Array,
    ];
    const batchSize = shape.length > 1 ? (shape[0] as number) : 1;
    const options = { temperature, reduction: reduction as oracle.BatchReduction, batchSize };
    return placed(oracle.distillation(oracle.precisionOf(dtype), student, teacher, n, options), shape, axis);
  });
  const what = `${dtype} [${shape}], axis ${axis}, ${reduction}, ${kind}, T ${temperature}, near ${near}`;
  return { what, dtype, shape, axis, first, second, options: { temperature, reduction }, exact };
}

describeFixtures('distillation', distillationCases, (c) => ({
  first: c.studentLogits,
  second: floatsOf(c.dtype, c.teacherLogits),
  options: { temperature: c.temperature },
}));

describe('rows of every length', () => {
  for (const temperature of [1, 3]) {
    testLosses('distillation', `temperature ${temperature}`, (dtype) =>
      lengths(dtype)
        .filter((n) => n > 0)
        .map((n) => make(dtype, [3, n], 1, n % 2 ? 'batchMean' : 'none', { temperature })),
    );
  }
});

describe('kinds of numbers', () => {
  for (const kind of LOGIT_KINDS) {
    testLosses('distillation', kind, (dtype) =>
      [2, 10, 47, 48, 300, 3000].map((n) => make(dtype, [2, n], 1, 'none', { kind })),
    );
  }
  testLosses('distillation', 'a teacher near the student', (dtype) =>
    [0.1, 1e-3, 1e-6, 0].flatMap((near) =>
      [2, 10, 47, 48, 300].map((n) => make(dtype, [2, n], 1, 'none', { near, temperature: 2 })),
    ),
  );
});

describe('axes', () => {
  testLosses('distillation', 'all', (dtype) =>
    AXES.flatMap(([shape, axis]) =>
      ['batchMean', 'mean', 'sum'].map((reduction) => make(dtype, shape, axis, reduction, { temperature: 0.7 })),
    ),
  );
});

describe('long rows', () => {
  testLosses('distillation', '50257', (dtype) => [make(dtype, [2, 50_257], 1, 'mean')]);
});

describe('results', () => {
  describeResults('distillation', (dtype, shape, axis, reduction) => make(dtype, shape, axis, reduction), LARGE);
});

describe('gradient', () => {
  for (const set of sets) {
    test(`${set.name}: against differences of the loss`, () => {
      for (const reduction of ['batchMean', 'mean', 'sum', 'none']) {
        for (const n of [5, 30]) {
          const p = make('float64', [3, n], 1, reduction, { temperature: 2 });
          expectGradientOfLoss(set.kernels, 'distillation', p);
        }
      }
    });
  }
});

describe('a model with itself', () => {
  for (const set of sets) {
    test(`${set.name}: is 0, and so is its gradient`, () => {
      for (const dtype of ['float32', 'float64'] as const) {
        for (const n of [1, 3, 10, 50, 1000]) {
          const p = make(dtype, [4, n], 1, 'none', { near: 0, temperature: 3 });
          const { loss, grad } = lossWithGrad(set.kernels, 'distillation', p);
          expect((loss as Float32Array).every((value) => value === 0)).toBe(true);
          expect(grad.every((value) => Math.abs(value) <= (dtype === 'float32' ? 2 ** -22 : 2 ** -51))).toBe(true);
        }
      }
    });
  }
});

describe('the teacher', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: is left as it is`, () => {
      const student = numbers('float32', 300, 'within ±8', 1);
      const teacher = numbers('float32', 300, 'within ±8', 2);
      const kept = teacher.slice();
      kernels.distillationWithGrad(student, teacher, { shape: [3, 100] });
      expect(teacher).toEqual(kept);
    });
  }
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];

describeErrors([
  {
    message: 'distillationWithGrad: teacherLogits has 5 elements, expected 6, as studentLogits',
    call: (k, out) => k.distillationWithGrad(X, X.slice(1), { shape, out }),
  },
  {
    message: 'distillationWithGrad: teacherLogits has shape [3, 2], expected [2, 3], as studentLogits',
    call: (k, out) => k.distillationWithGrad(X, { data: X, shape: [3, 2] }, { shape, out }),
  },
  {
    message: 'distillationWithGrad: teacherLogits is float64, expected float32, as studentLogits',
    type: TypeError,
    call: (k, out) => k.distillationWithGrad(X, new Float64Array(6), { shape, out }),
  },
  {
    message: 'distillationWithGrad: temperature is 0, expected a number in [2^-100, 2^100]',
    call: (k, out) => k.distillationWithGrad(X, X, { shape, out, temperature: 0 }),
  },
  {
    message: 'distillationWithGrad: axis is 2, expected a whole number in [-2, 2)',
    call: (k, out) => k.distillationWithGrad(X, X, { shape, out, axis: 2 }),
  },
  {
    message: 'distillationWithGrad: gradOutput has 3 elements, expected 2, one for each row',
    call: (k, out) => k.distillationWithGrad(X, X, { shape, out, gradOutput: [1, 2, 3], reduction: 'none' }),
  },
  {
    message: 'distillationWithGrad: reduction is "max", expected one of "batchMean", "mean", "sum", "none"',
    type: TypeError,
    call: (k, out) => k.distillationWithGrad(X, X, { shape, out, reduction: 'max' as never }),
  },
  {
    message: 'distillation: unknown option "T", the name is temperature here',
    type: TypeError,
    call: (k) => k.distillation(X, X, { shape, T: 2 } as never),
  },
]);
