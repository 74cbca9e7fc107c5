/** How bounds are stated. Those of the operations are in their records, test/operations/. */

import type { BackendName } from '../../src/index.js';
import type { Dtype } from './cases.js';

/** The quantities on which the bound of an element of a result may depend. */
export interface Facts {
  /** The magnitude of the exact result. */
  readonly magnitude: number;
  /** The oracle's scale, of which bounds are multiples. */
  readonly scale: number;
  /** The largest |x| of the row. */
  readonly largest: number;
  readonly temperature: number;
  /** The number of elements in the row. */
  readonly n: number;
}

export interface Bound {
  /** The condition under which the bound holds, as docs/numerics.md states it. */
  readonly where: string;
  readonly holds: (facts: Facts) => boolean;
  /** The bound, as docs/numerics.md states it. */
  readonly text: string;
  /**
   * The largest |x| of the rows to which the bound applies, at temperature 1; without it the bound applies to all rows.
   */
  readonly largest?: number;
  /** The largest |result − exact|. */
  readonly limit: (facts: Facts) => number;
}

/** The bounds of an operation along an axis. Of the bounds in an entry, the first whose condition holds counts. */
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
 * The bounds of logarithms of sums. The float32 reference computes in float64 and rounds once. On float64 rows it
 * corrects the rounding of the subtraction of the maximum and of the division by the temperature, and adds with
 * compensation, so it needs no wider bounds than the kernels.
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

/** A probability below this may be 0. */
export const SMALLEST_NORMAL: Record<Dtype, number> = { float32: 2 ** -126, float64: 2 ** -1022 };

/**
 * No bound can be finer than the distance of subnormal numbers; in float64 the oracle itself is exact to a few of them.
 */
export const SMALLEST_STEP: Record<Dtype, number> = { float32: 2 ** -149, float64: 4 * 2 ** -1074 };

/** Bounds that are multiples of a unit. */
export type Units = Record<Dtype, Record<BackendName, number>>;

/** The bounds of the kernels and of the float64 reference; the float32 reference rounds a float64 once. */
export function unitsOf(simd32: number, simd64: number, reference64: number): Units {
  return {
    float32: { 'relaxed-simd': simd32, simd128: simd32, reference: 1 },
    float64: { 'relaxed-simd': simd64, simd128: simd64, reference: reference64 },
  };
}

/** The bounds of sigmoid and logSigmoid: in float64 the reference uses the engine's own functions. */
export const elementUnits: Units = unitsOf(3, 4, 4);

export type ElementaryName = 'exp' | 'log' | 'log1p' | 'sigmoid' | 'logSigmoid';

type ModuleUnits = Record<Dtype, Record<Exclude<BackendName, 'reference'>, number>>;

/**
 * The bounds of the elementary functions that kernels are made of, in units in the last place wherever the result is
 * normal: as the files in assembly/math and the two kernels state them.
 */
export const elementaryBounds: Record<ElementaryName, ModuleUnits> = {
  exp: { float32: { 'relaxed-simd': 1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.2, simd128: 1.2 } },
  log: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.6, simd128: 1.6 } },
  log1p: { float32: { 'relaxed-simd': 1.1, simd128: 1.1 }, float64: { 'relaxed-simd': 1.5, simd128: 1.5 } },
  sigmoid: elementUnits,
  logSigmoid: elementUnits,
};

/** The result of a loss with its gradient. */
export type LossPart = 'loss' | 'grad';

/**
 * The error that the mean or sum of elementwise losses adds in SIMD: lanes add up some losses before float64 or
 * compensation does.
 */
export const SUM_UNITS = 1;

/**
 * The bound of crossEntropy's gradient at a target whose probability p is above ½, in units of 2^-23 (float64: 2^-52)
 * of w · (1 − p), the gradient's magnitude without smoothing, plus the terms that smoothing adds, q · p + q_t. Only for
 * class indices, because target probabilities would have to be searched for the target.
 */
export const sureGradientBounds: Units = unitsOf(4, 4, 4);
