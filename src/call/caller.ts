import { isRevoked, OutOfMemoryError, typeError } from '../errors.js';

/**
 * Reading what the caller gives. Any read may run the caller's code: a getter, or a proxy's trap. What that throws passes
 * through as it is; what the engine throws by itself becomes an error of ours. What others have added to
 * Object.prototype is not the caller's, and is not there for us; any other prototype counts.
 */

/** The length of an array: that of a proxy may be anything. @throws TypeError unless an array can be so long */
export function lengthOf(operation: string, argument: string, values: readonly unknown[]): number {
  const length: unknown = values.length;
  // What unsigned 32 bits leave as it was.
  if ((length as number) >>> 0 !== length) throw typeError(operation, `${argument}.length`, length, 'a whole number');
  return length;
}

/** An array for what is read. @throws OutOfMemoryError where the engine has no memory for one so long */
export function arrayFor<A>(operation: string, length: number, make: (length: number) => A): A {
  try {
    return make(length);
  } catch {
    throw new OutOfMemoryError(`${operation}: there is no memory for an array of ${length} elements`);
  }
}

/** What to throw for an error that came up while `value` was read: ours where that is a proxy revoked meanwhile. */
export function readingError(
  error: unknown,
  operation: string,
  argument: string,
  value: unknown,
  expected: string,
): unknown {
  return error instanceof TypeError && isRevoked(value) ? typeError(operation, argument, value, expected) : error;
}

/** The object without what Object.prototype gives it, for an Object.prototype that has what it should not. */
export function ownOf<T extends object>(source: T): T {
  return new Proxy(source, {
    get: (_, name) => (isOfAllObjects(source, name) ? undefined : Reflect.get(source, name)),
  });
}

/** Whether the object has no such property but the one of Object.prototype, or none at all. */
export function isOfAllObjects(source: object, name: PropertyKey): boolean {
  for (let o: object | null = source; o !== null && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
    if (Object.hasOwn(o, name)) return false;
  }
  return true;
}

/** An empty object: a property that it has all the same was added to Object.prototype. */
export const PLAIN: Readonly<Record<string, unknown>> = {};
