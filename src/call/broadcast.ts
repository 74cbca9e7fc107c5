import { type AnyNumbers, bufferOf, type FloatArray, offsetOf, typedArrayTag, viewOf, write } from '../arrays.js';
import { countError, showShape } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import type { Operand, Place } from './place.js';
import { product } from './shape.js';

type BigIntegers = BigInt64Array | BigUint64Array;

/** Up to here a loop is faster than a call of set or fill. */
const SHORT = 16;
/** The longest period that is written once for a whole call. */
const LONGEST_PERIOD = 4096;

/**
 * Numbers as the elements of a larger shape, or of another type: written block by block where a kernel reads them, so
 * that nothing of the larger size is ever allocated. BigInts must fit into 32 bits, as labels do.
 */
export class Broadcast {
  /** Elements after which the numbers repeat, 0 where they do not or where it is not worth knowing. */
  readonly period: number;
  readonly #array: AnyNumbers | undefined;
  readonly #isBig: boolean;
  readonly #address: number;
  readonly #elementBytes: number | undefined;
  readonly #length: number;
  /** The shape and the steps of the numbers along it, neighbours merged where one step serves both. */
  readonly #sizes: number[];
  readonly #steps: number[];

  /** `own` is the numbers' shape: trailing axes of `shape`, 1 where they repeat. */
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

  /** Writes elements first to first + count of the larger shape into a heap. */
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

/** How far numbers of shape `own`, trailing axes of `shape`, lie apart along its axes: 0 where they repeat. */
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

/** Axes without those of size 1, neighbours merged where one step serves both. */
export function mergeAxes(shape: readonly number[], allSteps: readonly number[]): { sizes: number[]; steps: number[] } {
  const sizes: number[] = [];
  const steps: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    const step = allSteps[axis]!;
    if (size === 1) continue;
    if (sizes.length > 0 && step === steps[0]! * sizes[0]!) sizes[0]! *= size;
    else {
      sizes.unshift(size);
      steps.unshift(step);
    }
  }
  return { sizes, steps };
}

/** Half of each element, without a BigInt for any: it is twenty times as fast. */
function copyLowWords(source: BigIntegers, start: number, heap: FloatArray, at: number, count: number) {
  const words = new Int32Array(bufferOf(source), offsetOf(source) + 8 * start, 2 * count);
  for (let i = 0; i < count; i++) heap[at + i] = words[2 * i]!;
}

/** @throws RangeError unless the operand broadcasts to the shape by its trailing axes. Returns its own shape. */
export function checkBroadcast(
  operation: string,
  argument: string,
  operand: Pick<Operand, 'length' | 'shape'>,
  shape: readonly number[],
): readonly number[] {
  const { length } = operand;
  if (operand.shape === undefined) {
    if (length === product(shape)) return shape;
    const last = shape.at(-1) ?? 1;
    if (length === last || length === 1) return [length];
    throw countError(operation, argument, length, `1, ${last} (the last axis) or ${product(shape)}`);
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
