import file from '../fixtures/bceWithLogits.json' with { type: 'json' };
import { ofOneSign } from '../hunt/inputs.js';
import { unitsOf } from '../support/bounds.js';
import { type Floats, floatsOf, newFloats, numbers, randomOf, sizeOf } from '../support/cases.js';
import { elementLoss } from '../support/contracts.js';
import { type BceWithLogitsCase, decodeLosses } from '../support/fixtures.js';
import { elementGroups, type LossOperation, type Make, sumsWithHalves, withGrad } from '../support/losses.js';
import { CLASS_WEIGHTS, FLOATS, INPUT, LABELS, PROBABILITIES } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

/** The bits of a variant: a weight for each label, a posWeight for each label; 4: both for each element. */
const choices = [0, 1, 2, 3, 7];

const make: Make = (dtype, shape, _axis, reduction, { kind = 'within ±8', variant = 3, draw } = {}) => {
  const size = sizeOf(shape);
  const seed = size + variant;
  const random = randomOf(seed);
  const first = draw?.(0) ?? numbers(dtype, size, kind, seed);
  const second = newFloats(dtype, size).map(() => [0, 1, random()][Math.floor(3 * random())] as number);
  const labels = variant & 4 ? size : (shape.at(-1) as number);
  const weigh = (bit: number) =>
    variant & bit ? numbers(dtype, labels, 'within ±8', seed + bit).map(Math.abs) : undefined;
  const what = `${dtype} [${shape}], ${reduction}, ${kind}, variant ${variant}`;
  const options = { weight: weigh(1), posWeight: weigh(2), reduction };
  return { what, dtype, shape, axis: -1, first, second, options };
};

const reductions = ['mean', 'sum', 'none'];
const kinds = ['within ±30', 'within ±79', 'within ±1e4', 'within ±1e38', 'all equal', 'subnormal'] as const;

export const bceWithLogits: LossOperation = {
  kind: 'loss',
  name: 'bceWithLogits',
  arguments: ['logits', 'targets'],
  options: ['shape', 'weight', 'posWeight', 'reduction', 'out'],
  variants: [
    {
      operands: { logits: INPUT, targets: LABELS, weight: CLASS_WEIGHTS, posWeight: CLASS_WEIGHTS },
      plain: { reduction: 'none' },
    },
    {
      operands: { logits: INPUT, targets: PROBABILITIES, weight: FLOATS, posWeight: PROBABILITIES },
      plain: { reduction: 'none' },
    },
  ],
  out: 'elements',
  losses: 'elements',
  contracts: { bceWithLogits: { ...elementLoss, apart: [...elementLoss.apart, 'fc', 'fd'] } },
  reductions,
  exact: ({ dtype, first, second, options: { weight, posWeight, reduction }, gradOutput }) => {
    const spread = (values: unknown) => {
      return values === undefined
        ? undefined
        : first.map((_, i) => (values as Floats).at(i % (values as Floats).length) ?? 0);
    };
    return oracle.bceWithLogits(oracle.precisionOf(dtype), first, second as Floats, {
      weight: spread(weight),
      posWeight: spread(posWeight),
      reduction: reduction as oracle.Reduction,
      gradOutput,
    });
  },
  units: { loss: unitsOf(4, 4, 4), grad: unitsOf(4, 4, 4) },
  scales: {
    loss: 'w · (\\|1 − t\\| · softplus(x) + \\|p · t\\| · softplus(−x)), p being posWeight',
    grad: 'w · ((\\|p · t\\| + \\|1 − t\\|) · σ(x) + \\|p · t\\|)',
  },
  make,
  choices,
  typical: [3],
  groups: {
    ...elementGroups({ make, choices, kinds, reductions }),
    // A weight would make a subnormal number, which may be 0, normal.
    'numbers around 600': (dtype) =>
      ['sum', 'none'].map((r) => make(dtype, [40, 25], 1, r, { kind: 'around 600', variant: 0 })),
    'a large loss and half units in its last place': (dtype) =>
      sumsWithHalves(dtype, (large, others) => {
        const first = floatsOf(
          dtype,
          others.map((loss) => Math.max(Math.log(loss), -100)),
        );
        first[0] = large;
        return { first, second: newFloats(dtype, first.length) };
      }),
  },
  large: [
    [[70, 1000], 1],
    [[8001, 7], 1],
    [[11, 5000], 1],
    [[60_003], 0],
  ],
  differences: [[4, 5]],
  fixtures: decodeLosses(file),
  ofFixture: (c) => {
    const { dtype, logits, targets, weight, posWeight } = c as BceWithLogitsCase;
    return {
      first: floatsOf(dtype, logits),
      second: floatsOf(dtype, targets),
      options: {
        weight: weight && floatsOf(dtype, weight),
        posWeight: posWeight && floatsOf(dtype, posWeight),
      },
    };
  },
  draft: ({ random, dtype, rows, n, operand, weigh }) => ({
    operands: {
      targets: operand(ofOneSign(random, dtype, 1), rows * n, 1),
      ...weigh('weight', rows * n),
      ...weigh('posWeight', rows * n),
    },
  }),
};

export const bceWithLogitsWithGrad = withGrad(bceWithLogits);
