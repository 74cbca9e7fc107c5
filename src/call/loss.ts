import { show, typeError } from '../errors.js';
import type { Arena } from '../memory/arena.js';
import type { Runtime } from '../runtime.js';
import { Broadcast } from './broadcast.js';
import { placeFloats } from './descriptor.js';
import { giveShape, type Operand, readOperand, readSizes, shapeOf } from './operand.js';
import { checkOverlap } from './overlap.js';
import { type Place, settle } from './place.js';
import { checkSize, fillResult, handBack, newResult } from './result.js';
import { withoutAxis } from './rows.js';

/** How a loss is reduced: the mean, the sum, or not at all. */
export type Reduction = 'mean' | 'sum' | 'none';

/** The same, and the sum divided by the size of the first axis. */
export type BatchReduction = Reduction | 'batchMean';

/** What most losses allow, the usual one first. */
export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'none'];

/** @throws TypeError unless it is one of the allowed reductions. */
function checkReduction<R extends string>(operation: string, reduction: unknown, allowed: readonly R[]): R {
  if (allowed.includes(reduction as R)) return reduction as R;
  throw typeError(operation, 'reduction', reduction, `one of ${allowed.map(show).join(', ')}`);
}

/** What has a loss of its own where they are not reduced. */
type Unit = 'row' | 'element';

/** gradOutput as it was read: a number, or an operand with a number for each unreduced loss. */
export type GradOutput = number | Operand;

/** What every loss is asked for, read once. */
export interface LossCall {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  /** The first argument: results are like it. */
  readonly input: Operand;
  readonly withGrad: boolean;
  readonly reduction: string;
  readonly out: Operand | undefined;
  readonly gradOutput: GradOutput;
  /** The option `shape`, which the first argument gets when all is read. */
  readonly sizes: readonly number[] | undefined;
}

/** What the options of every loss may hold. */
export interface LossOptions {
  shape?: unknown;
  reduction?: unknown;
  out?: unknown;
  gradOutput?: unknown;
}

/** Reads the options that every loss has beside `out`; of the reductions the first is usual. */
export function readLoss(
  runtime: Runtime,
  operation: string,
  withGrad: boolean,
  input: Operand,
  out: Operand | undefined,
  options: LossOptions,
  reductions: readonly string[],
): LossCall {
  const { gradOutput: upstream } = options;
  const gradOutput = readGradOutput(runtime, operation, upstream, input);
  const { reduction: given = reductions[0] } = options;
  const reduction = checkReduction(operation, given, reductions);
  if (typeof gradOutput !== 'number' && reduction !== 'none') {
    throw typeError(operation, 'gradOutput', upstream, `a number for reduction "${reduction}"`);
  }
  const sizes = readSizes(operation, options.shape);
  return { operation, argument: input.argument, input, withGrad, reduction, out, gradOutput, sizes };
}

function readGradOutput(runtime: Runtime, operation: string, value: unknown, input: Operand): GradOutput {
  if (value === undefined) return 1;
  if (typeof value === 'number') return value;
  return readOperand(runtime, operation, 'gradOutput', value, input.elementBytes);
}

/** Settles what was read: the first argument, `out`, gradOutput and the operation's own arguments. */
export function settleLoss(runtime: Runtime, call: LossCall, targets: Place, weight?: Place, posWeight?: Place): void {
  const { operation, input, out, sizes } = call;
  settle(runtime.arena, operation, input, targets, out, scalesOf(call), weight, posWeight);
  giveShape(operation, input, sizes);
}

/** gradOutput where it is a number for each loss. */
function scalesOf({ gradOutput }: LossCall): Operand | undefined {
  return typeof gradOutput === 'number' ? undefined : gradOutput;
}

/**
 * Checks `out` and gradOutput against the number of losses. `out` may be the first argument; the `others` it must not
 * touch: kernels read them after they have begun to write.
 */
export function checkResults(
  runtime: Runtime,
  call: LossCall,
  losses: number,
  each: Unit,
  others: Readonly<Record<string, Place | undefined>>,
): void {
  const { operation, argument, input, withGrad, reduction, out } = call;
  const scales = scalesOf(call);
  if (scales !== undefined) checkCount(operation, 'gradOutput', scales, losses, `one for each ${each}`);
  if (out === undefined) return;
  if (!withGrad && reduction !== 'none') {
    throw new TypeError(`${operation}: out is given, expected none for reduction "${reduction}", which gives a number`);
  }
  checkSize(operation, out, withGrad ? input.length : losses);
  for (const [name, other] of Object.entries({ [argument]: input, ...others, gradOutput: scales })) {
    checkOverlap(runtime, operation, 'out', out, name, other, name === argument);
  }
}

/** What the sum of the losses is divided by; `all` is what a mean divides by. */
function divisorOf({ reduction, input }: LossCall, all: number): number {
  if (reduction === 'mean') return all;
  const shape = shapeOf(input);
  return reduction === 'batchMean' && shape.length > 1 ? shape[0]! : 1;
}

/** What every loss kernel writes, and what scales it: addresses, 0 for none, but for the scale. */
export interface LossResults {
  losses: number;
  gradient: number;
  scale: number;
  gradOutput: number;
  sum: number;
}

/** Runs a kernel on the block at hand. */
export type RunLoss = (results: LossResults) => void;

/**
 * Runs a loss block by block, once its stream is open and has its inputs: sets up where losses and gradient go, and
 * hands them back. There is a loss for each row along the axis, or for each element where there is none; `all` is what
 * their mean divides by.
 */
export function runLoss(
  runtime: Runtime,
  call: LossCall,
  axis: number | undefined,
  all: number,
  run: RunLoss,
): unknown {
  const { operation, input, withGrad, reduction, gradOutput, out } = call;
  const { stream, arena } = runtime;
  const shape = axis === undefined ? shapeOf(input) : input.shape && withoutAxis(input.shape, axis, false);
  const divisor = divisorOf(call, all);
  const lossOut = withGrad ? undefined : out;
  const sum = stream.claim(16);
  const scales = typeof gradOutput === 'number' ? -1 : placeScales(runtime, gradOutput, input, axis);
  const losses = reduction === 'none' ? (lossOut ?? newResult(runtime, operation, input, shape ?? [])) : undefined;
  const madeLosses = lossOut === undefined ? losses : undefined;
  let gradient: Operand | undefined;
  try {
    if (withGrad) gradient = out ?? newResult(runtime, operation, input, shapeOf(input));
  } catch (error) {
    madeLosses?.tensor?.dispose();
    throw error;
  }

  if (losses !== undefined && input.length === 0) fillResult(losses, 0);
  const to = losses === undefined ? -1 : stream.output(losses, 1);
  const down = gradient === undefined ? -1 : stream.output(gradient);
  stream.start(madeLosses, out === undefined ? gradient : undefined);
  arena.f64.fill(0, sum / 8, sum / 8 + 2);
  const scale = (typeof gradOutput === 'number' ? gradOutput : 1) / divisor;
  while (stream.next()) {
    const at = (slot: number) => (slot < 0 ? 0 : stream.at(slot));
    run({ losses: at(to), gradient: at(down), scale, gradOutput: at(scales), sum });
  }

  let value: unknown;
  if (losses === undefined) value = readSum(arena, sum) / divisor;
  else if (shape === undefined && lossOut === undefined) value = losses.array![0];
  else value = handBack(losses, lossOut !== undefined, input, shape);
  if (gradient === undefined) return value;
  return { loss: value, grad: handBack(gradient, out !== undefined, input, input.shape) };
}

/** A loss of no elements: there is nothing to run, and each loss, if there are any, is 0. */
export function emptyLoss(runtime: Runtime, call: LossCall, axis: number | undefined, all: number): unknown {
  runtime.stream.open(call.operation, 0, 1, 1, call.input.elementBytes);
  return runLoss(runtime, call, axis, all, () => undefined);
}

/** A sum and what rounding took from it: see addToSum in assembly/primitives/loss.ts. */
function readSum({ f64 }: Arena, address: number): number {
  const sum = f64[address / 8]!;
  return Number.isFinite(sum) ? sum + f64[address / 8 + 1]! : sum;
}

/** gradOutput as an input of the stream. */
function placeScales(runtime: Runtime, operand: Operand, { elementBytes }: Operand, axis: number | undefined): number {
  const { stream } = runtime;
  if (axis === undefined) return elementInput(runtime, operand, elementBytes);
  const address = stream.claim(operand.length * elementBytes);
  placeFloats(runtime, operand, elementBytes, address);
  return stream.rows(address, elementBytes);
}

/** An operand with an element for each element, converted on the way where it has another dtype. */
export function elementInput(runtime: Runtime, operand: Operand, elementBytes: 4 | 8): number {
  const { stream } = runtime;
  if (operand.elementBytes === elementBytes) return stream.input(operand);
  const shape = [operand.length];
  return stream.broadcast(new Broadcast(operand, shape, shape));
}

/** @throws RangeError unless the operand has this many elements. */
export function checkCount(operation: string, argument: string, operand: Operand, count: number, what: string): void {
  if (operand.length !== count) {
    throw new RangeError(`${operation}: ${argument} has ${operand.length} elements, expected ${count}, ${what}`);
  }
}
