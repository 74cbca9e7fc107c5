import type { Runtime } from '../runtime.js';
import { checkBroadcast, mergeAxes, stepsOf } from './broadcast.js';
import { elementsOf, type Operand, shapeOf } from './operand.js';
import { ARRAY, AXES, AXIS, CAUSAL_FIRST, CAUSAL_ROWS, FIRST, STEP } from './record.js';
import { product } from './rows.js';

/** Floats that broadcast to the elements. */
export interface Beside {
  readonly operand: Operand;
  /** Their shape, of trailing axes. */
  readonly own: readonly number[];
}

/** @throws RangeError unless the floats, if they are given, broadcast to the elements of the input */
export function checkBeside(operation: string, operand: Operand | undefined, input: Operand): Beside | undefined {
  if (operand === undefined) return undefined;
  return { operand, own: checkBroadcast(operation, operand.argument, operand, shapeOf(input)) };
}

/** Copies a small operand into claimed linear memory, as elements of the call's dtype. */
export function placeFloats(runtime: Runtime, operand: Operand, elementBytes: 4 | 8, address: number): void {
  runtime.arena.floats(elementBytes).set(elementsOf(runtime.arena, operand), address / elementBytes);
}

/** The record of floats that broadcast, once the stream is open. */
export function placeBeside(
  runtime: Runtime,
  { operand, own }: Beside,
  shape: readonly number[],
  axis: number,
  elementBytes: 4 | 8,
): BesideRecord {
  const { stream } = runtime;
  if (isWhole(own, shape)) {
    const slot = stream.input(sameDtype(runtime, operand, elementBytes));
    return new BesideRecord(runtime, own, shape, axis, 0, slot, false);
  }
  const address = stream.claim(operand.length * elementBytes);
  placeFloats(runtime, operand, elementBytes, address);
  return new BesideRecord(runtime, own, shape, axis, address, -1, false);
}

function sameDtype(runtime: Runtime, operand: Operand, elementBytes: 4 | 8): Operand {
  if (operand.elementBytes === elementBytes) return operand;
  const floats = elementsOf(runtime.arena, operand);
  const array = elementBytes === 4 ? new Float32Array(floats) : new Float64Array(floats);
  return { ...operand, array, tensor: undefined, address: -1, elementBytes };
}

/** More than any problem's number. */
const ENDLESS = 2 ** 31 - 1;

/** Whether an operand of shape `own`, trailing axes of `shape`, is as large as that. */
export function isWhole(own: readonly number[], shape: readonly number[]): boolean {
  return product(own) === product(shape);
}

/**
 * What a kernel reads to find a problem's elements in an operand that broadcasts: such an operand lies in linear memory
 * as small as it is. One that is as large as the elements themselves is streamed like them.
 */
export class BesideRecord {
  readonly #runtime: Runtime;
  readonly #address: number;
  /** The operand's address, 0 where there is none; or its place in the stream, -1 where it has none. */
  readonly #array: number;
  readonly #slot: number;
  readonly #n: number;
  readonly #causalRows: number;

  /** Claims the record; the stream is open. */
  constructor(
    runtime: Runtime,
    own: readonly number[],
    shape: readonly number[],
    axis: number,
    array: number,
    slot: number,
    causal: boolean,
  ) {
    const at = axis < 0 ? axis + shape.length : axis;
    const steps = stepsOf(own, shape);
    const others = (values: readonly number[]) => values.filter((_, i) => i !== at);
    const axes = mergeAxes(others(shape), others(steps));
    this.#runtime = runtime;
    this.#array = array;
    this.#slot = slot;
    this.#n = shape[at]!;
    this.#causalRows = causal ? shape[at - 1]! : 0;
    this.#address = runtime.stream.claim(4 * (AXIS + 2 * Math.max(axes.sizes.length, 2)));
    this.#write(STEP, steps[at]!);
    this.#write(CAUSAL_ROWS, this.#causalRows);
    this.#writeAxes(axes.sizes.reverse(), axes.steps.reverse());
  }

  #write(field: number, value: number): void {
    this.#runtime.arena.i32[this.#address / 4 + field] = value;
  }

  /** Those behind first. */
  #writeAxes(sizes: readonly number[], steps: readonly number[]): void {
    this.#write(AXES, sizes.length);
    sizes.forEach((size, i) => {
      this.#write(AXIS + 2 * i, size);
      this.#write(AXIS + 2 * i + 1, steps[i]!);
    });
  }

  /** The record's address, set to the block at hand. */
  at(): number {
    const { stream } = this.#runtime;
    const isStreamed = this.#slot >= 0;
    this.#write(ARRAY, isStreamed ? stream.at(this.#slot) : this.#array);
    this.#write(FIRST, isStreamed ? 0 : stream.first);
    this.#write(CAUSAL_FIRST, this.#causalRows > 0 ? stream.first % this.#causalRows : 0);
    if (isStreamed) {
      this.#write(STEP, stream.inner);
      this.#writeAxes([stream.inner, ENDLESS], [1, this.#n * stream.inner]);
    }
    return this.#address;
  }
}
