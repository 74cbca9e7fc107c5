/** How bounds are stated. Those of the operations are in their records, test/operations/. */

import type { BackendName } from '../../src/index.js';
import type { Dtype } from './cases.js';

/** What a bound may depend on, for an element of a result. */
export interface Facts {
  /** Of the exact result. */
  readonly magnitude: number;
  /** What the oracle says that bounds are multiples of. */
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

/** The bounds of an operation along an axis: of those of an entry, the first that holds counts. */
export type Bounds = Record<Dtype, Record<BackendName, readonly Bound[]>>;

export const everywhere = { where: 'any row', holds: () => true };
export const otherwise = { where: 'any other row', holds: () => true };

/** Rows at temperature 1 whose elements are no larger than this. */
export function unitRows(largest: number): Pick<Bound, 'where' | 'holds' | 'largest'> {
  return {
    largest,
    where: `temperature 1 and every \\|x\\| in the row ≤ ${largest}`,
    holds: (f) => f.temperature === 1 && f.largest <= largest,
  };
}

/** Bounds for the kernels of both builds, and for the reference. */
export function boundsOf(
  float32: { readonly simd: readonly Bound[]; readonly reference: readonly Bound[] },
  float64: { readonly simd: readonly Bound[]; readonly reference: readonly Bound[] },
): Bounds {
  const rows = ({ simd, reference }: typeof float32) => ({ 'relaxed-simd': simd, simd128: simd, reference });
  return { float32: rows(float32), float64: rows(float64) };
}

const scaled = (text: string, factor: number): readonly Bound[] => [
  { ...everywhere, text: `${text} · scale`, limit: (f) => factor * f.scale },
];
const log64 = scaled('5 · 2^-52', 5 * 2 ** -52);

/**
 * The bounds of what is a logarithm of a sum. The float32 reference computes in float64 and rounds once. On float64 rows
 * it puts back what subtracting the maximum and dividing by the temperature lose, and adds with compensation: it needs no
 * more than the others.
 */
export const logBounds: Bounds = boundsOf(
  { simd: scaled('5 · 2^-23', 5 * 2 ** -23), reference: scaled('2^-23', 2 ** -23) },
  { simd: log64, reference: log64 },
);

export function limitOf(bounds: Bounds, dtype: Dtype, backend: BackendName, facts: Facts): number {
  const bound = bounds[dtype][backend].find(({ holds }) => holds(facts));
  return bound === undefined ? 0 : bound.limit(facts);
}

/** |Σ softmax − 1| of a float32 row of any length. */
export const SUM_BOUND = 2e-7;

/** Below this a probability may be 0. */
export const SMALLEST_NORMAL: Record<Dtype, number> = { float32: 2 ** -126, float64: 2 ** -1022 };

/** No bound can be finer than the step between subnormal numbers; of float64 the oracle itself is right to a few. */
export const SMALLEST_STEP: Record<Dtype, number> = { float32: 2 ** -149, float64: 4 * 2 ** -1074 };

/** Numbers of units. */
export type Units = Record<Dtype, Record<BackendName, number>>;

/** Those of the kernels, and of the reference in float64; the float32 reference rounds a float64 once. */
export function unitsOf(simd32: number, simd64: number, reference64: number): Units {
  return {
    float32: { 'relaxed-simd': simd32, simd128: simd32, reference: 1 },
    float64: { 'relaxed-simd': simd64, simd128: simd64, reference: reference64 },
  };
}

/** Of sigmoid and logSigmoid: in float64 the reference is made of the engine's own functions. */
export const elementUnits: Units = unitsOf(3, 4, 4);

export type ElementaryName = 'exp' | 'log' | 'log1p' | 'sigmoid' | 'logSigmoid';

type ModuleUnits = Record<Dtype, Record<Exclude<BackendName, 'reference'>, number>>;

/**
 * The bounds of the elementary functions that kernels are made of, in units in the last place wherever the result is
 * normal: what assembly/math and the two kernels say of themselves.
 */
export const elementaryBounds: Record<ElementaryName, ModuleUnits> = {
  exp: { float32: { 'relaxed-simd': 1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.2, simd128: 1.2 } },
  log: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.6, simd128: 1.6 } },
  log1p: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.5, simd128: 1.5 } },
  sigmoid: elementUnits,
  logSigmoid: elementUnits,
};

/** What a loss with its gradient gives. */
export type LossPart = 'loss' | 'grad';

/** What the mean or sum of element-wise losses costs in SIMD: lanes add up some before float64 or compensation does. */
export const SUM_UNITS = 1;

/**
 * The bound of crossEntropy's gradient at a target whose probability p is above ½, in units of 2^-23 (float64: 2^-52) of
 * w · (1 − p), which is all of it without smoothing; with smoothing of what that adds, q · p + q_t, as well. For class
 * indices alone: probabilities would have to be searched for a target.
 */
export const sureGradientBounds: Units = unitsOf(4, 4, 4);
