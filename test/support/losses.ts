/** What the tests of the losses share: calls with their exact results, and comparisons within the bounds. */

import { describe, expect, test } from 'vitest';
import type { BackendName, Kernels, Tensor } from '../../src/index.js';
import { sets, type TestSet } from './backends.js';
import { isElementWise, type LossOperation, type LossPart, lossLimit, SMALLEST_NORMAL } from './bounds.js';
import { bytesOf, DTYPES, type Dtype, type Floats, floatsOf, type Kind, newFloats, randomOf, sizeOf } from './cases.js';
import { expectFlatMemory, expectGuarded, expectSame, GUARD } from './compare.js';
import type { Exact, Loss, Scaled } from './oracle.js';
import * as oracle from './oracle.js';

/** A call of a loss, and its exact result. */
export interface LossProblem {
  readonly what: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly first: Floats;
  readonly second: unknown;
  /** Without shape, axis and gradOutput. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly gradOutput?: number | Floats;
  readonly exact: () => Pick<Loss, 'loss' | 'grad'>;
  /**
   * The least results that have to be right: what becomes of probabilities and logarithms below the normal numbers, which
   * may count as 0. Where not given, the smallest normal number.
   */
  readonly least?: { readonly loss: number; readonly grad: number };
}

/** Kinds of logits that losses over classes meet. */
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
export const AXES: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[7], 0],
  [[5, 7], 0],
  [[4, 5, 6], 1],
  [[3, 10, 2, 2], 1],
  [[2, 300, 3], 1],
  [[2, 9, 17], 1],
  [[2, 3, 4, 5], -2],
];

/** What a call gives, a reduced loss as one number. */
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
  return (kernels[operation] as Run)(first, p.second, { ...options, ...extra });
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
  return (kernels[`${operation}WithGrad`] as Run)(first, p.second, options) as { loss: unknown; grad: Floats };
}

function optionsOf(operation: LossOperation, { shape, axis, options }: LossProblem): object {
  return isElementWise(operation) ? { ...options, shape } : { ...options, shape, axis };
}

export function numbersOf(loss: unknown): ArrayLike<number> {
  return typeof loss === 'number' ? [loss] : (loss as Floats);
}

/** Compares a loss and its gradient with the exact ones, within the bounds of the table. */
export function expectLoss(operation: LossOperation, backend: BackendName, p: LossProblem, given: Given): void {
  const { loss, grad } = p.exact();
  const { least } = p;
  const limit = (part: LossPart) => lossLimit(operation, part, p.dtype, backend, p.options.reduction);
  expectWithin(`${p.what}: loss`, p.dtype, given.loss, loss, loss.scale, limit('loss'), least?.loss);
  expectWithin(`${p.what}: gradient`, p.dtype, given.grad, grad, grad.scale, limit('grad'), least?.grad);
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
  // A bound that is beyond all numbers holds of each: T² alone may be, where a loss is not.
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

/** What the fixtures of all losses have. */
interface LossCase {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis?: number;
  readonly reduction: string;
  readonly gradOutput?: number | number[];
  readonly loss: Exact;
  readonly lossScale: number[];
  readonly grad: Exact;
  readonly gradScale: number[];
}

/** The arguments of a fixture's call; options that are undefined do not count. */
interface Arguments {
  readonly first: readonly number[];
  readonly second: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Every fixture of a loss on every backend: its own values are what is exact. */
export function describeFixtures<C extends LossCase>(
  operation: LossOperation,
  cases: readonly C[],
  argumentsOf: (c: C) => Arguments,
): void {
  describe('fixtures', () => {
    const problems = cases.map((c) => fixtureProblem(c, argumentsOf(c)));
    for (const set of sets) {
      for (const p of problems) test(`${set.name} ${p.what}`, () => expectAccurateLoss(set, operation, p));
    }
  });
}

function fixtureProblem(c: LossCase, { first, second, options }: Arguments): LossProblem {
  const scaled = (values: Exact, scale: number[]): Scaled => ({ ...values, scale: Float64Array.from(scale) });
  const gradOutput = typeof c.gradOutput === 'object' ? floatsOf(c.dtype, c.gradOutput) : c.gradOutput;
  const all = { reduction: c.reduction, ...options };
  return {
    what: c.name,
    dtype: c.dtype,
    shape: c.shape,
    axis: c.axis ?? -1,
    first: floatsOf(c.dtype, first),
    second,
    options: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    gradOutput,
    exact: () => ({ loss: scaled(c.loss, c.lossScale), grad: scaled(c.grad, c.gradScale) }),
  };
}

/** Computed at the first use. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A loss over rows, back in the positions of the tensor. */
export function placed(loss: Loss, shape: readonly number[], axis: number): Pick<Loss, 'loss' | 'grad'> {
  const place = (values: Float64Array) => oracle.fromRows(values, shape, axis);
  const { hi, lo, scale } = loss.grad;
  return { loss: loss.loss, grad: { hi: place(hi), lo: place(lo), scale: place(scale) } };
}

/** Class indices in [0, classes), `ignored` among them where it is given. */
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

/** One test for each set and dtype; the exact results are computed once for all sets. */
export function testLosses(operation: LossOperation, name: string, make: (dtype: Dtype) => LossProblem[]): void {
  for (const dtype of DTYPES) {
    const problems = once(() => make(dtype));
    for (const set of sets) {
      test(`${set.name} ${dtype}: ${name}`, () => {
        for (const p of problems()) expectAccurateLoss(set, operation, p);
      });
    }
  }
}

/** The gradient of a float64 problem against differences of its loss, the sum of the losses where not reduced. */
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

type Make = (dtype: Dtype, shape: readonly number[], axis: number, reduction: string) => LossProblem;

/** Whole vectors and what is left over, every form, and tiles that are not full. */
const GUARDED: readonly [shape: number[], axis: number][] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 23, 24, 25, 47, 48, 49, 257].map((n): [number[], number] => [[n], 0]),
  ...[2, 3, 15, 16, 17].map((rows): [number[], number] => [[rows, 7], 1]),
  ...[2, 3].map((rows): [number[], number] => [[rows, 50], 1]),
  ...[2, 3, 5, 17].map((inner): [number[], number] => [[2, 9, inner], 1]),
  [[2, 65, 3], 1],
];
const EDGE = 16;

/** Operands lie in linear memory with NaN around them, results with guards. */
export function describeGuards(operation: LossOperation, name: string, make: Make): void {
  for (const set of sets) {
    for (const dtype of DTYPES) {
      test(`${set.name} ${dtype}: ${name} reads and writes nothing but its own, at every alignment`, () => {
        for (const [shape, axis] of GUARDED) {
          for (const reduction of ['mean', 'none'])
            expectGuardedLoss(set.kernels, operation, make(dtype, shape, axis, reduction));
        }
      });
    }
  }
}

function expectGuardedLoss(kernels: Kernels, operation: LossOperation, p: LossProblem): void {
  const { dtype, first, second } = p;
  const { length } = first;
  const expected = lossWithGrad(kernels, operation, p);
  const losses = numbersOf(expected.loss);
  const room = (size: number) => kernels.tensor(newFloats(dtype, size + 2 * EDGE + 4));
  const [home, other, target, lossTarget] = [room(length), room(length), room(length), room(losses.length)];
  for (let offset = EDGE; offset < EDGE + 16 / bytesOf(dtype); offset++) {
    const what = `${p.what} at ${offset}`;
    const place = (from: Tensor, values: Floats) => {
      const view = (from.data as Floats).fill(NaN).subarray(offset, offset + length);
      view.set(values);
      return view;
    };
    const x = place(home, first);
    const placedProblem = second instanceof first.constructor ? { ...p, second: place(other, second as Floats) } : p;
    const start = EDGE + ((3 * offset) % 4);
    const out = (target.data as Floats).fill(GUARD).subarray(start, start + length);
    const given = lossWithGrad(kernels, operation, placedProblem, { out }, x);
    expectSame(given.grad, expected.grad, what);
    expectSame(numbersOf(given.loss), losses, what);
    expectGuarded(target.data, start, length, `${what}: gradient`);
    if (p.options.reduction === 'none') {
      const own = (lossTarget.data as Floats).fill(GUARD).subarray(start, start + losses.length);
      lossOf(kernels, operation, placedProblem, { out: own }, x);
      expectSame(own, losses, what);
      expectGuarded(lossTarget.data, start, losses.length, `${what}: losses`);
    }
    expectSame(x, first, `${what}: the first argument`);
  }
  for (const tensor of [home, other, target, lossTarget]) tensor.dispose();
}

/** What holds for every loss, whatever its formula: where results go, how they scale, and that blocks do not show. */
export function describeResults(
  operation: LossOperation,
  make: Make,
  large: readonly (readonly [shape: readonly number[], axis: number])[],
): void {
  describeGuards(operation, 'it', make);
  for (const set of sets) {
    for (const dtype of DTYPES) {
      const { kernels } = set;

      test(`${set.name} ${dtype}: out takes the gradient, and may be the first argument`, () => {
        for (const [shape, axis] of [
          [[5, 7], 1],
          [[3, 60], 1],
          [[2, 6, 5], 1],
          [[3, 5, 2], 1],
        ] as const) {
          for (const reduction of ['mean', 'sum', 'none']) {
            const p = make(dtype, shape, axis, reduction);
            const { loss, grad } = lossWithGrad(kernels, operation, p);
            const out = newFloats(dtype, p.first.length).fill(GUARD);
            const given = lossWithGrad(kernels, operation, p, { out });
            expect(given.grad).toBe(out);
            expectSame(out, grad, `${p.what} out`);
            expectSame(numbersOf(given.loss), numbersOf(loss), `${p.what} out`);
            const first = p.first.slice();
            const inPlace = lossWithGrad(kernels, operation, p, { out: first }, first);
            expect(inPlace.grad).toBe(first);
            expectSame(first, grad, `${p.what} in place`);
            expectSame(numbersOf(inPlace.loss), numbersOf(loss), `${p.what} in place`);
            if (reduction !== 'none') continue;
            const losses = newFloats(dtype, (loss as Floats).length).fill(GUARD);
            expect(lossOf(kernels, operation, p, { out: losses })).toBe(losses);
            expectSame(losses, loss as Floats, `${p.what} losses`);
          }
        }
      });

      test(`${set.name} ${dtype}: gradOutput scales the gradient, not the loss`, () => {
        for (const [shape, axis] of [
          [[5, 7], 1],
          [[3, 60], 1],
          [[4, 6, 5], 1],
        ] as const) {
          for (const reduction of ['mean', 'sum', 'none']) {
            const p = make(dtype, shape, axis, reduction);
            const { loss, grad } = lossWithGrad(kernels, operation, p, { gradOutput: 1 });
            const scaled = lossWithGrad(kernels, operation, p, { gradOutput: -4 });
            expectSame(numbersOf(scaled.loss), numbersOf(loss), p.what);
            expectSame(withoutSignOfZero(scaled.grad), withoutSignOfZero(grad.map((g) => -4 * g)), p.what);
          }
          const p = make(dtype, shape, axis, 'none');
          const { loss, grad } = lossWithGrad(kernels, operation, p, { gradOutput: 1 });
          const powers = Float64Array.from({ length: (loss as Floats).length }, (_, i) => 2 ** ((i % 5) - 2));
          const expected = grad.map((g, i) => g * (powers[rowOf(operation, shape, axis, i)] as number));
          for (const gradOutput of [floatsOf(dtype, powers), Array.from(powers), powers, Float32Array.from(powers)]) {
            expectSame(lossWithGrad(kernels, operation, p, { gradOutput }).grad, expected, p.what);
          }
        }
      });

      test(`${set.name} ${dtype}: the same streamed and resident`, () => {
        for (const [shape, axis] of large) {
          for (const reduction of ['mean', 'none']) {
            const p = make(dtype, shape, axis, reduction);
            const streamed = lossWithGrad(kernels, operation, p);
            const x = kernels.tensor(p.first, [...shape]);
            const resident = lossWithGrad(kernels, operation, p, { shape: undefined }, x);
            const grad = resident.grad as unknown as Tensor;
            expectSame(grad.data, streamed.grad, `${p.what} gradient`);
            const kept = resident.loss as number | Tensor;
            const loss = typeof kept === 'number' ? [kept] : kept.toArray();
            expectSame(loss, numbersOf(streamed.loss), `${p.what} loss`);
            expectSame(numbersOf(lossOf(kernels, operation, p)), loss, `${p.what} loss alone`);
            lossWithGrad(kernels, operation, p, { shape: undefined, out: x }, x);
            expectSame(x.data, streamed.grad, `${p.what} in place`);
            for (const tensor of [x, grad, kept]) if (typeof tensor !== 'number') tensor.dispose();
          }
        }
      });
    }

    test(`${set.name}: out may be a view of linear memory, which grows in the call`, () => {
      const p = make('float32', [200_000, 2], 1, 'none');
      const into = (kernels: Kernels, withGrad: boolean, out: Floats) =>
        withGrad ? lossWithGrad(kernels, operation, p, { out }) : lossOf(kernels, operation, p, { out });
      for (const withGrad of [true, false]) {
        const size = withGrad || isElementWise(operation) ? 400_000 : 200_000;
        const expected = newFloats('float32', size);
        into(set.kernels, withGrad, expected);
        const fresh = set.create();
        const target = fresh.zeros([size]);
        into(fresh, withGrad, target.data as Floats);
        expectSame(target.data, expected, `${p.what}, ${withGrad ? 'gradient' : 'losses'}`);
      }
    });

    test(`${set.name}: memory is flat over many calls`, () => {
      const kernels = set.create();
      const p = make('float32', [4, 10], 1, 'mean');
      const wide = make('float64', [30, 3000], 1, 'none');
      const x = kernels.tensor(p.first, [4, 10]);
      const grad = kernels.zeros([4, 10]);
      const target = newFloats('float64', wide.first.length);
      expectFlatMemory(kernels, 20_000, (i) => {
        lossOf(kernels, operation, p);
        lossWithGrad(kernels, operation, p, { shape: undefined, out: grad }, x);
        if (i % 1000 === 0) lossWithGrad(kernels, operation, wide, { out: target });
      });
    });

    test(`${set.name}: results are in the kind of the first argument`, () => {
      const { kernels } = set;
      const p = make('float32', [3, 5], 1, 'none');
      const { loss, grad } = lossWithGrad(kernels, operation, p);
      expect(loss).toBeInstanceOf(Float32Array);
      expect(grad).toBeInstanceOf(Float32Array);
      const lossShape = isElementWise(operation) ? [3, 5] : [3];
      const like = { data: p.first, dims: [3, 5] };
      const results = lossWithGrad(kernels, operation, p, { shape: undefined }, like);
      expect(results).toEqual({ loss: { data: loss, shape: lossShape }, grad: { data: grad, shape: [3, 5] } });
      const x = kernels.tensor(p.first, [3, 5]);
      const tensors = lossWithGrad(kernels, operation, p, { shape: undefined }, x) as unknown as Record<string, Tensor>;
      expect(tensors.loss?.shape).toEqual(lossShape);
      expectSame(tensors.loss?.data as Floats, loss as Floats, 'loss');
      expect(tensors.grad?.shape).toEqual([3, 5]);
      expectSame(tensors.grad?.data as Floats, grad, 'gradient');
      const mean = make('float32', [3, 5], 1, 'mean');
      expect(typeof lossOf(kernels, operation, mean, { shape: undefined }, x)).toBe('number');
      for (const tensor of [x, tensors.loss, tensors.grad]) tensor?.dispose();
    });
  }
}

function withoutSignOfZero(values: Floats): Floats {
  return values.map((value) => value + 0);
}

/** The loss that an element belongs to. */
function rowOf(operation: LossOperation, shape: readonly number[], axis: number, element: number): number {
  if (isElementWise(operation)) return element;
  const n = shape[axis] as number;
  const inner = sizeOf(shape.slice(axis + 1));
  return Math.floor(element / (n * inner)) * inner + (element % inner);
}

/** A call that must fail: with which message, and that `out` is as it was. */
export interface Failure {
  readonly message: string;
  readonly type?: typeof TypeError | typeof RangeError;
  readonly call: (kernels: Kernels, out: Floats) => unknown;
}

export function describeErrors(failures: readonly Failure[]): void {
  describe('errors', () => {
    for (const set of sets) {
      for (const { message, type = RangeError, call } of failures) {
        test(`${set.name}: ${message}`, () => {
          const out = new Float32Array(6).fill(GUARD);
          expect(() => call(set.kernels, out)).toThrow(new type(message));
          expect(out.every((value) => value === Math.fround(GUARD))).toBe(true);
          expect(() => call(set.kernels, out)).toThrow(type);
        });
      }
    }
  });
}
