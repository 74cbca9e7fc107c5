import type { SoftmaxBackwardOperands, SoftmaxOperands } from '../generated/kernels.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { describeMask, WITH_DESCRIPTORS } from './descriptor.js';
import {
  addressOf,
  type FastArgument,
  isFastLike,
  isSameOrApart,
  isShortArray,
  operandOf,
  readArgument,
  readResult,
  readSizes,
  resultAddress,
  resultOf,
  rowLength,
  takeResult,
  takesFastPath,
} from './fast-path.js';
import { checkLikeness } from './likeness.js';
import { checkMask, readMask } from './mask.js';
import { type Given, type OptionNames, readOptions, readTemperature } from './options.js';
import type { Operand } from './place.js';
import { checkSize, newLike, wrapResult } from './result.js';
import { readRows } from './rows.js';

/** The operations along an axis whose result has as many elements as their input. */

interface MapOptions {
  shape?: unknown;
  axis?: unknown;
  temperature?: unknown;
  mask?: unknown;
  causal?: unknown;
  out?: unknown;
}

/** The description of an operation such as softmax, with one argument and a mask. */
export interface RowMap {
  readonly name: string;
  /** The kernel may lack the operand `mask`, if the operation has no such option. */
  readonly kernel: Kernel<SoftmaxOperands>;
  readonly options: Partial<OptionNames<MapOptions>>;
}

/** Runs an operation such as softmax. */
export function mapRows(operation: RowMap, x: unknown, options: unknown): unknown {
  const { name } = operation;
  const call = openCall(name);
  const { runtime } = call;
  const from = readArgument(call, 'x', x);
  // Without options none of the caller's code runs.
  if (options === undefined && isShortArray(from))
    return mapFast(runtime, operation, from, undefined, undefined, from.size, 1);
  const given = readOptions<MapOptions>(name, options, operation.options);
  const { out } = given;
  const to = readResult(call, from, out, from.half);
  const { mask, causal, axis, temperature, shape: sizes } = given;
  const shape = readSizes(call, from, sizes);
  if (
    from.kind === undefined &&
    mask === undefined &&
    causal === undefined &&
    takesFastPath(runtime.arena, from, to, from.size)
  ) {
    const n = rowLength(from, shape, axis);
    if (n > 0) {
      const divisor = readTemperature(name, temperature, from.elementBytes);
      return mapFast(runtime, operation, from, out, to, n, divisor);
    }
  }
  const place = resultOf(call, from, out, to, from.half);
  return mapOperand(call, operation, operandOf(call, 'x', x, from), place, { mask, causal, axis, temperature, shape });
}

/** The same on the fast path. */
function mapFast(
  runtime: Runtime,
  { name, kernel }: RowMap,
  from: FastArgument,
  out: unknown,
  to: FastArgument | undefined,
  n: number,
  temperature: number,
): unknown {
  const { arena } = runtime;
  const { elementBytes, size } = from;
  const compute = runtime.kernel(kernel, elementBytes, name);
  const x = addressOf(arena, from, 1);
  const y = resultAddress(arena, to);
  compute({ x, y, outer: size / n, n, inner: 1, temperature, scratch: arena.kernelScratch, mask: 0 });
  return takeResult(arena, from, out, size);
}

/** Runs any other call; of its options, only `out` has been read as an operand. */
function mapOperand(
  call: Call,
  { kernel }: RowMap,
  input: Operand,
  out: Operand | undefined,
  given: Given<Omit<MapOptions, 'out'>>,
): unknown {
  const { operation, runtime } = call;
  const { elementBytes } = input;
  const maskPlace = readMask(call, given.mask);
  const { causal } = given;
  const temperature = readTemperature(operation, given.temperature, elementBytes);
  const rows = readRows(operation, input, given);
  settle(call);
  const mask = checkMask(operation, maskPlace, causal, input, rows.axis);
  if (out !== undefined) {
    checkSize(call, out, input.length);
    checkOverlaps(call, out, input);
  }
  if (input.length === 0) return emptyMap(call, out, input);

  const compute = runtime.kernel(kernel, elementBytes, operation);
  const { run } = runtime;
  const { n } = rows;
  run.open(operation, rows, elementBytes, mask && WITH_DESCRIPTORS);
  const from = run.input(input);
  const descriptor = mask && describeMask(runtime, mask, input, rows);
  const result = out ?? newLike(call, input);
  const to = run.output(result);
  run.start(out === undefined ? result : undefined);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const mask = descriptor === undefined ? 0 : descriptor.at();
    compute({ x: run.at(from), y: run.at(to), outer, n, inner, temperature, scratch, mask });
  }
  return wrapResult(result, out !== undefined, input, input.shape);
}

/** A result without elements. */
function emptyMap(call: Call, out: Operand | undefined, input: Operand): unknown {
  return wrapResult(out ?? newLike(call, input), out !== undefined, input, input.shape);
}

type PairOptions = Omit<MapOptions, 'mask' | 'causal'>;

/** The description of a backward pass, whose arguments are the forward result and the gradient with respect to it. */
export interface BackwardMap {
  readonly name: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: Kernel<SoftmaxBackwardOperands>;
  readonly options: OptionNames<PairOptions>;
}

const TWO_BLOCKS = { transposedBlocks: 2 };

/** Runs a backward pass. */
export function mapBackward(operation: BackwardMap, y: unknown, dy: unknown, options: unknown): unknown {
  const { name, argument } = operation;
  const call = openCall(name);
  const from = readArgument(call, argument, y);
  const upstream = readArgument(call, 'dy', dy, from.elementBytes);
  const given = readOptions<PairOptions>(name, options, operation.options);
  const { out } = given;
  const to = readResult(call, from, out, from.half);
  const { axis, temperature, shape: sizes } = given;
  const shape = readSizes(call, from, sizes);
  const { runtime } = call;
  if (
    from.kind === undefined &&
    isFastLike(runtime.arena, upstream, from) &&
    takesFastPath(runtime.arena, from, to, from.size)
  ) {
    const n = rowLength(from, shape, axis);
    if (n > 0 && (to?.array === undefined || isSameOrApart(to, upstream))) {
      const divisor = readTemperature(name, temperature, from.elementBytes);
      return backwardFast(runtime, operation, from, upstream, out, to, n, divisor);
    }
  }
  const input = operandOf(call, argument, y, from);
  const gradient = operandOf(call, 'dy', dy, upstream);
  const place = resultOf(call, from, out, to, from.half);
  return backwardOperands(call, operation, input, gradient, place, { axis, temperature, shape });
}

/** The same on the fast path. */
function backwardFast(
  runtime: Runtime,
  { name, kernel }: BackwardMap,
  from: FastArgument,
  upstream: FastArgument,
  out: unknown,
  to: FastArgument | undefined,
  n: number,
  temperature: number,
): unknown {
  const { arena } = runtime;
  const { elementBytes, size } = from;
  const compute = runtime.kernel(kernel, elementBytes, name);
  const y = addressOf(arena, from, 1);
  const dy = addressOf(arena, upstream, 2);
  const dx = resultAddress(arena, to);
  compute({ y, dx, outer: size / n, n, inner: 1, temperature, scratch: arena.kernelScratch, dy });
  return takeResult(arena, from, out, size);
}

/** Runs any other call; of its options, only `out` has been read as an operand. */
function backwardOperands(
  call: Call,
  { name, kernel }: BackwardMap,
  input: Operand,
  gradient: Operand,
  out: Operand | undefined,
  given: Given<Omit<PairOptions, 'out'>>,
): unknown {
  const { runtime } = call;
  const { elementBytes } = input;
  const temperature = readTemperature(name, given.temperature, elementBytes);
  const rows = readRows(name, input, given);
  settle(call);
  checkLikeness(name, gradient, input);
  if (out !== undefined) {
    checkSize(call, out, input.length);
    checkOverlaps(call, out, input, gradient);
  }
  if (input.length === 0) return emptyMap(call, out, input);

  const compute = runtime.kernel(kernel, elementBytes, name);
  const { run } = runtime;
  const { n } = rows;
  run.open(name, rows, elementBytes, TWO_BLOCKS);
  const from = run.input(input);
  const upstream = run.input(gradient);
  const result = out ?? newLike(call, input);
  const to = run.output(result);
  run.start(out === undefined ? result : undefined);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    compute({ y: run.at(from), dx: run.at(to), outer, n, inner, temperature, scratch, dy: run.at(upstream) });
  }
  return wrapResult(result, out !== undefined, input, input.shape);
}
