import file from '../fixtures/crossEntropy.json' with { type: 'json' };
import { ofOneSign } from '../hunt/inputs.js';
import { unitsOf } from '../support/bounds.js';
import { floatsOf, LARGE, numbers, randomOf, sizeOf } from '../support/cases.js';
import { classes } from '../support/contracts.js';
import { type CrossEntropyCase, decodeLosses } from '../support/fixtures.js';
import {
  LOGIT_KINDS,
  type LossOperation,
  type Make,
  placed,
  randomIndices,
  randomProbabilities,
  rowGroups,
  withGrad,
} from '../support/losses.js';
import { CLASS_INDICES, CLASS_WEIGHTS, INPUT, MASK, PROBABILITIES } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

/** The bits of a variant: class weights, ignored rows, smoothing, probabilities, a mask. */
const choices = [0, 1, 2, 4, 7, 8, 9, 13, 23, 29];

/** Flags that keep some elements of each row, including its target. */
function randomMask(targets: Int32Array | undefined, shape: readonly number[], axis: number, seed: number): Uint8Array {
  const n = shape.at(axis) as number;
  const random = randomOf(seed);
  const flags = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const target = targets === undefined ? 0 : (targets[Math.floor(i / n)] as number);
    return random() < 0.6 || i % n === target ? 3 : 0;
  });
  return Uint8Array.from(oracle.fromRows(flags, shape, axis));
}

const make: Make = (dtype, shape, axis, reduction, { kind = 'within ±8', temperature = 1, variant = 7, draw } = {}) => {
  const n = shape.at(axis) as number;
  const seed = sizeOf(shape) + variant;
  const first = draw?.(0) ?? numbers(dtype, sizeOf(shape), kind, seed);
  const hasProbabilities = (variant & 8) !== 0;
  const ignoreIndex = !hasProbabilities && variant & 2 ? 0 : undefined;
  const indices = hasProbabilities ? undefined : randomIndices(n === 0 ? 0 : sizeOf(shape) / n, n, seed, ignoreIndex);
  const mask = variant & 16 ? randomMask(indices, shape, axis, seed) : undefined;
  const second = indices ?? randomProbabilities(dtype, shape, axis, seed).map((t, i) => (mask?.[i] === 0 ? 0 : t));
  const options = {
    temperature,
    mask,
    weight: variant & 1 ? numbers(dtype, n, 'within ±8', seed + 1).map(Math.abs) : undefined,
    ignoreIndex,
    labelSmoothing: variant & 4 ? 0.125 : 0,
    reduction,
  };
  const what = `${dtype} [${shape}], axis ${axis}, ${reduction}, ${kind}, T ${temperature}, variant ${variant}`;
  return { what, dtype, shape, axis, first, second, options };
};

const reductions = ['mean', 'sum', 'none'];

export const crossEntropy: LossOperation = {
  kind: 'loss',
  name: 'crossEntropy',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'temperature', 'mask', 'weight', 'ignoreIndex', 'labelSmoothing', 'reduction', 'out'],
  variants: [
    {
      operands: { logits: INPUT, targets: CLASS_INDICES, weight: CLASS_WEIGHTS },
      plain: { temperature: 2, ignoreIndex: -100, labelSmoothing: 0.1, reduction: 'none' },
    },
    {
      operands: { logits: INPUT, targets: PROBABILITIES, weight: CLASS_WEIGHTS },
      plain: { labelSmoothing: 0.1, reduction: 'none' },
    },
    {
      operands: { logits: INPUT, targets: CLASS_INDICES, mask: MASK },
      plain: { reduction: 'none' },
    },
  ],
  out: 'rows',
  losses: 'rows',
  needsElements: true,
  contracts: { crossEntropy: classes, softCrossEntropy: classes },
  reductions,
  exact: ({ dtype, shape, axis, first, second, options, gradOutput }) => {
    const n = shape.at(axis) as number;
    const targets =
      second instanceof Float32Array || second instanceof Float64Array
        ? { probabilities: oracle.toRows(second, shape, axis) }
        : { indices: second as oracle.Indices };
    const rows = oracle.toRows(first, shape, axis);
    const mask = options.mask === undefined ? undefined : oracle.toRows(options.mask as Uint8Array, shape, axis);
    const all = { ...options, gradOutput, mask };
    return placed(oracle.crossEntropy(oracle.precisionOf(dtype), rows, n, targets, all), shape, axis);
  },
  // The sum of the target probabilities is one more factor that float64 rounds.
  units: { loss: unitsOf(5, 7, 5), grad: unitsOf(4, 8, 4) },
  scales: {
    loss: 'Σ \\|q\\| · max(\\|x − max\\| / T, log s), q the target probability of a class times its weight',
    grad: '(p · Σ \\|q\\| + \\|q\\|) / T',
  },
  make,
  choices,
  typical: [7],
  groups: {
    ...rowGroups({ make, choices, reductions, kinds: LOGIT_KINDS, temperatures: [1] }),
    'long rows': (dtype) =>
      [0, 7, 9].map((variant) => make(dtype, [2, 50_257], 1, 'mean', { variant, kind: 'within ±30' })),
    'long columns': (dtype) =>
      [4, 8, 9].map((variant) => make(dtype, [20_000, 3], 0, 'none', { variant, kind: 'within ±30' })),
  },
  large: LARGE,
  differences: [
    [4, 5],
    [3, 30],
  ],
  fixtures: decodeLosses(file),
  ofFixture: (c) => {
    const { dtype, logits, probabilities, targets = [], ...options } = c as CrossEntropyCase;
    return {
      first: floatsOf(dtype, logits),
      second: probabilities === undefined ? Int32Array.from(targets) : floatsOf(dtype, probabilities),
      options: {
        temperature: options.temperature,
        mask: options.mask && Uint8Array.from(options.mask),
        weight: options.weight && floatsOf(dtype, options.weight),
        ignoreIndex: options.ignoreIndex,
        labelSmoothing: options.labelSmoothing,
      },
    };
  },
  // The weighted targets of a row add up to less than this.
  least: ({ options: { weight, temperature = 1 } }) => {
    const most = weight === undefined ? 1 : 8;
    return { loss: most, grad: most * Math.max(1, 1 / (temperature as number)) };
  },
  draft: ({ random, dtype, rows, n, temperature, operand, pick, indices, weigh }) => {
    const isHard = random() < 0.5;
    return {
      options: { labelSmoothing: pick([0, 0, 0.1, 0.125, random()]) },
      operands: {
        ...(isHard ? {} : { targets: operand(ofOneSign(random, dtype, pick([1, 1 / n])), rows * n, 1) }),
        ...weigh('weight', n),
      },
      targets: isHard ? indices() : undefined,
      least: { loss: n, grad: n * Math.max(1, 1 / temperature) },
    };
  },
};

export const crossEntropyWithGrad = withGrad(crossEntropy);
