/**
 * The exact results the tests compare with. Not a backend: it shares no code with src/, and mpmath's values
 * (test/fixtures) pin it down.
 *
 * Two precisions. Both keep every intermediate value as an unevaluated sum of two doubles (double-double, about 32
 * digits), so sums over long rows and differences of close numbers cost nothing; they differ in the elementary
 * functions:
 * - `float64` takes the engine's Math.exp, Math.log and Math.log1p. Right to about 1e-15, fast; for float32 work. The
 *   results are rounded to one double and every `lo` is 0.
 * - `double-double` has its own exp, log and log1p, right to about 1e-30; for float64 work. Near the smallest
 *   doubles `lo` underflows and the pair is right to an absolute 2^-1074 instead.
 *
 * "Exact" means: of the given numbers, in real arithmetic, with the special values of the numerics page. A row
 * function takes one problem along the axis; `toRows` and `fromRows` carry any axis to that form and back.
 *
 * `scale` beside a result is what its accuracy bound is a multiple of, per element: Σ|terms| of its formula unless the
 * function says otherwise.
 */

import type { Dtype } from './cases.js';

export type Precision = 'float64' | 'double-double';

/** The precision for results of a type. */
export function precisionOf(dtype: Dtype): Precision {
  return dtype === 'float32' ? 'float64' : 'double-double';
}

export type Numbers = ArrayLike<number>;
/** True or non-zero keeps the element. */
export type KeepFlags = ArrayLike<boolean | number | bigint>;
export type Indices = ArrayLike<number | bigint>;
export type Reduction = 'mean' | 'sum' | 'none';
export type BatchReduction = Reduction | 'batchMean';

/** The value of element i is hi[i] + lo[i], hi[i] being that sum rounded to a double. */
export interface Exact {
  readonly hi: Float64Array;
  readonly lo: Float64Array;
}

export interface Scaled extends Exact {
  readonly scale: Float64Array;
}

export interface Loss {
  /** The losses of reduction 'none': one per element for bceWithLogits and klDiv, one per row for the others. */
  readonly unreduced: Scaled;
  /** What the operation returns: one element, or `unreduced` for reduction 'none'. */
  readonly loss: Scaled;
  /** Of the reduced loss ('none': of the sum) with respect to the first argument, times gradOutput. */
  readonly grad: Scaled;
}

// ---------------------------------------------------------------------------------------------------------------------
// Comparison

/**
 * |actual − (hi + lo)| in units of `unit`. The first difference is exact wherever the two are close, so nothing of the
 * error is lost. Equal infinities and two NaN are 0 apart; a NaN or an infinity in one place only is infinitely far.
 */
export function errorInUnits(actual: number, hi: number, lo: number, unit: number): number {
  if (Object.is(actual, hi) && lo === 0) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(hi)) return Object.is(actual, hi) ? 0 : Infinity;
  const error = Math.abs(actual - hi - lo);
  return error === 0 ? 0 : error / unit;
}

/** |actual − exact| / |exact| for element i. */
export function relativeError(actual: number, exact: Exact, i: number): number {
  return errorInUnits(actual, at(exact.hi, i), at(exact.lo, i), Math.abs(at(exact.hi, i)));
}

// ---------------------------------------------------------------------------------------------------------------------
// Double-double arithmetic (Dekker 1971; Knuth's two-sum; the accurate sum of Li et al., QD library)

interface DD {
  readonly hi: number;
  readonly lo: number;
}

const ZERO = dd(0);
const ONE = dd(1);

function dd(hi: number, lo = 0): DD {
  return { hi, lo };
}

/** Exact a + b. An infinite or NaN sum has no error term. */
function twoSum(a: number, b: number): DD {
  const sum = a + b;
  if (!Number.isFinite(sum)) return dd(sum);
  const bRounded = sum - a;
  return dd(sum, a - (sum - bRounded) + (b - bRounded));
}

/** As twoSum, for |a| ≥ |b|. */
function quickTwoSum(a: number, b: number): DD {
  const sum = a + b;
  return Number.isFinite(sum) ? dd(sum, b - (sum - a)) : dd(sum);
}

const SPLITTER = 2 ** 27 + 1;
const SPLIT_LIMIT = 2 ** 995;
/** Below it what a division leaves over could be no normal number. */
const REST_LIMIT = 2 ** -900;
const DOWN = 2 ** -64;
const UP = 2 ** 64;

/** Exact a · b, except that the error term of a product near the smallest doubles underflows. */
function twoProduct(a: number, b: number): DD {
  const product = a * b;
  if (!Number.isFinite(product)) return dd(product);
  if (Math.abs(a) > SPLIT_LIMIT) return scaledUp(twoProduct(a * DOWN, b));
  if (Math.abs(b) > SPLIT_LIMIT) return scaledUp(twoProduct(a, b * DOWN));
  const aBig = SPLITTER * a;
  const aHi = aBig - (aBig - a);
  const aLo = a - aHi;
  const bBig = SPLITTER * b;
  const bHi = bBig - (bBig - b);
  const bLo = b - bHi;
  return dd(product, aLo * bLo - (product - aHi * bHi - aLo * bHi - aHi * bLo));
}

function scaledUp(a: DD): DD {
  const hi = a.hi * UP;
  return dd(hi, Number.isFinite(hi) ? a.lo * UP : 0);
}

function add(a: DD, b: DD): DD {
  const high = twoSum(a.hi, b.hi);
  if (!Number.isFinite(high.hi)) return high;
  const low = twoSum(a.lo, b.lo);
  const first = quickTwoSum(high.hi, high.lo + low.hi);
  return quickTwoSum(first.hi, first.lo + low.lo);
}

function negate(a: DD): DD {
  return dd(-a.hi, -a.lo);
}

function subtract(a: DD, b: DD): DD {
  return add(a, negate(b));
}

function multiply(a: DD, b: DD): DD {
  const product = twoProduct(a.hi, b.hi);
  if (!Number.isFinite(product.hi)) return product;
  return quickTwoSum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

function divide(a: DD, b: DD): DD {
  if (b.hi === 1 && b.lo === 0) return a;
  if (Math.abs(a.hi) > SPLIT_LIMIT && Number.isFinite(a.hi)) return scaledUp(divide(dd(a.hi * DOWN, a.lo * DOWN), b));
  if (Math.abs(a.hi) < REST_LIMIT && a.hi !== 0) {
    const q = divide(dd(a.hi * UP, a.lo * UP), b);
    return dd(q.hi * DOWN, q.lo * DOWN);
  }
  const q1 = a.hi / b.hi;
  if (!Number.isFinite(q1) || !Number.isFinite(b.hi)) return dd(q1);
  const r1 = subtract(a, multiply(b, dd(q1)));
  const q2 = r1.hi / b.hi;
  const r2 = subtract(r1, multiply(b, dd(q2)));
  const q = quickTwoSum(q1, q2);
  return add(q, dd(r2.hi / b.hi));
}

function magnitude(a: DD): DD {
  return a.hi < 0 ? negate(a) : a;
}

const powerBits = new DataView(new ArrayBuffer(8));

/** 2^n for −1022 ≤ n ≤ 1023, from the bits: not every engine's power function is exact. */
function powerOfTwo(n: number): number {
  powerBits.setUint32(0, (n + 1023) << 20);
  return powerBits.getFloat64(0);
}

/** a · 2^n, in two steps where 2^n alone is not a normal double. */
function timesPowerOfTwo(a: DD, n: number): DD {
  const half = n < -1022 || n > 1023 ? n >> 1 : 0;
  const first = powerOfTwo(half);
  const second = powerOfTwo(n - half);
  return dd(a.hi * first * second, a.lo * first * second);
}

// ---------------------------------------------------------------------------------------------------------------------
// Elementary functions

interface Functions {
  exp(x: DD): DD;
  log(x: DD): DD;
  log1p(x: DD): DD;
}

/** The engine's functions at hi, carried to hi + lo by the first derivative. */
const float64Functions: Functions = {
  exp(x) {
    const value = Math.exp(x.hi);
    return value === 0 || !Number.isFinite(value) ? dd(value) : quickTwoSum(value, value * x.lo);
  },
  log(x) {
    const value = Math.log(x.hi);
    return Number.isFinite(value) ? twoSum(value, x.lo / x.hi) : dd(value);
  },
  log1p(x) {
    const value = Math.log1p(x.hi);
    return Number.isFinite(value) ? twoSum(value, x.lo / (1 + x.hi)) : dd(value);
  },
};

const doubleDoubleFunctions: Functions = { exp: ddExp, log: ddLog, log1p: ddLog1p };

const FUNCTIONS: Record<Precision, Functions> = {
  float64: float64Functions,
  'double-double': doubleDoubleFunctions,
};

/** ln 2 as three doubles: k · ln 2 must stay right to 1e-30 for |k| up to 1075. */
const LN2: readonly [number, number, number] = [Math.LN2, 2.3190468138462996e-17, 5.707708438416212e-34];

/** 1/n! for n = 6 … 2, and n! of the terms that a plain double carries far enough at |x| < 0.006. */
const INVERSE_FACTORIALS = [720, 120, 24, 6, 2].map((factorial) => divide(ONE, dd(factorial)));
const SMALL_FACTORIALS = [5040, 40320, 362880, 3628800, 39916800, 479001600];
const HALVINGS = 6;

/** x + k · ln 2, the largest part first: where it cancels against x, the next ones still count in full. */
function addTimesLn2(x: DD, k: number): DD {
  return add(add(add(x, twoProduct(k, LN2[0])), twoProduct(k, LN2[1])), dd(k * LN2[2]));
}

function expm1Series(x: DD): DD {
  let tail = 0;
  for (let i = SMALL_FACTORIALS.length - 1; i >= 0; i--) tail = (tail + 1 / at(SMALL_FACTORIALS, i)) * x.hi;
  let sum = dd(tail);
  for (const inverse of INVERSE_FACTORIALS) sum = multiply(add(sum, inverse), x);
  return add(x, multiply(sum, x));
}

/** e^x − 1 to full relative accuracy for |x| ≤ 0.36: the series at x / 64, then (1 + s)² − 1 = 2s + s² six times. */
function expm1Small(x: DD): DD {
  let s = expm1Series(timesPowerOfTwo(x, -HALVINGS));
  for (let i = 0; i < HALVINGS; i++) s = add(dd(2 * s.hi, 2 * s.lo), multiply(s, s));
  return s;
}

function ddExp(x: DD): DD {
  if (Number.isNaN(x.hi) || x.hi > 710) return dd(x.hi + Infinity);
  if (x.hi < -746) return ZERO;
  const k = Math.round(x.hi / LN2[0]);
  const value = timesPowerOfTwo(add(ONE, expm1Small(addTimesLn2(x, -k))), k);
  return Number.isFinite(value.hi) ? value : dd(value.hi);
}

/**
 * log(1 + x) for −0.3 ≤ x ≤ 0.42: one Newton step on e^y − 1 = x from the engine's value, with its second order. A tiny x
 * is the result itself: the steps of expm1Small would lose what lies below the smallest normal number.
 */
function log1pSmall(x: DD): DD {
  const y = Math.log1p(x.hi);
  if (Math.abs(x.hi) < 2 ** -200) return x;
  const power = expm1Small(dd(y));
  const step = divide(subtract(x, power), add(ONE, power));
  return add(dd(y), subtract(step, dd((step.hi * step.hi) / 2)));
}

function ddLog(x: DD): DD {
  if (!(x.hi > 0) || x.hi === Infinity) return dd(Math.log(x.hi));
  const k = Math.round(Math.log2(x.hi));
  const fraction = timesPowerOfTwo(x, -k);
  return addTimesLn2(log1pSmall(subtract(fraction, ONE)), k);
}

function ddLog1p(x: DD): DD {
  if (x.hi >= -0.25 && x.hi <= 0.25) return log1pSmall(x);
  return ddLog(add(ONE, x));
}

/** log(1 + e^−|x|), what softplus adds to max(x, 0). */
function softplusTail(f: Functions, x: DD): DD {
  return f.log1p(f.exp(negate(magnitude(x))));
}

function softplus(f: Functions, x: DD): DD {
  return add(x.hi > 0 ? x : ZERO, softplusTail(f, x));
}

function sigmoidOf(f: Functions, x: DD): DD {
  const e = f.exp(negate(magnitude(x)));
  return divide(x.hi < 0 ? e : ONE, add(ONE, e));
}

/** t · log t with 0 log 0 = 0. */
function xlogx(f: Functions, t: DD): DD {
  return t.hi === 0 ? ZERO : multiply(t, f.log(t));
}

// ---------------------------------------------------------------------------------------------------------------------
// Arrays of pairs

function newExact(length: number): Scaled {
  return { hi: new Float64Array(length), lo: new Float64Array(length), scale: new Float64Array(length) };
}

/** values[i], known to exist. */
function at(values: Numbers, i: number): number {
  return values[i] as number;
}

function get(values: Exact, i: number): DD {
  return dd(at(values.hi, i), at(values.lo, i));
}

function set(values: Exact, i: number, value: DD): void {
  values.hi[i] = value.hi;
  values.lo[i] = value.lo;
}

function setScaled(values: Scaled, i: number, value: DD, scale: number): void {
  set(values, i, value);
  values.scale[i] = scale;
}

/** The float64 precision promises one double per value; the pairs are normalized, so `hi` is already rounded. */
function rounded<T extends Exact>(precision: Precision, values: T): T {
  if (precision === 'float64') values.lo.fill(0);
  return values;
}

function filled(length: number, value: number): Scaled {
  const result = newExact(length);
  result.hi.fill(value);
  return result;
}

function elementwise(precision: Precision, x: Numbers, apply: (f: Functions, x: DD) => DD): Exact {
  const result = newExact(x.length);
  const functions = FUNCTIONS[precision];
  for (let i = 0; i < x.length; i++) set(result, i, apply(functions, dd(at(x, i))));
  return rounded(precision, result);
}

/** The values of `shape` as rows along `axis`, one after the other, in the order of the remaining axes. */
export function toRows(values: Numbers, shape: readonly number[], axis: number): Float64Array {
  if (isLast(shape, axis)) return Float64Array.from(values);
  const result = new Float64Array(values.length);
  visitRows(shape, axis, (flat, inRows) => {
    result[inRows] = at(values, flat);
  });
  return result;
}

/** Undoes toRows. */
export function fromRows(rows: Numbers, shape: readonly number[], axis: number): Float64Array {
  if (isLast(shape, axis)) return Float64Array.from(rows);
  const result = new Float64Array(rows.length);
  visitRows(shape, axis, (flat, inRows) => {
    result[flat] = at(rows, inRows);
  });
  return result;
}

/** Rows lie as they are wanted. */
function isLast(shape: readonly number[], axis: number): boolean {
  return axis === -1 || axis === shape.length - 1;
}

function visitRows(shape: readonly number[], axis: number, visit: (flat: number, inRows: number) => void): void {
  const position = axis < 0 ? axis + shape.length : axis;
  const n = at(shape, position);
  const inner = shape.slice(position + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, position).reduce((a, b) => a * b, 1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < inner; k++) visit((o * n + i) * inner + k, (o * inner + k) * n + i);
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Element-wise operations

export function exp(precision: Precision, x: Numbers): Exact {
  return elementwise(precision, x, (f, value) => f.exp(value));
}

export function log(precision: Precision, x: Numbers): Exact {
  return elementwise(precision, x, (f, value) => f.log(value));
}

export function log1p(precision: Precision, x: Numbers): Exact {
  return elementwise(precision, x, (f, value) => f.log1p(value));
}

/** 1 / (1 + e^−x). */
export function sigmoid(precision: Precision, x: Numbers): Exact {
  return elementwise(precision, x, sigmoidOf);
}

/** −softplus(−x). */
export function logSigmoid(precision: Precision, x: Numbers): Exact {
  return elementwise(precision, x, (f, value) => negate(softplus(f, negate(value))));
}

// ---------------------------------------------------------------------------------------------------------------------
// Softmax, log-softmax, log-sum-exp

/** What a row's results are made of. Without a finite maximum only `kept` and `max` count. */
interface Row {
  readonly kept: number;
  /** The largest element kept, NaN if one of them is NaN. */
  readonly max: number;
  /** (x − max)/T, −∞ where masked out. */
  readonly shifted: Exact;
  /** e^shifted. */
  readonly exps: Exact;
  /** Σ exps without the 1 that one largest element contributes: log1p of it keeps what a sum with 1 would lose. */
  readonly rest: DD;
}

function keeps(mask: KeepFlags | undefined, i: number): boolean {
  return mask === undefined || Boolean(mask[i]);
}

function largest(row: Numbers, keep: (i: number) => boolean): { kept: number; max: number; argmax: number } {
  let kept = 0;
  let max = -Infinity;
  let argmax = -1;
  for (let i = 0; i < row.length; i++) {
    if (!keep(i)) continue;
    kept++;
    const x = at(row, i);
    if (Number.isNaN(x)) return { kept, max: x, argmax: i };
    if (x > max) {
      max = x;
      argmax = i;
    }
  }
  return { kept, max, argmax };
}

/** (x − max)/T. Where x − max overflows it is computed at a smaller scale, so that a large T can bring it back. */
function shift(x: number, max: number, temperature: DD): DD {
  const difference = twoSum(x, -max);
  if (difference.hi === -Infinity && x !== -Infinity) {
    return scaledUp(divide(twoSum(x * DOWN, -max * DOWN), temperature));
  }
  return divide(difference, temperature);
}

function prepareRow(f: Functions, row: Numbers, temperature: number, keep: (i: number) => boolean): Row {
  const { kept, max, argmax } = largest(row, keep);
  const shifted = newExact(row.length);
  const exps = newExact(row.length);
  let rest = ZERO;
  if (!Number.isFinite(max)) return { kept, max, shifted, exps, rest };
  const divisor = dd(temperature);
  let x = NaN;
  let z = ZERO;
  let e = ZERO;
  for (let i = 0; i < row.length; i++) {
    const own = keep(i) ? at(row, i) : -Infinity;
    // Equal elements, of which tests of sums have long runs, are exponentiated once.
    if (own !== x) {
      x = own;
      z = x === -Infinity ? dd(-Infinity) : shift(x, max, divisor);
      e = f.exp(z);
    }
    set(shifted, i, z);
    set(exps, i, e);
    if (i !== argmax) rest = add(rest, e);
  }
  return { kept, max, shifted, exps, rest };
}

export interface Softmax extends Exact {
  /** |x − max|/T, the distance the bounds of softmax are stated in; NaN in a row without a finite maximum. */
  readonly distance: Float64Array;
}

/**
 * A row that keeps a NaN or a +∞, or keeps nothing but −∞, is NaN throughout, masked-out elements included; a row that
 * keeps nothing is 0.
 */
export function softmax(precision: Precision, row: Numbers, temperature = 1, mask?: KeepFlags): Softmax {
  const { kept, max, shifted, exps, rest } = prepareRow(FUNCTIONS[precision], row, temperature, (i) => keeps(mask, i));
  const distance = shifted.hi.map((z) => (Number.isFinite(max) ? Math.abs(z) : NaN));
  if (!Number.isFinite(max)) return { ...filled(row.length, kept === 0 ? 0 : NaN), distance };
  const result = { hi: new Float64Array(row.length), lo: new Float64Array(row.length), distance };
  const inverse = divide(ONE, add(ONE, rest));
  for (let i = 0; i < row.length; i++) set(result, i, multiply(get(exps, i), inverse));
  return rounded(precision, result);
}

/** The scale is max(|x − max|/T, log s), s = Σ e^((x − max)/T). */
export function logSoftmax(precision: Precision, row: Numbers, temperature = 1, mask?: KeepFlags): Scaled {
  const f = FUNCTIONS[precision];
  const prepared = prepareRow(f, row, temperature, (i) => keeps(mask, i));
  return rounded(precision, logSoftmaxOf(f, prepared));
}

function logSoftmaxOf(f: Functions, { kept, max, shifted, rest }: Row): Scaled {
  const length = shifted.hi.length;
  if (!Number.isFinite(max)) return filled(length, kept === 0 ? -Infinity : NaN);
  const result = newExact(length);
  const logSum = f.log1p(rest);
  for (let i = 0; i < length; i++) {
    const z = get(shifted, i);
    setScaled(result, i, subtract(z, logSum), Math.max(-z.hi, logSum.hi));
  }
  return result;
}

/**
 * log Σ w·e^(x/T), as one element. The scale is max(|result|, |log s|), s = Σ w·e^((x − max)/T). Weights are SciPy's b:
 * a weight 0 removes its element whatever that holds, a negative total is NaN, a total of 0 is −∞.
 */
export function logSumExp(
  precision: Precision,
  row: Numbers,
  temperature = 1,
  weights?: Numbers,
  mask?: KeepFlags,
): Scaled {
  const f = FUNCTIONS[precision];
  const weight = (i: number) => (weights === undefined ? 1 : at(weights, i));
  const keep = (i: number) => keeps(mask, i) && weight(i) !== 0;
  const prepared = prepareRow(f, row, temperature, keep);
  const result = newExact(1);
  if (!Number.isFinite(prepared.max) || !allFinite(weights, keep)) {
    setScaled(result, 0, dd(limitOfLogSumExp(row, weight, keep)), NaN);
    return result;
  }
  const logSum = weights === undefined ? f.log1p(prepared.rest) : logOfWeightedSum(f, prepared, weight, keep);
  const value = add(divide(dd(prepared.max), dd(temperature)), logSum);
  setScaled(result, 0, value, Math.max(Math.abs(value.hi), Math.abs(logSum.hi)));
  return rounded(precision, result);
}

/**
 * −Σ p log p of softmax(row / T), as log Σ e^z − Σ e^z z / Σ e^z with z = (x − max) / T: no two terms cancel, so that the
 * result is its own scale. 0 where nothing is kept.
 */
export function entropy(precision: Precision, row: Numbers, temperature = 1, mask?: KeepFlags): Scaled {
  const f = FUNCTIONS[precision];
  const { kept, max, shifted, exps, rest } = prepareRow(f, row, temperature, (i) => keeps(mask, i));
  if (!Number.isFinite(max)) return filled(1, kept === 0 ? 0 : NaN);
  let dot = ZERO;
  for (let i = 0; i < row.length; i++) {
    const e = get(exps, i);
    const z = get(shifted, i);
    // Below the normal numbers e has lost digits that e · z still has.
    const isFaint = e.hi < 2 ** -960 && z.hi > -Infinity && z.hi < 0;
    if (isFaint) dot = subtract(dot, f.exp(add(z, f.log(negate(z)))));
    else if (e.hi > 0) dot = add(dot, multiply(e, z));
  }
  const result = newExact(1);
  const value = subtract(f.log1p(rest), divide(dot, add(ONE, rest)));
  setScaled(result, 0, value, value.hi);
  return rounded(precision, result);
}

function allFinite(values: Numbers | undefined, keep: (i: number) => boolean): boolean {
  if (values === undefined) return true;
  for (let i = 0; i < values.length; i++) if (keep(i) && !Number.isFinite(values[i])) return false;
  return true;
}

/** With infinities or NaN about, finite numbers only matter by their sign: every finite e^x may count as 1. */
function limitOfLogSumExp(row: Numbers, weight: (i: number) => number, keep: (i: number) => boolean): number {
  let total = 0;
  for (let i = 0; i < row.length; i++) {
    if (keep(i)) total += weight(i) * (Number.isFinite(row[i]) ? 1 : Math.exp(at(row, i)));
  }
  return Math.log(total);
}

/** log Σ w·e: near 1 through log1p of the sum that starts at −1, elsewhere of the sum itself. */
function logOfWeightedSum(f: Functions, row: Row, weight: (i: number) => number, keep: (i: number) => boolean): DD {
  const sumFrom = (start: number) => {
    let sum = dd(start);
    // The elements at the maximum first: what −1 cancels against is exact.
    for (const atMax of [true, false]) {
      for (let i = 0; i < row.exps.hi.length; i++) {
        if (keep(i) && (row.shifted.hi[i] === 0) === atMax) sum = add(sum, multiply(dd(weight(i)), get(row.exps, i)));
      }
    }
    return sum;
  };
  const sum = sumFrom(0);
  return sum.hi > 0.5 && sum.hi < 2 ? f.log1p(sumFrom(-1)) : f.log(sum);
}

// ---------------------------------------------------------------------------------------------------------------------
// Ranking

/** The indices of a row, its largest element first: NaN before all others, equals (−0 and 0 are) as they lie. */
export function ranking(row: Numbers): number[] {
  const order = Array.from(row, (_, i) => i);
  const isNumber = (i: number) => !Number.isNaN(row[i]);
  // Sorting is stable. A difference would be NaN for equal infinities.
  const numbers = order
    .filter(isNumber)
    .sort((a, b) => Number(at(row, b) > at(row, a)) - Number(at(row, b) < at(row, a)));
  return [...order.filter((i) => !isNumber(i)), ...numbers];
}

// ---------------------------------------------------------------------------------------------------------------------
// Backward

/** dx = y·(dy − Σ y·dy)/T. The scale is |y|·(|dy| + Σ|y·dy|)/T. */
export function softmaxBackward(precision: Precision, y: Numbers, dy: Numbers, temperature = 1): Scaled {
  let sum = ZERO;
  let absolute = 0;
  for (let i = 0; i < y.length; i++) {
    const term = twoProduct(at(y, i), at(dy, i));
    sum = add(sum, term);
    absolute += Math.abs(term.hi);
  }
  const result = newExact(y.length);
  const t = dd(temperature);
  for (let i = 0; i < y.length; i++) {
    const p = dd(at(y, i));
    const difference = subtract(dd(at(dy, i)), sum);
    // The factor that is above 1 comes first: nothing on the way is below the normal numbers unless the result is.
    const value = temperature < 1 ? multiply(p, divide(difference, t)) : divide(multiply(p, difference), t);
    setScaled(result, i, value, Math.abs(p.hi) * ((Math.abs(at(dy, i)) + absolute) / temperature));
  }
  return rounded(precision, result);
}

/** dx = (dy − exp(logP)·Σ dy)/T. The scale is (|dy| + exp(logP)·Σ|dy|)/T. */
export function logSoftmaxBackward(precision: Precision, logP: Numbers, dy: Numbers, temperature = 1): Scaled {
  const f = FUNCTIONS[precision];
  let sum = ZERO;
  let absolute = 0;
  for (let i = 0; i < dy.length; i++) {
    sum = add(sum, dd(at(dy, i)));
    absolute += Math.abs(at(dy, i));
  }
  const result = newExact(dy.length);
  for (let i = 0; i < dy.length; i++) {
    const p = f.exp(dd(at(logP, i)));
    const value = divide(subtract(dd(at(dy, i)), multiply(p, sum)), dd(temperature));
    setScaled(result, i, value, (Math.abs(at(dy, i)) + p.hi * absolute) / temperature);
  }
  return rounded(precision, result);
}

// ---------------------------------------------------------------------------------------------------------------------
// Losses: what they share

interface ReductionOptions {
  readonly reduction?: Reduction;
  /** A number, or with reduction 'none' one number per loss. */
  readonly gradOutput?: number | Numbers;
}

/** A sum of losses and of their scales, divided by `divisor` (1 for 'sum'). An empty mean is 0/0 = NaN. */
function reduce(unreduced: Scaled, reduction: BatchReduction, divisor: DD): Scaled {
  if (reduction === 'none') return unreduced;
  const result = newExact(1);
  let sum = ZERO;
  let scale = 0;
  for (let i = 0; i < unreduced.hi.length; i++) {
    sum = add(sum, get(unreduced, i));
    scale += at(unreduced.scale, i);
  }
  setScaled(result, 0, divide(sum, divisor), scale / Math.abs(divisor.hi));
  return result;
}

/** The factor of the gradient of loss i: gradOutput, divided as the reduced loss is. */
function upstream(gradOutput: number | Numbers | undefined, i: number, divisor: DD): DD {
  const value = typeof gradOutput === 'number' || gradOutput === undefined ? (gradOutput ?? 1) : at(gradOutput, i);
  return divide(dd(value), divisor);
}

function roundedLoss(precision: Precision, loss: Loss): Loss {
  return {
    unreduced: rounded(precision, loss.unreduced),
    loss: rounded(precision, loss.loss),
    grad: rounded(precision, loss.grad),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Cross entropy and negative log-likelihood

/** One index per row, or one probability per logit. */
export type Targets = { readonly indices: Indices } | { readonly probabilities: Numbers };

export interface NllLossOptions extends ReductionOptions {
  /** One per class. */
  readonly weight?: Numbers;
  /** Default −100. */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NllLossOptions {
  readonly temperature?: number;
  readonly labelSmoothing?: number;
  /** One per logit, 0 where it is not kept. */
  readonly mask?: Numbers;
}

/**
 * A row's loss is −Σ coefficient[c]·logSoftmax[c]. A class that is not `present` has no term at all, so that its −∞
 * cannot turn 0 · ∞ into NaN; an ignored row has no coefficients.
 */
interface Terms {
  readonly coefficients: DD[];
  readonly present: boolean[];
}

function weightAt(weight: Numbers | undefined, i: number): DD {
  return dd(weight === undefined ? 1 : at(weight, i));
}

/** What smoothing adds to the target probability of each class: the same to all that are kept. */
function sharesOf(kept: Float64Array, { labelSmoothing = 0 }: CrossEntropyOptions): DD[] {
  const share = divide(dd(labelSmoothing), dd(kept.filter(Boolean).length));
  return Array.from(kept, (isKept) => (isKept ? share : ZERO));
}

function indexTerms(kept: Float64Array, target: number, options: CrossEntropyOptions): Terms {
  const { weight, labelSmoothing = 0 } = options;
  const rest = subtract(ONE, dd(labelSmoothing));
  const factors = sharesOf(kept, options).map((share, c) => (c === target ? add(rest, share) : share));
  return {
    coefficients: factors.map((factor, c) => multiply(factor, weightAt(weight, c))),
    present: factors.map((factor, c) => factor.hi !== 0 || (c === target && kept[c] !== 0)),
  };
}

/** A probability of 0 (after smoothing) beside a log-probability of −∞ has no term: torch gives NaN there. */
function probabilityTerms(
  kept: Float64Array,
  probabilities: Numbers,
  logP: Exact,
  options: CrossEntropyOptions,
): Terms {
  const { weight, labelSmoothing = 0 } = options;
  const rest = subtract(ONE, dd(labelSmoothing));
  const shares = sharesOf(kept, options);
  const smoothed = Array.from(probabilities, (t, c) => add(multiply(dd(t), rest), shares[c] as DD));
  return {
    coefficients: smoothed.map((t, c) => multiply(t, weightAt(weight, c))),
    present: smoothed.map((t, c) => t.hi !== 0 || logP.hi[c] !== -Infinity),
  };
}

/**
 * Cross entropy of logits [rows][classes]. The scale of a row's loss is Σ |coefficient|·max(|x − max|/T, log s) over
 * its terms, which for one index target is w·max(|x_t − max|/T, log s); that of the reduced loss is the sum of the
 * rows' divided as the loss is. The scale of a gradient is |gradOutput/divisor|/T·(p·Σ|coefficient| + |coefficient|).
 *
 * A class that is not kept has a logit of −∞, no share of what smoothing spreads, and a gradient of 0.
 */
export function crossEntropy(
  precision: Precision,
  logits: Numbers,
  classes: number,
  targets: Targets,
  options: CrossEntropyOptions = {},
): Loss {
  const { temperature = 1, reduction = 'mean' } = options;
  const f = FUNCTIONS[precision];
  const rows = rowCount(logits, classes, targets);
  const divisor = reduction === 'mean' ? crossEntropyDivisor(rows, targets, options) : ONE;
  const unreduced = newExact(rows);
  const grad = newExact(logits.length);
  for (let r = 0; r < rows; r++) {
    if (isIgnored(targets, r, options)) continue;
    const kept = options.mask === undefined ? new Float64Array(classes).fill(1) : rowOf(options.mask, r, classes);
    const row = prepareRow(f, rowOf(logits, r, classes), temperature, (c) => kept[c] !== 0);
    const logP = logSoftmaxOf(f, row);
    const terms =
      'indices' in targets
        ? indexTerms(kept, Number(targets.indices[r]), options)
        : probabilityTerms(kept, rowOf(targets.probabilities, r, classes), logP, options);
    setRowLoss(unreduced, r, terms, logP);
    const factor = divide(upstream(options.gradOutput, r, divisor), dd(temperature));
    setRowGradient(grad, r * classes, terms, row, kept, factor);
  }
  return roundedLoss(precision, { unreduced, loss: reduce(unreduced, reduction, divisor), grad });
}

function rowOf(values: Numbers, row: number, classes: number): Float64Array {
  return Float64Array.from({ length: classes }, (_, c) => at(values, row * classes + c));
}

function rowCount(logits: Numbers, classes: number, targets: Targets): number {
  if ('indices' in targets) return targets.indices.length;
  return classes === 0 ? 0 : logits.length / classes;
}

function isIgnored(targets: Targets, row: number, { ignoreIndex = -100 }: NllLossOptions): boolean {
  return 'indices' in targets && Number(targets.indices[row]) === ignoreIndex;
}

/** Index targets divide by the weights of the rows that count, probability targets by the number of rows. */
function crossEntropyDivisor(rows: number, targets: Targets, options: NllLossOptions): DD {
  if (!('indices' in targets)) return dd(rows);
  let sum = ZERO;
  for (let r = 0; r < rows; r++) {
    if (!isIgnored(targets, r, options)) sum = add(sum, weightAt(options.weight, Number(targets.indices[r])));
  }
  return sum;
}

function setRowLoss(unreduced: Scaled, row: number, { coefficients, present }: Terms, logP: Scaled): void {
  let sum = ZERO;
  let scale = 0;
  coefficients.forEach((q, c) => {
    if (!present[c]) return;
    sum = subtract(sum, multiply(q, get(logP, c)));
    scale += Math.abs(q.hi) * at(logP.scale, c);
  });
  setScaled(unreduced, row, sum, scale);
}

/**
 * The gradient of −Σ coefficient·log p is p·Σ coefficient − coefficient, per class; where p is above ½, of which there
 * is one at most, as p·Σ of the other coefficients − coefficient·Σ of the other p: 1 − p may have more digits than a
 * pair.
 */
function setRowGradient(
  grad: Scaled,
  start: number,
  { coefficients }: Terms,
  row: Row,
  kept: Float64Array,
  factor: DD,
): void {
  const sum = coefficients.reduce(add, ZERO);
  const absolute = coefficients.reduce((total, q) => total + Math.abs(q.hi), 0);
  const inverse = divide(ONE, add(ONE, row.rest));
  coefficients.forEach((q, c) => {
    if (!kept[c]) return;
    const p = Number.isFinite(row.max) ? multiply(get(row.exps, c), inverse) : dd(NaN);
    const isAlmostAll = row.shifted.hi[c] === 0 && row.rest.hi < 1;
    const others = isAlmostAll
      ? coefficients.reduce((total, other, d) => (d === c ? total : add(total, other)), ZERO)
      : sum;
    const own = isAlmostAll ? multiply(q, multiply(row.rest, inverse)) : q;
    const value = multiply(factor, subtract(multiply(p, others), own));
    setScaled(grad, start + c, value, Math.abs(factor.hi) * (p.hi * absolute + Math.abs(q.hi)));
  });
}

/** Negative log-likelihood of log-probabilities [rows][classes], −w[t]·logProbs[t]. Each loss is its own scale. */
export function nllLoss(
  precision: Precision,
  logProbs: Numbers,
  classes: number,
  indices: Indices,
  options: NllLossOptions = {},
): Loss {
  const { weight, reduction = 'mean' } = options;
  const targets = { indices };
  const divisor = reduction === 'mean' ? crossEntropyDivisor(indices.length, targets, options) : ONE;
  const unreduced = newExact(indices.length);
  const grad = newExact(logProbs.length);
  for (let r = 0; r < indices.length; r++) {
    if (isIgnored(targets, r, options)) continue;
    const position = r * classes + Number(indices[r]);
    const w = weightAt(weight, Number(indices[r]));
    const value = negate(multiply(w, dd(at(logProbs, position))));
    setScaled(unreduced, r, value, Math.abs(value.hi));
    const slope = negate(multiply(upstream(options.gradOutput, r, divisor), w));
    setScaled(grad, position, slope, Math.abs(slope.hi));
  }
  return roundedLoss(precision, { unreduced, loss: reduce(unreduced, reduction, divisor), grad });
}

// ---------------------------------------------------------------------------------------------------------------------
// Element-wise losses

export interface BceWithLogitsOptions extends ReductionOptions {
  /** Both already broadcast: one per logit. */
  readonly weight?: Numbers;
  readonly posWeight?: Numbers;
}

/**
 * Binary cross entropy, w·((1 − t)·softplus(x) + p·t·softplus(−x)), p = posWeight. The scales are
 * w·(|1 − t|·softplus(x) + |p·t|·softplus(−x)) and, of the gradient, w·((|p·t| + |1 − t|)·σ(x) + |p·t|)/count.
 */
export function bceWithLogits(
  precision: Precision,
  logits: Numbers,
  targets: Numbers,
  options: BceWithLogitsOptions = {},
): Loss {
  const { weight, posWeight, reduction = 'mean' } = options;
  const f = FUNCTIONS[precision];
  const divisor = reduction === 'mean' ? dd(logits.length) : ONE;
  const unreduced = newExact(logits.length);
  const grad = newExact(logits.length);
  for (let i = 0; i < logits.length; i++) {
    const x = dd(at(logits, i));
    const w = weightAt(weight, i);
    const negative = subtract(ONE, dd(at(targets, i)));
    const positive = multiply(weightAt(posWeight, i), dd(at(targets, i)));
    const first = multiply(negative, softplus(f, x));
    const second = multiply(positive, softplus(f, negate(x)));
    setScaled(unreduced, i, multiply(w, add(first, second)), Math.abs(w.hi) * sumOfMagnitudes(first, second));
    const probability = sigmoidOf(f, x);
    const slope = subtract(multiply(add(positive, negative), probability), positive);
    const factor = multiply(upstream(options.gradOutput, i, divisor), w);
    const slopeScale = sumOfMagnitudes(positive, negative) * probability.hi + Math.abs(positive.hi);
    setScaled(grad, i, multiply(slope, factor), Math.abs(factor.hi) * slopeScale);
  }
  return roundedLoss(precision, { unreduced, loss: reduce(unreduced, reduction, divisor), grad });
}

function sumOfMagnitudes(a: DD, b: DD): number {
  return Math.abs(a.hi) + Math.abs(b.hi);
}

export interface KlDivOptions {
  readonly logTarget?: boolean;
  readonly reduction?: BatchReduction;
  readonly gradOutput?: number | Numbers;
  /** What 'batchMean' divides by: shape[0], or 1 for rank 1. Default 1. */
  readonly batchSize?: number;
}

/**
 * Kullback-Leibler divergence, t·log t − t·input with 0 log 0 = 0, or exp(t)·(t − input) with logTarget. The scales are
 * |t·log t| + |t·input|, or exp(t)·(|t| + |input|), and of the gradient |t| or exp(t), divided as the loss is. As in
 * torch 2, a target 0 beside an input of −∞ (logTarget: a target −∞) gives NaN.
 */
export function klDiv(precision: Precision, input: Numbers, target: Numbers, options: KlDivOptions = {}): Loss {
  const { logTarget = false, reduction = 'mean', batchSize = 1 } = options;
  const f = FUNCTIONS[precision];
  const divisor = batchDivisor(reduction, input.length, batchSize);
  const unreduced = newExact(input.length);
  const grad = newExact(input.length);
  for (let i = 0; i < input.length; i++) {
    const x = dd(at(input, i));
    const t = dd(at(target, i));
    const p = logTarget ? f.exp(t) : t;
    if (logTarget) {
      const scale = p.hi * (Math.abs(t.hi) + Math.abs(x.hi));
      setScaled(unreduced, i, multiply(p, subtract(t, x)), scale);
    } else {
      const entropy = xlogx(f, t);
      const cross = multiply(t, x);
      setScaled(unreduced, i, subtract(entropy, cross), sumOfMagnitudes(entropy, cross));
    }
    const slope = negate(multiply(upstream(options.gradOutput, i, divisor), p));
    setScaled(grad, i, slope, Math.abs(slope.hi));
  }
  return roundedLoss(precision, { unreduced, loss: reduce(unreduced, reduction, divisor), grad });
}

function batchDivisor(reduction: BatchReduction, count: number, batchSize: number): DD {
  if (reduction === 'mean') return dd(count);
  return reduction === 'batchMean' ? dd(batchSize) : ONE;
}

// ---------------------------------------------------------------------------------------------------------------------
// Distillation

export interface DistillationOptions {
  readonly temperature?: number;
  /** Default 'batchMean'. 'mean' is the mean of the rows' losses. */
  readonly reduction?: BatchReduction;
  readonly gradOutput?: number | Numbers;
  /** What 'batchMean' divides by: shape[0], or 1 for rank 1. Default: the number of rows. */
  readonly batchSize?: number;
}

/**
 * T²·Σ p·(log p − log q) per row, p = softmax(teacher/T), q = softmax(student/T); a teacher's probability that is 0 as
 * a double contributes 0 whatever the student says. The scale of a row is T²·Σ p·(|log p| + |log q|), that of its
 * gradient T·(q − p) is T·(q + p), both divided as the loss is.
 */
export function distillation(
  precision: Precision,
  student: Numbers,
  teacher: Numbers,
  classes: number,
  options: DistillationOptions = {},
): Loss {
  const rows = classes === 0 ? 0 : student.length / classes;
  const { temperature = 1, reduction = 'batchMean', batchSize = rows } = options;
  const f = FUNCTIONS[precision];
  const divisor = batchDivisor(reduction, rows, batchSize);
  const unreduced = newExact(rows);
  const grad = newExact(student.length);
  for (let r = 0; r < rows; r++) {
    const q = logProbabilities(f, rowOf(student, r, classes), temperature);
    const p = logProbabilities(f, rowOf(teacher, r, classes), temperature);
    setDivergence(unreduced, r, p, q, temperature);
    const factor = multiply(upstream(options.gradOutput, r, divisor), dd(temperature));
    for (let c = 0; c < classes; c++) {
      const pc = get(p.probabilities, c);
      const qc = get(q.probabilities, c);
      const scale = Math.abs(factor.hi) * (pc.hi + qc.hi);
      setScaled(grad, r * classes + c, multiply(factor, subtract(qc, pc)), scale);
    }
  }
  return roundedLoss(precision, { unreduced, loss: reduce(unreduced, reduction, divisor), grad });
}

interface Distribution {
  /** T·log p: without the division that T would only undo, no sooner infinite than the loss. */
  readonly logs: Exact;
  readonly probabilities: Exact;
}

function logProbabilities(f: Functions, row: Numbers, temperature: number): Distribution {
  const prepared = prepareRow(f, row, temperature, () => true);
  const logs = filled(row.length, NaN);
  const probabilities = filled(row.length, NaN);
  const inverse = divide(ONE, add(ONE, prepared.rest));
  const logSum = multiply(dd(temperature), f.log1p(prepared.rest));
  if (Number.isFinite(prepared.max)) {
    for (let c = 0; c < row.length; c++) {
      set(logs, c, subtract(twoSum(at(row, c), -prepared.max), logSum));
      set(probabilities, c, multiply(get(prepared.exps, c), inverse));
    }
  }
  return { logs, probabilities };
}

/** A NaN anywhere in either row makes all of that row NaN, so no NaN is lost with the terms that are left out. */
function setDivergence(unreduced: Scaled, row: number, p: Distribution, q: Distribution, temperature: number): void {
  let sum = ZERO;
  let scale = 0;
  for (let c = 0; c < p.logs.hi.length; c++) {
    if (p.probabilities.hi[c] === 0 && !Number.isNaN(q.logs.hi[c])) continue;
    const pc = get(p.probabilities, c);
    sum = add(sum, multiply(pc, subtract(get(p.logs, c), get(q.logs, c))));
    scale += pc.hi * sumOfMagnitudes(get(p.logs, c), get(q.logs, c));
  }
  setScaled(unreduced, row, multiply(dd(temperature), sum), temperature * scale);
}
