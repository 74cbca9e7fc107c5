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

/** What evaluations share: predictions read beside the classes that are right, and looked at block by block. */

/** What tells evaluations apart. */
interface EvaluationSettings<O> {
  readonly operation: string;
  /** Name of the first argument. */
  readonly argument: string;
  readonly options: OptionNames<O>;
  /** Whether a row may be one number, that of class 1 of two. */
  readonly mayBeBinary?: boolean;
}

/** Predictions and the right class of each row, as they were read. */
export interface Evaluation<O = unknown> {
  readonly call: Call;
  readonly input: Operand;
  readonly targets: Targets;
  /** The options; `shape` and `axis` are read. */
  readonly given: Given<O>;
  /** Rows of classes: of two where a row is one number. */
  readonly rows: Rows;
  /** Whether a row is one number. */
  readonly isBinary: boolean;
}

/** Reads an evaluation, but for options of its own. The rows are settled later. @throws TypeError, RangeError */
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

/** Rows of one number each as rows of two classes. Their place among the axes is what is left of the shape without one. */
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

/** A block of rows: its sizes, and addresses in linear memory. */
export interface Block {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly x: number;
  /** int32 for each row: the target, -1 where it is ignored. */
  readonly targets: number;
  /** Room for as many elements as x has, and for int32 for each row; 0 where nobody asked for it. */
  readonly work: number;
  readonly indices: number;
  /** Two float64 that kernels add to, at first 0. */
  readonly sums: number;
  readonly scratch: number;
}

export interface BlockSettings {
  readonly ignoreIndex: number;
  /** Whether visits need `work` and `indices`. */
  readonly works?: boolean;
  /** What class 0 has where class 1 has x. */
  readonly complement?: (x: number) => number;
}

/**
 * Visits a settled evaluation's rows block by block. Returns how many are not ignored, and what was added to `sums`.
 * @throws RangeError for a target out of range, OutOfMemoryError; nothing has been visited then
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
  // Not by fill, which takes longer than a short row.
  arena.f64[sums / 8] = arena.f64[sums / 8 + 1] = 0;
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const ours = { work: run.atOrZero(workSlot), indices: run.atOrZero(indexSlot), sums, scratch };
    visit({ outer, n, inner, x: run.at(xSlot), targets: run.at(targetSlot), ...ours });
  }
  return { count: counted, sums: [arena.f64[sums / 8]!, arena.f64[sums / 8 + 1]!] };
}

/** Pairs of numbers, those of class 0 and class 1, from those of class 1 alone. */
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

/** Visits the rows of a block that are not ignored: the target, the first element's place, and the row's number. */
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

/** What adds the losses of a block's rows to its sums: crossEntropy of x / temperature, and what rounding takes from it. */
export function lossesOf({ call, input }: Evaluation, temperature: number): (block: Block) => void {
  const compute = call.runtime.kernel(CROSS_ENTROPY, input.elementBytes, call.operation);
  return (block) => compute(lossOperands(block, temperature));
}

/** Written out: to spread `block` takes longer than the loss of a short row. */
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

/** What does that and writes softmax of x / temperature to a block's `work`, of the rows that are not ignored. */
export function lossesAndProbabilitiesOf(evaluation: Evaluation, temperature: number): (block: Block) => void {
  const addLosses = lossesOf(evaluation, temperature);
  const computeProbabilities = probabilitiesOf(evaluation, temperature);
  const { runtime } = evaluation.call;
  if (runtime.modules === undefined) {
    // The exponentials are most of it.
    const { elementBytes } = evaluation.input;
    return (block) => crossEntropyAndSoftmax(runtime.arena, elementBytes, lossOperands(block, temperature), block.work);
  }
  return (block) => {
    addLosses(block);
    computeProbabilities(block);
  };
}

/** What writes softmax of x / temperature to a block's `work`. */
export function probabilitiesOf({ call, input }: Evaluation, temperature: number): (block: Block) => void {
  const compute = call.runtime.kernel(SOFTMAX, input.elementBytes, call.operation);
  return ({ outer, n, inner, x, work, scratch }) => {
    compute({ x, y: work, outer, n, inner, temperature, scratch, mask: 0 });
  };
}

/** What writes the class that each row of a block predicts to its `indices`. */
export function predictionsOf({ call, input }: Evaluation): (block: Block) => void {
  const compute = call.runtime.kernel(ARGMAX, input.elementBytes, call.operation);
  return ({ outer, n, inner, x, indices, scratch }) => compute({ x, y: indices, outer, n, inner, scratch });
}
