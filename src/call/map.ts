import { countOf, offsetOf } from '../arrays.js';
import { showShape, typeError } from '../errors.js';
import type {
  SigmoidOperands,
  SoftmaxBackwardOperands,
  SoftmaxOperands,
  WeightedLogSumExpOperands,
} from '../generated/kernels.js';
import type { Runtime } from '../runtime.js';
import type { FloatArray } from '../types.js';
import type { Kernel } from '../wasm/kernel.js';
import { PLAIN } from './caller.js';
import { checkBeside, placeBeside } from './descriptor.js';
import { checkMask, type Mask, type MaskPlace, placeMask, readMask } from './mask.js';
import {
  giveShape,
  newArray,
  type Operand,
  operandFrom,
  readOperand,
  readOptional,
  readSizes,
  shapeOf,
} from './operand.js';
import { checkTemperature, type OptionNames, readOptions } from './options.js';
import { checkOverlap } from './overlap.js';
import { settle } from './place.js';
import { checkSize, dtypeOf, fillResult, handBack, newResult, readOptionalOut, readOut } from './result.js';
import { checkLength, cut, geometry, withoutAxis } from './rows.js';
import {
  floatBytes,
  hasStill,
  isShort,
  mayOverlap,
  offsetOfLike,
  placeSmall,
  SMALL,
  smallResult,
  takeSmall,
} from './small.js';

/** The calling sequences that most operations share: what is read, in which order, and how results come back. */

/** Fills `geometry` for an operand: plain numbers without a shape are one row. */
export function cutOperand(operation: string, operand: Operand, axis: unknown): void {
  if (operand.shape === undefined && (axis === -1 || axis === 0)) {
    geometry.outer = 1;
    geometry.n = operand.length;
    geometry.inner = 1;
    geometry.size = operand.length;
  } else cut(operation, shapeOf(operand), axis);
}

/** @throws TypeError unless both have the same dtype, RangeError unless they have the same shape or length. */
export function checkLikeness(
  operation: string,
  argument: string,
  operand: Operand,
  first: string,
  model: Operand,
): void {
  if (operand.elementBytes !== model.elementBytes) {
    throw new TypeError(`${operation}: ${argument} is ${dtypeOf(operand)}, expected ${dtypeOf(model)}, as ${first}`);
  }
  checkSameShape(operation, argument, operand, first, model);
}

/** @throws RangeError unless they have the same shape, or length where one has no shape. */
export function checkSameShape(
  operation: string,
  argument: string,
  operand: Pick<Operand, 'shape' | 'length'>,
  first: string,
  model: Operand,
): void {
  const { shape } = operand;
  const { shape: expectedShape } = model;
  const hasShapes = shape !== undefined && expectedShape !== undefined;
  const differs = hasShapes
    ? shape.length !== expectedShape.length || shape.some((size, i) => size !== expectedShape[i])
    : operand.length !== model.length;
  if (!differs) return;
  const got = hasShapes ? `has shape ${showShape(shape)}` : `has ${operand.length} elements`;
  const expected = hasShapes ? showShape(expectedShape) : `${model.length}`;
  throw new RangeError(`${operation}: ${argument} ${got}, expected ${expected}, as ${first}`);
}

/** A kernel from elements to elements along an axis, with a mask. */
export type MapKernel = Kernel<SoftmaxOperands>;

/** A kernel from a result and the gradient with respect to it to that of the input. */
export type PairKernel = Kernel<SoftmaxBackwardOperands>;

const PAIR_OPTIONS: OptionNames = { shape: true, axis: true, temperature: true, out: true };
const MAP_OPTIONS: OptionNames = {
  shape: true,
  axis: true,
  temperature: true,
  mask: true,
  causal: true,
  out: true,
};

interface MapOptions {
  shape?: unknown;
  axis?: unknown;
  temperature?: unknown;
  mask?: unknown;
  causal?: unknown;
  out?: unknown;
}

/** softmax and logSoftmax: an element for an element, problems along an axis, a temperature, a mask. */
export function mapAlongAxis(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  x: unknown,
  options: unknown,
): unknown {
  const bytes = floatBytes(x);
  if (bytes !== 0 && options !== undefined)
    return mapArray(runtime, operation, kernel, x as FloatArray, bytes, options);
  if (bytes !== 0 && isShort(x as FloatArray)) {
    const length = countOf(x as FloatArray);
    return mapSmall(runtime, operation, kernel, x as FloatArray, undefined, bytes, length, undefined, 1);
  }
  return mapLong(runtime, operation, kernel, x, options);
}

/** The same for any x. */
function mapLong(runtime: Runtime, operation: string, kernel: MapKernel, x: unknown, options: unknown): unknown {
  const input = readOperand(runtime, operation, 'x', x);
  const given = readOptions<MapOptions>(operation, options, MAP_OPTIONS);
  const out = readOptionalOut(runtime, operation, 'out', given.out, input.elementBytes);
  const mask = readMask(runtime, operation, given.mask);
  const { axis = -1, temperature = 1, causal } = given;
  const sizes = readSizes(operation, given.shape);
  return mapRead(runtime, operation, kernel, input, out, mask, causal, sizes, axis, temperature);
}

/**
 * The same for an array and options. If it is short only notes are taken of it, and of `out` where that is like it:
 * operands are not made before there is a need for them.
 */
function mapArray(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  x: FloatArray,
  bytes: 4 | 8,
  options: unknown,
): unknown {
  if (x[0] === undefined || countOf(x) > SMALL) return mapLong(runtime, operation, kernel, x, options);
  const length = countOf(x);
  const offset = offsetOf(x);
  const { arena } = runtime;
  const { moment } = arena;
  const given = readOptions<MapOptions>(operation, options, MAP_OPTIONS);
  const { out } = given;
  let outOffset = offset;
  let place: Operand | undefined;
  if (out !== undefined && out !== x) {
    outOffset = arena.moment === moment ? offsetOfLike(out, bytes, length) : -1;
    if (outOffset < 0) place = readOut(runtime, operation, 'out', out, bytes);
  }
  const mask = readMask(runtime, operation, given.mask);
  const { axis = -1, temperature = 1, causal } = given;
  const sizes = readSizes(operation, given.shape);

  const result = (out === undefined ? x : out) as FloatArray;
  const isPlain = place === undefined && mask === undefined && causal === undefined && axis === -1;
  if (isPlain && arena.moment === moment && hasStill(x, length) && (result === x || hasStill(result, length))) {
    if (!mayOverlap(x, offset, result, outOffset)) {
      return mapSmall(runtime, operation, kernel, x, out, bytes, length, sizes, temperature);
    }
  }
  if (out !== undefined) place ??= operandFrom('out', result, length, outOffset, moment);
  const input = operandFrom('x', x, length, offset, moment);
  return mapRead(runtime, operation, kernel, input, place, mask, causal, sizes, axis, temperature);
}

/** mapAlongAxis once its arguments are read. */
function mapRead(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  input: Operand,
  out: Operand | undefined,
  mask: MaskPlace | undefined,
  causal: unknown,
  sizes: readonly number[] | undefined,
  axis: unknown,
  temperature: unknown,
): unknown {
  settle(runtime.arena, operation, input, mask, out);
  giveShape(operation, input, sizes);
  checkTemperature(operation, temperature, input.elementBytes);
  const kept = checkMask(operation, mask, causal, input, axis);
  if (out !== undefined) {
    checkSize(operation, out, input.length);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
    checkOverlap(runtime, operation, 'out', out, 'mask', mask);
  }
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  const { stream } = runtime;
  const run = runtime.kernel(kernel, input.elementBytes);
  const beside = maskBeside(runtime, kept, input, axis);
  return mapBlocks(runtime, operation, input, beside, out, outer, n, inner, (x, y, mask) =>
    run({ x, y, outer: stream.outer, n, inner: stream.inner, temperature, mask, scratch: stream.scratch }),
  );
}

/** The same for an operation of two arguments alike, such as a result and the gradient with respect to it. */
export function mapPairAlongAxis(
  runtime: Runtime,
  operation: string,
  kernel: PairKernel,
  [first, second]: readonly [string, string],
  x: unknown,
  other: unknown,
  options: unknown,
): unknown {
  const input = readOperand(runtime, operation, first, x);
  const beside = readOperand(runtime, operation, second, other, input.elementBytes);
  const given = readOptions<MapOptions>(operation, options, PAIR_OPTIONS);
  const out = readOptionalOut(runtime, operation, 'out', given.out, input.elementBytes);
  const { axis = -1, temperature = 1 } = given;
  const sizes = readSizes(operation, given.shape);
  settle(runtime.arena, operation, input, beside, out);
  giveShape(operation, input, sizes);
  checkLikeness(operation, second, beside, first, input);
  checkTemperature(operation, temperature, input.elementBytes);
  if (out !== undefined) {
    checkSize(operation, out, input.length);
    checkOverlap(runtime, operation, 'out', out, first, input);
    checkOverlap(runtime, operation, 'out', out, second, beside);
  }
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  const { stream } = runtime;
  const run = runtime.kernel(kernel, input.elementBytes);
  return mapBlocks(runtime, operation, input, alikeBeside(runtime, beside), out, outer, n, inner, (y, dx, dy) =>
    run({ y, dy, dx, outer: stream.outer, n, inner: stream.inner, temperature, scratch: stream.scratch }),
  );
}

/** What a kernel reads beside x. */
interface BesideX {
  /** Tiles that the kernel gathers, and whether x and what is beside it may be turned: see Stream. */
  readonly gathered: number;
  readonly turns: boolean;
  /** Adds it to the open stream; what is returned gives its address in the block at hand. */
  add(): () => number;
}

function maskBeside(runtime: Runtime, mask: Mask | undefined, input: Operand, axis: unknown): BesideX | undefined {
  if (mask === undefined) return undefined;
  const add = () => {
    const record = placeMask(runtime, mask, shapeOf(input), axis as number);
    return () => record.at();
  };
  return { gathered: 1, turns: false, add };
}

function alikeBeside({ stream }: Runtime, operand: Operand): BesideX {
  const add = () => {
    const slot = stream.input(operand);
    return () => stream.at(slot);
  };
  return { gathered: 2, turns: true, add };
}

/** Runs a kernel block by block: `run` gets the addresses of x, the result and, if there is one, what is beside x. */
function mapBlocks(
  runtime: Runtime,
  operation: string,
  input: Operand,
  beside: BesideX | undefined,
  out: Operand | undefined,
  outer: number,
  n: number,
  inner: number,
  run: (x: number, y: number, beside: number) => void,
): unknown {
  const { stream } = runtime;
  if (input.length === 0) {
    const result = out ?? newResult(runtime, operation, input, shapeOf(input));
    return handBack(result, out !== undefined, input, input.shape);
  }
  stream.open(operation, outer, n, inner, input.elementBytes, beside?.gathered, 1, beside?.turns);
  const from = stream.input(input);
  const addressBeside = beside?.add();
  const result = out ?? newResult(runtime, operation, input, shapeOf(input));
  const to = stream.output(result);
  stream.start(out === undefined ? result : undefined);
  while (stream.next()) run(stream.at(from), stream.at(to), addressBeside?.() ?? 0);
  return handBack(result, out !== undefined, input, input.shape);
}

/** mapAlongAxis for a few rows in typed arrays: the same checks and the same kernel. */
function mapSmall(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  x: FloatArray,
  out: unknown,
  elementBytes: 4 | 8,
  length: number,
  sizes: readonly number[] | undefined,
  temperature: unknown,
): FloatArray {
  let n = length;
  let rows = 1;
  if (sizes !== undefined) {
    checkLength(operation, 'x', length, sizes);
    if (sizes.length === 0) cut(operation, sizes, -1);
    n = sizes[sizes.length - 1]!;
    rows = length / n;
  }
  checkTemperature(operation, temperature, elementBytes);
  const result = (out ?? newArray(elementBytes, length)) as FloatArray;
  const { arena } = runtime;
  const run = runtime.kernel(kernel, elementBytes);
  const from = placeSmall(arena, x, elementBytes, length);
  const scratch = arena.kernelScratch;
  run({ x: from, y: smallResult(arena), outer: rows, n, inner: 1, temperature, mask: 0, scratch });
  return takeSmall(arena, result, elementBytes, length);
}

/** A kernel from elements to elements, each on its own. */
export type ElementKernel = Kernel<SigmoidOperands>;

const ELEMENT_OPTIONS: OptionNames = { out: true };

/** sigmoid and logSigmoid: an element for an element, whatever the shape. */
export function mapElements(
  runtime: Runtime,
  operation: string,
  kernel: ElementKernel,
  x: unknown,
  options: unknown,
): unknown {
  const bytes = floatBytes(x);
  if (bytes !== 0 && options !== undefined) {
    return mapArrayElements(runtime, operation, kernel, x as FloatArray, bytes, options);
  }
  if (bytes !== 0 && isShort(x as FloatArray)) {
    return mapSmallElements(runtime, kernel, x as FloatArray, undefined, bytes, countOf(x as FloatArray));
  }
  return mapLongElements(runtime, operation, kernel, x, options);
}

/** The same for any x. */
function mapLongElements(
  runtime: Runtime,
  operation: string,
  kernel: ElementKernel,
  x: unknown,
  options: unknown,
): unknown {
  const input = readOperand(runtime, operation, 'x', x);
  const { out } = readOptions<MapOptions>(operation, options, ELEMENT_OPTIONS);
  return mapReadElements(runtime, operation, kernel, input, out);
}

/** The same for an array and options: see mapArray. */
function mapArrayElements(
  runtime: Runtime,
  operation: string,
  kernel: ElementKernel,
  x: FloatArray,
  bytes: 4 | 8,
  options: unknown,
): unknown {
  if (x[0] === undefined || countOf(x) > SMALL) {
    return mapLongElements(runtime, operation, kernel, x, options);
  }
  const length = countOf(x);
  const offset = offsetOf(x);
  const { arena } = runtime;
  const { moment } = arena;
  const { out } = readOptions<MapOptions>(operation, options, ELEMENT_OPTIONS, PLAIN.out !== undefined);
  const result = (out === undefined ? x : out) as FloatArray;
  const outOffset = result === x ? offset : offsetOfLike(result, bytes, length);
  if (outOffset >= 0 && arena.moment === moment && hasStill(x, length) && !mayOverlap(x, offset, result, outOffset)) {
    return mapSmallElements(runtime, kernel, x, out, bytes, length);
  }
  return mapReadElements(runtime, operation, kernel, operandFrom('x', x, length, offset, moment), out);
}

/** mapElements once x is read, and out at hand. */
function mapReadElements(
  runtime: Runtime,
  operation: string,
  kernel: ElementKernel,
  input: Operand,
  asked: unknown,
): unknown {
  const { stream, arena } = runtime;
  const out = readOptionalOut(runtime, operation, 'out', asked, input.elementBytes);
  settle(arena, operation, input, out);
  if (out !== undefined) {
    checkSize(operation, out, input.length);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
  }
  const run = runtime.kernel(kernel, input.elementBytes);
  return mapBlocks(runtime, operation, input, undefined, out, input.length, 1, 1, (x, y) =>
    run({ x, y, count: stream.outer, scratch: stream.scratch }),
  );
}

function mapSmallElements(
  runtime: Runtime,
  kernel: ElementKernel,
  x: FloatArray,
  out: unknown,
  elementBytes: 4 | 8,
  length: number,
): FloatArray {
  const result = (out ?? newArray(elementBytes, length)) as FloatArray;
  const { arena } = runtime;
  const run = runtime.kernel(kernel, elementBytes);
  const from = placeSmall(arena, x, elementBytes, length);
  run({ x: from, y: smallResult(arena), count: length, scratch: arena.kernelScratch });
  return takeSmall(arena, result, elementBytes, length);
}

/** A kernel from elements to a number for each problem. */
export type ReduceKernel = Kernel<WeightedLogSumExpOperands>;

const REDUCE_OPTIONS: OptionNames = {
  shape: true,
  axis: true,
  keepDims: true,
  temperature: true,
  weights: true,
  mask: true,
  out: true,
};

interface ReduceOptions extends MapOptions {
  keepDims?: unknown;
  weights?: unknown;
}

/** logSumExp: a number for each problem along an axis; `weightedKernel` is for calls with weights. */
export function reduceAlongAxis(
  runtime: Runtime,
  operation: string,
  kernel: ReduceKernel,
  weightedKernel: ReduceKernel,
  x: unknown,
  options: unknown,
): unknown {
  const input = readOperand(runtime, operation, 'x', x);
  const given = readOptions<ReduceOptions>(operation, options, REDUCE_OPTIONS);
  const out = readOptionalOut(runtime, operation, 'out', given.out, input.elementBytes);
  const weights = readOptional(runtime, operation, 'weights', given.weights, input.elementBytes);
  const mask = readMask(runtime, operation, given.mask);
  const { axis = -1, keepDims = false, temperature = 1 } = given;
  const sizes = readSizes(operation, given.shape);
  settle(runtime.arena, operation, input, out, weights, mask);
  giveShape(operation, input, sizes);
  const own = shapeOf(input);
  checkTemperature(operation, temperature, input.elementBytes);
  if (typeof keepDims !== 'boolean') throw typeError(operation, 'keepDims', keepDims, 'true or false');
  const weight = checkBeside(operation, weights, input);
  const kept = checkMask(operation, mask, false, input, axis);
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  if (out !== undefined) {
    checkSize(operation, out, outer * inner);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
    checkOverlap(runtime, operation, 'out', out, 'weights', weights, false);
    checkOverlap(runtime, operation, 'out', out, 'mask', mask);
  }

  const resultShape = input.shape === undefined ? [] : withoutAxis(input.shape, axis as number, keepDims);
  if (input.length === 0) {
    const result = out ?? newResult(runtime, operation, input, resultShape);
    fillResult(result, -Infinity);
    return handBackReduced(result, out !== undefined, input, resultShape);
  }
  const { stream } = runtime;
  stream.open(operation, outer, n, inner, input.elementBytes, 1, 1, kept === undefined && weight === undefined);
  const from = stream.input(input);
  const maskRecord = kept && placeMask(runtime, kept, own, axis as number);
  const weightRecord = weight && placeBeside(runtime, weight, own, axis as number, input.elementBytes);
  const result = out ?? newResult(runtime, operation, input, resultShape);
  const to = stream.output(result, 1);
  stream.start(out === undefined ? result : undefined);
  const run = runtime.kernel(weight === undefined ? kernel : weightedKernel, input.elementBytes);
  while (stream.next()) {
    const { outer, inner, scratch } = stream;
    const [mask, weights] = [maskRecord?.at() ?? 0, weightRecord?.at() ?? 0];
    run({ x: stream.at(from), y: stream.at(to), outer, n, inner, temperature, mask, weights, scratch });
  }
  return handBackReduced(result, out !== undefined, input, resultShape);
}

/** The same as handBack, but that a plain row has a number for its result. */
function handBackReduced(result: Operand, isOut: boolean, input: Operand, shape: readonly number[]): unknown {
  if (input.shape === undefined && !isOut) return result.array![0];
  return handBack(result, isOut, input, shape);
}
