import type { BceWithLogitsOperands } from '../generated/kernels.js';
import { BLOCK_MULTIPLE } from '../generated/layout.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { Broadcast } from './broadcast.js';
import { type Call, openCall, settle } from './call.js';
import { type BroadcastOperand, checkBroadcastOperand } from './descriptor.js';
import {
  addressOf,
  type FastArgument,
  hasShape,
  isFastLike,
  operandOf,
  overlap,
  readArgument,
  readFast,
  readResult,
  readSizes,
  resultOf,
} from './fast-path.js';
import { checkLikeness, checkSameShape } from './likeness.js';
import {
  checkResults,
  emptyLoss,
  type FastLoss,
  type Loss,
  type LossCall,
  type LossOptions,
  openFastLoss,
  readLoss,
  runFastLoss,
  runLoss,
} from './loss.js';
import { readOperand, readOptional } from './operand.js';
import { type Given, readFlag, readOptions } from './options.js';
import { type Operand, shapeOf, widened } from './place.js';
import { elementsAsRows, giveShape } from './rows.js';
import { checkLabels, type ElementTargets, readElementTargets } from './targets.js';

/**
 * Kernels add this many losses before float64 takes over: if blocks are multiples of it, splitting does not change the
 * sum.
 */
const MULTIPLE = { multiple: BLOCK_MULTIPLE };

/** The description of an elementwise loss. */
export interface ElementLoss extends Loss<ElementLossOptions, BceWithLogitsOperands> {
  /** The kernel for logarithms as targets, if the loss takes them. */
  readonly logKernel?: Kernel<BceWithLogitsOperands>;
  /** Whether targets may be labels, as integers or booleans, instead of floats of the first argument's dtype. */
  readonly takesLabels?: boolean;
}

interface ElementLossOptions extends LossOptions {
  weight?: unknown;
  posWeight?: unknown;
  logTarget?: unknown;
}

/** A call of such a loss, read and checked. */
interface ElementLossCall {
  readonly lossCall: LossCall;
  readonly targets: ElementTargets;
  readonly weight: BroadcastOperand | undefined;
  readonly posWeight: BroadcastOperand | undefined;
  readonly logTarget: boolean;
}

/** Checks everything. */
function readCall(
  call: Call,
  loss: ElementLoss,
  input: Operand,
  read: ElementTargets,
  out: Operand | undefined,
  given: Given<ElementLossOptions>,
): ElementLossCall {
  const { name } = loss;
  const { elementBytes } = input;
  const lossCall = readLoss(call, loss, input, out, given);
  const weight = readOptional(call, 'weight', given.weight, elementBytes);
  const posWeight = readOptional(call, 'posWeight', given.posWeight, elementBytes);
  const logTarget = readFlag(name, 'logTarget', given.logTarget);
  giveShape(name, input, given.shape);
  if (lossCall.reduction === 'batchMean' && input.shape === undefined) {
    throw new RangeError(`${name}: reduction is "batchMean", expected shape, whose first axis is the batch`);
  }
  settle(call);
  checkTargets(name, read, input);
  checkResults(lossCall, input.length, 'element');
  return {
    lossCall,
    targets: read,
    weight: checkBroadcastOperand(name, weight, input),
    posWeight: checkBroadcastOperand(name, posWeight, input),
    logTarget,
  };
}

function readTargets(call: Call, { takesLabels }: ElementLoss, value: unknown, elementBytes: 4 | 8): ElementTargets {
  if (takesLabels) return readElementTargets(call, value, elementBytes);
  return { operand: readOperand(call, 'targets', value, elementBytes), integers: undefined };
}

function checkTargets(operation: string, { operand, integers }: ElementTargets, input: Operand): void {
  if (operand !== undefined) checkLikeness(operation, operand, input);
  if (integers === undefined) return;
  checkSameShape(operation, integers, input);
  checkLabels(operation, integers);
}

/** Runs an elementwise loss, with or without its gradient. */
export function elementLoss(loss: ElementLoss, x: unknown, targets: unknown, options: unknown): unknown {
  const { name, argument } = loss;
  const call = openCall(name);
  const { arena } = call.runtime;
  const from = readArgument(call, argument, x);
  const target = from.kind === undefined ? readFast(call.runtime, targets) : undefined;
  const read = target === undefined ? readTargets(call, loss, targets, from.elementBytes) : undefined;
  const given = readOptions<ElementLossOptions & { out?: unknown }>(name, options, loss.options);
  const { out } = given;
  const to = readResult(call, from, out, from.half);
  const { reduction, gradOutput, accumulate, weight, posWeight, logTarget, shape: sizes } = given;
  const shape = readSizes(call, from, sizes);
  const others = { reduction, gradOutput, accumulate, weight, posWeight, logTarget, shape };
  if (
    from.kind === undefined &&
    target !== undefined &&
    isFastLike(arena, target, from) &&
    (shape === undefined || hasShape(from, shape))
  ) {
    const fast = openFastLoss(arena, loss, from, out, to, others);
    const result = fast && elementFast(call, loss, fast, target, others);
    if (result !== undefined) return result;
  }
  const input = operandOf(call, argument, x, from);
  const place = resultOf(call, from, out, to, from.half);
  const operand = target && operandOf(call, 'targets', targets, target);
  return runCall(loss, readCall(call, loss, input, read ?? { operand, integers: undefined }, place, others));
}

/** Runs a call on the fast path if it has no weights; undefined for any other call. */
function elementFast(
  { runtime, operation }: Call,
  loss: ElementLoss,
  fast: FastLoss,
  target: FastArgument,
  given: Given<ElementLossOptions>,
): unknown {
  const { arena } = runtime;
  const { x: from, to, reduction } = fast;
  const { size, elementBytes } = from;
  const { weight, posWeight, shape } = given;
  if (weight !== undefined || posWeight !== undefined || size === 0) return undefined;
  if (reduction === 'batchMean' && from.shape === undefined && shape === undefined) return undefined;
  if (to !== undefined && overlap(to, target)) return undefined;
  const kernel = readFlag(operation, 'logTarget', given.logTarget) ? loss.logKernel! : loss.kernel;
  const compute = runtime.kernel(kernel, elementBytes, operation);
  const x = addressOf(arena, from, 1);
  const y = addressOf(arena, target, 2);
  return runFastLoss(arena, fast, size, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x,
      targets: y,
      losses,
      gradient,
      count: size,
      scale,
      gradOutput,
      sum,
      weight: 0,
      posWeight: 0,
      scratch: arena.kernelScratch,
    }),
  );
}

/** Runs any call, once it is read. */
function runCall(loss: ElementLoss, read: ElementLossCall): unknown {
  const { lossCall } = read;
  const { call, input } = lossCall;
  const { runtime, operation } = call;
  const { elementBytes, length } = input;
  if (length === 0) return emptyLoss(lossCall, undefined, 0);

  const compute = runtime.kernel(read.logTarget ? loss.logKernel! : loss.kernel, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, elementsAsRows(length), elementBytes, MULTIPLE);
  const xSlot = run.input(input);
  const targetSlot = addTargets(runtime, read.targets);
  const weightSlot = addWeight(runtime, read.weight, input);
  const posWeightSlot = addWeight(runtime, read.posWeight, input);
  const { gradOutput } = lossCall;
  const gradOutputSlot = typeof gradOutput === 'number' ? -1 : addElements(runtime, gradOutput, elementBytes);
  return runLoss(lossCall, undefined, length, gradOutputSlot, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x: run.at(xSlot),
      targets: run.at(targetSlot),
      losses,
      gradient,
      count: run.outer,
      scale,
      gradOutput,
      sum,
      weight: run.atOrZero(weightSlot),
      posWeight: run.atOrZero(posWeightSlot),
      scratch: run.scratch,
    }),
  );
}

function addTargets({ run }: Runtime, { operand, integers }: ElementTargets): number {
  if (operand !== undefined) return run.input(operand);
  const { length } = integers!;
  return run.source(new Broadcast(integers!, [length], [length]));
}

/** Adds an operand with as many elements as the first to the run, converted on the way if it has another dtype. */
function addElements({ run, arena }: Runtime, operand: Operand, elementBytes: 4 | 8): number {
  if (operand.elementBytes === elementBytes) return run.input(operand);
  const shape = [operand.length];
  return run.source(new Broadcast(widened(arena, operand), shape, shape));
}

function addWeight(runtime: Runtime, weight: BroadcastOperand | undefined, input: Operand): number {
  if (weight === undefined) return -1;
  const { operand, own } = weight;
  if (operand.length === input.length) return addElements(runtime, operand, input.elementBytes);
  return runtime.run.source(new Broadcast(widened(runtime.arena, operand), own, shapeOf(input)));
}
