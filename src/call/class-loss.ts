import type { WideArray } from '../arrays.js';
import { rangeError, typeError } from '../errors.js';
import { type CrossEntropyOperands, smoothTargetsKernel } from '../generated/kernels.js';
import { Tensor, type TensorStorage } from '../memory/tensor.js';
import { smoothTargets as reference } from '../reference/crossEntropy.js';
import { indexOf } from '../reference/rows.js';
import { roundingOf } from '../reference/sum.js';
import type { Runtime } from '../runtime.js';
import type { Reduction } from '../types.js';
import { defineKernel, type Kernel } from '../wasm/kernel.js';
import { type Call, openCall, settle } from './call.js';
import { copyFloats } from './descriptor.js';
import {
  checkCount,
  checkResults,
  emptyLoss,
  type LossCall,
  type LossOptions,
  openShort,
  readLoss,
  runLoss,
  runShort,
  SHORT_SUM,
} from './loss.js';
import { checkLikeness } from './map.js';
import { checkMask, type Mask, readMask } from './mask.js';
import { MaskedInput } from './masked-input.js';
import { readOperand, readOptional } from './operand.js';
import { type Given, type OptionNames, readOptions, readTemperature } from './options.js';
import { type Operand, readerOf } from './place.js';
import { residentOf, rowLength } from './resident.js';
import { giveShape, type Rows, readRows } from './rows.js';
import { checkIndices, placeIndices, readIgnoreIndex, readTargets, type Targets } from './targets.js';

const SMOOTH = /* @__PURE__ */ defineKernel(smoothTargetsKernel, reference);

/** What a loss over classes is. */
export interface ClassLoss {
  readonly name: string;
  readonly withGrad: boolean;
  /** Name of the first argument. */
  readonly argument: string;
  readonly kernel: Kernel<CrossEntropyOperands>;
  /** For class probabilities as targets, where the loss takes them. */
  readonly softKernel?: Kernel<CrossEntropyOperands>;
  /** Whether all that is read of the first argument is the target's element of each row. */
  readonly readsTargets?: boolean;
  /** What a row of nothing but −∞ gives whose target a mask leaves out, where there are masks. */
  readonly ofEmpty?: number;
  /** How it may be reduced, the usual way first. */
  readonly reductions: readonly Reduction[];
  readonly options: Partial<OptionNames<ClassLossOptions & { out?: unknown }>>;
}

interface ClassLossOptions extends LossOptions {
  axis?: unknown;
  temperature?: unknown;
  mask?: unknown;
  weight?: unknown;
  ignoreIndex?: unknown;
  labelSmoothing?: unknown;
}

/** A call of one. */
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

/** Reads the options, and checks all but the class indices. */
function readCall(
  call: Call,
  loss: ClassLoss,
  input: Operand,
  targets: unknown,
  read: Targets,
  out: unknown,
  given: Given<ClassLossOptions>,
): ClassLossCall {
  const { name } = loss;
  const { elementBytes } = input;
  const lossCall = readLoss(call, loss.withGrad, input, out, given, loss.reductions);
  const weight = readOptional(call, 'weight', given.weight, elementBytes);
  const maskPlace = readMask(call, given.mask);
  const temperature = readTemperature(name, given.temperature, elementBytes);
  const smoothing = readSmoothing(name, given.labelSmoothing);
  const ignoreIndex = readIgnoreIndex(name, given.ignoreIndex, read);
  const rows = readRows(name, input, given);
  settle(call);
  const mask = checkMask(name, maskPlace, false, input, rows.axis);
  const { probabilities } = read;
  if (probabilities !== undefined) {
    if (loss.softKernel === undefined) throw typeError(name, 'targets', targets, 'class indices (integers)');
    if (probabilities.length === rows.count && probabilities.length !== input.length) {
      throw typeError(name, 'targets', targets, 'class indices as integers, or class probabilities, as many as logits');
    }
    // Probabilities without a shape of their own have that of the logits.
    if (probabilities.kind === 'array') giveShape(name, probabilities, input.shape);
    checkLikeness(name, probabilities, input);
  } else checkIndices(name, read, input, rows);
  if (weight !== undefined) checkCount(name, weight, rows.n, 'one for each class');
  checkResults(lossCall, rows.count, 'row');
  return { lossCall, rows, temperature, targets: read, mask, weight, ignoreIndex, smoothing };
}

function readSmoothing(operation: string, smoothing: unknown): number {
  if (smoothing === undefined) return 0;
  if (typeof smoothing !== 'number') throw typeError(operation, 'labelSmoothing', smoothing, 'a number');
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw rangeError(operation, 'labelSmoothing', smoothing, 'a number in [0, 1]');
  }
  return smoothing;
}

/** Runs a loss over classes, with or without its gradient. Tensors may become no operands: see resident.ts. */
export function classLoss(loss: ClassLoss, x: unknown, targets: unknown, options: unknown): unknown {
  const { name } = loss;
  const call = openCall(name);
  const storage = residentOf(call.runtime, x);
  const operand = storage === undefined ? readOperand(call, loss.argument, x) : undefined;
  const read = readTargets(call, targets);
  let given = readOptions<ClassLossOptions & { out?: unknown }>(name, options, loss.options);
  const { out } = given;
  if (storage !== undefined && (out === undefined || Tensor.is(out))) {
    const { reduction, gradOutput, accumulate, weight, mask, temperature, labelSmoothing, ignoreIndex, shape, axis } =
      given;
    given = { reduction, gradOutput, accumulate, weight, mask, temperature, labelSmoothing, ignoreIndex, shape, axis };
    const result = classTensor(call, loss, storage, read, out, given);
    if (result !== undefined) return result;
  }
  const input = operand ?? readOperand(call, loss.argument, x);
  return runCall(loss, readCall(call, loss, input, targets, read, out, given));
}

/** The most rows that the short way has class indices of. */
const SHORT_ROWS = 1024;

/** The same of a tensor and class indices to a number, without masks and weights; undefined for any other call. */
function classTensor(
  call: Call,
  loss: ClassLoss,
  storage: TensorStorage,
  targets: Targets,
  out: unknown,
  given: Given<ClassLossOptions>,
): unknown {
  const { runtime, operation } = call;
  const { arena } = runtime;
  const { address: x, elementBytes } = storage;
  const n = rowLength(storage, given.shape, given.axis);
  const outer = storage.size / n;
  const { indices } = targets;
  const short = openShort(loss, storage, 0, out, given);
  if (short === undefined || x < 0 || given.weight !== undefined || given.mask !== undefined) return undefined;
  if (indices?.length !== outer || indices.shape !== undefined || outer > SHORT_ROWS) return undefined;
  const temperature = readTemperature(operation, given.temperature, elementBytes);
  const smoothing = readSmoothing(operation, given.labelSmoothing);
  const ignoreIndex = readIgnoreIndex(operation, given.ignoreIndex, targets);
  settle(call);

  const compute = runtime.kernel(loss.kernel, elementBytes, operation);
  const placed = arena.operandScratch + SHORT_SUM;
  const all = placeIndices(runtime, operation, targets, n, ignoreIndex, placed);
  const picked = placed + 4 * SHORT_ROWS;
  if (loss.readsTargets) {
    const heap = arena.floats(elementBytes);
    const to = indexOf(picked, elementBytes);
    pickFromRows(heap, indexOf(x, elementBytes), n, outer, arena.i32, indexOf(placed, 4), heap, to);
  }
  return runShort(arena, short, all, ({ losses, gradient, scale, gradOutput, sum }) =>
    compute({
      x: loss.readsTargets ? picked : x,
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

/** Runs any call that was read. */
function runCall(loss: ClassLoss, read: ClassLossCall): unknown {
  const { lossCall, rows, temperature, smoothing } = read;
  const { call, input } = lossCall;
  const { runtime, operation } = call;
  const { elementBytes } = input;
  const { n, count } = rows;
  const { probabilities } = read.targets;
  // Class indices are looked at even where there are no classes: they must all be ignored.
  if (input.length === 0 && (probabilities !== undefined || count === 0)) return emptyLoss(lossCall, rows, count);

  const kernel = probabilities === undefined ? loss.kernel : loss.softKernel!;
  const compute = runtime.kernel(kernel, elementBytes, operation);
  // Over what a mask keeps, label smoothing is a part of the target probabilities, or beside the class indices.
  const smooth = read.mask && smoothing > 0 ? runtime.kernel(SMOOTH, elementBytes, operation) : undefined;
  const { run } = runtime;
  run.open(operation, rows, elementBytes, probabilities === undefined && smooth === undefined ? undefined : TWO_BLOCKS);
  const weight = read.weight === undefined ? 0 : run.reserve(n * elementBytes);
  const indices = probabilities === undefined ? run.reserve(count * 4) : 0;
  const picked = loss.readsTargets ? run.reserve(count * elementBytes) : 0;
  if (read.weight !== undefined) copyFloats(runtime, read.weight, elementBytes, weight);
  const counted =
    probabilities === undefined ? placeIndices(runtime, operation, read.targets, n, read.ignoreIndex, indices) : count;
  if (loss.readsTargets) pickTargets(runtime, input, rows, indices, picked);
  const isWeighted = probabilities === undefined && read.weight !== undefined && lossCall.reduction === 'mean';
  const all = isWeighted ? totalWeight(runtime, elementBytes, count, indices, weight) : counted;

  const masked = read.mask && new MaskedInput(runtime, operation, read.mask, input, rows);
  const from = masked !== undefined ? -1 : loss.readsTargets ? run.perRow(picked, elementBytes) : run.input(input);
  const to = probabilities === undefined ? run.perRow(indices, 4) : run.input(probabilities);
  const smoothed = smooth === undefined ? -1 : run.intermediate();
  // Smoothed probabilities take the place of those that were given, and are not smoothed again.
  const replaces = probabilities !== undefined && smooth !== undefined;
  return runLoss(lossCall, rows, all, ({ losses, gradient, scale, gradOutput, sum }) => {
    const { outer, inner, scratch } = run;
    const x = masked === undefined ? run.at(from) : masked.apply();
    const given = run.at(to);
    const y = run.atOrZero(smoothed);
    if (masked !== undefined) {
      if (probabilities === undefined) hideEmptyRows(runtime, masked, given);
      const mask = masked.mask;
      smooth?.({ targets: probabilities === undefined ? 0 : given, y, outer, n, inner, smoothing, mask });
    }
    compute({
      x,
      targets: replaces ? y : given,
      losses,
      gradient,
      outer,
      n,
      inner,
      temperature,
      weight,
      smoothing: replaces ? 0 : smoothing,
      smoothingTerms: replaces ? 0 : y,
      scale,
      gradOutput,
      sum,
      scratch,
    });
    if (masked === undefined) return;
    if (probabilities === undefined) storeEmptyRows(runtime, elementBytes, given, weight, loss.ofEmpty!, losses, sum);
    if (gradient !== 0) masked.fill(gradient, 0);
  });
}

/**
 * Hides rows of nothing but −∞ whose target is not kept from the kernel, which ignores negative targets: these become
 * -2 and less.
 */
function hideEmptyRows({ run, arena }: Runtime, masked: MaskedInput, targets: number): void {
  const { i32 } = arena;
  for (let row = 0; row < run.outer * run.inner; row++) {
    const target = i32[targets / 4 + row]!;
    if (target >= 0 && !masked.keeps(row, target) && masked.isEmpty(row)) i32[targets / 4 + row] = -2 - target;
  }
}

/** Stores what the rows that were hidden give. */
function storeEmptyRows(
  { run, arena }: Runtime,
  elementBytes: 4 | 8,
  targets: number,
  weight: number,
  ofEmpty: number,
  losses: number,
  sum: number,
): void {
  const { i32, f64 } = arena;
  const heap = arena.floats(elementBytes);
  for (let row = 0; row < run.outer * run.inner; row++) {
    const target = -2 - i32[targets / 4 + row]!;
    if (target < 0) continue;
    const value = weight === 0 ? ofEmpty : ofEmpty * heap[weight / elementBytes + target]!;
    if (losses === 0) f64[sum / 8]! += value;
    else heap[losses / elementBytes + row] = value;
  }
}

const TWO_BLOCKS = { transposedBlocks: 2 };

/** Copies the target's element of each row, so that no other has to be brought into linear memory. */
function pickTargets(
  { arena }: Runtime,
  input: Operand,
  { n, inner, count }: Rows,
  indices: number,
  picked: number,
): void {
  const { elementBytes, address, array, half } = input;
  const heap = arena.floats(elementBytes);
  const start = address < 0 ? 0 : indexOf(address, elementBytes);
  const to = indexOf(picked, elementBytes);
  if (inner === 1 && half === undefined) {
    pickFromRows(address < 0 ? (array as WideArray) : heap, start, n, count, arena.i32, indexOf(indices, 4), heap, to);
    return;
  }
  const { i32 } = arena;
  const read = readerOf(arena, input);
  // Not by the number of the row: its remainder would take longer than all the rest.
  for (let first = 0, row = 0; row < count; first += n * inner) {
    for (let column = 0; column < inner; column++, row++) {
      const target = i32[indices / 4 + row]!;
      if (target >= 0) heap[to + row] = read(first + target * inner + column);
    }
  }
}

/** The same of rows that lie one after another, all places counted in elements. */
function pickFromRows(
  source: WideArray,
  start: number,
  n: number,
  count: number,
  i32: Int32Array,
  indices: number,
  heap: WideArray,
  to: number,
): void {
  for (let row = 0, first = start; row < count; row++, first += n) {
    const target = i32[indices + row]!;
    if (target >= 0) heap[to + row] = source[first + target]!;
  }
}

/** What a mean over class indices divides by: Σ weight[target] over the rows that are not ignored. */
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
