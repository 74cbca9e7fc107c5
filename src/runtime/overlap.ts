import type { AnyNumbers } from './broadcast.js';
import { rangeError } from './errors.js';
import type { Operand } from './input.js';
import type { Runtime } from './runtime.js';
import { Tensor } from './tensor.js';

/** Where results and arguments lie. */

/** The address of a result's elements in linear memory, -1 where they lie elsewhere. */
export function addressOf(runtime: Runtime, operation: string, out: AnyNumbers | Tensor): number {
  if (Tensor.is(out)) return out.address(operation, 'out');
  return out.buffer === runtime.arena.buffer ? out.byteOffset : -1;
}

/**
 * @throws RangeError when a result and another argument, if that is given, share bytes, unless they are the very same
 * where it may be: later blocks of it would be read from what is written.
 */
export function checkOverlap(
  runtime: Runtime,
  operation: string,
  argument: string,
  out: AnyNumbers | Tensor,
  otherName: string,
  other: Operand | AnyNumbers | Tensor | undefined,
  maybeSame = true,
): void {
  if (other === undefined) return;
  const a = viewOf(runtime, operation, out);
  const b = viewOf(runtime, operation, other);
  if (a.buffer !== b.buffer) return;
  const shift = a.byteOffset - b.byteOffset;
  if (shift >= b.byteLength || -shift >= a.byteLength) return;
  if (maybeSame && shift === 0 && a.byteLength === b.byteLength) return;
  const expected = maybeSame
    ? `the very range of ${otherName} or one apart from it`
    : `a range apart from ${otherName}`;
  throw rangeError(operation, argument, out, expected);
}

/** The bytes that elements take; an array is its own view. */
function viewOf({ arena }: Runtime, operation: string, elements: Operand | AnyNumbers | Tensor): ArrayBufferView {
  const { buffer } = arena;
  // Not Tensor.is first: that is slow for what is none.
  if ((elements as Partial<Operand>).kind !== undefined) {
    const { array, address, length, elementBytes } = elements as Operand;
    return array ?? { buffer, byteOffset: address, byteLength: length * elementBytes };
  }
  if (!Tensor.is(elements)) return elements as AnyNumbers;
  return { buffer, byteOffset: elements.address(operation, 'out'), byteLength: elements.size * elements.elementBytes };
}
