import type { BceWithLogitsOperands } from '../generated/kernels.js';
import { BLOCK_MULTIPLE } from '../generated/layout.js';
import { Tensor, type TensorStorage } from '../memory/tensor.js';
import type { Runtime } from '../runtime.js';
import type { BatchReduction } from '../types.js';
import type { Kernel } from '../wasm/kernel.js';
import { Broadcast } from './broadcast.js';
import { type Call, openCall, settle } from './call.js';
import { type BroadcastOperand, checkBroadcastOperand } from './descriptor.js';
import {
  addElements,
  checkResults,
  emptyLoss,
  type LossCall,
  type LossOptions,
  openShort,
  readLoss,
  runLoss,
  runShort,
} from './loss.js';
import { checkLikeness, checkSameShape } from './map.js';
import { readOperand, readOptional } from './operand.js';
import { type Given, type OptionNames, readFlag, readOptions } from './options.js';
import { type Operand, shapeOf, widened } from './place.js';
import { residentLike, residentOf } from './resident.js';
import { elementsAsRows, giveShape } from './rows.js';
import { checkLabels, type ElementTargets, readElementTargets } from './targets.js';

/** Kernels add so many losses before float64 takes over: blocks of a multiple of them do not change the sum. */
const MULTIPLE = { multiple: BLOCK_MULTIPLE };

/** What an element-wise loss is. */
export interface ElementLoss {
  readonly name: string;
  readonly withGrad: boolean;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: Kernel<BceWithLogitsOperands>;
  /** For logarithms as targets, where the loss takes them. */
  readonly logKernel?: Kernel<BceWithLogitsOperands>;
  /** Whether targets may be labels, integers or booleans, instead of floats like the first argument. */
  readonly takesLabels?: boolean;
  /** How it may be reduced, the usual way first. */
  readonly reductions: readonly BatchReduction[];
  readonly options: Partial<OptionNames<ElementLossOptions & { out?: unknown }>>;
}

interface ElementLossOptions extends LossOptions {
  weight?: unknown;
  posWeight?: unknown;
  logTarget?: unknown;
}

/** A call of one. */
interface ElementLossCall {
  readonly lossCall: LossCall;
  readonly targets: ElementTargets;
  readonly weight: BroadcastOperand | undefined;
  readonly posWeight: BroadcastOperand | undefined;
  readonly logTarget: boolean;
}

/** Reads the options, and checks everything. */
function readCall(
  call: Call,
  loss: ElementLoss,
  input: Operand,
  read: ElementTargets,
  out: unknown,
  given: Given<ElementLossOptions>,
): ElementLossCall {
  const { name } = loss;
  const { elementBytes } = input;
  const lossCall = readLoss(call, loss.withGrad, input, out, given, loss.reductions, input.half);
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

function readTargets(call: Call, { takesLabels }: ElementLoss, value: unknown, input: Operand): ElementTargets {
  if (takesLabels) return readElementTargets(call, value, input.elementBytes);
  return { operand: readOperand(call, 'targets', value, input.elementBytes), integers: undefined };
}

function checkTargets(operation: string, { operand, integers }: ElementTargets, input: Operand): void {
  if (operand !== undefined) checkLikeness(operation, operand, input);
  if (integers === undefined) return;
  checkSameShape(operation, integers, input);
  checkLabels(operation, integers);
}

/** Runs an element-wise loss, with or without its gradient. Tensors may become no operands: see resident.ts. */
export function elementLoss(loss: ElementLoss, x: unknown, targets: unknown, options: unknown): unknown {
  const { name } = loss;
  const call = openCall(name);
  const storage = residentOf(call.runtime, x);
  const target = storage && residentLike(targets, storage);
  const operand = target === undefined ? readOperand(call, loss.argument, x) : undefined;
  const read = operand && readTargets(call, loss, targets, operand);
  let given = readOptions<ElementLossOptions & { out?: unknown }>(name, options, loss.options);
  const { out } = given;
  if (target !== undefined && (out === undefined || Tensor.is(out))) {
    const { reduction, gradOutput, accumulate, weight, posWeight, logTarget, shape } = given;
    given = { reduction, gradOutput, accumulate, weight, posWeight, logTarget, shape };
    const result = elementTensors(call, loss, storage!, target, out, given);
    if (result !== undefined) return result;
  }
  const input = operand ?? readOperand(call, loss.argument, x);
  const others = read ?? readTargets(call, loss, targets, input);
  return runCall(loss, readCall(call, loss, input, others, out, given));
}

/** The same of tensors of one shape and dtype to a number, without weights; undefined for any other call. */
function elementTensors(
  { runtime, operation }: Call,
  loss: ElementLoss,
  storage: TensorStorage,
  target: TensorStorage,
  out: unknown,
  given: Given<ElementLossOptions>,
): unknown {
  const { address: x, size, elementBytes } = storage;
  const { address: targets } = target;
  const { weight, posWeight, shape } = given;
  const short = openShort(loss, storage, targets, out, given);
  if (short === undefined || weight !== undefined || posWeight !== undefined || shape !== undefined) return undefined;
  if (x < 0 || targets < 0 || size === 0) return undefined;
  const kernel = readFlag(operation, 'logTarget', given.logTarget) ? loss.logKernel! : loss.kernel;
  const compute = runtime.kernel(kernel, elementBytes, operation);
  const scratch = runtime.arena.kernelScratch;
  return runShort(runtime.arena, short, size, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x,
      targets,
      losses,
      gradient,
      count: size,
      scale,
      gradOutput,
      sum,
      weight: 0,
      posWeight: 0,
      scratch,
    }),
  );
}

/** Runs any call that was read. */
function runCall(loss: ElementLoss, read: ElementLossCall): unknown {
  const { lossCall } = read;
  const { call, input } = lossCall;
  const { runtime, operation } = call;
  const { elementBytes, length } = input;
  if (length === 0) return emptyLoss(lossCall, undefined, 0);

  const compute = runtime.kernel(read.logTarget ? loss.logKernel! : loss.kernel, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, elementsAsRows(length), elementBytes, MULTIPLE);
  const from = run.input(input);
  const to = addTargets(runtime, read.targets);
  const weight = addWeight(runtime, read.weight, input);
  const posWeight = addWeight(runtime, read.posWeight, input);
  return runLoss(lossCall, undefined, length, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x: run.at(from),
      targets: run.at(to),
      losses,
      gradient,
      count: run.outer,
      scale,
      gradOutput,
      sum,
      weight: run.atOrZero(weight),
      posWeight: run.atOrZero(posWeight),
      scratch: run.scratch,
    }),
  );
}

function addTargets({ run }: Runtime, { operand, integers }: ElementTargets): number {
  if (operand !== undefined) return run.input(operand);
  const { length } = integers!;
  return run.broadcast(new Broadcast(integers!, [length], [length]));
}

function addWeight(runtime: Runtime, weight: BroadcastOperand | undefined, input: Operand): number {
  if (weight === undefined) return -1;
  const { operand, own } = weight;
  if (operand.length === input.length) return addElements(runtime, operand, input.elementBytes);
  return runtime.run.broadcast(new Broadcast(widened(runtime.arena, operand), own, shapeOf(input)));
}
