import type { FloatArray } from '../arrays.js';
import { openCall, settle } from './call.js';
import { readOperand } from './operand.js';
import { PLACE_OPTIONS, readOptions } from './options.js';
import { elementsOf } from './place.js';
import { type Rows, readRows } from './rows.js';

/** What inspectLogits and inspectTargets share: they read every value once, in plain JavaScript. */

/** How far the sum of probabilities may be from 1: enough for float16 rounding and for printed digits. */
export const TOLERANCE = 1e-3;

/** A count with the singular or the plural of what is counted. */
export function pluralize(count: number, singular: string, plural: string): string {
  return count === 1 ? `1 ${singular}` : `${count} ${plural}`;
}

/** The subject and the verb of a sentence about `count` of the rows. */
export function rowsHold(count: number, rows: number): string {
  if (rows === 1) return 'The row holds';
  return count === rows ? 'Every row holds' : `${count} of ${rows} rows ${count === 1 ? 'holds' : 'hold'}`;
}

/** The warning of a report without values. */
export function noValues(rows: number, classes: number): string {
  return `There are no values: ${rows} rows of ${classes} classes. Check shape.`;
}

/** Reads an argument and surveys its rows. @throws TypeError, RangeError */
export function inspect<R>(
  operation: string,
  argument: string,
  value: unknown,
  options: unknown,
  survey: (data: FloatArray, rows: Rows) => R,
): R {
  const call = openCall(operation);
  const input = readOperand(call, argument, value);
  const rows = readRows(operation, input, readOptions(operation, options, PLACE_OPTIONS));
  settle(call);
  return survey(elementsOf(call.runtime.arena, input), rows);
}
