/** The fields that all records in test/operations/ have, and calls made from them. */

import type { Kernels } from '../../src/index.js';
import { type Dtype, type Floats, numbers, randomOf, sizeOf } from './cases.js';
import type { Contract } from './contracts.js';

/** The operations that the common suites cover; states have suites of their own. */
export type OperationName = Exclude<
  keyof Kernels,
  'tensor' | 'zeros' | 'backendInfo' | 'memoryUsage' | `${string}State`
>;

/** An array argument of a call. */
export interface Operand {
  /** Its elements: any floats, floats in [0, 1], class indices, zeros and ones, or ones. */
  readonly values: 'floats' | 'probabilities' | 'classes' | 'flags' | 'ones';
  /**
   * Its size: x's shape, a number for each row, one for each class (without an axis: for each place along the last one),
   * or x's shape with 1 in place of the axis.
   */
  readonly size: 'element' | 'row' | 'class' | 'broadcast';
  /**
   * What may happen when `out` overlaps it: `out` may be exactly the same range; or no overlap is allowed; or either
   * may happen, for what is copied before anything is written.
   */
  readonly overlap: 'same' | 'none' | 'copied';
}

/** A way to call an operation. */
export interface Variant {
  /** The arrays, by the name of the argument or option. */
  readonly operands: Readonly<Record<string, Operand>>;
  /** All other options except shape, axis and out, for rows of n elements. */
  readonly plain?: Readonly<Record<string, unknown>> | ((n: number) => Readonly<Record<string, unknown>>);
}

export interface Operation {
  readonly name: OperationName;
  /** The arguments before the options. */
  readonly arguments: readonly [string, ...string[]];
  /** The options, in the order in which an error lists them. */
  readonly options: readonly string[];
  /** Ways to call the operation; together they cover every option. */
  readonly variants: readonly [Variant, ...Variant[]];
  /** What `out` takes, if the operation has that option. */
  readonly out?: 'elements' | 'rows' | 'row indices' | 'ranking';
  /** For losses: whether there is one for each row or for each element, without reduction. */
  readonly losses?: 'rows' | 'elements';
  /** Whether rows must have elements, because the operation chooses one of them. */
  readonly needsElements?: boolean;
  /** Its kernels by name, without their dtypes. */
  readonly contracts?: Readonly<Record<string, Contract>>;
}

// The operands of most records.

/** x, which the result may overwrite. */
export const INPUT: Operand = { values: 'floats', size: 'element', overlap: 'same' };
/** As many floats as in x, which are read while results are written. */
export const FLOATS: Operand = { ...INPUT, overlap: 'none' };
export const PROBABILITIES: Operand = { ...FLOATS, values: 'probabilities' };
export const CLASS_INDICES: Operand = { values: 'classes', size: 'row', overlap: 'copied' };
export const CLASS_WEIGHTS: Operand = { values: 'probabilities', size: 'class', overlap: 'none' };
export const LABELS: Operand = { values: 'flags', size: 'element', overlap: 'copied' };
export const MASK: Operand = { values: 'flags', size: 'element', overlap: 'copied' };
export const ROW_MASK: Operand = { ...MASK, size: 'broadcast' };

export function takes(operation: Operation, option: string): boolean {
  return operation.options.includes(option);
}

/** Whether the result has a number for each row, also for rows without elements. */
export function reducesRows({ out, losses }: Operation): boolean {
  return out === 'rows' || losses === 'rows';
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls

export interface Layout {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
}

/** An operand with its elements. */
export interface Filled extends Operand {
  readonly data: Floats | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

export interface Call {
  readonly operation: Operation;
  readonly layout: Layout;
  readonly filled: Readonly<Record<string, Filled>>;
  /** The arguments before the options, by name. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Every option of the variant except `out`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The number of elements of `out`. */
export function outLength({ operation, layout: { shape, axis }, ...call }: Call): number {
  if (operation.out === 'elements') return sizeOf(shape);
  const rows = sizeOf(shape.with(axis, 1));
  return operation.out === 'ranking' ? rows * (call.arguments.k as number) : rows;
}

/** A new `out`; undefined if the operation has no such option. */
export function outFor(call: Call): unknown {
  const { out } = call.operation;
  if (out === undefined) return undefined;
  const length = outLength(call);
  const indices = () => new Int32Array(length);
  const floats = () => (call.layout.dtype === 'float32' ? new Float32Array(length) : new Float64Array(length));
  if (out === 'ranking') return { values: floats(), indices: indices() };
  return out === 'row indices' ? indices() : floats();
}

interface Choice {
  readonly seed?: number;
  /** The type of integer arrays; by default the narrowest that libraries use. */
  readonly integers?: 'narrow' | 'as wide as the floats';
}

/** A call for each variant, with seeded numbers in fresh arrays. */
export function callsOf(operation: Operation, layout: Layout, { seed = 1, integers = 'narrow' }: Choice = {}): Call[] {
  const { shape } = layout;
  const axis = takes(operation, 'axis') ? layout.axis : shape.length - 1;
  const own = { ...layout, axis };
  return operation.variants.map(({ operands, plain = {} }, i) => {
    let next = 1000 * seed + 100 * i;
    const filled = Object.fromEntries(
      Object.entries(operands).map(([name, operand]) => [name, fill(operand, own, ++next, integers)]),
    );
    // Operands that broadcast have a shape; all others are flat.
    const arrays = Object.fromEntries(
      Object.entries(filled).map(([name, { size, data, shape: sizes }]) => {
        return [name, size === 'broadcast' ? { data, shape: sizes } : data];
      }),
    );
    const others = typeof plain === 'function' ? plain(shape.at(axis) as number) : plain;
    // The option `causal` is only for the last axis.
    const causal = 'causal' in others && {
      causal: others.causal === true && shape.length > 1 && (axis + 1) % shape.length === 0,
    };
    const all: Record<string, unknown> = { shape, axis, ...arrays, ...others, ...causal };
    const pick = (names: readonly string[]) =>
      Object.fromEntries(names.filter((name) => Object.hasOwn(all, name)).map((name) => [name, all[name]]));
    return {
      ...{ operation, layout: own, filled },
      arguments: pick(operation.arguments),
      options: pick(operation.options.filter((name) => name !== 'out')),
    };
  });
}

function fill(operand: Operand, layout: Layout, seed: number, integers: Choice['integers']): Filled {
  const { dtype, axis } = layout;
  const n = layout.shape.at(axis) as number;
  const broadcast = layout.shape.with(axis, 1);
  const shapes = {
    element: layout.shape,
    row: [sizeOf(broadcast)],
    class: [n],
    broadcast,
  };
  const shape = shapes[operand.size];
  const size = sizeOf(shape);
  if (operand.values === 'floats') return { ...operand, shape, data: numbers(dtype, size, 'within ±8', seed) };
  if (operand.values === 'probabilities') {
    return { ...operand, shape, data: numbers(dtype, size, 'within ±8', seed).map((value) => Math.abs(value) / 8) };
  }
  const random = randomOf(seed);
  const below = operand.values === 'classes' ? n : 2;
  const values = Array.from({ length: size }, () => (operand.values === 'ones' ? 1 : Math.floor(below * random())));
  const narrow = () => (operand.values === 'classes' ? Int32Array.from(values) : Uint8Array.from(values));
  const wide = () => (dtype === 'float32' ? Int32Array.from(values) : BigInt64Array.from(values, BigInt));
  return { ...operand, shape, data: integers === 'narrow' ? narrow() : wide() };
}

type Run = (...given: unknown[]) => unknown;

/** Makes the call, with some arguments and options replaced if any are given. */
export function run(kernels: Kernels, call: Call, replaced: Readonly<Record<string, unknown>> = {}): unknown {
  const given: Record<string, unknown> = { ...call.arguments };
  const options: Record<string, unknown> = { ...call.options };
  for (const [name, value] of Object.entries(replaced)) (Object.hasOwn(given, name) ? given : options)[name] = value;
  return runBy(kernels, call.operation.name, ...Object.values(given), options);
}

export function runBy(kernels: Kernels, name: keyof Kernels, ...given: unknown[]): unknown {
  return (kernels[name] as Run)(...given);
}

/** The name of a call in failures. */
export function titleOf({ operation, arguments: given, options }: Call): string {
  return `${operation.name}(${[...Object.keys(given), ...Object.keys(options)].join(', ')})`;
}
