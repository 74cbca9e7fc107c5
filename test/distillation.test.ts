import { describe, expect, test } from 'vitest';
import { sets } from './support/backends.js';
import { DTYPES, numbers } from './support/cases.js';
import { describeErrors } from './support/failures.js';

describe('a model with itself', () => {
  for (const set of sets) {
    test(`${set.name}: is 0, and so is its gradient`, () => {
      for (const dtype of ['float32', 'float64'] as const) {
        for (const n of [1, 3, 10, 50, 1000]) {
          const x = numbers(dtype, 4 * n, 'within ±8', n);
          const options = { shape: [4, n], temperature: 3, reduction: 'none' } as const;
          const { loss, grad } = set.kernels.distillationWithGrad(x, x.slice(), options);
          expect(loss.every((value) => value === 0)).toBe(true);
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

describe('a class that the student rules out and the teacher does not', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: makes the loss infinite`, () => {
      for (const dtype of DTYPES) {
        for (const n of [2, 10, 60, 200]) {
          const student = numbers(dtype, n, 'within ±8', n).fill(-Infinity, 1, 2);
          expect(kernels.distillation(student, numbers(dtype, n, 'within ±8', 1)), `${dtype}, ${n}`).toBe(Infinity);
        }
      }
    });
  }
});

describe('logits as far apart as possible', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: give a loss that is finite where the exact one is`, () => {
      for (const dtype of DTYPES) {
        const most = dtype === 'float32' ? 3e38 : 1.7e308;
        const temperature = 0.5;
        for (const n of [2, 10, 60, 200]) {
          const student = numbers(dtype, n, 'within ±8', n).fill(most).fill(-most, 1, 2);
          const teacher = student.slice().fill(0);
          const loss = kernels.distillation(student, teacher, { temperature });
          expect(loss / (temperature * (most / n) * 2), `${dtype}, ${n}`).toBeCloseTo(1, 6);
          student.fill(0).fill(most, 1, 2);
          expect(kernels.distillation(student, teacher) / (most - most / n), `${dtype}, ${n}`).toBeCloseTo(1, 6);
        }
      }
    });
  }
});

describe('a class that student and teacher rule out', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: does not count, wherever it is`, () => {
      for (const dtype of DTYPES) {
        for (const n of [3, 10, 49, 51, 63]) {
          const [student, teacher] = [numbers(dtype, n, 'within ±8', n), numbers(dtype, n, 'within ±8', 1)];
          const expected = kernels.distillation(student.slice(0, -1), teacher.slice(0, -1));
          for (const x of [student, teacher]) x.fill(-Infinity, n - 1);
          expect(kernels.distillation(student, teacher) / expected, `${dtype}, ${n}`).toBeCloseTo(1, 5);
        }
      }
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
    message:
      'distillationWithGrad: temperature is 0, expected a number in [2^-100, 2^100] (for 0 take argmax, or sample)',
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
