import { type AnyNumbers, bufferOf, type FloatArray, offsetOf, typedArrayTag, viewOf, write } from '../arrays.js';
import { countError, showShape } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import type { Operand, Place } from './place.js';
import { product } from './shape.js';

type BigIntegers = BigInt64Array | BigUint64Array;

/** Up to this many elements, a loop is faster than TypedArray.set or fill. */
const SHORT = 16;
/** The longest period that is written only once for a whole call. */
const LONGEST_PERIOD = 4096;

/**
 * Numbers broadcast to a larger shape, or converted to another type: written block by block where a kernel reads them,
 * so that nothing of the larger size is ever allocated. BigInts must fit into 32 bits, as labels do.
 */
export class Broadcast {
  /**
   * The number of elements after which the numbers repeat; 0 if they do not, or if the period is too long to be useful.
   */
  readonly period: number;
  readonly #array: AnyNumbers | undefined;
  readonly #isBig: boolean;
  readonly #address: number;
  readonly #elementBytes: number | undefined;
  readonly #length: number;
  /**
   * The larger shape and the steps of the numbers along its axes; adjacent axes are merged where one step serves both.
   */
  readonly #sizes: number[];
  readonly #steps: number[];

  /** `own` is the numbers' shape: trailing axes of `shape`, with size 1 where they repeat. */
  constructor({ array, address, elementBytes }: Place, own: readonly number[], shape: readonly number[]) {
    this.#array = array;
    this.#isBig = typedArrayTag(array)?.startsWith('Big') === true;
    this.#address = address;
    this.#elementBytes = elementBytes;
    this.#length = product(own);
    const axes = mergeAxes(shape, stepsOf(own, shape));
    this.#sizes = axes.sizes;
    this.#steps = axes.steps;
    const period = this.#steps[0] === 0 ? product(this.#sizes.slice(1)) : 0;
    this.period = period <= LONGEST_PERIOD ? period : 0;
  }

  /** Writes elements [first, first + count) of the larger shape into a heap, from index `at`. */
  fill(arena: Arena, heap: FloatArray, at: number, first: number, count: number): void {
    const source = this.#source(arena);
    const { period } = this;
    const own = period > 0 ? Math.min(period, count) : count;
    for (let i = 0; i < own; ) i += this.#run(source, heap, at + i, first + i, own - i);
    for (let done = own; done < count; done *= 2) heap.copyWithin(at + done, at, at + Math.min(done, count - done));
  }

  #source(arena: Arena): AnyNumbers {
    if (this.#address < 0) return this.#array!;
    const elementBytes = this.#elementBytes!;
    const start = this.#address / elementBytes;
    return arena.floats(elementBytes).subarray(start, start + this.#length);
  }

  /** Writes as many elements as lie side by side, at most count; returns how many. */
  #run(source: AnyNumbers, heap: FloatArray, at: number, element: number, count: number): number {
    const last = this.#sizes.length - 1;
    if (last < 0) {
      heap[at] = Number(source[0]);
      return 1;
    }
    const size = this.#sizes[last]!;
    const step = this.#steps[last]!;
    const within = element % size;
    let start = within * step;
    let rest = (element - within) / size;
    for (let axis = last - 1; axis >= 0; axis--) {
      const index = rest % this.#sizes[axis]!;
      start += index * this.#steps[axis]!;
      rest = (rest - index) / this.#sizes[axis]!;
    }
    const run = Math.min(size - within, count);
    if (step === 0) heap.fill(Number(source[start]), at, at + run);
    else if (this.#isBig) copyLowWords(source as BigIntegers, start, heap, at, run);
    else if (run > SHORT) write(heap, viewOf(source, start, run), at);
    else for (let i = 0; i < run; i++) heap[at + i] = Number(source[start + i * step]);
    return run;
  }
}

/** The steps of numbers of shape `own`, trailing axes of `shape`, along the axes of `shape`: 0 where they repeat. */
export function stepsOf(own: readonly number[], shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = own[axis + own.length - shape.length] ?? 1;
    steps[axis] = size === 1 ? 0 : step;
    step *= size;
  }
  return steps;
}

/** Drops axes of size 1, and merges adjacent axes where one step serves both. */
export function mergeAxes(shape: readonly number[], allSteps: readonly number[]): { sizes: number[]; steps: number[] } {
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    const step = allSteps[axis]!;
    if (size === 1) continue;
    if (step === steps[0]! * sizes[0]!) sizes[0]! *= size;
    else {
      sizes.unshift(size);
      steps.unshift(step);
    }
  }
  return { sizes, steps };
}

/** Copies the low 32 bits of each element. Without making BigInts, it is twenty times as fast. */
function copyLowWords(source: BigIntegers, start: number, heap: FloatArray, at: number, count: number) {
  const words = new Int32Array(bufferOf(source), offsetOf(source) + 8 * start, 2 * count);
  for (let i = 0; i < count; i++) heap[at + i] = words[2 * i]!;
}

/**
 * Checks that an operand broadcasts to the shape by its trailing axes, and returns the operand's own shape. @throws
 * RangeError
 */
export function checkBroadcast(
  operation: string,
  argument: string,
  operand: Pick<Operand, 'length' | 'shape'>,
  shape: readonly number[],
): readonly number[] {
  const { length } = operand;
  if (operand.shape === undefined) {
    const all = product(shape);
    if (length === all) return shape;
    const last = shape.at(-1) ?? 1;
    if (length === last || length === 1) return [length];
    const expected = last === 1 || last === all ? '1' : `1, ${last} (the last axis)`;
    throw countError(operation, argument, length, all === 1 ? 1 : `${expected} or ${all}`);
  }
  const own = operand.shape;
  const lead = shape.length - own.length;
  if (lead < 0 || own.some((size, i) => size !== 1 && size !== shape[lead + i])) {
    const hint = own.length === 2 && shape.length === 4 ? ' (for padded keys [batch, 1, 1, keys])' : '';
    throw new RangeError(
      `${operation}: ${argument} has shape ${showShape(own)}, expected one that broadcasts to ${showShape(shape)}${hint}`,
    );
  }
  return own;
}
