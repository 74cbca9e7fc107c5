import file from '../fixtures/distillation.json' with { type: 'json' };
import { logits } from '../hunt/inputs.js';
import { unitsOf } from '../support/bounds.js';
import { type Floats, floatsOf, LARGE, numbers, sizeOf } from '../support/cases.js';
import { type DistillationCase, decodeLosses } from '../support/fixtures.js';
import { LOGIT_KINDS, type LossOperation, type Make, placed, rowGroups, withGrad } from '../support/losses.js';
import { FLOATS, INPUT } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

/** How far the teacher's logits are from the student's, by variant; for 0, they are independent. */
const NEAR = [undefined, 0.1, 1e-3, 1e-6, 0];

const make: Make = (dtype, shape, axis, reduction, { kind = 'within ±8', temperature = 1, variant = 0, draw } = {}) => {
  const seed = sizeOf(shape);
  const first = draw?.(0) ?? numbers(dtype, seed, kind, seed);
  const other = draw?.(1) ?? numbers(dtype, seed, kind, seed + 1);
  const near = NEAR[variant];
  const second = near === undefined ? other : first.map((x, i) => x + near * (other[i] as number));
  const what = `${dtype} [${shape}], axis ${axis}, ${reduction}, ${kind}, T ${temperature}, near ${near}`;
  return { what, dtype, shape, axis, first, second, options: { temperature, reduction } };
};

const reductions = ['batchMean', 'mean', 'sum', 'none'];

export const distillation: LossOperation = {
  kind: 'loss',
  name: 'distillation',
  arguments: ['studentLogits', 'teacherLogits'],
  options: ['shape', 'axis', 'temperature', 'reduction', 'out'],
  variants: [
    { operands: { studentLogits: INPUT, teacherLogits: FLOATS }, plain: { temperature: 2, reduction: 'none' } },
  ],
  out: 'rows',
  losses: 'rows',
  contracts: {
    distillation: {
      operands: ({ a, b, c, d, f, sum, scratch, buffer }, outer, n, inner) => {
        const results = { losses: c, gradient: d, scale: 1, gradOutput: f, sum };
        return { student: a, teacher: b, ...results, outer, n, inner, temperature: 1, scratch, buffer };
      },
      apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'fc', 'fd'],
      same: ['ad', 'bd'],
    },
  },
  reductions,
  exact: ({ dtype, shape, axis, first, second, options, gradOutput }) => {
    const [student, teacher] = [oracle.toRows(first, shape, axis), oracle.toRows(second as Floats, shape, axis)];
    const all = { ...options, gradOutput, batchSize: shape.length > 1 ? (shape[0] as number) : 1 };
    const n = shape.at(axis) as number;
    return placed(oracle.distillation(oracle.precisionOf(dtype), student, teacher, n, all), shape, axis);
  },
  // Each factor in the sum over a row is rounded as coarsely as a result is.
  units: { loss: unitsOf(4, 7, 4), grad: unitsOf(4, 6, 4) },
  scales: { loss: 'T² · Σ p · (\\|log p\\| + \\|log q\\|)', grad: 'T · (p + q)' },
  make,
  choices: [0],
  typical: [0],
  groups: {
    ...rowGroups({ make, choices: [0], reductions, kinds: LOGIT_KINDS, temperatures: [1, 3] }),
    'a teacher near the student': (dtype) =>
      [1, 2, 3, 4].flatMap((variant) =>
        [2, 10, 47, 48, 300].map((n) => make(dtype, [2, n], 1, 'none', { variant, temperature: 2 })),
      ),
    'one of the two out of range': (dtype) =>
      (['around -100', 'around 600', 'around 1000'] as const).flatMap((far) =>
        [10, 48, 61, 300].flatMap((n) =>
          [0, 1].map((one) => {
            const draw = (which: number) => numbers(dtype, 2 * n, which === one ? far : 'within ±8', n + which);
            return make(dtype, [2, n], 1, 'none', { draw });
          }),
        ),
      ),
    'long rows': (dtype) => [make(dtype, [2, 50_257], 1, 'mean')],
  },
  large: LARGE,
  differences: [
    [3, 5],
    [3, 30],
  ],
  fixtures: decodeLosses(file),
  ofFixture: (c) => {
    const { dtype, studentLogits, teacherLogits, temperature } = c as DistillationCase;
    return {
      first: floatsOf(dtype, studentLogits),
      second: floatsOf(dtype, teacherLogits),
      options: { temperature },
    };
  },
  least: ({ options: { temperature = 1 } }) => {
    const more = Math.max(1, temperature as number);
    return { loss: more * more, grad: more };
  },
  draft: ({ random, set, dtype, rows, n, temperature, x, operand, pick }) => {
    // Rows that are nearly the same cancel.
    const near = pick([0, 1e-6, 0.01]);
    return {
      operands: {
        teacherLogits:
          random() < 0.4
            ? { ...x, values: x.values.map((value) => value * (1 + near * (random() - 0.5))) }
            : operand(logits(random, set, dtype, temperature), rows * n),
      },
      least: { loss: 1000 * n * Math.max(1, temperature ** 2), grad: 2 * Math.max(1, temperature) },
    };
  },
};

export const distillationWithGrad = withGrad(distillation);
