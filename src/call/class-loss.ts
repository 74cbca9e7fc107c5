import { rangeError, typeError } from '../errors.js';
import type { CrossEntropyOperands } from '../generated/kernels.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { placeFloats } from './descriptor.js';
import {
  checkCount,
  checkResults,
  emptyLoss,
  type LossCall,
  type LossOptions,
  type Reduction,
  readLoss,
  runLoss,
  settleLoss,
} from './loss.js';
import { checkLikeness, cutOperand } from './map.js';
import { giveShape, type Operand, readOperand, readOptional } from './operand.js';
import { checkTemperature, type OptionNames, readOptions } from './options.js';
import { readOptionalOut } from './result.js';
import { geometry } from './rows.js';
import { checkIgnoreIndex, checkIndices, placeIndices, placeOfTargets, readTargets, type Targets } from './targets.js';

export type ClassLossKernel = Kernel<CrossEntropyOperands>;

/** What tells the losses over classes apart. */
export interface ClassLoss {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: ClassLossKernel;
  /** For class probabilities as targets, where the loss takes them. */
  readonly softKernel?: ClassLossKernel;
  /** Whether all that is read of the first argument is the target's element of each row. */
  readonly readsTargets?: boolean;
  /** How it may be reduced, the usual way first. */
  readonly reductions: readonly Reduction[];
  readonly options: OptionNames;
}

interface Options extends LossOptions {
  axis?: unknown;
  temperature?: unknown;
  weight?: unknown;
  ignoreIndex?: unknown;
  labelSmoothing?: unknown;
}

/** The arguments of a call. */
interface Call {
  readonly asked: LossCall;
  readonly axis: number;
  readonly temperature: number;
  readonly targets: Targets;
  readonly weight: Operand | undefined;
  readonly ignoreIndex: number;
  readonly smoothing: number;
}

/** Reads everything, and checks all but the class indices; leaves the geometry of the first argument. */
function readCall(
  runtime: Runtime,
  loss: ClassLoss,
  withGrad: boolean,
  x: unknown,
  targets: unknown,
  given: unknown,
): Call {
  const { operation, argument } = loss;
  const input = readOperand(runtime, operation, argument, x);
  const read = readTargets(runtime, operation, targets);
  const options = readOptions<Options>(operation, given, loss.options);
  const out = readOptionalOut(runtime, operation, 'out', options.out, input.elementBytes);
  const weights = readOptional(runtime, operation, 'weight', options.weight, input.elementBytes);
  const asked = readLoss(runtime, operation, withGrad, input, out, options, loss.reductions);
  const { axis = -1, temperature = 1, ignoreIndex, labelSmoothing = 0 } = options;
  settleLoss(runtime, asked, placeOfTargets(read), weights);

  checkTemperature(operation, temperature, input.elementBytes);
  // Probabilities without a shape of their own have that of the logits.
  if (read.probabilities?.kind === 'array') giveShape(operation, read.probabilities, input.shape);
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
  checkResults(runtime, asked, rows, 'row', { targets: read.probabilities, weight: weights });
  return {
    asked,
    axis: axis as number,
    temperature,
    targets: read,
    weight: weights,
    ignoreIndex: (ignoreIndex as number | undefined) ?? -100,
    smoothing: labelSmoothing,
  };
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
  const call = readCall(runtime, loss, withGrad, x, targets, options);
  const { input, reduction } = call.asked;
  const { outer, n, inner } = geometry;
  const { elementBytes } = input;
  const rows = outer * inner;
  const { stream } = runtime;
  const soft = call.targets.probabilities;
  // Class indices are looked at even where there are no classes: they must all be ignored.
  if (input.length === 0 && (soft !== undefined || rows === 0)) {
    return emptyLoss(runtime, call.asked, call.axis, rows);
  }

  stream.open(operation, outer, n, inner, elementBytes, soft === undefined ? 1 : 2);
  const weight = call.weight === undefined ? 0 : stream.claim(n * elementBytes);
  const indices = soft === undefined ? stream.claim(rows * 4) : 0;
  const chosen = loss.readsTargets ? stream.claim(rows * elementBytes) : 0;
  if (call.weight !== undefined) placeFloats(runtime, call.weight, elementBytes, weight);
  const counted =
    soft === undefined ? placeIndices(runtime, operation, call.targets, n, call.ignoreIndex, indices) : rows;
  if (loss.readsTargets) placeChosen(runtime, input, n, inner, indices, chosen, rows);
  const isWeighted = soft === undefined && call.weight !== undefined && reduction === 'mean';
  const all = isWeighted ? totalWeight(runtime, elementBytes, rows, indices, weight) : counted;

  const from = loss.readsTargets ? stream.rows(chosen, elementBytes) : stream.input(input);
  const shares = soft === undefined ? stream.rows(indices, 4) : stream.input(soft);
  const kernel = runtime.kernel(soft === undefined ? loss.kernel : loss.softKernel!, elementBytes);
  const { temperature, smoothing } = call;
  return runLoss(runtime, call.asked, call.axis, all, (results) => {
    const { outer, inner, scratch } = stream;
    const operands = {
      x: stream.at(from),
      targets: stream.at(shares),
      outer,
      n,
      inner,
      temperature,
      weight,
      smoothing,
    };
    kernel({ ...operands, ...results, scratch });
  });
}

/** Copies the target's element of each row, so that no other has to be brought into linear memory. */
function placeChosen(
  runtime: Runtime,
  input: Operand,
  n: number,
  inner: number,
  indices: number,
  address: number,
  rows: number,
): void {
  const { arena } = runtime;
  const heap = arena.floats(input.elementBytes);
  const source = input.address < 0 ? input.array! : heap;
  const start = input.address < 0 ? 0 : input.address / input.elementBytes;
  const at = address / input.elementBytes;
  for (let row = 0; row < rows; row++) {
    const target = arena.i32[indices / 4 + row]!;
    const column = row % inner;
    if (target >= 0) heap[at + row] = source[start + ((row - column) * n + target * inner + column)]!;
  }
}

/** What a mean over class indices divides by: Σ weight[target] over the rows that are not ignored. */
function totalWeight(runtime: Runtime, elementBytes: 4 | 8, rows: number, indices: number, weight: number): number {
  const { i32 } = runtime.arena;
  const heap = runtime.arena.floats(elementBytes);
  let total = 0;
  let lost = 0;
  for (let i = 0; i < rows; i++) {
    const target = i32[indices / 4 + i]!;
    if (target < 0) continue;
    const own = heap[weight / elementBytes + target]!;
    const before = total;
    total = before + own;
    const added = total - before;
    lost += before - (total - added) + (own - added);
  }
  return Number.isFinite(total) ? total + lost : total;
}
