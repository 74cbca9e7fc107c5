import { countError, isArray, show, typeError } from '../errors.js';
import { readingError } from './caller.js';

/** The JSON of states, which travels between processes. Reading trusts nothing in it. */

/** A number in JSON; NaN and the infinities, which JSON lacks, are strings. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

export function jsonNumber(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}

export function readJsonNumber(operation: string, argument: string, json: unknown): number {
  if (typeof json === 'number') return json;
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  throw typeError(operation, argument, json, 'a number, or "NaN", "Infinity" or "-Infinity"');
}

/** Checks that the JSON is an array, of this length if one is given. @throws TypeError, RangeError */
export function readList(operation: string, argument: string, json: unknown, length?: number): readonly unknown[] {
  if (!isArray(json)) throw typeError(operation, argument, json, 'an array');
  if (length !== undefined && json.length !== length) {
    throw countError(operation, argument, json.length, length);
  }
  return json;
}

/** The error for an argument of `merge` that is no state of this kind: often its JSON. */
export function mergeError(state: string, other: unknown): TypeError {
  return typeError(`${state}.merge`, 'other', other, `a state made by ${state} (of JSON: ${state}.from(other))`);
}

/** Reads what toJSON of a state gave. @throws TypeError, RangeError */
export function readJson<T>(state: string, json: unknown, read: (json: Record<string, unknown>) => T): T {
  const operation = `${state}.from`;
  const expected = `what ${state} gave as JSON, parsed`;
  try {
    if (typeof json !== 'object' || json === null) throw typeError(operation, 'json', json, expected);
    const record = json as Record<string, unknown>;
    const kind = record.state;
    if (kind !== state) throw new TypeError(`${operation}: json.state is ${show(kind)}, expected ${show(state)}`);
    return read(record);
  } catch (error) {
    throw readingError(error, operation, 'json', json, expected);
  }
}
