import { bufferOf } from '../arrays.js';
import { typeError } from '../errors.js';
import type { CrossEntropyOperands } from '../generated/kernels.js';
import { roundingOf } from '../reference/sum.js';
import type { Runtime } from '../runtime.js';
import type { Kernel } from '../wasm/kernel.js';
import { type Call, openCall, settle } from './call.js';
import { copyFloats } from './descriptor.js';
import {
  addressOf,
  asElements,
  operandOf,
  readArgument,
  readResult,
  readSizes,
  resultOf,
  rowLength,
} from './fast-path.js';
import { checkLikeness } from './likeness.js';
import {
  addRowGradOutput,
  checkCount,
  checkResults,
  emptyLoss,
  FAST_SUM_BYTES,
  type FastLoss,
  type Loss,
  type LossCall,
  type LossOptions,
  openFastLoss,
  readLoss,
  runFastLoss,
  runLoss,
} from './loss.js';
import { checkMask, type Mask, readMask } from './mask.js';
import { MaskedLoss } from './masked-loss.js';
import { readOptional } from './operand.js';
import { type Given, readOptions, readShare, readTemperature } from './options.js';
import type { pickTargets, sumTargets } from './pick-targets.js';
import type { Operand } from './place.js';
import { type Rows, readRows } from './rows.js';
import { checkIndices, placeIndices, readClassIndices, readIgnoreIndex, readTargets, type Targets } from './targets.js';

/** The description of a loss over classes. */
export interface ClassLoss extends Loss<ClassLossOptions, CrossEntropyOperands> {
  /** The kernel for class probabilities as targets, if the loss takes them. */
  readonly softKernel?: Kernel<CrossEntropyOperands>;
  /** Copies the element at each row's target, for a loss that reads no others. */
  readonly pick?: typeof pickTargets;
  /** Adds these elements up on the fast path without a kernel, if their sum is the loss up to the sign. */
  readonly sum?: typeof sumTargets;
  /** The loss of a row that holds only −∞ and whose target is masked out, if the loss takes masks. */
  readonly lossOfEmptyRow?: number;
}

interface ClassLossOptions extends LossOptions {
  axis?: unknown;
  temperature?: unknown;
  mask?: unknown;
  weight?: unknown;
  ignoreIndex?: unknown;
  labelSmoothing?: unknown;
}

/** A call of such a loss, read and checked. */
interface ClassLossCall {
  readonly lossCall: LossCall;
  readonly rows: Rows;
  readonly temperature: number;
  readonly targets: Targets;
  readonly mask: Mask | undefined;
  readonly weight: Operand | undefined;
  readonly ignoreIndex: number;
  readonly smoothing: number;
}

/** Reads and checks everything but the values of class indices; `value` is what the caller passed as targets. */
function readCall(
  call: Call,
  loss: ClassLoss,
  input: Operand,
  value: unknown,
  targets: Targets,
  out: Operand | undefined,
  given: Given<ClassLossOptions>,
): ClassLossCall {
  const { name } = loss;
  const { elementBytes } = input;
  const lossCall = readLoss(call, loss, input, out, given);
  const weight = readOptional(call, 'weight', given.weight, elementBytes);
  const maskPlace = readMask(call, given.mask);
  const temperature = readTemperature(name, given.temperature, elementBytes);
  const smoothing = readShare(name, 'labelSmoothing', given.labelSmoothing, 0);
  const ignoreIndex = readIgnoreIndex(name, given.ignoreIndex, targets);
  const rows = readRows(name, input, given);
  settle(call);
  const mask = checkMask(name, maskPlace, false, input, rows.axis);
  const { probabilities } = targets;
  if (probabilities !== undefined) {
    if (probabilities.length === rows.count && probabilities.length !== input.length) {
      throw typeError(name, 'targets', value, 'class indices as integers, or class probabilities, as many as logits');
    }
    checkLikeness(name, probabilities, input);
  } else checkIndices(name, targets, input, rows, loss.softKernel !== undefined);
  if (weight !== undefined) checkCount(name, weight, rows.n, 'one for each class');
  checkResults(lossCall, rows.count, 'row');
  return { lossCall, rows, temperature, targets, mask, weight, ignoreIndex, smoothing };
}

/** Runs a loss over classes, with or without its gradient. */
export function classLoss(loss: ClassLoss, x: unknown, targets: unknown, options: unknown): unknown {
  const { name, argument } = loss;
  const call = openCall(name);
  const from = readArgument(call, argument, x);
  const read = loss.softKernel === undefined ? readClassIndices(call, targets) : readTargets(call, targets);
  const given = readOptions<ClassLossOptions & { out?: unknown }>(name, options, loss.options);
  const { out } = given;
  const to = readResult(call, from, out, loss.withGrad ? from.half : undefined);
  // Each option is read just once: `given` may be the caller's own object.
  const others = {
    reduction: given.reduction,
    gradOutput: given.gradOutput,
    accumulate: given.accumulate,
    weight: given.weight,
    mask: given.mask,
    temperature: given.temperature,
    labelSmoothing: given.labelSmoothing,
    ignoreIndex: given.ignoreIndex,
    axis: given.axis,
    shape: readSizes(call, from, given.shape),
  };
  const fast = from.kind === undefined ? openFastLoss(call.runtime.arena, loss, from, out, to, others) : undefined;
  const result = fast && classFast(call, loss, fast, read, others);
  if (result !== undefined) return result;
  const input = operandOf(call, argument, x, from);
  const place = resultOf(call, from, out, to, loss.withGrad ? from.half : undefined);
  return runCall(loss, readCall(call, loss, input, targets, read, place, others));
}

/** The most rows whose class indices the fast path takes. */
const FAST_ROWS = 1024;

/** Runs a call on the fast path if it has class indices and no mask or weights; undefined for any other call. */
function classFast(
  call: Call,
  loss: ClassLoss,
  fast: FastLoss,
  targets: Targets,
  given: Given<ClassLossOptions>,
): unknown {
  const { runtime, operation } = call;
  const { arena } = runtime;
  const { x, to } = fast;
  const { elementBytes } = x;
  const { indices } = targets;
  const n = rowLength(x, given.shape, given.axis);
  const outer = x.size / n;
  if (indices?.length !== outer || indices.shape !== undefined) return undefined;
  if (given.weight !== undefined || given.mask !== undefined) return undefined;
  if (!targets.plain && to?.array !== undefined && bufferOf(to.array) === bufferOf(indices.array)) return undefined;
  const temperature = readTemperature(operation, given.temperature, elementBytes);
  const smoothing = readShare(operation, 'labelSmoothing', given.labelSmoothing, 0);
  const ignoreIndex = readIgnoreIndex(operation, given.ignoreIndex, targets);
  settle(call);

  const { pick, sum } = loss;
  const summed = sum?.(arena, fast, indices, n, ignoreIndex);
  if (summed !== undefined || outer > FAST_ROWS) return summed;
  const compute = runtime.kernel(loss.kernel, elementBytes, operation);
  const placed = arena.operandScratch + FAST_SUM_BYTES;
  const counted = placeIndices(runtime, operation, targets, n, ignoreIndex, placed);
  const picked = placed + 4 * FAST_ROWS;
  pick?.(arena, asElements(x), { n, inner: 1, count: outer }, placed, picked);
  const logits = pick === undefined ? addressOf(arena, x, 1) : picked;
  return runFastLoss(arena, fast, counted, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x: logits,
      targets: placed,
      losses,
      gradient,
      outer,
      n,
      inner: 1,
      temperature,
      weight: 0,
      smoothing,
      smoothingTerms: 0,
      scale,
      gradOutput,
      sum,
      scratch: arena.kernelScratch,
    }),
  );
}

/** Runs any call, once it is read. */
function runCall(loss: ClassLoss, read: ClassLossCall): unknown {
  const { lossCall, rows, temperature, smoothing, mask } = read;
  const { call, input } = lossCall;
  const { runtime, operation } = call;
  const { elementBytes } = input;
  const { n, count } = rows;
  const { probabilities } = read.targets;
  const isSoft = probabilities !== undefined;
  // Class indices are checked even if there are no classes: all of them must be ignoreIndex then.
  if (input.length === 0 && (isSoft || count === 0)) return emptyLoss(lossCall, rows, count);

  const compute = runtime.kernel(isSoft ? loss.softKernel! : loss.kernel, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, rows, elementBytes, isSoft || (mask !== undefined && smoothing > 0) ? TWO_BLOCKS : undefined);
  const weight = read.weight === undefined ? 0 : run.reserve(n * elementBytes);
  const indices = isSoft ? 0 : run.reserve(count * 4);
  const { pick } = loss;
  const picked = pick === undefined ? 0 : run.reserve(count * elementBytes);
  if (read.weight !== undefined) copyFloats(runtime, read.weight, elementBytes, weight);
  const counted = isSoft ? count : placeIndices(runtime, operation, read.targets, n, read.ignoreIndex, indices);
  pick?.(runtime.arena, input, rows, indices, picked);
  const isWeighted = !isSoft && weight !== 0 && lossCall.reduction === 'mean';
  // The mean over no weight at all is NaN, as torch has it, and so is its gradient.
  const meanDivisor = isWeighted ? totalWeight(runtime, elementBytes, count, indices, weight) || NaN : counted;

  const masked =
    mask &&
    new MaskedLoss(runtime, operation, {
      mask,
      input,
      rows,
      isSoft,
      smoothing,
      weight,
      lossOfEmptyRow: loss.lossOfEmptyRow!,
    });
  const xSlot = masked !== undefined ? -1 : pick === undefined ? run.input(input) : run.perRow(picked, elementBytes);
  const targetSlot = isSoft ? run.input(probabilities) : run.perRow(indices, 4);
  return runLoss(lossCall, rows, meanDivisor, addRowGradOutput(lossCall), (results) => {
    const { outer, inner, scratch } = run;
    const given = run.at(targetSlot);
    const block =
      masked === undefined ? { x: run.at(xSlot), targets: given, smoothing, smoothingTerms: 0 } : masked.prepare(given);
    const { losses, gradient, scale, gradOutput, sum } = results;
    compute({
      x: block.x,
      targets: block.targets,
      losses,
      gradient,
      outer,
      n,
      inner,
      temperature,
      weight,
      smoothing: block.smoothing,
      smoothingTerms: block.smoothingTerms,
      scale,
      gradOutput,
      sum,
      scratch,
    });
    masked?.finish(block.targets, results);
  });
}

const TWO_BLOCKS = { transposedBlocks: 2 };

/** The divisor of a mean over class indices: Σ weight[target] over the rows that are not ignored. */
function totalWeight({ arena }: Runtime, elementBytes: 4 | 8, rows: number, indices: number, weight: number): number {
  const { i32 } = arena;
  const heap = arena.floats(elementBytes);
  let total = 0;
  let lost = 0;
  for (let i = 0; i < rows; i++) {
    const target = i32[indices / 4 + i]!;
    if (target < 0) continue;
    const term = heap[weight / elementBytes + target]!;
    lost += roundingOf(total, term, total + term);
    total += term;
  }
  return Number.isFinite(total) ? total + lost : total;
}
