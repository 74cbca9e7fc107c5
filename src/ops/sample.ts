import { write } from '../arrays.js';
import { type BitsPlace, readClassMask, wordsOf } from '../call/bits.js';
import { type Call, checkOverlaps, openCall, settle } from '../call/call.js';
import { PLAIN } from '../call/caller.js';
import { describeMask } from '../call/descriptor.js';
import { LOG_PROBS_KERNEL } from '../call/log-probs.js';
import { type Mask as CheckedMask, checkMask } from '../call/mask.js';
import { readOperand } from '../call/operand.js';
import {
  type Given,
  type Hints,
  isPolluted,
  type OptionNames,
  readFlag,
  readOptions,
  readShare,
  readTemperature,
} from '../call/options.js';
import type { IndexPlace, Operand } from '../call/place.js';
import { checkNotEmpty, wrapIndices } from '../call/ranking.js';
import { checkSize, readIndexOut, readOut } from '../call/result.js';
import { type Rows, readRows } from '../call/rows.js';
import { typeError } from '../errors.js';
import { sampleKernel } from '../generated/kernels.js';
import { HOLDS_INFINITY, HOLDS_NAN } from '../generated/layout.js';
import type { Tensor } from '../memory/tensor.js';
import { readNumber, readWhole } from '../numbers.js';
import { freshKey, type Key, keyOf, uniformAt } from '../random.js';
import { sample as reference } from '../reference/sample.js';
import type { ClassBits, IndexResult, Input, Mask, NoOptions, OptionsArgument, RowsOut } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link sample}. */
export interface SampleOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Divides the logits first. 0 takes the largest logit that the mask keeps, and needs no random number. Default 1. */
  temperature?: number | undefined;
  /** Keeps the k most probable classes, or all if there are no more than k; 1 or more. */
  topK?: number | undefined;
  /**
   * Keeps the nucleus: as few of the most probable classes as have this share of the probability that topK left, and at
   * least one. From 0 to 1, which keeps all.
   */
  topP?: number | undefined;
  /** Keeps classes whose probability is at least this share of the largest one. From 0, which keeps all, to 1. */
  minP?: number | undefined;
  /** Whether topP and minP use the probabilities at temperature 1. Default false: they use those at `temperature`. */
  temperatureLast?: boolean | undefined;
  /**
   * Classes to keep: those where it is neither 0 nor false, of the logits' shape or one that broadcasts to it by
   * trailing axes; or `{ bits }`, a bit for each class, either shared by all rows or given for each.
   */
  mask?: Mask | ClassBits | undefined;
  /**
   * Makes draws repeatable: a whole number from 0 to 2^53 − 1, or a bigint of 64 bits. Default: a fresh seed for each
   * call.
   */
  seed?: number | bigint | undefined;
  /** Selects the random numbers of the seed: in a loop over tokens, the number of the token. Default 0. */
  step?: number | undefined;
  /** The number of the first row, where the rows are part of a larger batch. Default 0. */
  firstRow?: number | undefined;
  /** A source of numbers in [0, 1) to use instead of a seed: called once for each row, in order. */
  random?: (() => number) | undefined;
  /**
   * Receives the log-probability of each draw at temperature 1 over all classes, kept or not, as {@link logProbs} gives
   * it.
   */
  logProbs?: RowsOut | undefined;
  /** Receives the draws, one for each row; it must not overlap with the logits. */
  out?: Int32Array | undefined;
}

const OPTIONS: OptionNames<SampleOptions> = {
  shape: true,
  axis: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  temperatureLast: true,
  mask: true,
  seed: true,
  step: true,
  firstRow: true,
  random: true,
  logProbs: true,
  out: true,
};

/** The names that other samplers use. */
export const SAMPLE_HINTS: Hints = {
  temp: 'the name is temperature here',
  do_sample: 'temperature: 0 takes the largest',
  random_seed: 'the name is seed here',
  generator: 'the name is random here',
  repetition_penalty: 'penalize(logits, tokens, { repetition }) comes before it',
  frequency_penalty: 'penalize(logits, tokens, { frequency }) comes before it',
  presence_penalty: 'penalize(logits, tokens, { presence }) comes before it',
  logit_bias: 'penalize(logits, tokens, { bias }) comes before it',
};

/** Whether someone has added a property with the name of an option to Object.prototype. */
function isPollutedHere(): boolean {
  const plain = PLAIN;
  return (
    isPolluted() ||
    plain.topK !== undefined ||
    plain.topP !== undefined ||
    plain.minP !== undefined ||
    plain.temperatureLast !== undefined ||
    plain.seed !== undefined ||
    plain.step !== undefined ||
    plain.firstRow !== undefined ||
    plain.random !== undefined ||
    plain.logProbs !== undefined
  );
}

const KERNEL = /* @__PURE__ */ defineKernel(sampleKernel, reference);

/** The kernel gathers strided rows itself. */
const SETTINGS = { mayTranspose: false, transposedBlocks: 0 };

/** Which classes are kept, and the temperature of the draw. */
interface Truncation {
  readonly temperature: number;
  /** The temperature of the probabilities that topP and minP use. */
  readonly truncationTemperature: number;
  /** 0 keeps all. */
  readonly topK: number;
  readonly topP: number;
  /** How far below the maximum a logit may lie for minP, in units of the truncation temperature. */
  readonly reach: number;
}

/** What errors expect of `step` and `firstRow`. */
const SAFE = 'a whole number from 0 to 2^53 - 1';

/** Where the random numbers of the rows come from. */
type Source = (row: number) => number;

/** A call of sample, read and checked. */
interface SampleCall {
  readonly call: Call;
  readonly input: Operand;
  readonly rows: Rows;
  readonly truncation: Truncation;
  readonly mask: CheckedMask | undefined;
  readonly bits: BitsPlace | undefined;
  /** Words of bits from one row to the next. */
  readonly words: number;
}

function runSample(logits: unknown, options: unknown): unknown {
  const call = openCall('sample');
  const { operation } = call;
  const input = readOperand(call, 'logits', logits);
  const given = readOptions<SampleOptions>(operation, options, OPTIONS, isPollutedHere(), SAMPLE_HINTS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readIndexOut(call, 'out', asked);
  const { logProbs: askedLogProbs } = given;
  const logProbs =
    askedLogProbs === undefined ? undefined : readOut(call, 'logProbs', askedLogProbs, input.elementBytes);
  const { mask: maskPlace, bits } = readClassMask(call, given.mask);
  const truncation = readTruncation(operation, given, input.elementBytes);
  const source = readSource(operation, given);
  const rows = readRows(operation, input, given);
  checkNotEmpty(operation, input, rows);
  const mask = checkMask(operation, maskPlace, undefined, input, rows.axis);
  const words = bits === undefined ? 0 : wordsOf(operation, bits, rows);
  for (const result of [out, logProbs]) {
    if (result === undefined) continue;
    checkSize(call, result, rows.count);
    checkOverlaps(call, result);
  }
  const uniforms = truncation.temperature === 0 ? undefined : takeUniforms(source, rows.count);
  settle(call);

  if (rows.count === 0) return asked ?? wrapIndices(new Int32Array(0), input, rows, false);
  const draws = drawRows({ call, input, rows, truncation, mask, bits, words }, uniforms);
  if (logProbs !== undefined) writeLogProbs(call, input, rows, draws, logProbs);
  if (out === undefined) return wrapIndices(draws, input, rows, false);
  writeIndices(call, draws, out);
  return asked;
}

function readTruncation(operation: string, given: Given<SampleOptions>, elementBytes: 4 | 8): Truncation {
  const temperature = readTemperatureOrZero(operation, given.temperature, elementBytes);
  const { topK: most = Number.MAX_SAFE_INTEGER } = given;
  const topK = readNumber(
    operation,
    'topK',
    most,
    'a whole number, 1 or more',
    (k) => Number.isSafeInteger(k) && k >= 1,
  );
  const topP = readShare(operation, 'topP', given.topP, 1);
  const minP = readShare(operation, 'minP', given.minP, 0);
  const isLast = readFlag(operation, 'temperatureLast', given.temperatureLast);
  // The last bit of an engine's logarithm shows only where a class lies within 2^-52 of the limit.
  return { temperature, truncationTemperature: isLast ? 1 : temperature, topK, topP, reach: -Math.log(minP) };
}

function readTemperatureOrZero(operation: string, temperature: unknown, elementBytes: 4 | 8): number {
  return temperature === 0 ? 0 : readTemperature(operation, temperature, elementBytes, ' or 0');
}

/** Reads the source of random numbers, `random` or a seed. @throws TypeError, RangeError */
function readSource(operation: string, { random, seed, step, firstRow }: Given<SampleOptions>): Source {
  if (random !== undefined) {
    if (typeof random !== 'function') throw typeError(operation, 'random', random, 'a function');
    for (const [name, value] of Object.entries({ seed, step, firstRow })) {
      if (value !== undefined) throw typeError(operation, name, value, 'none beside random');
    }
    return () => callRandom(operation, random as () => unknown);
  }
  if (seed === undefined) {
    for (const [name, value] of Object.entries({ step, firstRow })) {
      if (value !== undefined) throw typeError(operation, name, value, 'a seed with it');
    }
    const fresh = freshKey();
    return (row) => uniformAt(fresh, row, 0);
  }
  const key: Key = keyOf(operation, seed);
  const at = step === undefined ? 0 : readWhole(operation, 'step', step, SAFE);
  const first = firstRow === undefined ? 0 : readWhole(operation, 'firstRow', firstRow, SAFE);
  return (row) => uniformAt(key, first + row, at);
}

function callRandom(operation: string, random: () => unknown): number {
  return readNumber(operation, 'random()', random(), 'a number in [0, 1)', (value) => value >= 0 && value < 1);
}

function takeUniforms(source: Source, count: number): Float64Array {
  const uniforms = new Float64Array(count);
  for (let row = 0; row < count; row++) uniforms[row] = source(row);
  return uniforms;
}

/** Draws from every row. @throws RangeError for a row from which nothing can be drawn */
function drawRows(
  { call, input, rows, truncation, mask, bits, words }: SampleCall,
  uniforms: Float64Array | undefined,
): Int32Array {
  const { operation, runtime } = call;
  const { run, arena } = runtime;
  const { elementBytes } = input;
  const { n, count } = rows;
  const { temperature, topP, reach } = truncation;
  // Greedy draws need only the maximum.
  const topK = truncation.topK < n && temperature > 0 ? truncation.topK : 0;
  const compute = runtime.kernel(KERNEL, elementBytes, operation);
  run.open(operation, rows, elementBytes, SETTINGS);
  const draws = run.reserve(4 * count);
  const numbers = uniforms === undefined ? 0 : run.reserve(8 * count);
  const truncates = topK > 0 || topP < 1;
  const row = truncates || rows.inner > 1 || mask || bits ? run.reserve(n * elementBytes) : 0;
  const weights = topP < 1 ? run.reserve(n * elementBytes) : 0;
  const most = topK > 0 ? Math.min(n, 4 * topK + 32) : n;
  const candidates = truncates ? run.reserve(most * 2 * elementBytes) : 0;
  const indices = run.reserve(topK * 4);
  const set = bits === undefined ? 0 : run.reserve(4 * bits.length);
  const from = run.input(input);
  const to = run.perRow(draws, 4);
  const numberSlot = uniforms === undefined ? -1 : run.perRow(numbers, 8);
  const bitSlot = words === 0 ? -1 : run.perRow(set, 4 * words);
  const descriptor = mask && describeMask(runtime, mask, input, rows);
  run.start();
  if (uniforms !== undefined) arena.f64.set(uniforms, numbers / 8);
  if (bits !== undefined) arena.i32.set(bits.array, set / 4);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    compute({
      x: run.at(from),
      y: run.at(to),
      u: run.atOrZero(numberSlot),
      outer,
      n,
      inner,
      temperature,
      truncationTemperature: truncation.truncationTemperature,
      topK,
      topP,
      reach,
      mask: descriptor === undefined ? 0 : descriptor.at(),
      bits: words === 0 ? set : run.at(bitSlot),
      words,
      row,
      weights,
      candidates,
      indices,
      scratch,
    });
  }
  const drawn = arena.i32.slice(draws / 4, draws / 4 + count);
  const stray = drawn.findIndex((index) => index < 0);
  if (stray >= 0) throw rowError(operation, stray, drawn[stray]!);
  return drawn;
}

function rowError(operation: string, row: number, code: number): RangeError {
  const got =
    code === HOLDS_NAN ? 'holds NaN' : code === HOLDS_INFINITY ? 'holds Infinity' : 'keeps no class above -Infinity';
  return new RangeError(`${operation}: row ${row} of logits ${got}, expected finite numbers or -Infinity, one finite`);
}

/** Writes what {@link logProbs} gives for the draws. */
function writeLogProbs(call: Call, input: Operand, rows: Rows, draws: Int32Array, logProbs: Operand): void {
  const { operation, runtime } = call;
  const { run, arena } = runtime;
  const { elementBytes } = input;
  const compute = runtime.kernel(LOG_PROBS_KERNEL, elementBytes, operation);
  run.open(operation, rows, elementBytes);
  const indices = run.reserve(4 * rows.count);
  const from = run.input(input);
  const targets = run.perRow(indices, 4);
  const to = run.output(logProbs, 1);
  run.start();
  arena.i32.set(draws, indices / 4);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const places = { x: run.at(from), targets: run.at(targets), losses: run.at(to) };
    compute({ ...places, outer, n: rows.n, inner, temperature: 1, scratch });
  }
}

/** Writes the draws; in linear memory by address, since growth may have detached the array since it was read. */
function writeIndices({ runtime }: Call, indices: Int32Array, { array, address }: IndexPlace): void {
  if (address < 0) write(array, indices);
  else runtime.arena.i32.set(indices, address / 4);
}

/**
 * Draws a class for each row from softmax(x / t), after truncation: the next token of a language model.
 *
 * First comes the temperature, then topK, topP and minP, each applied to what the one before has left; among equally
 * probable classes, the first are kept. The draw inverts the cumulative distribution: it takes the first class, in the
 * order of indices, whose cumulative probability exceeds the random number. Nothing is sorted.
 *
 * The random number of a row depends only on `seed`, `step` and the number of the row (see {@link createRandom}), and
 * the arithmetic behind a draw is the same on both WebAssembly backends: the same seed draws the same classes in every
 * engine, however a batch is split. The reference backend agrees unless the random number lies within 1e-6 of the
 * boundary between two classes. Formulas: temperature, Ackley, Hinton and Sejnowski, 1985; topK, Fan et al., 2018;
 * topP, Holtzman et al., 2019; minP, Nguyen et al., 2024. docs/sampling.md has the details, and other samplers built on
 * this one.
 *
 * @param logits numbers, a typed array, a tensor-like object or a {@link Tensor}; -∞ is never drawn.
 * @returns a number for a plain row, an Int32Array with `shape`, and for tensors `{ data, shape }` with an Int32Array,
 * the axis removed.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong value, shape, axis
 * or length, or a row that holds NaN or +∞ among the classes kept, or only -∞; OutOfMemoryError at the limit of linear
 * memory. Nothing is written then.
 *
 * @example
 * sample([2.0, 1.0, 0.1], { seed: 1 }); // 1
 * sample([2.0, 1.0, 0.1], { temperature: 0 }); // 0
 * @example
 * const logits = [2.0, 1.0, 0.1, 3.0];
 * const tokens = [0, 1, 2, 3, 4, 5].map((step) => sample(logits, { temperature: 0.8, topP: 0.9, seed: 42, step }));
 * tokens; // [3, 0, 3, 0, 0, 3]
 * @example
 * sample([1, 2, 3, 1, 5, 1], { shape: [2, 3], topK: 1, mask: { bits: Int32Array.of(0b011) } }); // Int32Array [1, 1]
 */
export function sample<X extends Input, const O extends SampleOptions | undefined = NoOptions>(
  logits: X,
  ...options: OptionsArgument<O, SampleOptions>
): IndexResult<X, O>;
export function sample(logits: unknown, options?: unknown): unknown {
  return runSample(logits, options);
}
