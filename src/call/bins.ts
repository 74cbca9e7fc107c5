import { rangeError } from '../errors.js';
import { readWhole } from '../numbers.js';
import { arrayFor } from './caller.js';
import { type JsonNumber, jsonNumber, readJsonNumber, readList } from './json.js';
import { Sum, type SumJson } from './sum.js';

/** Clamps a number to [0, 1]; NaN stays NaN. */
export function inUnit(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** The rows whose confidence lies in one bin. */
export interface CalibrationBin {
  /** The bin holds confidences in (lower, upper]; the first bin includes 0. */
  lower: number;
  upper: number;
  /** The number of rows. */
  count: number;
  /** Their mean confidence; NaN if there are none. */
  confidence: number;
  /** The share of them that is right; NaN if there are none. */
  accuracy: number;
}

/** The rows of a bin. */
export class BinTally {
  count = 0;
  right = 0;
  readonly confidence = new Sum();

  add(confidence: number, isRight: boolean): void {
    this.count++;
    if (isRight) this.right++;
    this.confidence.add(confidence);
  }

  merge({ count, right, confidence }: BinTally): void {
    this.count += count;
    this.right += right;
    this.confidence.merge(confidence);
  }

  /** The number of right rows less the sum of their confidences: positive if the bin is underconfident. */
  get surplus(): number {
    return this.right - this.confidence.value;
  }

  toBin(lower: number, upper: number): CalibrationBin {
    const { count, right, confidence } = this;
    return { lower, upper, count, confidence: confidence.value / count, accuracy: right / count };
  }

  toJSON(): BinJson {
    return [this.count, this.right, this.confidence.toJSON()];
  }

  /** Adds what toJSON gave. @throws TypeError, RangeError */
  read(operation: string, argument: string, json: unknown): void {
    const [rows, hits, confidence] = readList(operation, argument, json, 3);
    const count = readWhole(operation, `${argument}[0]`, rows);
    const right = readWhole(operation, `${argument}[1]`, hits);
    if (right > count) throw rangeError(operation, `${argument}[1]`, right, `at most ${argument}[0], ${count}`);
    this.count += count;
    this.right += right;
    this.confidence.merge(Sum.from(operation, `${argument}[2]`, confidence));
  }
}

type BinJson = [count: number, right: number, confidence: SumJson];

/** A bin's edges and its rows. */
export interface EdgedBin {
  readonly lower: number;
  readonly upper: number;
  readonly tally: BinTally;
}

/** The bins of a binning scheme. */
export interface Bins {
  add(confidence: number, isRight: boolean): void;
  merge(other: this): void;
  /** The bins in order, including empty ones if the scheme has any. */
  edged(): EdgedBin[];
  toJSON(): unknown;
  read(operation: string, json: unknown): void;
}

/** The tally of a bin without rows. */
const EMPTY = /* @__PURE__ */ new BinTally();

/** The most tallies that a list has: engines keep a longer one as a hash table, which takes minutes to fill. */
const MOST_TALLIES = 2 ** 25;

/** Bins of equal width: one list of them for each group. */
export class WidthBins implements Bins {
  /** The tallies of bins that hold rows: with many classes, most bins are empty. */
  readonly #tallies: (BinTally | undefined)[];
  readonly #bins: number;

  constructor(operation: string, bins: number, groups = 1) {
    this.#bins = bins;
    // -1, which no array has: there is no memory for more.
    this.#tallies = arrayFor(operation, bins * groups, (length) =>
      new Array(length > MOST_TALLIES ? -1 : length).fill(undefined),
    );
  }

  add(confidence: number, isRight: boolean, group = 0): void {
    this.#at(group * this.#bins + indexOf(confidence, this.#bins)).add(confidence, isRight);
  }

  #at(i: number): BinTally {
    return (this.#tallies[i] ??= new BinTally());
  }

  merge(other: WidthBins): void {
    other.#tallies.forEach((tally, i) => {
      if (tally !== undefined) this.#at(i).merge(tally);
    });
  }

  /** The tallies of all groups that hold rows. */
  filled(): BinTally[] {
    return this.#tallies.filter((tally) => tally !== undefined);
  }

  /** The bins of the only group. */
  edged(): EdgedBin[] {
    const bins = this.#bins;
    return this.#tallies.map((tally = EMPTY, i) => ({ lower: i / bins, upper: (i + 1) / bins, tally }));
  }

  toJSON(): BinJson[] {
    return this.#tallies.map((tally = EMPTY) => tally.toJSON());
  }

  read(operation: string, json: unknown, argument = 'json.bins'): void {
    const list = readList(operation, argument, json, this.#tallies.length);
    for (let i = 0; i < this.#tallies.length; i++) this.#at(i).read(operation, `${argument}[${i}]`, list[i]);
  }
}

/**
 * The index i of the bin (i / bins, (i + 1) / bins] that holds a confidence in [0, 1]. NaN goes into the last bin,
 * which becomes NaN.
 */
function indexOf(confidence: number, bins: number): number {
  const index = Math.max(Math.ceil(confidence * bins) - 1, 0);
  if (Number.isNaN(index)) return bins - 1;
  // The product is rounded, so compare with the edges themselves. The float32 closest to an edge counts as on it.
  const round = Math.fround(confidence) === confidence ? Math.fround : Number;
  if (index > 0 && confidence <= round(index / bins)) return index - 1;
  return confidence > round((index + 1) / bins) ? index + 1 : index;
}

/**
 * Bins of equal mass: each holds the same number of rows, except that rows of equal confidence stay together. The edges
 * are quantiles, so that the order of rows does not matter; all confidences are kept until the bins are asked for.
 */
export class MassBins implements Bins {
  readonly #bins: number;
  readonly #right = new Floats();
  readonly #wrong = new Floats();

  constructor(bins: number) {
    this.#bins = bins;
  }

  add(confidence: number, isRight: boolean): void {
    (isRight ? this.#right : this.#wrong).add(confidence);
  }

  merge(other: MassBins): void {
    this.#right.append(other.#right);
    this.#wrong.append(other.#wrong);
  }

  /** The bins that hold rows. */
  edged(): EdgedBin[] {
    const right = this.#right.sorted();
    const wrong = this.#wrong.sorted();
    const uppers = this.#edges(right, wrong);
    const all = uppers.map((upper, i) => ({ lower: uppers[i - 1] ?? 0, upper, tally: new BinTally() }));
    for (const confidences of [right, wrong]) {
      let i = 0;
      for (const confidence of confidences) {
        while (i < all.length - 1 && confidence > uppers[i]!) i++;
        all[i]!.tally.add(confidence, confidences === right);
      }
    }
    return all;
  }

  /** The upper edges of the bins, in order and without duplicates; the last one is 1. */
  #edges(right: Float64Array, wrong: Float64Array): number[] {
    const all = new Float64Array(right.length + wrong.length);
    all.set(right);
    all.set(wrong, right.length);
    all.sort();
    if (all.length === 0) return [];
    const last = all[all.length - 1]!;
    const edges = Array.from(
      { length: this.#bins },
      (_, i) => all[Math.ceil(((i + 1) * all.length) / this.#bins) - 1]!,
    );
    return [...new Set(edges.filter((edge) => edge < last)), 1];
  }

  toJSON(): { right: JsonNumber[]; wrong: JsonNumber[] } {
    return { right: this.#right.toJSON(), wrong: this.#wrong.toJSON() };
  }

  read(operation: string, json: unknown): void {
    // Object() makes an empty object of null and undefined: both lists are then reported missing.
    const { right, wrong } = Object(json) as Record<string, unknown>;
    this.#right.read(operation, 'json.bins.right', right);
    this.#wrong.read(operation, 'json.bins.wrong', wrong);
  }
}

/** A list of floats that grows. */
class Floats {
  #data = new Float64Array(64);
  #count = 0;

  add(value: number): void {
    this.#reserve(1);
    this.#data[this.#count++] = value;
  }

  append(other: Floats): void {
    this.#reserve(other.#count);
    this.#data.set(other.#data.subarray(0, other.#count), this.#count);
    this.#count += other.#count;
  }

  #reserve(count: number): void {
    const needed = this.#count + count;
    if (needed <= this.#data.length) return;
    const data = new Float64Array(Math.max(needed, 2 * this.#data.length));
    data.set(this.#data);
    this.#data = data;
  }

  /** A sorted copy, NaN last. */
  sorted(): Float64Array {
    return this.#data.slice(0, this.#count).sort();
  }

  toJSON(): JsonNumber[] {
    return Array.from(this.#data.subarray(0, this.#count), jsonNumber);
  }

  read(operation: string, argument: string, json: unknown): void {
    readList(operation, argument, json).forEach((value, i) => {
      this.add(readJsonNumber(operation, `${argument}[${i}]`, value));
    });
  }
}
