import { typeError } from '../errors.js';
import type { BceWithLogitsOperands } from '../generated/kernels.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { Broadcast } from './broadcast.js';
import { type Beside, checkBeside } from './descriptor.js';
import {
  type BatchReduction,
  checkResults,
  elementInput,
  emptyLoss,
  type LossCall,
  type LossOptions,
  readLoss,
  runLoss,
  settleLoss,
} from './loss.js';
import { checkLikeness, checkSameShape } from './map.js';
import { type Operand, readOperand, readOptional, shapeOf } from './operand.js';
import { type OptionNames, readOptions } from './options.js';
import { readOptionalOut } from './result.js';
import { checkLabels, type ElementTargets, readElementTargets } from './targets.js';

/** Elements that a kernel adds before float64 takes over: BLOCK of assembly/primitives/row.ts. */
const GRANULE = 256;

export type ElementLossKernel = Kernel<BceWithLogitsOperands>;

/** What tells the element-wise losses apart. */
export interface ElementLoss {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: ElementLossKernel;
  /** For logarithms as targets, where the loss takes them. */
  readonly logKernel?: ElementLossKernel;
  /** Whether targets may be labels, integers or booleans, instead of floats like the first argument. */
  readonly takesLabels?: boolean;
  /** How it may be reduced, the usual way first. */
  readonly reductions: readonly BatchReduction[];
  readonly options: OptionNames;
}

interface Options extends LossOptions {
  weight?: unknown;
  posWeight?: unknown;
  logTarget?: unknown;
}

interface Call {
  readonly asked: LossCall;
  readonly targets: ElementTargets;
  readonly weight: Beside | undefined;
  readonly posWeight: Beside | undefined;
  readonly logTarget: boolean;
}

function readCall(
  runtime: Runtime,
  loss: ElementLoss,
  withGrad: boolean,
  x: unknown,
  targets: unknown,
  given: unknown,
): Call {
  const { operation } = loss;
  const input = readOperand(runtime, operation, loss.argument, x);
  const read = readTargets(runtime, loss, targets, input);
  const options = readOptions<Options>(operation, given, loss.options);
  const out = readOptionalOut(runtime, operation, 'out', options.out, input.elementBytes);
  const weight = readOptional(runtime, operation, 'weight', options.weight, input.elementBytes);
  const posWeight = readOptional(runtime, operation, 'posWeight', options.posWeight, input.elementBytes);
  const asked = readLoss(runtime, operation, withGrad, input, out, options, loss.reductions);
  const { logTarget = false } = options;
  const place = read.operand ?? read.integers!;
  settleLoss(runtime, asked, place, weight, posWeight);

  checkTargets(loss, read, input);
  const weights = checkBeside(operation, weight, input);
  const posWeights = checkBeside(operation, posWeight, input);
  if (typeof logTarget !== 'boolean') throw typeError(operation, 'logTarget', logTarget, 'true or false');
  checkResults(runtime, asked, input.length, 'element', { targets: place, weight, posWeight });
  return { asked, targets: read, weight: weights, posWeight: posWeights, logTarget };
}

function readTargets(runtime: Runtime, loss: ElementLoss, value: unknown, { elementBytes }: Operand): ElementTargets {
  const { operation, takesLabels } = loss;
  if (takesLabels) return readElementTargets(runtime, operation, value, elementBytes);
  return { operand: readOperand(runtime, operation, 'targets', value, elementBytes), integers: undefined };
}

function checkTargets({ operation, argument }: ElementLoss, { operand, integers }: ElementTargets, input: Operand) {
  if (operand !== undefined) checkLikeness(operation, 'targets', operand, argument, input);
  if (integers === undefined) return;
  checkSameShape(operation, 'targets', integers, argument, input);
  checkLabels(operation, integers);
}

/** Runs an element-wise loss, with or without its gradient. */
export function elementLoss(
  runtime: Runtime,
  loss: ElementLoss,
  withGrad: boolean,
  x: unknown,
  targets: unknown,
  options: unknown,
): unknown {
  const call = readCall(runtime, loss, withGrad, x, targets, options);
  const { input } = call.asked;
  const { elementBytes, length } = input;
  const { stream } = runtime;
  if (length === 0) return emptyLoss(runtime, call.asked, undefined, 0);

  stream.open(loss.operation, length, 1, 1, elementBytes, 1, GRANULE);
  const from = stream.input(input);
  const shares = targetInput(runtime, call.targets);
  const weight = weightInput(runtime, call.weight, input);
  const posWeight = weightInput(runtime, call.posWeight, input);
  const kernel = runtime.kernel(call.logTarget ? loss.logKernel! : loss.kernel, elementBytes);
  const at = (slot: number) => (slot < 0 ? 0 : stream.at(slot));
  return runLoss(runtime, call.asked, undefined, length, (results) => {
    const operands = { x: stream.at(from), targets: stream.at(shares), count: stream.outer, scratch: stream.scratch };
    kernel({ ...operands, ...results, weight: at(weight), posWeight: at(posWeight) });
  });
}

function targetInput({ stream }: Runtime, { operand, integers }: ElementTargets): number {
  if (operand !== undefined) return stream.input(operand);
  const { length } = integers!;
  return stream.broadcast(new Broadcast(integers!, [length], [length]));
}

function weightInput(runtime: Runtime, weight: Beside | undefined, input: Operand): number {
  if (weight === undefined) return -1;
  const { operand, own } = weight;
  if (operand.length === input.length) return elementInput(runtime, operand, input.elementBytes);
  return runtime.stream.broadcast(new Broadcast(operand, own, shapeOf(input)));
}
