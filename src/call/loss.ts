import { countError, show, typeError } from '../errors.js';
import { LOSS_SUM_BYTES, LOSS_SUM_LOST } from '../generated/layout.js';
import { type Arena, alignUp } from '../memory/arena.js';
import type { BatchReduction, Reduction } from '../types.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, checkOverlaps } from './call.js';
import { copyFloats } from './descriptor.js';
import {
  type Argument,
  type FastArgument,
  isUnchanged,
  resultAddress,
  takeResult,
  takesFastPath,
} from './fast-path.js';
import { readOperand } from './operand.js';
import { type Given, type OptionNames, readFlag } from './options.js';
import { type Operand, shapeOf } from './place.js';
import { checkSize, fillResult, newLike, newResult, wrapReduced, wrapResult } from './result.js';
import { elementsAsRows, type Rows } from './rows.js';
import { withoutAxis } from './shape.js';

/** The reductions of most losses, the default first. */
export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'none'];

/** The options of every loss, besides `out`. */
export interface LossOptions {
  shape?: unknown;
  reduction?: unknown;
  gradOutput?: unknown;
  accumulate?: unknown;
}

/** How a loss is reduced, and whether its gradient is wanted. */
interface Reduced {
  readonly withGrad: boolean;
  /** The reductions that the loss allows, the default first. */
  readonly reductions: readonly BatchReduction[];
}

/** The description of a loss, by its options and the operands of its kernels. */
export interface Loss<Options, Operands> extends Reduced {
  readonly name: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: Kernel<Operands>;
  readonly options: Partial<OptionNames<Options & { out?: unknown }>>;
}

/** A call of a loss: the options that all losses share, each read once. */
export interface LossCall {
  readonly call: Call;
  /** The first argument, whose kind, dtype and shape the results take. */
  readonly input: Operand;
  readonly withGrad: boolean;
  readonly reduction: string;
  readonly out: Operand | undefined;
  /** A number, or an operand with a number for each unreduced loss. */
  readonly gradOutput: number | Operand;
  /** Whether the gradient is added to `out`. */
  readonly accumulate: boolean;
}

/** Checks the options that all losses share, except the shape. */
export function readLoss(
  call: Call,
  { withGrad, reductions }: Reduced,
  input: Operand,
  out: Operand | undefined,
  options: Given<LossOptions>,
): LossCall {
  const { operation } = call;
  const given = options.gradOutput;
  const gradOutput = readGradOutput(call, given, input);
  const accumulate = readFlag(operation, 'accumulate', options.accumulate);
  if (accumulate && out === undefined) {
    throw new TypeError(`${operation}: accumulate is true, expected out, which the gradient is added to`);
  }
  const usual = reductions[0]!;
  const { reduction = usual } = options;
  if (reduction !== usual && !reductions.includes(reduction as BatchReduction)) {
    throw typeError(operation, 'reduction', reduction, `one of ${reductions.map(show).join(', ')}`);
  }
  if (typeof gradOutput !== 'number' && reduction !== 'none') {
    throw typeError(operation, 'gradOutput', given, `a number for reduction "${reduction}"`);
  }
  return { call, input, withGrad, reduction: reduction as string, out, gradOutput, accumulate };
}

/** Reads the option `gradOutput`: a number, 1 if it is not given, or an operand. @throws TypeError, RangeError */
export function readGradOutput(call: Call, value: unknown, { elementBytes }: Operand): number | Operand {
  if (value === undefined) return 1;
  return typeof value === 'number' ? value : readOperand(call, 'gradOutput', value, elementBytes);
}

/**
 * Checks `out` and gradOutput against the number of losses, one for each row or element. `out` may be the first
 * argument, unless the gradient is added to it, but no other: kernels read the others after they have begun to write.
 */
export function checkResults(lossCall: LossCall, losses: number, each: 'row' | 'element'): void {
  const { call, input, withGrad, reduction, out, gradOutput, accumulate } = lossCall;
  const { operation } = call;
  if (typeof gradOutput !== 'number') checkCount(operation, gradOutput, losses, `one for each ${each}`);
  if (out === undefined) return;
  if (!withGrad && reduction !== 'none') {
    throw new TypeError(`${operation}: out is given, expected none for reduction "${reduction}", which gives a number`);
  }
  checkSize(call, out, withGrad ? input.length : losses);
  checkOverlaps(call, out, accumulate ? undefined : input);
}

/** @throws RangeError unless the operand has this many elements. */
export function checkCount(operation: string, { argument, length }: Operand, count: number, what: string): void {
  if (length !== count) {
    throw countError(operation, argument, length, `${count}, ${what}`);
  }
}

/** The operands of every loss kernel for its results. All but the scale are addresses, 0 for none. */
export interface LossResults {
  losses: number;
  gradient: number;
  scale: number;
  gradOutput: number;
  sum: number;
}

/**
 * Runs a loss block by block, once its run is open and has its inputs. It sets up where losses and gradient go, and
 * returns them as the caller gets them. There is a loss for each row, or, without `rows`, for each element; a mean
 * divides by `meanDivisor`. `gradOutputSlot` is the slot of gradOutput in the run, -1 if that is a number. `compute`
 * runs the kernel on the current block.
 */
export function runLoss(
  lossCall: LossCall,
  rows: Rows | undefined,
  meanDivisor: number,
  gradOutputSlot: number,
  compute: (results: LossResults) => void,
): unknown {
  const { call, input, withGrad, reduction, out } = lossCall;
  const { run, arena } = call.runtime;
  const divisor = divisorOf(reduction, shapeOf(input), meanDivisor);
  const isLossOut = !withGrad && out !== undefined;
  const sum = run.reserve(LOSS_SUM_BYTES);
  const losses = reduction !== 'none' ? undefined : isLossOut ? out : newLosses(lossCall, rows);
  const madeLosses = isLossOut ? undefined : losses;
  let gradient: Operand | undefined;
  try {
    if (withGrad) gradient = out ?? newLike(call, input);
  } catch (error) {
    madeLosses?.tensor?.dispose();
    throw error;
  }

  if (losses !== undefined && input.length === 0) fillResult(losses, 0);
  const lossSlot = losses === undefined ? -1 : run.output(losses, 1);
  const gradientSlot = gradient === undefined ? -1 : run.output(gradient, undefined, lossCall.accumulate);
  run.start(madeLosses, out === undefined ? gradient : undefined);
  clearSum(arena, sum);
  const scale = (typeof lossCall.gradOutput === 'number' ? lossCall.gradOutput : 1) / divisor;
  while (run.next()) {
    compute({
      losses: run.atOrZero(lossSlot),
      gradient: run.atOrZero(gradientSlot),
      scale,
      gradOutput: run.atOrZero(gradOutputSlot),
      sum,
    });
  }

  const loss = losses === undefined ? readSum(arena, sum) / divisor : wrapLosses(lossCall, rows, losses, isLossOut);
  if (gradient === undefined) return loss;
  return { loss, grad: wrapResult(gradient, out !== undefined, input, input.shape) };
}

/** Storage for a loss for each row, or, without `rows`, for each element. */
function newLosses({ call, input }: LossCall, rows: Rows | undefined): Operand {
  return rows === undefined ? newLike(call, input) : newResult(call, input, shapeOfLosses(input, rows));
}

/** The losses as the caller gets them. */
function wrapLosses({ input }: LossCall, rows: Rows | undefined, losses: Operand, isOut: boolean): unknown {
  if (rows === undefined) return wrapResult(losses, isOut, input, shapeOf(input));
  return wrapReduced(losses, isOut, input, shapeOfLosses(input, rows));
}

function shapeOfLosses({ shape }: Operand, { axis }: Rows): readonly number[] {
  return shape === undefined ? [] : withoutAxis(shape, axis);
}

/** The result for an input without elements: no kernel runs, and each loss, if there are any, is 0. */
export function emptyLoss(lossCall: LossCall, rows: Rows | undefined, meanDivisor: number): unknown {
  const { call, input } = lossCall;
  call.runtime.run.open(call.operation, elementsAsRows(0), input.elementBytes);
  return runLoss(lossCall, rows, meanDivisor, -1, () => undefined);
}

/** The divisor of the sum of the losses. */
function divisorOf(reduction: string, shape: readonly number[], meanDivisor: number): number {
  if (reduction !== 'batchMean') return reduction === 'mean' ? meanDivisor : 1;
  return shape.length > 1 ? shape[0]! : 1;
}

function clearSum({ f64 }: Arena, address: number): void {
  for (let i = 0; i < LOSS_SUM_BYTES / 8; i++) f64[address / 8 + i] = 0;
}

/** The sum that loss kernels have left, plus its rounding error. */
function readSum({ f64 }: Arena, address: number): number {
  const sum = f64[address / 8]!;
  return Number.isFinite(sum) ? sum + f64[address / 8 + LOSS_SUM_LOST / 8]! : sum;
}

/** Adds a gradOutput with a number for each row to the run, and returns its slot; -1 if it is a single number. */
export function addRowGradOutput({ call, input, gradOutput }: LossCall): number {
  if (typeof gradOutput === 'number') return -1;
  const { runtime } = call;
  const { elementBytes } = input;
  const address = runtime.run.reserve(gradOutput.length * elementBytes);
  copyFloats(runtime, gradOutput, elementBytes, address);
  return runtime.run.perRow(address, elementBytes);
}

/** The shape of a plain row, for reduction 'batchMean': it has no batch axis. */
const NO_AXES: readonly number[] = [];

/**
 * A loss on the fast path: its result is a number, and x, like the `out` of the gradient, is a tensor or a short array.
 */
export interface FastLoss {
  readonly x: FastArgument;
  readonly withGrad: boolean;
  readonly reduction: string;
  readonly gradOutput: number;
  readonly shape: readonly number[];
  /** The option `out` for the gradient, if it is given: the caller's object, and as it was read. */
  readonly out: unknown;
  readonly to: FastArgument | undefined;
}

/**
 * The call as a loss on the fast path; undefined if it does not qualify. The caller checks all that is not in `given`.
 */
export function openFastLoss(
  arena: Arena,
  { withGrad, reductions }: Reduced,
  x: FastArgument,
  out: unknown,
  to: Argument | undefined,
  given: Given<LossOptions>,
): FastLoss | undefined {
  const { reduction = reductions[0]!, gradOutput = 1, accumulate } = given;
  const isNumber = reduction !== 'none' && reductions.includes(reduction as BatchReduction);
  if (!isNumber || typeof gradOutput !== 'number' || accumulate !== undefined) return undefined;
  const isFast = withGrad ? takesFastPath(arena, x, to, x.size) : to === undefined && isUnchanged(arena, x);
  if (!isFast) return undefined;
  const shape = x.shape ?? (given.shape as readonly number[] | undefined) ?? NO_AXES;
  return { x, withGrad, reduction: reduction as string, gradOutput, shape, out, to: to as FastArgument | undefined };
}

/**
 * Runs a loss on the fast path, as runLoss does any other. Its sum takes FAST_SUM_BYTES at the start of the operand
 * scratch.
 */
export function runFastLoss(
  arena: Arena,
  { x, withGrad, reduction, gradOutput, shape, out, to }: FastLoss,
  meanDivisor: number,
  compute: (results: LossResults) => void,
): unknown {
  const divisor = divisorOf(reduction, shape, meanDivisor);
  const sum = arena.operandScratch;
  const gradient = withGrad ? resultAddress(arena, to) : 0;
  clearSum(arena, sum);
  compute({ losses: 0, gradient, scale: gradOutput / divisor, gradOutput: 0, sum });
  const loss = readSum(arena, sum) / divisor;
  return withGrad ? { loss, grad: takeResult(arena, x, out, x.size) } : loss;
}

/** Bytes of the operand scratch that the sum takes. */
export const FAST_SUM_BYTES = alignUp(LOSS_SUM_BYTES);
