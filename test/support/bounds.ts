import type { BackendName } from '../../src/index.js';
import type { Dtype } from './cases.js';

/** What a bound may depend on, for an element of a result. */
export interface Facts {
  /** Of the exact result. */
  readonly magnitude: number;
  /** |x − max| / T, for results that belong to an element. */
  readonly distance: number;
  /** logSoftmax: max(|x − max| / T, log s); logSumExp: max(|result|, log s), where s = Σ e^((x − max) / T). */
  readonly scale: number;
  /** The largest |x| of the row. */
  readonly largest: number;
  readonly temperature: number;
  /** Elements of the row. */
  readonly n: number;
}

export interface Bound {
  /** Where it holds, as the page says it. */
  readonly where: string;
  readonly holds: (facts: Facts) => boolean;
  /** The bound, as the page says it. */
  readonly text: string;
  /** The largest |x| of the rows that it is for, at temperature 1; any row where it is not there. */
  readonly largest?: number;
  /** The largest |result − exact|. */
  readonly limit: (facts: Facts) => number;
}

export type Operation = 'softmax' | 'logSoftmax' | 'logSumExp';

const everywhere = { where: 'any row', holds: () => true };

function unitRows(largest: number): Pick<Bound, 'where' | 'holds' | 'largest'> {
  return {
    largest,
    where: `temperature 1 and every \\|x\\| in the row ≤ ${largest}`,
    holds: (f) => f.temperature === 1 && f.largest <= largest,
  };
}

const otherwise = { where: 'any other row', holds: () => true };

const softmax32: readonly Bound[] = [
  { ...unitRows(8), text: '3.6e-7 · p', limit: (f) => 3.6e-7 * f.magnitude },
  { ...unitRows(32), text: '2^-21 · p', limit: (f) => 2 ** -21 * f.magnitude },
  { ...unitRows(80), text: '2^-20 · p', limit: (f) => 2 ** -20 * f.magnitude },
  {
    ...otherwise,
    text: '(6 + 3 · \\|x − max\\| / T) · 2^-24 · p',
    limit: (f) => (6 + 3 * f.distance) * 2 ** -24 * f.magnitude,
  },
];

const softmax64: readonly Bound[] = [
  {
    ...everywhere,
    text: '(8 + 1.5 · \\|x − max\\| / T) · 2^-52 · p',
    limit: (f) => (8 + 1.5 * f.distance) * 2 ** -52 * f.magnitude,
  },
];

const log32: readonly Bound[] = [{ ...everywhere, text: '5 · 2^-23 · scale', limit: (f) => 5 * 2 ** -23 * f.scale }];
const log64: readonly Bound[] = [{ ...everywhere, text: '5 · 2^-52 · scale', limit: (f) => 5 * 2 ** -52 * f.scale }];

// The reference computes in float64 and rounds once. On float64 rows it puts back what subtracting the maximum and
// dividing by the temperature lose, and adds with compensation: it needs no more than the others.
const softmaxReference32: readonly Bound[] = [
  { ...everywhere, text: '1.01 · 2^-24 · p', limit: (f) => 1.01 * 2 ** -24 * f.magnitude },
];
const logReference32: readonly Bound[] = [{ ...everywhere, text: '2^-23 · scale', limit: (f) => 2 ** -23 * f.scale }];

type Rows = Record<BackendName, readonly Bound[]>;

function rowsOf(simd: readonly Bound[], reference: readonly Bound[]): Rows {
  return { 'relaxed-simd': simd, simd128: simd, reference };
}

/** The bounds of every operation, dtype and backend: of those of an entry, the first that holds counts. */
export const bounds: Record<Operation, Record<Dtype, Rows>> = {
  softmax: { float32: rowsOf(softmax32, softmaxReference32), float64: rowsOf(softmax64, softmax64) },
  logSoftmax: { float32: rowsOf(log32, logReference32), float64: rowsOf(log64, log64) },
  logSumExp: { float32: rowsOf(log32, logReference32), float64: rowsOf(log64, log64) },
};

/** |Σ softmax − 1| of a float32 row of any length. */
export const SUM_BOUND = 2e-7;

/** Below this a softmax result may be 0. */
export const SMALLEST_NORMAL: Record<Dtype, number> = { float32: 2 ** -126, float64: 2 ** -1022 };

/** No bound can be finer than the step between subnormal numbers; of float64 the oracle itself is right to a few. */
export const SMALLEST_STEP: Record<Dtype, number> = { float32: 2 ** -149, float64: 4 * 2 ** -1074 };

export function limitOf(operation: Operation, dtype: Dtype, backend: BackendName, facts: Facts): number {
  const bound = bounds[operation][dtype][backend].find(({ holds }) => holds(facts));
  return bound === undefined ? 0 : bound.limit(facts);
}

export type ElementOperation = 'sigmoid' | 'logSigmoid';

export type Units = Record<Dtype, Record<BackendName, number>>;

// The float32 reference rounds a float64 once; in float64 it is made of the engine's own functions.
const ulps: Units = {
  float32: { 'relaxed-simd': 3, simd128: 3, reference: 1 },
  float64: { 'relaxed-simd': 4, simd128: 4, reference: 4 },
};

/** The bounds of operations from elements to elements, in units in the last place wherever the result is normal. */
export const elementBounds: Record<ElementOperation, Units> = { sigmoid: ulps, logSigmoid: ulps };

export type ElementaryName = 'exp' | 'log' | 'log1p' | ElementOperation;

type ModuleUnits = Record<Dtype, Record<Exclude<BackendName, 'reference'>, number>>;

/**
 * The bounds of the elementary functions that kernels are made of, in units in the last place wherever the result is
 * normal: what assembly/math and the two kernels say of themselves.
 */
export const elementaryBounds: Record<ElementaryName, ModuleUnits> = {
  exp: { float32: { 'relaxed-simd': 1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.2, simd128: 1.2 } },
  log: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.6, simd128: 1.6 } },
  log1p: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.5, simd128: 1.5 } },
  sigmoid: ulps,
  logSigmoid: ulps,
};

export type LossOperation = 'crossEntropy' | 'nllLoss' | 'bceWithLogits' | 'klDiv' | 'distillation';

/** What a loss with its gradient gives. */
export type LossPart = 'loss' | 'grad';

function unitsOf(simd32: number, simd64: number, reference64: number): Units {
  return {
    float32: { 'relaxed-simd': simd32, simd128: simd32, reference: 1 },
    float64: { 'relaxed-simd': simd64, simd128: simd64, reference: reference64 },
  };
}

/**
 * The bounds of every loss and of its gradient, in units of 2^-23 (float64: 2^-52) of the scale, the sum of the
 * magnitudes of the formula's terms. What all elements of a row are multiplied by (weights, 1 / T, what a mean divides
 * by) is computed in float64: there, each part of it is rounded as coarsely as a result, and so are crossEntropy's sum
 * of target probabilities and each factor in the sum of distillation.
 */
export const lossBounds: Record<LossOperation, Record<LossPart, Units>> = {
  crossEntropy: { loss: unitsOf(5, 7, 5), grad: unitsOf(4, 8, 4) },
  nllLoss: { loss: unitsOf(2, 2, 2), grad: unitsOf(2, 2, 2) },
  bceWithLogits: { loss: unitsOf(4, 4, 4), grad: unitsOf(4, 4, 4) },
  klDiv: { loss: unitsOf(4, 4, 4), grad: unitsOf(4, 4, 4) },
  distillation: { loss: unitsOf(4, 7, 4), grad: unitsOf(4, 6, 4) },
};

/** Losses of single elements, which have no axis. */
export function isElementWise(operation: LossOperation): boolean {
  return operation === 'bceWithLogits' || operation === 'klDiv';
}

/** The bound of a loss that is not reduced, or is; of its gradient it is the same. */
export function lossLimit(
  operation: LossOperation,
  part: LossPart,
  dtype: Dtype,
  backend: BackendName,
  reduction: unknown,
): number {
  const limit = lossBounds[operation][part][dtype][backend];
  const isSummed = part === 'loss' && isElementWise(operation) && reduction !== 'none';
  return limit + (isSummed && backend !== 'reference' ? SUM_UNITS : 0);
}

/** What the mean or sum of element-wise losses costs in SIMD: lanes add up some before float64 or compensation does. */
export const SUM_UNITS = 1;

/**
 * The bound of crossEntropy's gradient at a target whose probability p is above ½, in units of 2^-23 (float64: 2^-52) of
 * w · (1 − p), which is all of it without smoothing; with smoothing of what that adds, q · p + q_t, as well. For class
 * indices alone: probabilities would have to be searched for a target.
 */
export const sureGradientBounds: Units = unitsOf(4, 4, 4);

export type BackwardOperation = 'softmaxBackward' | 'logSoftmaxBackward';

/**
 * The bounds of the backward operations, in units of 2^-23 (float64: 2^-52) of the scale, the sum of the magnitudes of
 * the formula's terms. In float64 1 / T is rounded as coarsely as a result, and so is what is multiplied by it.
 */
export const backwardBounds: Record<BackwardOperation, Units> = {
  softmaxBackward: unitsOf(4, 6, 4),
  logSoftmaxBackward: unitsOf(4, 6, 4),
};
