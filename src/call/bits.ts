import { attachedCount, outsideOf, typedArrayTag } from '../arrays.js';
import { countError, typeError } from '../errors.js';
import { addPlace, type Call } from './call.js';
import { PLAIN, readingError, unpolluted } from './caller.js';
import { type MaskPlace, readMask } from './mask.js';
import { mayBeTensorLike } from './operand.js';
import type { Place } from './place.js';
import type { Rows } from './rows.js';

/** A bitmask over classes, as grammar engines give it: class c is kept if bit c % 32 of word c / 32 is set. */
export interface BitsPlace extends Place {
  readonly array: Int32Array | Uint32Array;
}

/** A mask as it was read: flags or bits. */
export interface ClassMask {
  readonly mask: MaskPlace | undefined;
  readonly bits: BitsPlace | undefined;
}

/** Reads the option `mask` of an operation that also takes `{ bits }`. @throws TypeError, RangeError */
export function readClassMask(call: Call, value: unknown): ClassMask {
  const bits = mayBeTensorLike(value) ? readBits(call, value) : undefined;
  return bits === undefined ? { mask: readMask(call, value), bits } : { mask: undefined, bits };
}

function readBits(call: Call, mask: object): BitsPlace | undefined {
  const { operation, runtime } = call;
  const expected = 'an Int32Array or Uint32Array of a bit for each class';
  try {
    const { bits } = (PLAIN.bits === undefined ? mask : unpolluted(mask)) as { bits?: unknown };
    if (bits === undefined) return undefined;
    const tag = typedArrayTag(bits);
    if (tag !== 'Int32Array' && tag !== 'Uint32Array') throw typeError(operation, 'mask.bits', bits, expected);
    const given = bits as Int32Array | Uint32Array;
    const length = attachedCount(operation, 'mask.bits', given);
    const array = outsideOf(runtime.arena.buffer, given);
    return addPlace(call, { argument: 'mask.bits', array, tensor: undefined, address: -1, length, before: undefined });
  } catch (error) {
    throw readingError(error, operation, 'mask', mask, expected);
  }
}

/**
 * The number of words from one row's bits to the next row's: 0 if all rows share them.
 * @throws RangeError unless there are as many as one row needs, or all of them
 */
export function wordsOf(operation: string, { length }: BitsPlace, { n, count }: Rows): number {
  const words = Math.ceil(n / 32);
  if (length === words) return 0;
  if (length === words * count) return words;
  const shared = count === 1 ? '' : `${words} for all rows, or `;
  throw countError(operation, 'mask.bits', length, `${shared}${words * count}`);
}
