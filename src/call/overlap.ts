import { bufferOf, elementBytesOf, offsetOf } from '../arrays.js';
import { rangeError } from '../errors.js';
import type { Runtime } from '../runtime.js';
import type { Place } from './place.js';

/** Where results and arguments lie. */

/**
 * @throws RangeError when a result and another argument, if that is given, share bytes, unless they are the very same
 * where it may be: later blocks of it would be read from what is written.
 */
export function checkOverlap(
  runtime: Runtime,
  operation: string,
  argument: string,
  out: Place,
  otherName: string,
  other: Place | undefined,
  maybeSame = true,
): void {
  if (other === undefined) return;
  const a = bytesOf(runtime, out);
  const b = bytesOf(runtime, other);
  if (a.buffer !== b.buffer) return;
  const shift = a.byteOffset - b.byteOffset;
  if (shift >= b.byteLength || -shift >= a.byteLength) return;
  if (maybeSame && shift === 0 && a.byteLength === b.byteLength) return;
  const expected = maybeSame
    ? `the very range of ${otherName} or one apart from it`
    : `a range apart from ${otherName}`;
  throw rangeError(operation, argument, out.array ?? out.tensor, expected);
}

/** The bytes that elements take. */
function bytesOf(
  { arena }: Runtime,
  { array, address, length, elementBytes }: Place,
): Pick<ArrayBufferView, 'buffer' | 'byteOffset' | 'byteLength'> {
  if (address >= 0) return { buffer: arena.buffer, byteOffset: address, byteLength: length * elementBytes! };
  return { buffer: bufferOf(array!), byteOffset: offsetOf(array!), byteLength: length * elementBytesOf(array!) };
}
