import type { FloatArray } from '../arrays.js';
import { countError } from '../errors.js';
import { argmaxKernel, crossEntropyKernel, softmaxKernel } from '../generated/kernels.js';
import { LOSS_SUM_BYTES } from '../generated/layout.js';
import type { Arena } from '../memory/arena.js';
import { argmax } from '../reference/argmax.js';
import { crossEntropy, crossEntropyAndSoftmax } from '../reference/crossEntropy.js';
import { softmax } from '../reference/softmax.js';
import type { PlaceOptions } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';
import { type Call, openCall, settle } from './call.js';
import { readOperand } from './operand.js';
import { AS_IF_POLLUTED, type Given, type OptionNames, readOptions } from './options.js';
import { elementsOf, type Operand, shapeOf, widened } from './place.js';
import { checkNotEmpty } from './ranking.js';
import { elementsAsRows, type Rows, readRows } from './rows.js';
import type { ElementSource } from './run.js';
import { checkIndices, placeIndices, readClassIndices, type Targets } from './targets.js';

/** What evaluations share: they read predictions together with the right classes, and visit them block by block. */

/** The description of an evaluation. */
interface EvaluationSettings<O> {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly options: OptionNames<O>;
  /** Whether a row may be a single number, which belongs to class 1 of two. */
  readonly mayBeBinary?: boolean;
}

/** Predictions and the right class of each row, as they were read. */
export interface Evaluation<O = unknown> {
  readonly call: Call;
  readonly input: Operand;
  readonly targets: Targets;
  /** The options; `shape` and `axis` have been read already. */
  readonly given: Given<O>;
  /** The rows; where a row is a single number, rows of two classes. */
  readonly rows: Rows;
  /** Whether a row is a single number. */
  readonly isBinary: boolean;
}

/** Reads everything but the evaluation's own options. settleEvaluation has to follow. @throws TypeError, RangeError */
export function readEvaluation<O extends PlaceOptions>(
  { operation, argument, options: names, mayBeBinary = false }: EvaluationSettings<O>,
  x: unknown,
  targets: unknown,
  options: unknown,
): Evaluation<O> {
  const call = openCall(operation);
  const input = readOperand(call, argument, x);
  const read = readClassIndices(call, targets);
  const given = readOptions<PlaceOptions>(operation, options, names, AS_IF_POLLUTED);
  const rows = readRows(operation, input, given);
  const isBinary = mayBeBinary && (shapeOf(input).length === 1 || rows.n === 1);
  return {
    call,
    input,
    targets: read,
    given: given as Given<O>,
    rows: isBinary ? pairsOf(input, rows) : rows,
    isBinary,
  };
}

/** Single numbers as rows of two classes. The axis is chosen so that the shape without it is that of the targets. */
function pairsOf(input: Operand, { axis }: Rows): Rows {
  const shape = shapeOf(input);
  input.shape = shape.length === 1 ? [...shape, 1] : shape;
  return { ...elementsAsRows(input.length), n: 2, axis: shape.length === 1 ? 1 : axis };
}

/** Settles the call, and checks what was read. @throws TypeError, RangeError */
export function settleEvaluation({ call, input, targets, rows, isBinary }: Evaluation): void {
  const { operation } = call;
  settle(call);
  checkNotEmpty(operation, input, rows);
  const { length } = targets.indices!;
  if (isBinary && length !== rows.count) {
    const expected = `${rows.count}, one for each number of ${input.argument} (rows of several classes need shape)`;
    throw countError(operation, 'targets', length, expected);
  }
  checkIndices(operation, targets, input, rows);
}

/** A block of rows: its sizes, and the addresses of its data in linear memory. */
export interface Block {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly x: number;
  /** An int32 for each row: the target, -1 if the row is ignored. */
  readonly targets: number;
  /** Memory for as many elements as x has, and for an int32 for each row; 0 unless `works` is set. */
  readonly work: number;
  readonly indices: number;
  /** Two float64 that kernels add to; 0 before the first block. */
  readonly sums: number;
  readonly scratch: number;
}

export interface BlockSettings {
  readonly ignoreIndex: number;
  /** Whether the visitor needs `work` and `indices`. */
  readonly works?: boolean;
  /** The number of class 0 where that of class 1 is x. */
  readonly complement?: (x: number) => number;
}

/**
 * Visits a settled evaluation's rows block by block. Returns how many of them are not ignored, and the final `sums`.
 * @throws RangeError for a target out of range, OutOfMemoryError; both before the first visit
 */
export function forEachBlock(
  { call, input, targets, rows, isBinary }: Evaluation,
  { ignoreIndex, works = false, complement = () => 0 }: BlockSettings,
  visit: (block: Block) => void,
): { count: number; sums: [number, number] } {
  const { runtime, operation } = call;
  const { run, arena } = runtime;
  const { n, count } = rows;
  run.open(operation, rows, input.elementBytes);
  const sums = run.reserve(LOSS_SUM_BYTES);
  const targetIndices = run.reserve(count * 4);
  const otherIndices = works ? run.reserve(count * 4) : 0;
  const counted = placeIndices(runtime, operation, targets, n, ignoreIndex, targetIndices);
  const xSlot = isBinary ? run.source(new Pairs(arena, input, complement)) : run.input(input);
  const targetSlot = run.perRow(targetIndices, 4);
  const workSlot = works ? run.intermediate() : -1;
  const indexSlot = works ? run.perRow(otherIndices, 4) : -1;
  run.start();
  // TypedArray.fill would take longer than a short row.
  arena.f64[sums / 8] = arena.f64[sums / 8 + 1] = 0;
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const memory = { work: run.atOrZero(workSlot), indices: run.atOrZero(indexSlot), sums, scratch };
    visit({ outer, n, inner, x: run.at(xSlot), targets: run.at(targetSlot), ...memory });
  }
  return { count: counted, sums: [arena.f64[sums / 8]!, arena.f64[sums / 8 + 1]!] };
}

/** Rows of two classes from the numbers of class 1 alone: those of class 0 are their complements. */
class Pairs implements ElementSource {
  readonly period = 0;
  readonly #input: Operand;
  readonly #complement: (x: number) => number;

  constructor(arena: Arena, input: Operand, complement: (x: number) => number) {
    this.#input = widened(arena, input);
    this.#complement = complement;
  }

  fill(arena: Arena, heap: FloatArray, at: number, first: number, count: number): void {
    const source = elementsOf(arena, this.#input);
    for (let i = 0; i < count; i++) {
      const x = source[first + i]!;
      heap[at + 2 * i] = this.#complement(x);
      heap[at + 2 * i + 1] = x;
    }
  }
}

/**
 * Visits the rows of a block that are not ignored: with the target, the index of the first element, and the row's
 * number.
 */
export function forEachTarget(
  arena: Arena,
  { outer, n, inner, targets }: Block,
  visit: (target: number, first: number, row: number) => void,
): void {
  const { i32 } = arena;
  let row = 0;
  for (let slice = 0; slice < outer; slice++) {
    for (let column = 0; column < inner; column++, row++) {
      const target = i32[targets / 4 + row]!;
      if (target >= 0) visit(target, slice * n * inner + column, row);
    }
  }
}

const CROSS_ENTROPY = /* @__PURE__ */ defineKernel(crossEntropyKernel, crossEntropy);
const SOFTMAX = /* @__PURE__ */ defineKernel(softmaxKernel, softmax);
const ARGMAX = /* @__PURE__ */ defineKernel(argmaxKernel, argmax);

/**
 * Makes a visitor that adds the cross-entropy of x / temperature of a block's rows, and its rounding error, to `sums`.
 */
export function lossesOf({ call, input }: Evaluation, temperature: number): (block: Block) => void {
  const compute = call.runtime.kernel(CROSS_ENTROPY, input.elementBytes, call.operation);
  return (block) => compute(lossOperands(block, temperature));
}

/**
 * The operands of the loss kernel. Written out, because spreading `block` takes longer than the loss of a short row.
 */
function lossOperands({ outer, n, inner, x, targets, sums, scratch }: Block, temperature: number) {
  return {
    x,
    targets,
    outer,
    n,
    inner,
    temperature,
    losses: 0,
    gradient: 0,
    weight: 0,
    smoothing: 0,
    smoothingTerms: 0,
    scale: 1,
    gradOutput: 0,
    sum: sums,
    scratch,
  };
}

/**
 * Makes a visitor that does the same, and writes softmax of x / temperature to `work`, for the rows that are not
 * ignored.
 */
export function lossesAndProbabilitiesOf(evaluation: Evaluation, temperature: number): (block: Block) => void {
  const addLosses = lossesOf(evaluation, temperature);
  const computeProbabilities = probabilitiesOf(evaluation, temperature);
  const { runtime } = evaluation.call;
  if (runtime.modules === undefined) {
    // The exponentials are most of the work, so the reference computes them once for both.
    const { elementBytes } = evaluation.input;
    return (block) => crossEntropyAndSoftmax(runtime.arena, elementBytes, lossOperands(block, temperature), block.work);
  }
  return (block) => {
    addLosses(block);
    computeProbabilities(block);
  };
}

/** Makes a visitor that writes softmax of x / temperature to `work`. */
export function probabilitiesOf({ call, input }: Evaluation, temperature: number): (block: Block) => void {
  const compute = call.runtime.kernel(SOFTMAX, input.elementBytes, call.operation);
  return ({ outer, n, inner, x, work, scratch }) => {
    compute({ x, y: work, outer, n, inner, temperature, scratch, mask: 0 });
  };
}

/** Makes a visitor that writes the class that each row predicts to `indices`. */
export function predictionsOf({ call, input }: Evaluation): (block: Block) => void {
  const compute = call.runtime.kernel(ARGMAX, input.elementBytes, call.operation);
  return ({ outer, n, inner, x, indices, scratch }) => compute({ x, y: indices, outer, n, inner, scratch });
}
