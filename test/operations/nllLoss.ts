import file from '../fixtures/nllLoss.json' with { type: 'json' };
import { unitsOf } from '../support/bounds.js';
import { floatsOf, LARGE, numbers, sizeOf } from '../support/cases.js';
import { classes } from '../support/contracts.js';
import { decodeLosses, type NllLossCase } from '../support/fixtures.js';
import { type LossOperation, type Make, placed, randomIndices, rowGroups, withGrad } from '../support/losses.js';
import { CLASS_INDICES, CLASS_WEIGHTS, INPUT } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

/** The bits of a variant: class weights, ignored rows. */
const choices = [0, 1, 2, 3];

const make: Make = (dtype, shape, axis, reduction, { kind = 'within ±8', variant = 3, draw } = {}) => {
  const n = shape.at(axis) as number;
  const seed = sizeOf(shape) + variant;
  const first = (draw?.(0) ?? numbers(dtype, sizeOf(shape), kind, seed)).map((x) => -Math.abs(x));
  const ignoreIndex = variant & 2 ? 0 : undefined;
  const second = randomIndices(n === 0 ? 0 : sizeOf(shape) / n, n, seed, ignoreIndex);
  const weight = variant & 1 ? numbers(dtype, n, 'within ±8', seed + 1).map(Math.abs) : undefined;
  const what = `${dtype} [${shape}], axis ${axis}, ${reduction}, ${kind}, variant ${variant}`;
  return { what, dtype, shape, axis, first, second, options: { weight, ignoreIndex, reduction } };
};

const reductions = ['mean', 'sum', 'none'];

export const nllLoss: LossOperation = {
  kind: 'loss',
  name: 'nllLoss',
  arguments: ['logProbs', 'targets'],
  options: ['shape', 'axis', 'weight', 'ignoreIndex', 'reduction', 'out'],
  variants: [
    {
      operands: { logProbs: INPUT, targets: CLASS_INDICES, weight: CLASS_WEIGHTS },
      plain: { ignoreIndex: -100, reduction: 'none' },
    },
  ],
  out: 'rows',
  losses: 'rows',
  needsElements: true,
  contracts: { nllLoss: { ...classes, same: [] } },
  reductions,
  exact: ({ dtype, shape, axis, first, second, options, gradOutput }) => {
    const rows = oracle.toRows(first, shape, axis);
    const all = { ...options, gradOutput };
    const n = shape.at(axis) as number;
    return placed(oracle.nllLoss(oracle.precisionOf(dtype), rows, n, second as oracle.Indices, all), shape, axis);
  },
  units: { loss: unitsOf(2, 2, 2), grad: unitsOf(2, 2, 2) },
  scales: { loss: 'the loss', grad: 'the gradient' },
  make,
  choices,
  typical: [3],
  groups: {
    ...rowGroups({ make, choices, reductions, kinds: ['within ±1e4', 'some -∞', 'all equal'], temperatures: [1] }),
    'short rows, columns and long rows': (dtype) =>
      (
        [
          [[3, 300], 1],
          [[2, 5, 2], 1],
          [[4, 6, 33], 1],
        ] as const
      ).flatMap(([shape, axis]) =>
        reductions.flatMap((reduction) => choices.map((variant) => make(dtype, shape, axis, reduction, { variant }))),
      ),
    'long rows': (dtype) => [make(dtype, [5, 50_257], 1, 'mean')],
  },
  large: LARGE,
  differences: [[4, 5]],
  fixtures: decodeLosses(file),
  ofFixture: (c) => {
    const { dtype, logProbs, targets, weight, ignoreIndex } = c as NllLossCase;
    return {
      first: floatsOf(dtype, logProbs),
      second: Int32Array.from(targets),
      options: { weight: weight && floatsOf(dtype, weight), ignoreIndex },
    };
  },
  draft: ({ n, indices, weigh }) => ({ operands: weigh('weight', n), targets: indices() }),
};

export const nllLossWithGrad = withGrad(nllLoss);
