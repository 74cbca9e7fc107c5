import { rangeError, typeError } from './errors.js';

/**
 * A number from the caller that `isValid` accepts; errors call for `expected`.
 * @throws TypeError for anything but a number, RangeError for another number
 */
export function readNumber(
  operation: string,
  argument: string,
  value: unknown,
  expected: string,
  isValid: (value: number) => boolean,
): number {
  if (typeof value !== 'number') throw typeError(operation, argument, value, expected);
  if (!isValid(value)) throw rangeError(operation, argument, value, expected);
  return value;
}

/** A whole number from 0 to 2^53 − 1. @throws TypeError, RangeError for anything else */
export function readWhole(
  operation: string,
  argument: string,
  value: unknown,
  expected = 'a whole number, 0 or more',
): number {
  return readNumber(operation, argument, value, expected, (number) => Number.isSafeInteger(number) && number >= 0);
}
