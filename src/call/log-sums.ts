import { ROW_SUM_BYTES } from '../generated/layout.js';
import { remainderOf } from '../reference/exponential.js';
import { roundingOf } from '../reference/sum.js';
import { arrayFor } from './caller.js';
import { type JsonNumber, jsonNumber, readJsonNumber, readList } from './json.js';

/**
 * Sums of exponentials that can be merged, one for each row: Σ w e^(x / t) = e^(maximum / t) · (top + others + lost),
 * where top is the weight at the maximum, others is the sum of the other terms and lost is the rounding error of the
 * two. Because the maximum's term is kept apart, the other terms count to their last digit, however small.
 *
 * If the maximum is not finite, it is the whole sum: −∞ for a sum without terms, ∞, or NaN.
 *
 * e^x and log x are computed here, not by Math: engines differ in their last digits.
 */
export class LogSums {
  /** Four numbers for each row: maximum, top, others and lost. */
  readonly #cells: Float64Array;
  readonly #temperature: number;

  constructor(operation: string, rows: number, temperature = 1, cells = emptyCells(operation, rows)) {
    this.#cells = cells;
    this.#temperature = temperature;
  }

  maximum(row: number): number {
    return this.#cells[SUMS_LENGTH * row]!;
  }

  /**
   * Adds what findSums found for each row of x / t, beginning at index `at`. If t is not the temperature of these sums,
   * theirs is 1, and their maximum is x / t: `lost` then also takes the rounding error of that quotient.
   */
  addFound(found: Readonly<Float64Array>, at: number, t = this.#temperature): void {
    const divides = t !== this.#temperature;
    for (let row = 0; row < this.#cells.length / SUMS_LENGTH; row++, at += SUMS_LENGTH) {
      const maximum = found[at]!;
      const top = found[at + 1]!;
      const others = found[at + 2]!;
      const lost = found[at + 3]!;
      const quotient = divides ? maximum / t : maximum;
      const correction = divides && Math.abs(quotient) < HUGE ? remainderOf(maximum, quotient, t) / t : 0;
      this.#add(row, quotient, top, others, lost + correction * (top + others));
    }
  }

  /** Adds sums of the same rows. */
  merge(other: LogSums): void {
    this.addFound(other.#cells, 0);
  }

  /** Adds a sum to the sum of a row. */
  #add(row: number, maximum: number, top: number, others: number, lost: number): void {
    const at = SUMS_LENGTH * row;
    const ownMaximum = this.#cells[at]!;
    const ownTop = this.#cells[at + 1]!;
    const ownOthers = this.#cells[at + 2]!;
    const ownLost = this.#cells[at + 3]!;
    if (maximum === -Infinity) return;
    if (ownMaximum === -Infinity) this.#set(at, maximum, top, others, lost);
    else if (!Number.isFinite(maximum) || !Number.isFinite(ownMaximum)) this.#set(at, ownMaximum + maximum, 0, 0, 0);
    else if (maximum === ownMaximum) {
      const tops = ownTop + top;
      const sum = ownOthers + others;
      const rounded = roundingOf(ownTop, top, tops) + roundingOf(ownOthers, others, sum);
      this.#set(at, maximum, tops, sum, ownLost + lost + rounded);
    } else if (maximum < ownMaximum) {
      this.#addBelow(at, ownMaximum, ownTop, ownOthers, ownLost, maximum, top, others, lost);
    } else this.#addBelow(at, maximum, top, others, lost, ownMaximum, ownTop, ownOthers, ownLost);
  }

  #set(at: number, maximum: number, top: number, others: number, lost: number): void {
    // A sum that overflows is ∞; a negative one has no logarithm.
    if (!Number.isFinite(top + others)) {
      this.#set(at, Math.log(top + others), 0, 0, 0);
      return;
    }
    // + 0 turns −0, which JSON lacks, into 0.
    this.#cells[at] = maximum + 0;
    this.#cells[at + 1] = top + 0;
    this.#cells[at + 2] = others + 0;
    this.#cells[at + 3] = lost + 0;
  }

  /** Stores a sum and another one with a smaller maximum. */
  #addBelow(
    at: number,
    maximum: number,
    top: number,
    others: number,
    lost: number,
    lower: number,
    lowerTop: number,
    lowerOthers: number,
    lowerLost: number,
  ): void {
    const t = this.#temperature;
    const difference = lower - maximum;
    const quotient = difference / t;
    // Terms so far below the maximum do not change any sum.
    if (quotient < LEAST_EXPONENT) {
      this.#set(at, maximum, top, others, lost);
      return;
    }
    const correction = roundingOf(lower, -maximum, difference) + remainderOf(difference, quotient, t);
    const scale = powerOfTwo(Math.round(quotient / Math.LN2));
    const rest = expRest(quotient, correction / t);
    // The lower sum times scale · (1 + rest). The first product is exact; only the share of `rest` is rounded.
    const total = lowerTop + lowerOthers;
    const scaled = total * scale;
    const remaining = scaled * rest + (roundingOf(lowerTop, lowerOthers, total) + lowerLost) * scale * (1 + rest);
    const first = others + scaled;
    const sum = first + remaining;
    this.#set(at, maximum, top, sum, lost + roundingOf(others, scaled, first) + roundingOf(first, remaining, sum));
  }

  /** log Σ w e^(x / t) − c / t, exact as if c / t were subtracted before anything is rounded; c is finite. */
  logarithm(row: number, c = 0): number {
    const at = SUMS_LENGTH * row;
    const maximum = this.#cells[at]!;
    const t = this.#temperature;
    const difference = maximum - c;
    // In halves if the difference overflows; then its rounding error does not matter.
    const base = Number.isFinite(difference) ? difference / t : ((maximum / 2 - c / 2) / t) * 2;
    if (!Number.isFinite(base)) return base;
    let correction = 0;
    if (Math.abs(base) < HUGE) {
      correction = roundingOf(maximum, -c, difference) + remainderOf(difference, base, t);
    }
    return plusLog(base, correction / t, this.#cells[at + 1]!, this.#cells[at + 2]!, this.#cells[at + 3]!);
  }

  toJSON(): JsonNumber[] {
    return Array.from(this.#cells, jsonNumber);
  }

  /** Σ w e^((x − maximum) / t). */
  total(row: number): number {
    const at = SUMS_LENGTH * row;
    return this.#cells[at + 1]! + this.#cells[at + 2]! + this.#cells[at + 3]!;
  }

  /**
   * 1 − e^(c / t) / Σ e^(x / t), where c is one of the x and the maximum is finite: accurate to its last digits even if
   * c is the maximum.
   */
  complement(row: number, c: number): number {
    const at = SUMS_LENGTH * row;
    const maximum = this.#cells[at]!;
    const total = this.total(row);
    if (c === maximum) return (this.#cells[at + 1]! - 1 + this.#cells[at + 2]! + this.#cells[at + 3]!) / total;
    const exponent = (c - maximum) / this.#temperature;
    return exponent < LEAST_EXPONENT
      ? 1
      : 1 - (powerOfTwo(Math.round(exponent / Math.LN2)) * (1 + expRest(exponent, 0))) / total;
  }
}

/** The number of cells of a row. */
const SUMS_LENGTH = ROW_SUM_BYTES / 8;

/** Reads the cells that toJSON gave. @throws TypeError, RangeError */
export function readSums(operation: string, json: unknown, rows: number): Float64Array {
  const list = readList(operation, 'json.sums', json, SUMS_LENGTH * rows);
  return Float64Array.from(list, (cell, i) => readJsonNumber(operation, `json.sums[${i}]`, cell));
}

function emptyCells(operation: string, rows: number): Float64Array {
  const cells = arrayFor(operation, SUMS_LENGTH * rows, (length) => new Float64Array(length));
  for (let at = 0; at < cells.length; at += SUMS_LENGTH) cells[at] = -Infinity;
  return cells;
}

/** base + baseLost + log(top + others + lost), where base and log 2^k are added with compensation. */
function plusLog(base: number, baseLost: number, top: number, others: number, lost: number): number {
  const rounded = top + others;
  const rest = roundingOf(top, others, rounded) + lost;
  // If weights cancel, the rounding error may be all that is left.
  let sum = rounded + rest;
  let low = roundingOf(rounded, rest, sum);
  if (!(sum > 0 && sum < Infinity)) return Math.log(sum);
  // Weights may make it so small or so large that 2^-k is no normal number.
  const shift = sum < 2 ** -900 ? 200 : sum > 2 ** 900 ? -200 : 0;
  sum *= powerOfTwo(shift);
  low *= powerOfTwo(shift);
  // sum = 2^k (1 + f), 1 + f in [¾, 1½): exact apart from `low`.
  const k = exponentOf(sum * (4 / 3));
  const scale = powerOfTwo(-k);
  const f = sum * scale - 1 + low * scale;
  const high = (k - shift) * LN2_HIGH;
  const whole = base + high;
  return whole + (roundingOf(base, high, whole) + baseLost + (k - shift) * LN2_LOW + log1p(f));
}

// As in FreeBSD's msun, e_exp.c and e_log.c; the coefficients of the logarithm are those of assembly/math/log.ts.

/** ln 2 in two parts: multiples of the first are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** From this magnitude on, the maximum's own rounding error outweighs any correction. */
const HUGE = 2 ** 53;
/** From this exponent on, e^x is a normal number. */
const LEAST_EXPONENT = -708;

/** e^(x + lost) = 2^k (1 + the result), k = x / ln 2 to the nearest whole number. */
function expRest(x: number, lost: number): number {
  const k = Math.round(x / Math.LN2);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW - lost;
  const r = high - low;
  const z = r * r;
  const p = EXP[0] + z * (EXP[1] + z * (EXP[2] + z * (EXP[3] + z * EXP[4])));
  const c = r - z * p;
  return high - (low - (r * c) / (2 - c));
}

const EXP = [
  0.16666666666666602, -0.0027777777777015593, 6.613756321437934e-5, -1.6533902205465252e-6, 4.1381367970572385e-8,
] as const;

/** log(1 + f) for −¼ ≤ f ≤ ½. */
function log1p(f: number): number {
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const odd = w * (LOG[1] + w * (LOG[3] + w * LOG[5]));
  const even = z * (LOG[0] + w * (LOG[2] + w * (LOG[4] + w * LOG[6])));
  const half = 0.5 * f * f;
  return f - (half - s * (half + odd + even));
}

const LOG = [
  0.6666666666666694, 0.3999999999933552, 0.28571428835523954, 0.2222218288215877, 0.18184602868916347,
  0.15283917434611477, 0.15116297628543318,
] as const;

const bits = new DataView(new ArrayBuffer(8));

/** 2^n for −1022 ≤ n ≤ 1023. */
function powerOfTwo(n: number): number {
  bits.setUint32(0, (n + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** The exponent n of a normal number in [2^n, 2^(n + 1)). */
function exponentOf(x: number): number {
  bits.setFloat64(0, x);
  return ((bits.getUint32(0) >>> 20) & 0x7ff) - 1023;
}
