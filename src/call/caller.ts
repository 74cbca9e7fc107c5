import { isRevoked, OutOfMemoryError, typeError } from '../errors.js';

/**
 * Reading what the caller passes. Any read may run the caller's code: a getter, or a proxy's trap. An error that this
 * code throws passes through unchanged; an error of the engine's own becomes one of ours. Properties that someone has
 * added to Object.prototype are ignored; those of any other prototype count.
 */

/**
 * The length of an array, checked because a proxy may return anything. @throws TypeError unless it is a possible length
 */
export function lengthOf(operation: string, argument: string, values: readonly unknown[]): number {
  const length: unknown = values.length;
  // Only a whole number that fits into 32 bits without a sign is unchanged by this.
  if ((length as number) >>> 0 !== length) throw typeError(operation, `${argument}.length`, length, 'a whole number');
  return length;
}

/** Allocates an array of this length. @throws OutOfMemoryError if the engine has no memory for it */
export function arrayFor<A>(operation: string, length: number, make: (length: number) => A): A {
  try {
    return make(length);
  } catch {
    throw new OutOfMemoryError(`${operation}: there is no memory for an array of ${length} elements`);
  }
}

/**
 * The error to throw for one that came up while `value` was read: ours if `value` is a proxy that has been revoked
 * meanwhile.
 */
export function readingError(
  error: unknown,
  operation: string,
  argument: string,
  value: unknown,
  expected: string,
): unknown {
  return error instanceof TypeError && isRevoked(value) ? typeError(operation, argument, value, expected) : error;
}

/** A view of the object without what it inherits from Object.prototype, for when that is polluted. */
export function unpolluted<T extends object>(source: T): T {
  return new Proxy(source, {
    get: (_, name) => (isOnlyOnObjectPrototype(source, name) ? undefined : Reflect.get(source, name)),
  });
}

/** Whether the object has this property only by way of Object.prototype, or not at all. */
export function isOnlyOnObjectPrototype(source: object, name: PropertyKey): boolean {
  for (let o: object | null = source; o !== null && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
    if (Object.hasOwn(o, name)) return false;
  }
  return true;
}

/** An empty object: any option's name found on it was added to Object.prototype. */
export const PLAIN: Readonly<Record<string, unknown>> = {};
