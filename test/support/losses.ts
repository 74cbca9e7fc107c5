/** The records of losses and of their gradients, with problems, exact results and comparisons within the bounds. */

import { expect } from 'vitest';
import type { BackendName, Kernels } from '../../src/index.js';
import type { Draft } from '../hunt/inputs.js';
import type { TestSet } from './backends.js';
import { type LossPart, SMALLEST_NORMAL, SUM_UNITS, type Units } from './bounds.js';
import {
  type Dtype,
  type Floats,
  floatsOf,
  HALF_ULP,
  halves,
  type Kind,
  lanesOf,
  lengths,
  numbers,
  randomOf,
  sizeOf,
} from './cases.js';
import { expectSame } from './compare.js';
import type { LossCase } from './fixtures.js';
import { type Operand, type Operation, type OperationName, takes, type Variant } from './operation.js';
import type { Exact, Loss, Scaled } from './oracle.js';
import * as oracle from './oracle.js';

/** A call of a loss. */
export interface LossProblem {
  readonly what: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly first: Floats;
  readonly second: unknown;
  /** The options without shape, axis and gradOutput. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly gradOutput?: number | Floats;
}

type ExactLoss = Pick<Loss, 'loss' | 'grad'>;

/** The settings from which a problem is made. */
export interface Choice {
  /** Of the logits. */
  readonly kind?: Kind;
  readonly temperature?: number;
  /** The options and the kind of targets: one of the operation's `choices`. */
  readonly variant?: number;
  /** Makes the logits and, from 1 on, further numbers like them; replaces `kind`. */
  readonly draw?: (which: number) => Floats;
}

export type Make = (
  dtype: Dtype,
  shape: readonly number[],
  axis: number,
  reduction: string,
  choice?: Choice,
) => LossProblem;

/** The record of a loss; that of the loss with its gradient follows from it. */
export interface LossOperation extends Operation {
  readonly kind: 'loss';
  readonly losses: 'rows' | 'elements';
  readonly reductions: readonly string[];
  readonly exact: (p: LossProblem) => ExactLoss;
  /**
   * In units of 2^-23 (float64: 2^-52) of the scale, the sum of the magnitudes of the formula's terms. What all elements
   * of a row are multiplied by (weights, 1 / T, what a mean divides by) is computed in float64: there, each part of it is
   * rounded as coarsely as a result.
   */
  readonly units: Record<LossPart, Units>;
  /** The scales, as docs/numerics.md states them. */
  readonly scales: Record<LossPart, string>;
  readonly make: Make;
  /** All combinations of options and kinds of targets. */
  readonly choices: readonly number[];
  /** The combinations for tests that do not depend on the formula. */
  readonly typical: readonly number[];
  /** Groups of problems for every path of the kernels. */
  readonly groups: Readonly<Record<string, (dtype: Dtype) => LossProblem[]>>;
  /** Shapes and axes that are staged in several ways. */
  readonly large: readonly (readonly [shape: readonly number[], axis: number])[];
  /** Shapes for comparing the gradient with differences of the loss. */
  readonly differences: readonly (readonly number[])[];
  readonly fixtures: readonly LossCase[];
  /** The arguments of a fixture's call; options that are undefined do not count. */
  readonly ofFixture: (c: LossCase) => Pick<LossProblem, 'first' | 'second' | 'options'>;
  /** The largest factor of a subnormal exponential, which may be 0. */
  readonly least?: (p: LossProblem) => Record<LossPart, number>;
  /** How a search draws the arguments besides the logits. */
  readonly draft: Draft;
}

/** The record of a loss with its gradient. */
export interface LossWithGrad extends Operation {
  readonly kind: 'loss with its gradient';
  readonly loss: LossOperation;
}

/** The loss with its gradient, from the record of the loss. */
export function withGrad(loss: LossOperation): LossWithGrad {
  const gradOutput: Operand = {
    values: 'floats',
    size: loss.losses === 'rows' ? 'row' : 'element',
    overlap: 'none',
  };
  const variants = loss.variants.map(({ operands, plain }) => ({
    operands: { ...operands, gradOutput },
    plain: { ...plain, accumulate: false },
  }));
  return {
    kind: 'loss with its gradient',
    name: `${loss.name}WithGrad` as OperationName,
    arguments: loss.arguments,
    options: [...loss.options, 'gradOutput', 'accumulate'],
    variants: variants as unknown as readonly [Variant, ...Variant[]],
    out: 'elements',
    losses: loss.losses,
    needsElements: loss.needsElements,
    loss,
  };
}

const known = new WeakMap<LossProblem, ExactLoss>();

/** The exact results of a problem, computed once for all backends. */
export function exactOf(operation: LossOperation, p: LossProblem): ExactLoss {
  const found = known.get(p) ?? operation.exact(p);
  known.set(p, found);
  return found;
}

/** The bound of a loss, reduced or not; its gradient has the same bound. */
export function lossLimit(
  { units, losses }: LossOperation,
  part: LossPart,
  dtype: Dtype,
  backend: BackendName,
  reduction: unknown,
): number {
  const isSummed = part === 'loss' && losses === 'elements' && reduction !== 'none';
  return units[part][dtype][backend] + (isSummed && backend !== 'reference' ? SUM_UNITS : 0);
}

/** Kinds of logits for losses over classes. */
export const LOGIT_KINDS: readonly Kind[] = [
  'within ±30',
  'within ±79',
  'around 1000',
  'within ±1e4',
  'few values',
  'all equal',
  'long runs of equals',
  'one far above',
];

/** Shapes of every rank, and an axis that takes each form. */
const AXES: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[7], 0],
  [[5, 7], 0],
  [[5, 7], 1],
  [[4, 5, 6], 1],
  [[3, 10, 2, 2], 1],
  [[2, 300, 3], 1],
  [[2, 9, 17], 1],
  [[2, 3, 4, 5], -2],
];

interface Groups {
  readonly make: Make;
  readonly choices: readonly number[];
  readonly kinds: readonly Kind[];
  readonly reductions: readonly string[];
}

/** Problems of losses over rows: lengths, kinds of logits, axes. */
export function rowGroups({
  make,
  choices,
  kinds,
  reductions,
  temperatures,
}: Groups & { readonly temperatures: readonly number[] }): LossOperation['groups'] {
  const [mean] = reductions as [string];
  /** Logits around a number, and powers of two as gradOutput. */
  const around = (dtype: Dtype, middle: number, powers: readonly number[]) =>
    [2, 10, 50].flatMap((n) =>
      choices.flatMap((variant) =>
        [1, 5].map((inner, i) => {
          const draw = (which: number) =>
            numbers(dtype, 3 * n * inner, 'within ±8', n + which).map((x) => middle + x / 10);
          const p = make(dtype, [3, n, inner], 1, 'sum', { variant, draw });
          return { ...p, gradOutput: 2 ** (powers[(n + variant + i) % 3] as number) };
        }),
      ),
    );
  return {
    ...Object.fromEntries(
      choices.map((variant) => [
        `rows of every length, variant ${variant}`,
        (dtype: Dtype) =>
          lengths(dtype)
            .filter((n) => n > 0)
            .flatMap((n) =>
              temperatures.map((temperature) =>
                make(dtype, [3, n], 1, n % 2 ? mean : 'none', { variant, temperature }),
              ),
            ),
      ]),
    ),
    ...Object.fromEntries(
      kinds.map((kind) => [
        `numbers ${kind}`,
        (dtype: Dtype) =>
          choices.flatMap((variant) =>
            [2, 10, 47, 48, 300, 3000].map((n) => make(dtype, [2, n], 1, 'none', { kind, variant })),
          ),
      ]),
    ),
    // The largest and the smallest sums of exponentials there are: what the gradient multiplies these by may be below the
    // normal numbers, or above.
    'a gradient of small numbers': (dtype) =>
      dtype === 'float32' ? around(dtype, 63, [-33, -40, -60]) : around(dtype, 510, [-290, -300, -320]),
    'a gradient of large numbers': (dtype) =>
      dtype === 'float32' ? around(dtype, -63, [34, 40, 90]) : around(dtype, -510, [285, 300, 600]),
    'every axis': (dtype) =>
      AXES.flatMap(([shape, axis]) =>
        choices.flatMap((variant) =>
          reductions.map((reduction) => make(dtype, shape, axis, reduction, { variant, temperature: 0.7 })),
        ),
      ),
  };
}

/** Problems of elementwise losses: lengths and kinds of numbers. */
export function elementGroups({ make, choices, kinds, reductions }: Groups): LossOperation['groups'] {
  return {
    ...Object.fromEntries(
      choices.map((variant) => [
        `every length, variant ${variant}`,
        (dtype: Dtype) => {
          const l = lanesOf(dtype);
          return [1, 2, 3, l, l + 1, 15, 16, 17, 31, 32, 33, 101, 1000].flatMap((n) =>
            reductions.map((reduction) => make(dtype, [3, n], 1, reduction, { variant })),
          );
        },
      ]),
    ),
    ...Object.fromEntries(
      kinds.map((kind) => [
        `numbers ${kind}`,
        (dtype: Dtype) =>
          choices.flatMap((variant) => ['sum', 'none'].map((r) => make(dtype, [40, 25], 1, r, { kind, variant }))),
      ]),
    ),
  };
}

/** Sums of a loss between 16 and 32, and of half units in its last place: `of` makes arguments that have these losses. */
export function sumsWithHalves(
  dtype: Dtype,
  of: (large: number, others: Float64Array) => Pick<LossProblem, 'first' | 'second'>,
): LossProblem[] {
  return [true, false].flatMap((inPairs) =>
    Array.from({ length: 60 }, (_, i) => {
      const large = 16.1 + i * 0.05;
      const others = halves(lanesOf(dtype), 32, inPairs).map((count) => 16 * HALF_ULP[dtype] * count);
      const what = `${dtype}, halves ${inPairs ? 'in pairs ' : ''}beside ${large}`;
      return { what, dtype, shape: [others.length], axis: -1, ...of(large, others), options: { reduction: 'sum' } };
    }),
  );
}

/** The result of a call; a reduced loss is one number. */
export interface Given {
  readonly loss: ArrayLike<number>;
  readonly grad: ArrayLike<number>;
}

type Run = (first: unknown, second: unknown, options: object) => unknown;

/** The loss alone. */
export function lossOf(
  kernels: Kernels,
  operation: LossOperation,
  p: LossProblem,
  extra: object = {},
  first: unknown = p.first,
): unknown {
  const options = optionsOf(operation, p);
  return (kernels[operation.name] as Run)(first, p.second, { ...options, ...extra });
}

/** The loss and its gradient. */
export function lossWithGrad(
  kernels: Kernels,
  operation: LossOperation,
  p: LossProblem,
  extra: object = {},
  first: unknown = p.first,
): { loss: unknown; grad: Floats } {
  const options = { ...optionsOf(operation, p), gradOutput: p.gradOutput, ...extra };
  return (kernels[`${operation.name}WithGrad` as OperationName] as Run)(first, p.second, options) as {
    loss: unknown;
    grad: Floats;
  };
}

function optionsOf(operation: LossOperation, { shape, axis, options }: LossProblem): object {
  return takes(operation, 'axis') ? { ...options, shape, axis } : { ...options, shape };
}

export function numbersOf(loss: unknown): ArrayLike<number> {
  return typeof loss === 'number' ? [loss] : (loss as Floats);
}

/** The smallest results that have to be accurate: probabilities and logarithms below the normal numbers may be 0. */
export function leastOf(operation: LossOperation, p: LossProblem): Record<LossPart, number> {
  const { loss, grad } = operation.least?.(p) ?? { loss: 1, grad: 1 };
  return { loss: loss * SMALLEST_NORMAL[p.dtype], grad: grad * SMALLEST_NORMAL[p.dtype] };
}

/** Compares a loss and its gradient with the exact ones, within the operation's bounds. */
function expectLoss(operation: LossOperation, backend: BackendName, p: LossProblem, given: Given): void {
  const { loss, grad } = exactOf(operation, p);
  const least = leastOf(operation, p);
  const limit = (part: LossPart) => lossLimit(operation, part, p.dtype, backend, p.options.reduction);
  expectWithin(`${p.what}: loss`, p.dtype, given.loss, loss, loss.scale, limit('loss'), least.loss);
  expectWithin(`${p.what}: gradient`, p.dtype, given.grad, grad, grad.scale, limit('grad'), least.grad);
}

/** The largest error of a result in units of 2^-23 or 2^-52 of the scale. */
export function worstError(dtype: Dtype, actual: ArrayLike<number>, exact: Exact, scale: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < exact.hi.length; i++) worst = Math.max(worst, errorAt(dtype, actual, exact, scale, i));
  return worst;
}

/**
 * The error of an element of a result in units of 2^-23 or 2^-52 of the scale. Nothing is one that is at most `least`: an
 * exponential below the normal numbers may be 0, and so what it is in.
 */
export function errorAt(
  dtype: Dtype,
  actual: ArrayLike<number>,
  exact: Exact,
  scale: ArrayLike<number>,
  i: number,
  least = SMALLEST_NORMAL[dtype],
): number {
  const [value, hi, lo] = [actual[i] as number, exact.hi[i] as number, exact.lo[i] as number];
  const rounded = dtype === 'float32' ? Math.fround(hi) : hi;
  if (!Number.isFinite(rounded) && Object.is(value, rounded)) return 0;
  // A reduced loss is a float64 whatever the elements are.
  if (!Number.isFinite(hi)) return Object.is(value, hi) ? 0 : Infinity;
  // An infinite bound always holds: T² alone may overflow where the loss does not.
  if (!Number.isFinite(dtype === 'float32' ? Math.fround(scale[i] as number) : scale[i])) {
    return Number.isNaN(value) ? Infinity : 0;
  }
  if (Math.abs(value - hi - lo) <= least) return 0;
  return oracle.errorInUnits(value, hi, lo, (scale[i] as number) * (dtype === 'float32' ? 2 ** -23 : 2 ** -52));
}

export function expectWithin(
  what: string,
  dtype: Dtype,
  actual: ArrayLike<number>,
  exact: Exact,
  scale: ArrayLike<number>,
  bound: number,
  least?: number,
): void {
  if (actual.length !== exact.hi.length) expect.fail(`${what}: ${actual.length}, expected ${exact.hi.length}`);
  for (let i = 0; i < exact.hi.length; i++) {
    const error = errorAt(dtype, actual, exact, scale, i, least);
    if (!(error <= bound)) {
      expect.fail(
        `${what}[${i}] is ${actual[i]}, expected ${exact.hi[i]}: off by ${error} units, the bound is ${bound}`,
      );
    }
  }
}

/** Runs a problem both ways: with and without the gradient. */
export function expectAccurateLoss(set: TestSet, operation: LossOperation, p: LossProblem): void {
  const { loss, grad } = lossWithGrad(set.kernels, operation, p);
  expectLoss(operation, set.backend, p, { loss: numbersOf(loss), grad });
  const alone = lossOf(set.kernels, operation, p);
  expectLoss(operation, set.backend, p, { loss: numbersOf(alone), grad });
  expectSame(numbersOf(alone), numbersOf(loss), `${p.what}: the loss without its gradient`);
}

/** The call of a fixture, which has the exact results. */
export function fixtureProblem(operation: LossOperation, c: LossCase): LossProblem {
  const scaled = (values: Exact, scale: number[]): Scaled => ({ ...values, scale: Float64Array.from(scale) });
  const { first, second, options } = operation.ofFixture(c);
  const all = Object.entries({ reduction: c.reduction, ...options }).filter(([, value]) => value !== undefined);
  const p: LossProblem = {
    what: c.name,
    dtype: c.dtype,
    shape: c.shape,
    axis: c.axis ?? -1,
    first,
    second,
    options: Object.fromEntries(all),
    gradOutput: typeof c.gradOutput === 'object' ? floatsOf(c.dtype, c.gradOutput) : c.gradOutput,
  };
  known.set(p, { loss: scaled(c.loss, c.lossScale), grad: scaled(c.grad, c.gradScale) });
  return p;
}

/** The results of rows, moved to their positions in the tensor. */
export function placed(loss: Loss, shape: readonly number[], axis: number): Pick<Loss, 'loss' | 'grad'> {
  const place = (values: Float64Array) => oracle.fromRows(values, shape, axis);
  const { hi, lo, scale } = loss.grad;
  return { loss: loss.loss, grad: { hi: place(hi), lo: place(lo), scale: place(scale) } };
}

/** Class indices in [0, classes), some of them `ignored` if it is given. */
export function randomIndices(count: number, classes: number, seed: number, ignored?: number): Int32Array {
  const random = randomOf(seed);
  return Int32Array.from({ length: count }, () => {
    const index = Math.floor(random() * classes);
    return ignored !== undefined && random() < 0.2 ? ignored : index;
  });
}

/** Rows of probabilities along an axis; some are 0. */
export function randomProbabilities(dtype: Dtype, shape: readonly number[], axis: number, seed: number): Floats {
  const random = randomOf(seed);
  const n = shape.at(axis) as number;
  const rows = Float64Array.from({ length: sizeOf(shape) }, () => (random() < 0.1 ? 0 : random()));
  for (let r = 0; r < rows.length; r += n) {
    const row = rows.subarray(r, r + n);
    const sum = row.reduce((a, b) => a + b, 0) || 1;
    for (let i = 0; i < n; i++) row[i] = (row[i] as number) / sum;
  }
  return floatsOf(dtype, oracle.fromRows(rows, shape, axis));
}

/**
 * Compares the gradient of a float64 problem with differences of its loss or, without reduction, of the losses' sum.
 */
export function expectGradientOfLoss(kernels: Kernels, operation: LossOperation, p: LossProblem, step = 1e-5): void {
  const total = (first: Float64Array) => {
    const losses = numbersOf(lossOf(kernels, operation, p, {}, first));
    let sum = 0;
    for (let i = 0; i < losses.length; i++) sum += losses[i] as number;
    return sum;
  };
  const { grad } = lossWithGrad(kernels, operation, p);
  const largest = Math.max(1e-3, ...Array.from(grad, Math.abs));
  for (let i = 0; i < p.first.length; i++) {
    const moved = (by: number) => {
      const first = Float64Array.from(p.first);
      first[i] = (first[i] as number) + by;
      return first;
    };
    const difference = (total(moved(step)) - total(moved(-step))) / (2 * step);
    expect(Math.abs(difference - (grad[i] as number)), `${p.what}: gradient[${i}]`).toBeLessThan(1e-7 * largest);
  }
}
