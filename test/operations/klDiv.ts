import file from '../fixtures/klDiv.json' with { type: 'json' };
import { between2, ofOneSign } from '../hunt/inputs.js';
import { unitsOf } from '../support/bounds.js';
import { type Dtype, type Floats, floatsOf, HALF_ULP, numbers, sizeOf } from '../support/cases.js';
import { elementLoss } from '../support/contracts.js';
import { decodeLosses, type KlDivCase } from '../support/fixtures.js';
import {
  elementGroups,
  type LossOperation,
  type Make,
  randomProbabilities,
  sumsWithHalves,
  withGrad,
} from '../support/losses.js';
import { FLOATS, INPUT, PROBABILITIES } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

/** Variants of a problem; in variant 1, targets are logarithms. */
const choices = [0, 1];

const make: Make = (dtype, shape, _axis, reduction, { kind = 'within ±8', variant = 0, draw } = {}) => {
  const seed = sizeOf(shape);
  const logTarget = variant === 1;
  const first = (draw?.(0) ?? numbers(dtype, seed, kind, seed)).map((x) => -Math.abs(x));
  const second = logTarget
    ? (draw?.(1) ?? numbers(dtype, seed, kind, seed + 1)).map((x) => (x > 0 ? -x : x / 2))
    : randomProbabilities(dtype, shape, -1, seed);
  const what = `${dtype} [${shape}], ${reduction}, ${kind}${logTarget ? ', logTarget' : ''}`;
  return { what, dtype, shape, axis: -1, first, second, options: { logTarget, reduction } };
};

const reductions = ['mean', 'batchMean', 'sum', 'none'];

/** For a larger x, e^−x is subnormal and may count as 0. */
const MOST: Record<Dtype, number> = { float32: 87, float64: 708 };

export const klDiv: LossOperation = {
  kind: 'loss',
  name: 'klDiv',
  arguments: ['logProbs', 'targets'],
  options: ['shape', 'logTarget', 'reduction', 'out'],
  variants: [
    { operands: { logProbs: INPUT, targets: PROBABILITIES }, plain: { logTarget: false, reduction: 'none' } },
    { operands: { logProbs: INPUT, targets: FLOATS }, plain: { logTarget: true, reduction: 'none' } },
  ],
  out: 'elements',
  losses: 'elements',
  contracts: { klDiv: elementLoss, logKlDiv: elementLoss },
  reductions,
  exact: ({ dtype, shape, first, second, options, gradOutput }) => {
    const all = { ...options, gradOutput, batchSize: shape.length > 1 ? (shape[0] as number) : 1 };
    return oracle.klDiv(oracle.precisionOf(dtype), first, second as Floats, all);
  },
  units: { loss: unitsOf(4, 4, 4), grad: unitsOf(4, 4, 4) },
  scales: {
    loss: '\\|t · log t\\| + \\|t · x\\|; with logTarget e^t · (\\|t\\| + \\|x\\|)',
    grad: '\\|t\\|; with logTarget e^t',
  },
  make,
  choices,
  typical: choices,
  groups: {
    ...elementGroups({
      make,
      choices,
      reductions,
      kinds: ['within ±30', 'within ±79', 'all equal', 'few values', 'subnormal'],
    }),
    'a large loss and half units in its last place': (dtype) =>
      sumsWithHalves(dtype, (large, others) => {
        const [p, rare] = [large / 32, HALF_ULP[dtype]];
        const second = floatsOf(
          dtype,
          others.map((loss) => (loss > 0 ? rare : 0)),
        );
        const first = floatsOf(
          dtype,
          others.map((loss) => Math.log(rare) - loss / rare),
        );
        second[0] = p;
        first[0] = Math.log(p) - large / p;
        return { first, second };
      }),
  },
  large: [
    [[70, 1000], 1],
    [[60_003], 0],
  ],
  differences: [[4, 5]],
  fixtures: decodeLosses(file),
  ofFixture: (c) => {
    const { dtype, logProbs, targets, logTarget } = c as KlDivCase;
    return { first: floatsOf(dtype, logProbs), second: floatsOf(dtype, targets), options: { logTarget } };
  },
  draft: ({ random, dtype, rows, n, operand }) => {
    const logTarget = random() < 0.5;
    const targets = logTarget
      ? operand((r) => -between2(r, 2 ** -20, MOST[dtype]), rows * n, MOST[dtype])
      : operand(ofOneSign(random, dtype, 1), rows * n, 1);
    return { options: { logTarget }, operands: { targets } };
  },
};

export const klDivWithGrad = withGrad(klDiv);
