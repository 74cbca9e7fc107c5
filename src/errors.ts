import { type AnyNumbers, countOf, typedArrayTag } from './arrays.js';

/** Thrown when a call needs more memory than there is. Everything allocated before is intact. */
export class OutOfMemoryError extends RangeError {
  override name = 'OutOfMemoryError';
}

/** A value as an error message shows it: short, and without running any of the caller's code. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (typeof value === 'bigint') return `${cut(String(value))}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  const tag = typedArrayTag(value);
  if (tag !== undefined) return `${tag}(${countOf(value as AnyNumbers)})`;
  if (isRevoked(value)) return 'a revoked proxy';
  return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
}

/** Array.isArray, but false for a revoked proxy, for which that throws. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Whether it is a revoked proxy, from which nothing can be read. Runs none of the caller's code. */
export function isRevoked(value: unknown): boolean {
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The rank up to which a message shows a whole shape, and how many sizes it shows of a longer one. */
const LONGEST_SHAPE = 8;
const SHOWN_SIZES = 3;

/** A shape as an error message shows it. */
export function showShape(shape: readonly number[]): string {
  if (shape.length <= LONGEST_SHAPE) return `[${shape.join(', ')}]`;
  return `[${shape.slice(0, SHOWN_SIZES).join(', ')}, … ${shape.length - SHOWN_SIZES} more]`;
}

export function typeError(operation: string, argument: string, got: unknown, expected: string): TypeError {
  return new TypeError(`${operation}: ${argument} is ${show(got)}, expected ${expected}`);
}

/** The error for an array with a wrong number of elements. */
export function countError(operation: string, argument: string, got: number, expected: string | number): RangeError {
  return new RangeError(`${operation}: ${argument} has ${got} element${got === 1 ? '' : 's'}, expected ${expected}`);
}

export function rangeError(operation: string, argument: string, got: unknown, expected: string): RangeError {
  return new RangeError(`${operation}: ${argument} is ${show(got)}, expected ${expected}`);
}
