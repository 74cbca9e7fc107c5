import { type Beside, readBeside } from './beside.js';
import { Broadcast } from './broadcast.js';
import { checkLikeness, checkSameShape } from './call.js';
import { typeError } from './errors.js';
import { type Operand, readOperand, shapeOf } from './input.js';
import type { Kernel } from './kernel.js';
import {
  type BatchReduction,
  checkResults,
  elementInput,
  emptyLoss,
  type LossCall,
  type LossOptions,
  readLoss,
  runLoss,
} from './loss.js';
import { type OptionNames, readOptions } from './options.js';
import type { Runtime } from './runtime.js';
import { type ElementTargets, readElementTargets } from './targets.js';

/** Elements that a kernel adds before float64 takes over: BLOCK of assembly/primitives/row.ts. */
const GRANULE = 256;

/** The operands of an element-wise loss, as assembly/kernels/klDiv.ts describes them. */
export type ElementLossOperands = [
  x: number,
  targets: number,
  losses: number,
  gradient: number,
  count: number,
  scale: number,
  scales: number,
  sum: number,
  scratch: number,
];

/** The same, for one that takes weights. */
export type WeightedLossOperands = [...ElementLossOperands, weight: number, posWeight: number];

export type ElementLossKernel = Kernel<(...operands: WeightedLossOperands) => void>;

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
  options: Options,
): Call {
  const { operation } = loss;
  const { weight, posWeight, logTarget = false } = options;
  const asked = readLoss(runtime, loss, withGrad, x, options, loss.reductions);
  const { input } = asked;
  const read = readTargets(runtime, loss, targets, input);
  const weights = readBeside(runtime, operation, 'weight', weight, input);
  const posWeights = readBeside(runtime, operation, 'posWeight', posWeight, input);
  if (typeof logTarget !== 'boolean') throw typeError(operation, 'logTarget', logTarget, 'true or false');
  checkResults(runtime, asked, input.length, 'element', {
    targets: read.operand ?? read.integers,
    weight: weights?.operand,
    posWeight: posWeights?.operand,
  });
  return { asked, targets: read, weight: weights, posWeight: posWeights, logTarget };
}

function readTargets(runtime: Runtime, loss: ElementLoss, value: unknown, input: Operand): ElementTargets {
  const { operation, argument, takesLabels } = loss;
  let targets: ElementTargets;
  if (takesLabels) targets = readElementTargets(runtime, operation, value, input.elementBytes);
  else {
    const operand = readOperand(runtime, operation, 'targets', value, undefined, input.elementBytes);
    targets = { operand, integers: undefined, length: operand.length, shape: operand.shape };
  }
  if (targets.operand !== undefined) checkLikeness(operation, 'targets', targets.operand, argument, input);
  else checkSameShape(operation, 'targets', targets, argument, input);
  return targets;
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
  const { operation } = loss;
  const call = readCall(runtime, loss, withGrad, x, targets, readOptions(operation, options, loss.options));
  const { input } = call.asked;
  const { elementBytes, length } = input;
  const { stream } = runtime;
  if (length === 0) return emptyLoss(runtime, call.asked, undefined, 0);

  stream.open(operation, length, 1, 1, elementBytes, 1, GRANULE);
  const from = stream.input(input);
  const shares = targetInput(runtime, call.targets);
  const weight = weightInput(runtime, call.weight, input);
  const posWeight = weightInput(runtime, call.posWeight, input);
  const kernel = runtime.kernel(call.logTarget ? loss.logKernel! : loss.kernel, elementBytes);
  return runLoss(runtime, call.asked, undefined, length, (losses, gradient, scale, scales, sum) =>
    kernel(
      stream.at(from),
      stream.at(shares),
      losses,
      gradient,
      stream.outer,
      scale,
      scales,
      sum,
      stream.scratch,
      weight < 0 ? 0 : stream.at(weight),
      posWeight < 0 ? 0 : stream.at(posWeight),
    ),
  );
}

function targetInput(runtime: Runtime, { operand, integers, length }: ElementTargets): number {
  if (operand !== undefined) return runtime.stream.input(operand);
  const source = { array: integers, address: -1, elementBytes: integers!.BYTES_PER_ELEMENT };
  return runtime.stream.broadcast(new Broadcast(source, [length], [length]));
}

function weightInput(runtime: Runtime, weight: Beside | undefined, input: Operand): number {
  if (weight === undefined) return -1;
  const { operand, own } = weight;
  if (operand.length === input.length) return elementInput(runtime, operand, input.elementBytes);
  return runtime.stream.broadcast(new Broadcast(operand, own, shapeOf(input)));
}
