import { countOf } from '../arrays.js';
import { AXIS_COUNT, AXIS_LIST, BASE, CAUSAL_FIRST, CAUSAL_ROWS, FIRST_ROW, STRIDE } from '../generated/layout.js';
import type { Runtime } from '../runtime.js';
import { checkBroadcast, mergeAxes, stepsOf } from './broadcast.js';
import { copyMask } from './copy.js';
import type { Mask } from './mask.js';
import { elementsOf, newArray, type Operand, shapeOf } from './place.js';
import type { Rows } from './rows.js';
import { product } from './shape.js';

/** Settings of a run whose kernel gets descriptors: they give places in the operands' own layout. */
export const WITH_DESCRIPTORS = { mayTranspose: false };

/** Floats that broadcast to the elements of the first argument. */
export interface BroadcastOperand {
  readonly operand: Operand;
  /** Their shape, of trailing axes. */
  readonly own: readonly number[];
}

/** @throws RangeError unless the floats, if they are given, broadcast to the elements of the input */
export function checkBroadcastOperand(
  operation: string,
  operand: Operand | undefined,
  input: Operand,
): BroadcastOperand | undefined {
  if (operand === undefined) return undefined;
  return { operand, own: checkBroadcast(operation, operand.argument, operand, shapeOf(input)) };
}

/** Copies a small operand into linear memory, as elements of the call's dtype. */
export function copyFloats({ arena }: Runtime, operand: Operand, elementBytes: 4 | 8, address: number): void {
  arena.floats(elementBytes).set(elementsOf(arena, operand), address / elementBytes);
}

/** The descriptor of floats that broadcast. The run must be open. */
export function describeFloats(
  runtime: Runtime,
  { operand, own }: BroadcastOperand,
  input: Operand,
  rows: Rows,
): Descriptor {
  const { run } = runtime;
  const { elementBytes } = input;
  const shape = shapeOf(input);
  if (isWhole(own, shape)) {
    const slot = run.input(inDtype(runtime, operand, elementBytes));
    return new Descriptor(runtime, own, shape, rows, 0, slot, false);
  }
  const address = run.reserve(operand.length * elementBytes);
  copyFloats(runtime, operand, elementBytes, address);
  return new Descriptor(runtime, own, shape, rows, address, -1, false);
}

/** The descriptor of a mask. The run must be open. */
export function describeMask(runtime: Runtime, { array, own, causal }: Mask, input: Operand, rows: Rows): Descriptor {
  const { run, arena } = runtime;
  const shape = shapeOf(input);
  if (array === undefined) return new Descriptor(runtime, own, shape, rows, 0, -1, causal);
  if (isWhole(own, shape)) return new Descriptor(runtime, own, shape, rows, 0, run.mask(array), causal);
  const length = countOf(array);
  const address = run.reserve(length);
  copyMask(array, 0, length, arena.u8, address);
  return new Descriptor(runtime, own, shape, rows, address, -1, causal);
}

function inDtype({ arena }: Runtime, operand: Operand, elementBytes: 4 | 8): Operand {
  if (operand.elementBytes === elementBytes) return operand;
  const array = newArray(elementBytes, operand.length);
  array.set(elementsOf(arena, operand));
  return { ...operand, array, address: -1, elementBytes, half: undefined };
}

/** A size that is larger than the number of any row. */
const ENDLESS = 2 ** 31 - 1;

/** Whether an operand of shape `own`, trailing axes of `shape`, has as many elements as `shape`. */
function isWhole(own: readonly number[], shape: readonly number[]): boolean {
  return product(own) === product(shape);
}

/**
 * Tells a kernel where a row's elements are in an operand that broadcasts: base, sizes and strides, written to linear
 * memory. The operand itself is copied there without being expanded; one as large as the first argument is staged block
 * by block instead.
 */
export class Descriptor {
  readonly #runtime: Runtime;
  readonly #address: number;
  /** The operand's address, 0 if there is none; and its slot in the run, -1 unless it is staged. */
  readonly #array: number;
  readonly #slot: number;
  readonly #n: number;
  readonly #causalRows: number;

  /** Reserves memory for the descriptor. The run must be open. */
  constructor(
    runtime: Runtime,
    own: readonly number[],
    shape: readonly number[],
    { axis, n }: Rows,
    array: number,
    slot: number,
    causal: boolean,
  ) {
    const steps = stepsOf(own, shape);
    const others = (values: readonly number[]) => values.filter((_, i) => i !== axis);
    const axes = mergeAxes(others(shape), others(steps));
    this.#runtime = runtime;
    this.#array = array;
    this.#slot = slot;
    this.#n = n;
    this.#causalRows = causal ? shape[axis - 1]! : 0;
    this.#address = runtime.run.reserve(4 * (AXIS_LIST + 2 * Math.max(axes.sizes.length, 2)));
    this.#write(STRIDE, steps[axis]!);
    this.#write(CAUSAL_ROWS, this.#causalRows);
    this.#writeAxes(axes.sizes.reverse(), axes.steps.reverse());
  }

  #write(field: number, value: number): void {
    this.#runtime.arena.i32[this.#address / 4 + field] = value;
  }

  /** Writes the axes, the last one first. */
  #writeAxes(sizes: readonly number[], steps: readonly number[]): void {
    this.#write(AXIS_COUNT, sizes.length);
    sizes.forEach((size, i) => {
      this.#write(AXIS_LIST + 2 * i, size);
      this.#write(AXIS_LIST + 2 * i + 1, steps[i]!);
    });
  }

  /** Updates the descriptor for the current block, and returns its address. */
  at(): number {
    const { run } = this.#runtime;
    const isStaged = this.#slot >= 0;
    this.#write(BASE, isStaged ? run.at(this.#slot) : this.#array);
    this.#write(FIRST_ROW, isStaged ? 0 : run.first);
    // NaN without causality, which is stored as 0.
    this.#write(CAUSAL_FIRST, run.first % this.#causalRows);
    if (isStaged) {
      this.#write(STRIDE, run.width);
      this.#writeAxes([run.width, ENDLESS], [1, this.#n * run.width]);
    }
    return this.#address;
  }
}
