import { placeBeside, readBeside } from './beside.js';
import { PLAIN } from './caller.js';
import { OutOfMemoryError, showShape, typeError } from './errors.js';
import { checkLength, cut, geometry, product, readShape, withoutAxis } from './geometry.js';
import { newArray, type Operand, readOperand, shapeOf } from './input.js';
import type { Kernel } from './kernel.js';
import { type Mask, placeMask, readMask } from './mask.js';
import { checkTemperature, type OptionNames, readOptions } from './options.js';
import { addressOf, checkOverlap } from './overlap.js';
import type { Runtime } from './runtime.js';
import { placeSmall, smallBytes, smallResult, takeSmall } from './small.js';
import { Tensor } from './tensor.js';
import type { Dtype, FloatArray } from './types.js';

/** The calling sequences that most operations share: what is read, in which order, and how results come back. */

export function dtypeOf(operand: Operand): Dtype {
  return operand.elementBytes === 4 ? 'float32' : 'float64';
}

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
  const hasShapes = shape !== undefined && model.shape !== undefined;
  const differs = hasShapes
    ? shape.length !== model.shape.length || shape.some((size, i) => size !== model.shape![i])
    : operand.length !== model.length;
  if (!differs) return;
  const got = hasShapes ? `has shape ${showShape(shape)}` : `has ${operand.length} elements`;
  const expected = hasShapes ? showShape(model.shape) : `${model.length}`;
  throw new RangeError(`${operation}: ${argument} ${got}, expected ${expected}, as ${first}`);
}

/** Storage for a result: a Tensor for a Tensor, else an array. @throws OutOfMemoryError */
export function newResult(
  runtime: Runtime,
  operation: string,
  input: Operand,
  shape: readonly number[],
): FloatArray | Tensor {
  const { kind, elementBytes } = input;
  if (kind === 'tensor') return runtime.allocate(operation, shape, dtypeOf(input));
  const length = product(shape);
  // Only rows without elements can have more results than anything that was given has elements.
  const { limit } = runtime.arena;
  if (input.length === 0 && length * elementBytes > limit) {
    const bytes = length * elementBytes;
    throw new OutOfMemoryError(`${operation}: ${bytes} bytes are needed for the result, the limit is ${limit}`);
  }
  return newArray(elementBytes, length);
}

/** Sets every element of a result. */
export function fillResult(result: FloatArray | Tensor, value: number): void {
  (Tensor.is(result) ? result.data : result).fill(value);
}

/**
 * Adds a result to the open stream; `home` is the address of one that was given, from before memory grew: a view of it
 * has no place afterwards.
 */
export function placeResult(
  runtime: Runtime,
  operation: string,
  result: FloatArray | Tensor,
  home: number | undefined,
  perProblem?: number,
): number {
  const address = home ?? addressOf(runtime, operation, result);
  return runtime.stream.output(Tensor.is(result) ? undefined : result, address, perProblem);
}

/** A result as the caller gets it: `out` and Tensors themselves, data and shape for a tensor-like argument. */
export function handBack(
  result: FloatArray | Tensor,
  isOut: boolean,
  { kind }: Operand,
  shape: readonly number[] | undefined,
): unknown {
  return isOut || kind !== 'tensorLike' ? result : { data: result, shape: shape!.slice() };
}

/**
 * The operands of a kernel along an axis, as in assembly/kernels/softmax.ts: what is beside x is the second array of
 * those that take two, and the record of a mask, or 0, for the others.
 */
export type AxisOperands = [
  x: number,
  y: number,
  outer: number,
  n: number,
  inner: number,
  temperature: number,
  scratch: number,
  beside: number,
];

/** A kernel from elements to elements along an axis. */
export type MapKernel = Kernel<(...operands: AxisOperands) => void>;

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
  let shape: unknown;
  let axis: unknown = -1;
  let temperature: unknown = 1;
  let mask: unknown;
  let causal: unknown;
  let out: unknown;
  if (options !== undefined) {
    const read = readOptions<MapOptions>(operation, options, MAP_OPTIONS);
    ({ shape, axis = -1, temperature = 1, mask, causal, out } = read);
  }
  const small = axis === -1 && mask === undefined && causal === undefined ? smallBytes(x, out) : 0;
  if (small !== 0) return mapSmall(runtime, operation, kernel, x as FloatArray, small, out, shape, temperature);
  const input = readOperand(runtime, operation, 'x', x, shape);
  checkTemperature(operation, temperature, input.elementBytes);
  const kept = readMask(runtime, operation, mask, causal, input, axis);
  if (out !== undefined) {
    runtime.checkOut(operation, 'out', out, dtypeOf(input), input.length);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
    checkOverlap(runtime, operation, 'out', out, 'mask', kept?.array);
  }
  return mapOperands(runtime, operation, kernel, input, maskBeside(runtime, kept, input, axis), axis, temperature, out);
}

/** The same for an operation of two arguments alike, such as a result and the gradient with respect to it. */
export function mapPairAlongAxis(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  [first, second]: readonly [string, string],
  x: unknown,
  other: unknown,
  options: unknown,
): unknown {
  const { shape, axis = -1, temperature = 1, out } = readOptions<MapOptions>(operation, options, PAIR_OPTIONS);
  const input = readOperand(runtime, operation, first, x, shape);
  const beside = readOperand(runtime, operation, second, other, undefined, input.elementBytes);
  checkLikeness(operation, second, beside, first, input);
  checkTemperature(operation, temperature, input.elementBytes);
  if (out !== undefined) {
    runtime.checkOut(operation, 'out', out, dtypeOf(input), input.length);
    checkOverlap(runtime, operation, 'out', out, first, input);
    checkOverlap(runtime, operation, 'out', out, second, beside);
  }
  return mapOperands(runtime, operation, kernel, input, alikeBeside(runtime, beside), axis, temperature, out);
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

/** Runs a kernel from elements to elements, once its arguments are read and but for the axis checked. */
function mapOperands(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  input: Operand,
  beside: BesideX | undefined,
  axis: unknown,
  temperature: number,
  out: FloatArray | Tensor | undefined,
): unknown {
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  const { stream } = runtime;
  const run = runtime.kernel(kernel, input.elementBytes);
  return mapBlocks(runtime, operation, input, beside, out, outer, n, inner, (from, to, other) =>
    run(from, to, stream.outer, n, stream.inner, temperature, stream.scratch, other),
  );
}

/** Runs a kernel block by block: `run` gets the addresses of x, the result and, if there is one, what is beside x. */
function mapBlocks(
  runtime: Runtime,
  operation: string,
  input: Operand,
  beside: BesideX | undefined,
  out: FloatArray | Tensor | undefined,
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
  const home = out && addressOf(runtime, operation, out);
  stream.open(operation, outer, n, inner, input.elementBytes, beside?.gathered, 1, beside?.turns);
  const from = stream.input(input);
  const addressBeside = beside?.add();
  const result = out ?? newResult(runtime, operation, input, shapeOf(input));
  const to = placeResult(runtime, operation, result, home);
  stream.start(out === undefined && result);
  while (stream.next()) run(stream.at(from), stream.at(to), addressBeside?.() ?? 0);
  return handBack(result, out !== undefined, input, input.shape);
}

/** mapAlongAxis for a few rows in typed arrays: the same checks and the same kernel. */
function mapSmall(
  runtime: Runtime,
  operation: string,
  kernel: MapKernel,
  x: FloatArray,
  elementBytes: 4 | 8,
  out: unknown,
  shape: unknown,
  temperature: unknown,
): FloatArray {
  const { length } = x;
  let n = length;
  if (shape !== undefined) {
    const sizes = readShape(operation, 'shape', shape);
    checkLength(operation, 'x', length, sizes);
    if (sizes.length === 0) cut(operation, sizes, -1);
    n = sizes[sizes.length - 1]!;
  }
  checkTemperature(operation, temperature, elementBytes);
  const result = (out ?? newArray(elementBytes, length)) as FloatArray;
  const { arena } = runtime;
  const from = placeSmall(arena, x, elementBytes);
  const to = smallResult(arena);
  runtime.kernel(kernel, elementBytes)(from, to, length / n, n, 1, temperature, arena.kernelScratch, 0);
  return takeSmall(arena, result, elementBytes);
}

export type ElementOperands = [x: number, y: number, count: number, scratch: number];

/** A kernel from elements to elements, each on its own. */
export type ElementKernel = Kernel<(...operands: ElementOperands) => void>;

const ELEMENT_OPTIONS: OptionNames = { out: true };

/** sigmoid and logSigmoid: an element for an element, whatever the shape. */
export function mapElements(
  runtime: Runtime,
  operation: string,
  kernel: ElementKernel,
  x: unknown,
  options: unknown,
): unknown {
  let out: unknown;
  if (options !== undefined) {
    ({ out } = readOptions<MapOptions>(operation, options, ELEMENT_OPTIONS, PLAIN.out !== undefined));
  }
  const small = smallBytes(x, out);
  if (small !== 0) return mapSmallElements(runtime, kernel, x as FloatArray, small, out);
  const input = readOperand(runtime, operation, 'x', x, undefined);
  if (out !== undefined) {
    runtime.checkOut(operation, 'out', out, dtypeOf(input), input.length);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
  }
  const { stream } = runtime;
  const run = runtime.kernel(kernel, input.elementBytes);
  return mapBlocks(runtime, operation, input, undefined, out, input.length, 1, 1, (from, to) =>
    run(from, to, stream.outer, stream.scratch),
  );
}

function mapSmallElements(
  runtime: Runtime,
  kernel: ElementKernel,
  x: FloatArray,
  elementBytes: 4 | 8,
  out: unknown,
): FloatArray {
  const result = (out ?? newArray(elementBytes, x.length)) as FloatArray;
  const { arena } = runtime;
  const from = placeSmall(arena, x, elementBytes);
  runtime.kernel(kernel, elementBytes)(from, smallResult(arena), x.length, arena.kernelScratch);
  return takeSmall(arena, result, elementBytes);
}

/** The operands of a kernel that takes a mask and weights: beside x are their records, or 0. */
export type ReduceOperands = [...AxisOperands, weights: number];

/** A kernel from elements to a number for each problem. */
export type ReduceKernel = Kernel<(...operands: ReduceOperands) => void>;

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
  const read = readOptions<ReduceOptions>(operation, options, REDUCE_OPTIONS);
  const { shape, axis = -1, keepDims = false, temperature = 1, weights, mask, out } = read;
  const input = readOperand(runtime, operation, 'x', x, shape);
  const own = shapeOf(input);
  checkTemperature(operation, temperature, input.elementBytes);
  if (typeof keepDims !== 'boolean') throw typeError(operation, 'keepDims', keepDims, 'true or false');
  const weight = readBeside(runtime, operation, 'weights', weights, input);
  const kept = readMask(runtime, operation, mask, false, input, axis);
  cutOperand(operation, input, axis);
  const { outer, n, inner } = geometry;
  const rows = outer * inner;
  if (out !== undefined) {
    runtime.checkOut(operation, 'out', out, dtypeOf(input), rows);
    checkOverlap(runtime, operation, 'out', out, 'x', input);
    checkOverlap(runtime, operation, 'out', out, 'weights', weight?.operand, false);
    checkOverlap(runtime, operation, 'out', out, 'mask', kept?.array);
  }

  const resultShape = input.shape === undefined ? [] : withoutAxis(input.shape, axis as number, keepDims);
  if (input.length === 0) {
    const result = out ?? newResult(runtime, operation, input, resultShape);
    fillResult(result, -Infinity);
    return handBackReduced(result, out !== undefined, input, resultShape);
  }
  const { stream } = runtime;
  const home = out && addressOf(runtime, operation, out);
  stream.open(operation, outer, n, inner, input.elementBytes, 1, 1, kept === undefined && weight === undefined);
  const from = stream.input(input);
  const maskRecord = kept && placeMask(runtime, kept, own, axis as number);
  const weightRecord = weight && placeBeside(runtime, weight, own, axis as number, input.elementBytes);
  const result = out ?? newResult(runtime, operation, input, resultShape);
  const to = placeResult(runtime, operation, result, home, 1);
  stream.start(out === undefined && result);
  const run = runtime.kernel(weight === undefined ? kernel : weightedKernel, input.elementBytes);
  while (stream.next()) {
    const maskAt = maskRecord?.at() ?? 0;
    const weightAt = weightRecord?.at() ?? 0;
    run(stream.at(from), stream.at(to), stream.outer, n, stream.inner, temperature, stream.scratch, maskAt, weightAt);
  }
  return handBackReduced(result, out !== undefined, input, resultShape);
}

/** The same as handBack, but that a plain row has a number for its result. */
function handBackReduced(
  result: FloatArray | Tensor,
  isOut: boolean,
  input: Operand,
  shape: readonly number[],
): unknown {
  if (input.shape === undefined && !isOut) return (result as FloatArray)[0];
  return handBack(result, isOut, input, shape);
}
