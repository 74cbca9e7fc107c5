import { attachedCount, bufferOf, elementBytesOf, offsetOf } from '../arrays.js';
import { countError, rangeError } from '../errors.js';
import { checkAlive, storageOf } from '../memory/tensor.js';
import { type Runtime, takeRuntime } from '../runtime.js';
import type { Place } from './place.js';

/**
 * A call in progress.
 *
 * A call reads all of its arguments before it uses any. Reading may run the caller's code (a getter, a proxy), which
 * may do anything to an argument that was read before: dispose it, transfer its buffer, make the memory grow. So once
 * the last argument is read, all of them are settled; none of the caller's code runs after that.
 */
export interface Call {
  readonly runtime: Runtime;
  /** The name of the operation in errors. */
  readonly operation: string;
  /**
   * The argument that was read last, `out` included; each links to the one before. For two or three arguments that is
   * cheaper than an array.
   */
  last: Place | undefined;
}

/** Begins a call of a public function, before any of the caller's code can run. */
export function openCall(operation: string): Call {
  return { runtime: takeRuntime(), operation, last: undefined };
}

/** Adds an argument that was read. */
export function addPlace<P extends Place>(call: Call, place: P): P {
  place.before = call.last;
  call.last = place;
  return place;
}

/**
 * Checks that all arguments are still as they were when they were read.
 * @throws TypeError for one that has since been disposed or detached, RangeError for one whose length has changed
 */
export function settle({ runtime, operation, last }: Call): void {
  const { arena } = runtime;
  for (let place = last; place !== undefined; place = place.before) {
    const { argument, array, tensor, address, length, moment } = place;
    if (tensor !== undefined) checkAlive(operation, argument, storageOf(tensor)!);
    else if (address >= 0) {
      if (moment !== arena.moment && arena.hasFreed(address, bytesOf(place), moment!)) {
        throw new TypeError(`${operation}: ${argument} views a tensor that is disposed, expected one that is alive`);
      }
    } else {
      const now = attachedCount(operation, argument, array!);
      if (now !== length) throw countError(operation, argument, now, `${length}, as when it was read`);
    }
  }
}

/**
 * Checks that a result does not overlap with anything else that was read: otherwise later blocks of an argument would
 * be read after they are overwritten.
 * @throws RangeError if they share bytes, unless the result is exactly the range of the argument `sameAs` or `orSameAs`
 */
export function checkOverlaps(call: Call, out: Place, sameAs?: Place, orSameAs?: Place): void {
  for (let other = call.last; other !== undefined; other = other.before) {
    if (other !== out) checkOverlap(call, out, other, other === sameAs || other === orSameAs);
  }
}

function checkOverlap({ operation }: Call, out: Place, other: Place, maybeSame: boolean): void {
  const inMemory = out.address >= 0;
  if (inMemory !== other.address >= 0) return;
  if (!inMemory && bufferOf(out.array!) !== bufferOf(other.array!)) return;
  const shift = offsetIn(out) - offsetIn(other);
  const bytes = bytesOf(out);
  const otherBytes = bytesOf(other);
  if (shift >= otherBytes || -shift >= bytes) return;
  if (maybeSame && shift === 0 && bytes === otherBytes) return;
  const name = other.argument;
  const expected = maybeSame ? `the very range of ${name} or one apart from it` : `a range apart from ${name}`;
  throw rangeError(operation, out.argument, out.array ?? out.tensor, expected);
}

/** The offset of the first element in its buffer, in bytes. */
function offsetIn({ address, array }: Place): number {
  return address >= 0 ? address : offsetOf(array!);
}

function bytesOf({ array, length, elementBytes, half }: Place): number {
  return length * (half !== undefined ? 2 : (elementBytes ?? elementBytesOf(array!)));
}
