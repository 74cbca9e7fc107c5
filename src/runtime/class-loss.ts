import { addressOf, cutOperand } from './call.js';
import { rangeError, typeError } from './errors.js';
import { geometry, withoutAxis } from './geometry.js';
import { type Operand, readOperand } from './input.js';
import type { Kernel } from './kernel.js';
import {
  arrayOf,
  checkCount,
  checkLikeness,
  checkLossOut,
  checkReduction,
  type GradOutput,
  handBack,
  placeFloats,
  readGradOutput,
  resultStorage,
} from './loss.js';
import { checkOptions, checkTemperature, type OptionNames } from './options.js';
import type { Runtime } from './runtime.js';
import { checkIndexCount, placeIndices, readTargets, type Targets } from './targets.js';

/** A kernel of a loss over classes: see assembly/kernels/crossEntropy.ts. */
export type ClassLossKernel = Kernel<
  (
    x: number,
    targets: number,
    losses: number,
    gradient: number,
    outer: number,
    n: number,
    inner: number,
    temperature: number,
    weight: number,
    smoothing: number,
    scale: number,
    rowScales: number,
    sum: number,
    scratch: number,
  ) => void
>;

/** What tells the losses over classes apart. */
export interface ClassLoss {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: ClassLossKernel;
  /** For class probabilities as targets, where the loss takes them. */
  readonly softKernel?: ClassLossKernel;
  readonly options: OptionNames;
}

interface Options {
  shape?: unknown;
  axis?: unknown;
  temperature?: unknown;
  weight?: unknown;
  ignoreIndex?: unknown;
  labelSmoothing?: unknown;
  reduction?: unknown;
  out?: unknown;
  gradOutput?: unknown;
}

/** The arguments of a call, read once and checked. */
interface Call {
  readonly input: Operand;
  readonly axis: number;
  readonly temperature: number;
  readonly targets: Targets;
  readonly weight: Operand | undefined;
  readonly ignoreIndex: number;
  readonly smoothing: number;
  readonly reduction: 'mean' | 'sum' | 'none';
  readonly out: unknown;
  readonly gradOutput: GradOutput;
}

/** Reads and checks everything but the class indices; leaves the geometry of the first argument. */
function readCall(
  runtime: Runtime,
  loss: ClassLoss,
  withGrad: boolean,
  x: unknown,
  targets: unknown,
  options: Options,
): Call {
  const { operation, argument } = loss;
  const { shape, axis = -1, temperature = 1, weight, ignoreIndex, labelSmoothing = 0, out, gradOutput } = options;
  const reduction = checkReduction(operation, options.reduction ?? 'mean', ['mean', 'sum', 'none']);
  const input = readOperand(runtime, operation, argument, x, shape);
  checkTemperature(operation, temperature, input.elementBytes);
  const read = readTargets(runtime, operation, targets, input.shape);
  const weights = weight === undefined ? undefined : readOperand(runtime, operation, 'weight', weight, undefined);
  const grad = readGradOutput(runtime, operation, gradOutput, reduction);
  if (typeof labelSmoothing !== 'number') throw typeError(operation, 'labelSmoothing', labelSmoothing, 'a number');
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw rangeError(operation, 'labelSmoothing', labelSmoothing, 'a number in [0, 1]');
  }
  checkIgnoreIndex(operation, ignoreIndex, read);
  cutOperand(operation, input, axis);
  const { n, outer, inner, size } = geometry;
  const rows = outer * inner;
  if (read.probabilities !== undefined) {
    if (loss.softKernel === undefined) throw typeError(operation, 'targets', targets, 'class indices (integers)');
    checkLikeness(operation, 'targets', read.probabilities, argument, input);
  } else checkIndices(operation, read, input, axis as number, rows, size);
  if (weights !== undefined) checkCount(operation, 'weight', weights, n, 'one for each class');
  if (typeof grad !== 'number') checkCount(operation, 'gradOutput', grad, rows, 'one for each row');
  if (!withGrad && out !== undefined && reduction !== 'none') {
    throw new TypeError(`${operation}: out is given, expected none for reduction "${reduction}", which gives a number`);
  }
  checkLossOut(runtime, operation, out, withGrad ? size : rows, argument, input, {
    targets: read.probabilities,
    weight: weights,
    gradOutput: typeof grad === 'number' ? undefined : grad,
  });
  return {
    input,
    axis: axis as number,
    temperature,
    targets: read,
    weight: weights,
    ignoreIndex: (ignoreIndex as number | undefined) ?? -100,
    smoothing: labelSmoothing,
    reduction,
    out,
    gradOutput: grad,
  };
}

function checkIgnoreIndex(operation: string, ignoreIndex: unknown, targets: Targets): void {
  if (ignoreIndex === undefined) return;
  if (targets.probabilities !== undefined) {
    throw new TypeError(`${operation}: ignoreIndex is given, expected none with class probabilities as targets`);
  }
  if (typeof ignoreIndex !== 'number') throw typeError(operation, 'ignoreIndex', ignoreIndex, 'an integer');
  if (!Number.isSafeInteger(ignoreIndex)) throw rangeError(operation, 'ignoreIndex', ignoreIndex, 'an integer');
}

function checkIndices(
  operation: string,
  targets: Targets,
  input: Operand,
  axis: number,
  rows: number,
  size: number,
): void {
  checkIndexCount(operation, targets, rows, size);
  if (targets.shape === undefined || input.shape === undefined) return;
  const expected = withoutAxis(input.shape, axis, false);
  if (targets.shape.length !== expected.length || targets.shape.some((length, i) => length !== expected[i])) {
    throw new RangeError(
      `${operation}: targets has shape [${targets.shape.join(', ')}], expected [${expected.join(', ')}], ` +
        'the shape without its axis',
    );
  }
}

/** Runs a loss over classes, with or without its gradient. */
export function classLoss(
  runtime: Runtime,
  loss: ClassLoss,
  withGrad: boolean,
  x: unknown,
  targets: unknown,
  options: unknown,
): unknown {
  const { operation } = loss;
  if (options !== undefined) checkOptions(operation, options, loss.options);
  const call = readCall(runtime, loss, withGrad, x, targets, (options ?? {}) as Options);
  const { input, reduction, out, gradOutput } = call;
  const { outer, n, inner, size } = geometry;
  const { elementBytes } = input;
  const rows = outer * inner;
  const { stream, arena } = runtime;
  const soft = call.targets.probabilities;

  stream.open(operation, outer, n, inner, elementBytes, soft === undefined ? 1 : 2);
  const sum = stream.claim(8);
  const weight = call.weight === undefined ? 0 : stream.claim(n * elementBytes);
  const rowScales = typeof gradOutput === 'number' ? 0 : stream.claim(rows * elementBytes);
  const indices = soft === undefined ? stream.claim(rows * 4) : 0;
  if (call.weight !== undefined) placeFloats(runtime, call.weight, elementBytes, weight);
  if (typeof gradOutput !== 'number') placeFloats(runtime, gradOutput, elementBytes, rowScales);
  if (soft === undefined) placeIndices(runtime, operation, call.targets, n, call.ignoreIndex, indices);
  const divisor = reduction === 'mean' ? (soft === undefined ? totalWeight(runtime, call, rows, indices, weight) : rows) : 1;

  const resultShape = input.shape === undefined ? undefined : withoutAxis(input.shape, call.axis, false);
  const losses =
    reduction === 'none'
      ? resultStorage(runtime, operation, withGrad ? undefined : out, input, resultShape ?? [], rows)
      : undefined;
  const gradient = withGrad
    ? resultStorage(runtime, operation, out, input, input.shape ?? [input.length], size)
    : undefined;

  const from = stream.input(input);
  const shares = soft === undefined ? stream.rows(indices, 4) : stream.input(soft);
  const scales = rowScales === 0 ? -1 : stream.rows(rowScales, elementBytes);
  const to = losses === undefined ? -1 : stream.output(arrayOf(losses), addressOf(runtime, operation, losses), 'rows');
  const down =
    gradient === undefined
      ? -1
      : stream.output(arrayOf(gradient), addressOf(runtime, operation, gradient), 'elements');
  stream.start();
  arena.f64[sum / 8] = 0;
  const run = runtime.kernel(soft === undefined ? loss.kernel : loss.softKernel!, elementBytes);
  const scale = (typeof gradOutput === 'number' ? gradOutput : 1) / divisor;
  while (stream.next()) {
    run(
      stream.at(from),
      stream.at(shares),
      to < 0 ? 0 : stream.at(to),
      down < 0 ? 0 : stream.at(down),
      stream.outer,
      n,
      stream.inner,
      call.temperature,
      weight,
      call.smoothing,
      scale,
      scales < 0 ? 0 : stream.at(scales),
      sum,
      stream.scratch,
    );
  }

  const value =
    losses === undefined
      ? arena.f64[sum / 8]! / divisor
      : handBackRows(losses, !withGrad && out !== undefined, input, resultShape);
  if (gradient === undefined) return value;
  return { loss: value, grad: handBack(gradient, out !== undefined, input, input.shape) };
}

/** Losses of rows as the caller gets them: a number for a plain row. */
function handBackRows(
  losses: ReturnType<typeof resultStorage>,
  isOut: boolean,
  input: Operand,
  shape: readonly number[] | undefined,
): unknown {
  if (shape === undefined && !isOut) return (losses as Float32Array)[0];
  return handBack(losses, isOut, input, shape);
}

/** What a mean over class indices divides by: Σ weight[target] over the rows that are not ignored. */
function totalWeight(runtime: Runtime, call: Call, rows: number, indices: number, weight: number): number {
  const { i32 } = runtime.arena;
  const { elementBytes } = call.input;
  const heap = runtime.arena.floats(elementBytes);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const target = i32[indices / 4 + i]!;
    if (target >= 0) total += weight === 0 ? 1 : heap[weight / elementBytes + target]!;
  }
  return total;
}
