import { type FloatArray, offsetOf } from '../arrays.js';
import { showShape } from '../errors.js';
import type { SoftmaxBackwardOperands, SoftmaxOperands } from '../generated/kernels.js';
import { Tensor, type TensorStorage } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import { takeRuntime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps, openCall, settle } from './call.js';
import { describeMask } from './descriptor.js';
import { checkMask, readMask } from './mask.js';
import { operandFrom, readOperand } from './operand.js';
import { type Given, type OptionNames, readOptions, readTemperature } from './options.js';
import { newArray, type Operand } from './place.js';
import { addressLike, residentLike, residentOf, rowLength } from './resident.js';
import { checkSize, dtypeOf, newLike, readOptionalOut, readOut, wrapResult } from './result.js';
import { readRows, splitByAxis } from './rows.js';
import { areEqual, checkLength, readShape } from './shape.js';
import {
  floatBytes,
  hasStill,
  offsetOfLike,
  overlap,
  placeSmall,
  shortLength,
  smallResult,
  takeSmall,
} from './small.js';

/** The operations along an axis that give as many elements as they get. */

interface MapOptions {
  shape?: unknown;
  axis?: unknown;
  temperature?: unknown;
  mask?: unknown;
  causal?: unknown;
  out?: unknown;
}

/** softmax and its like: one argument and a mask. */
export interface RowMap {
  readonly name: string;
  /** It leaves `mask` out where the operation has none, as `options` do. */
  readonly kernel: Kernel<SoftmaxOperands>;
  readonly options: Partial<OptionNames<MapOptions>>;
}

const MASKED = { mayTranspose: false };

/** Runs such an operation. A tensor that goes into another one, or in place, becomes no operand: see resident.ts. */
export function mapRows(operation: RowMap, x: unknown, options: unknown): unknown {
  const bytes = floatBytes(x);
  const length = bytes === 0 ? 0 : shortLength(x as FloatArray);
  if (length > 0)
    return mapShort(operation, x as FloatArray, bytes as 4 | 8, length, offsetOf(x as FloatArray), options);
  const { name } = operation;
  const call = openCall(name);
  const storage = residentOf(call.runtime, x);
  const operand = storage === undefined ? readOperand(call, 'x', x) : undefined;
  let given = readOptions<MapOptions>(name, options, operation.options);
  const { out } = given;
  if (storage !== undefined && Tensor.is(out)) {
    const { mask, causal, axis, temperature, shape } = given;
    const { address, size, elementBytes } = storage;
    const y = addressLike(out, storage, size);
    const n = rowLength(storage, shape, axis);
    if (mask === undefined && causal === undefined && n > 0 && y >= 0 && address >= 0) {
      const divisor = readTemperature(name, temperature, elementBytes);
      computeRows(call.runtime, operation, elementBytes, address, y, size / n, n, divisor);
      return out;
    }
    given = { mask, causal, axis, temperature, shape };
  }
  const input = operand ?? readOperand(call, 'x', x);
  return mapOperand(call, operation, input, readOptionalOut(call, out, input.elementBytes, input.half), given);
}

/** The same for a short array: operands are not made of it and of `out` before there is a need for them. */
function mapShort(
  operation: RowMap,
  x: FloatArray,
  bytes: 4 | 8,
  length: number,
  offset: number,
  options: unknown,
): unknown {
  const runtime = takeRuntime();
  if (options === undefined) return mapSmall(runtime, operation, x, undefined, bytes, length, undefined, 1);
  const { name } = operation;
  const { arena } = runtime;
  const { moment } = arena;
  let given = readOptions<MapOptions>(name, options, operation.options);
  const { out } = given;
  const result = (out === undefined ? x : out) as FloatArray;
  const outMoment = arena.moment;
  const outOffset = result === x ? offset : offsetOfLike(result, bytes, length);
  if (outOffset >= 0) {
    const { mask, causal, axis = -1, temperature, shape } = given;
    const sizes = shape === undefined ? undefined : readShape(name, 'shape', shape);
    const isPlain = mask === undefined && causal === undefined && axis === -1;
    if (isPlain && arena.moment === moment && hasStill(x, length) && (result === x || hasStill(result, length))) {
      if (!overlap(x, offset, result, outOffset, length * bytes)) {
        return mapSmall(runtime, operation, x, out, bytes, length, sizes, readTemperature(name, temperature, bytes));
      }
    }
    given = { mask, causal, axis, temperature, shape: sizes };
  }
  const call: Call = { runtime, operation: name, last: undefined };
  const input = operandFrom(call, 'x', x, length, offset, moment);
  if (outOffset < 0) return mapOperand(call, operation, input, readOut(call, 'out', out, bytes), given);
  const place = out === undefined ? undefined : operandFrom(call, 'out', result, length, outOffset, outMoment);
  return mapOperand(call, operation, input, place, given);
}

/** The same for any x, which is read as `out` is, but no other option. */
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
  run.open(operation, rows, elementBytes, mask && MASKED);
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

/** mapRows for a few rows in typed arrays: the same checks and the same kernel. */
function mapSmall(
  runtime: Runtime,
  operation: RowMap,
  x: FloatArray,
  out: unknown,
  elementBytes: 4 | 8,
  length: number,
  sizes: readonly number[] | undefined,
  temperature: number,
): FloatArray {
  let n = length;
  let outer = 1;
  if (sizes !== undefined) {
    checkLength(operation.name, 'x', length, sizes);
    if (sizes.length === 0) splitByAxis(operation.name, sizes, -1);
    n = sizes[sizes.length - 1]!;
    outer = length / n;
  }
  const { arena } = runtime;
  const result = (out ?? newArray(elementBytes, length)) as FloatArray;
  const from = placeSmall(arena, x, elementBytes, length);
  computeRows(runtime, operation, elementBytes, from, smallResult(arena), outer, n, temperature);
  return takeSmall(arena, result, elementBytes, length);
}

/** Computes rows that lie one after another in linear memory, without a mask. */
function computeRows(
  runtime: Runtime,
  { name, kernel }: RowMap,
  elementBytes: 4 | 8,
  x: number,
  y: number,
  outer: number,
  n: number,
  temperature: number,
): void {
  const compute = runtime.kernel(kernel, elementBytes, name);
  compute({ x, y, outer, n, inner: 1, temperature, scratch: runtime.arena.kernelScratch, mask: 0 });
}

type PairOptions = Omit<MapOptions, 'mask' | 'causal'>;

/** The backward pass of such an operation: its result and the gradient with respect to that. */
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
  const storage = residentOf(call.runtime, y);
  const upstream = storage && residentLike(dy, storage);
  if (upstream !== undefined) return backwardTensors(call, operation, y, storage!, dy, upstream, options);
  const input = readOperand(call, argument, y);
  const gradient = readOperand(call, 'dy', dy, input.elementBytes);
  const given = readOptions<PairOptions>(name, options, operation.options);
  const out = readOptionalOut(call, given.out, input.elementBytes, input.half);
  return backwardOperands(call, operation, input, gradient, out, given);
}

/** The same for tensors of one shape and dtype: see mapTensor. */
function backwardTensors(
  call: Call,
  operation: BackwardMap,
  y: unknown,
  storage: TensorStorage,
  gradient: unknown,
  upstream: TensorStorage,
  options: unknown,
): unknown {
  const { runtime, operation: name } = call;
  const { size, elementBytes } = storage;
  let given = readOptions<PairOptions>(name, options, operation.options);
  const { out } = given;
  if (Tensor.is(out)) {
    const { axis, temperature, shape } = given;
    const dx = addressLike(out, storage, size);
    const dy = upstream.address;
    const n = rowLength(storage, shape, axis);
    if (n > 0 && dx >= 0 && dy >= 0 && storage.address >= 0) {
      const divisor = readTemperature(name, temperature, elementBytes);
      const compute = runtime.kernel(operation.kernel, elementBytes, name);
      const scratch = runtime.arena.kernelScratch;
      compute({ y: storage.address, dx, outer: size / n, n, inner: 1, temperature: divisor, scratch, dy });
      return out;
    }
    given = { axis, temperature, shape };
  }
  const input = readOperand(call, operation.argument, y);
  const place = readOperand(call, 'dy', gradient);
  return backwardOperands(call, operation, input, place, readOptionalOut(call, out, elementBytes), given);
}

/** The same for any arguments, which are read as `out` is, but no other option. */
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

/** @throws TypeError unless both have the same dtype, RangeError unless they have the same shape or length. */
export function checkLikeness(operation: string, operand: Operand, first: Operand): void {
  if (operand.elementBytes !== first.elementBytes) {
    const { argument } = operand;
    throw new TypeError(
      `${operation}: ${argument} is ${dtypeOf(operand)}, expected ${dtypeOf(first)}, as ${first.argument}`,
    );
  }
  checkSameShape(operation, operand, first);
}

/** @throws RangeError unless they have the same shape, or length where one has no shape. */
export function checkSameShape(
  operation: string,
  { argument, shape, length }: Pick<Operand, 'argument' | 'shape' | 'length'>,
  first: Operand,
): void {
  const expectedShape = first.shape;
  const hasShapes = shape !== undefined && expectedShape !== undefined;
  if (hasShapes ? areEqual(shape, expectedShape) : length === first.length) return;
  const got = hasShapes ? `has shape ${showShape(shape)}` : `has ${length} elements`;
  const expected = hasShapes ? showShape(expectedShape) : `${first.length}`;
  throw new RangeError(`${operation}: ${argument} ${got}, expected ${expected}, as ${first.argument}`);
}
