import { roundingOf } from '../reference/sum.js';
import { type JsonNumber, jsonNumber, readJsonNumber, readList } from './json.js';

export type SumJson = [high: JsonNumber, low: JsonNumber];

/** A sum, with what rounding took from it: the order in which it is added up changes its last digit at most. */
export class Sum {
  #high: number;
  #low: number;

  constructor(high = 0, low = 0) {
    this.#high = high;
    this.#low = low;
  }

  get value(): number {
    // Nothing finite is lost from what is not finite.
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
