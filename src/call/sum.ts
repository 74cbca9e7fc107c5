import { roundingOf } from '../reference/sum.js';
import { type JsonNumber, jsonNumber, readJsonNumber, readList } from './json.js';

export type SumJson = [high: JsonNumber, low: JsonNumber];

/** A compensated sum: the order of its terms changes at most the last digit. */
export class Sum {
  #high: number;
  #low: number;

  constructor(high = 0, low = 0) {
    this.#high = high;
    this.#low = low;
  }

  get value(): number {
    // A sum that is not finite needs no compensation, which may be NaN.
    return Number.isFinite(this.#high) ? this.#high + this.#low : this.#high;
  }

  add(term: number): void {
    const total = this.#high + term;
    this.#low += roundingOf(this.#high, term, total);
    this.#high = total;
  }

  merge(other: Sum): void {
    const low = other.#low;
    this.add(other.#high);
    this.#low += low;
  }

  toJSON(): SumJson {
    return [jsonNumber(this.#high), jsonNumber(this.#low)];
  }

  static from(operation: string, argument: string, json: unknown): Sum {
    const [high, low] = readList(operation, argument, json, 2);
    return new Sum(readJsonNumber(operation, `${argument}[0]`, high), readJsonNumber(operation, `${argument}[1]`, low));
  }
}
