import { type AnyNumbers, checkAttached, countOf } from '../arrays.js';
import type { Arena, Moment } from '../memory/arena.js';
import { addressOf, type Tensor } from '../memory/tensor.js';

/**
 * Elements of an argument, as they were found when it was read.
 *
 * A call reads all of its arguments before it does anything with them. That may run code of the caller's (a getter, a
 * proxy), which may do what it likes to an argument that was read before: dispose it, transfer its buffer, make the
 * memory grow. So all of them are settled when the last is read; none of the caller's code runs after that.
 */
export interface Place {
  /** What errors call the argument. */
  readonly argument: string;
  /** The elements, undefined where they are a Tensor's. */
  readonly array: AnyNumbers | undefined;
  readonly tensor: Tensor | undefined;
  /** Where the elements lie in linear memory, -1 where they lie elsewhere: right even where growth took the array away. */
  readonly address: number;
  readonly length: number;
  /** Bytes of an element, and when it was read: of what lies in linear memory. */
  readonly elementBytes?: number;
  readonly moment?: Moment | undefined;
}

/**
 * Makes sure that arguments are still as they were read.
 * @throws TypeError for one that was disposed or detached since, RangeError for one that has another length by now
 */
export function settle(
  arena: Arena,
  operation: string,
  first: Place,
  second?: Place,
  third?: Place,
  fourth?: Place,
  fifth?: Place,
  sixth?: Place,
): void {
  settleOne(arena, operation, first);
  if (second !== undefined) settleOne(arena, operation, second);
  if (third !== undefined) settleOne(arena, operation, third);
  if (fourth !== undefined) settleOne(arena, operation, fourth);
  if (fifth !== undefined) settleOne(arena, operation, fifth);
  if (sixth !== undefined) settleOne(arena, operation, sixth);
}

function settleOne(arena: Arena, operation: string, place: Place): void {
  const { argument, array, tensor, address, length } = place;
  if (tensor !== undefined) addressOf(operation, argument, tensor);
  else if (address >= 0) {
    if (place.moment !== arena.moment && arena.hasFreed(address, length * place.elementBytes!, place.moment!)) {
      throw new TypeError(`${operation}: ${argument} views a tensor that is disposed, expected one that is alive`);
    }
  } else checkUnchanged(operation, argument, array!, length);
}

/** @throws TypeError, RangeError unless the array has its buffer and the length that it had. */
export function checkUnchanged(operation: string, argument: string, array: AnyNumbers, length: number): void {
  const now = countOf(array);
  if (now === 0) checkAttached(operation, argument, array);
  if (now !== length) {
    throw new RangeError(`${operation}: ${argument} has ${now} elements, expected ${length}, as when it was read`);
  }
}
