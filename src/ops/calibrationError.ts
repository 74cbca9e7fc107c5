import {
  type Bins,
  type BinTally,
  type CalibrationBin,
  type EdgedBin,
  inUnit,
  MassBins,
  WidthBins,
} from '../call/bins.js';
import {
  type Block,
  type BlockSettings,
  type Evaluation,
  forEachBlock,
  forEachTarget,
  lossesAndProbabilitiesOf,
  predictionsOf,
  readEvaluation,
  settleEvaluation,
} from '../call/evaluation.js';
import { type Given, type OptionNames, PLACE_OPTIONS, readFlag, readTemperature } from '../call/options.js';
import { defineState, type StateFactory } from '../call/state.js';
import { Sum, type SumJson } from '../call/sum.js';
import { readIgnoreIndex } from '../call/targets.js';
import { rangeError, typeError } from '../errors.js';
import { readNumber, readWhole } from '../numbers.js';
import type { ClassIndices, FloatArray, Input, PlaceOptions, TensorLike } from '../types.js';

export type { CalibrationBin };

/** Options of {@link calibrationState}. */
export interface CalibrationStateOptions {
  /** What x holds. Default `'logits'`. */
  from?: 'logits' | 'probabilities' | undefined;
  /** Divides the logits first; positive. Default 1. */
  temperature?: number | undefined;
  /** The number of bins, up to 10 000. Default 15. */
  bins?: number | undefined;
  /** Bins of equal `'width'` (the default) or of equal `'mass'`, with the same number of rows in each. */
  scheme?: 'width' | 'mass' | undefined;
  /** Whether to compute the error over all classes too; with scheme `'width'` only. Default false. */
  classwise?: boolean | undefined;
  /** Rows with this target do not count. Default -100. */
  ignoreIndex?: number | undefined;
}

/** Options of {@link calibrationError}. */
export interface CalibrationOptions extends PlaceOptions, CalibrationStateOptions {}

/** What {@link calibrationError} gives. If no row counts, all of it is NaN but the bins. */
export interface Calibration {
  /** Expected calibration error: Σ over the bins of |accuracy − confidence| times the bin's share of the rows. */
  ece: number;
  /** Maximum calibration error: the largest |accuracy − confidence| of a bin. */
  mce: number;
  /**
   * Mean over the rows of Σ (p_c − y_c)², y one-hot: in [0, 2]. For one number per row it is the mean of (p − y)², in
   * [0, 1].
   */
  brier: number;
  /** Mean negative log-likelihood in nats. */
  nll: number;
  /** The bins in order: all of them for equal width, those that hold rows for equal mass. */
  bins: CalibrationBin[];
  /**
   * Mean over the classes of the error of each class, whose probabilities have bins of their own; only with
   * `classwise`.
   */
  classwiseEce?: number;
}

type Settings = Required<CalibrationStateOptions>;

const STATE_OPTIONS: OptionNames<CalibrationStateOptions> = {
  from: true,
  temperature: true,
  bins: true,
  scheme: true,
  classwise: true,
  ignoreIndex: true,
};
const OPTIONS: OptionNames<CalibrationOptions> = { ...PLACE_OPTIONS, ...STATE_OPTIONS };

const STATE = 'calibrationState';
const MOST_BINS = 10_000;

function isBinCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && count <= MOST_BINS;
}

function readSettings(operation: string, given: Given<CalibrationStateOptions>, elementBytes: 4 | 8 = 8): Settings {
  const { from = 'logits', temperature = 1, bins = 15, scheme = 'width', classwise, ignoreIndex } = given;
  if (from !== 'logits' && from !== 'probabilities') {
    throw typeError(operation, 'from', from, '"logits" or "probabilities"');
  }
  // A state does not know the dtype until rows are added: it checks the temperature as a float64 until then.
  const t = readTemperature(operation, temperature, elementBytes);
  if (from === 'probabilities' && t !== 1) throw rangeError(operation, 'temperature', t, '1 for probabilities');
  const count = readNumber(operation, 'bins', bins, `a whole number in [1, ${MOST_BINS}]`, isBinCount);
  if (scheme !== 'width' && scheme !== 'mass') throw typeError(operation, 'scheme', scheme, '"width" or "mass"');
  const isClasswise = readFlag(operation, 'classwise', classwise);
  if (isClasswise && scheme === 'mass') throw rangeError(operation, 'classwise', true, 'false with scheme "mass"');
  const ignored = readIgnoreIndex(operation, ignoreIndex);
  return { from, temperature: t, bins: count, scheme, classwise: isClasswise, ignoreIndex: ignored };
}

/** What is kept of the rows that were added. */
class Predictions {
  count = 0;
  /** Numbers in a row: 1 if a row is the probability or logit of class 1 alone, 0 before the first row. */
  #perRow = 0;
  readonly #nll = new Sum();
  readonly #brier = new Sum();
  readonly #bins: Bins;
  #classBins: WidthBins | undefined;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#bins = settings.scheme === 'width' ? new WidthBins(STATE, settings.bins) : new MassBins(settings.bins);
  }

  add(evaluation: Evaluation): void {
    const { call, input, rows, isBinary } = evaluation;
    const { operation } = call;
    const { ignoreIndex, from } = this.#settings;
    const temperature = readTemperature(operation, this.#settings.temperature, input.elementBytes);
    settleEvaluation(evaluation);
    if (rows.count === 0) return;
    const perRow = isBinary ? 1 : rows.n;
    this.#checkRow(operation, 'x has', perRow);

    const isLogits = from === 'logits';
    const compute = isLogits ? lossesAndProbabilitiesOf(evaluation, temperature) : undefined;
    const predict = isBinary ? undefined : predictionsOf(evaluation);
    const complement = isLogits ? undefined : (p: number) => 1 - p;
    if (!isLogits) checkProbabilities(evaluation, { ignoreIndex, complement });
    const { count, sums } = forEachBlock(evaluation, { ignoreIndex, complement, works: true }, (block) => {
      // Everything has been checked by now.
      this.#prepare(operation, perRow);
      compute?.(block);
      predict?.(block);
      this.#addBlock(evaluation, block, isLogits ? block.work : block.x);
    });
    this.#nll.merge(new Sum(...sums));
    this.count += count;
  }

  /** @throws RangeError unless rows are as long as those added before */
  #checkRow(operation: string, whose: string, perRow: number): void {
    if (this.#perRow === 0 || this.#perRow === perRow) return;
    throw new RangeError(`${operation}: ${whose} rows of ${perRow}, expected rows of ${this.#perRow}, as before`);
  }

  /** @throws OutOfMemoryError where there is no memory for bins of so many classes */
  #prepare(operation: string, perRow: number): void {
    if (this.#settings.classwise) {
      this.#classBins ??= new WidthBins(operation, this.#settings.bins, Math.max(perRow, 2));
    }
    this.#perRow = perRow;
  }

  /** Adds the rows of a block; `address` is where their probabilities are. */
  #addBlock({ call, input, isBinary }: Evaluation, block: Block, address: number): void {
    const { arena } = call.runtime;
    const { n, inner, indices } = block;
    const heap = arena.floats(input.elementBytes);
    const start = address / input.elementBytes;
    const isLogits = this.#settings.from === 'logits';
    forEachTarget(arena, block, (target, first, row) => {
      const at = start + first;
      const predicted = isBinary ? 1 : arena.i32[indices / 4 + row]!;
      const confidence = inUnit(heap[at + predicted * inner]!);
      this.#bins.add(confidence, predicted === target);
      this.#brier.add(isBinary ? (confidence - target) ** 2 : squaredError(heap, at, n, inner, target));
      // The kernel has added up the losses of logits.
      if (!isLogits) {
        const loss =
          isBinary && target === 0 ? -Math.log1p(-confidence) : -Math.log(inUnit(heap[at + target * inner]!));
        // A NaN confidence may come from a class other than the target.
        this.#nll.add(Number.isNaN(confidence) ? confidence : loss);
      }
      if (this.#classBins === undefined) return;
      for (let c = 0; c < n; c++) this.#classBins.add(inUnit(heap[at + c * inner]!), c === target, c);
    });
  }

  /** @throws RangeError for other classes */
  merge(other: Predictions): void {
    if (other.#perRow === 0) return;
    this.#checkRow(`${STATE}.merge`, 'other has', other.#perRow);
    this.#prepare(`${STATE}.merge`, other.#perRow);
    this.count += other.count;
    this.#nll.merge(other.#nll);
    this.#brier.merge(other.#brier);
    this.#bins.merge(other.#bins);
    if (other.#classBins !== undefined) this.#classBins?.merge(other.#classBins);
  }

  get value(): Calibration {
    const { count } = this;
    const edged = this.#bins.edged();
    const calibration: Calibration = {
      ece: meanError(
        edged.map(({ tally }) => tally),
        count,
      ),
      mce: count === 0 ? Number.NaN : worstError(edged),
      brier: this.#brier.value / count,
      nll: this.#nll.value / count,
      bins: edged.map(({ lower, upper, tally }) => tally.toBin(lower, upper)),
    };
    if (!this.#settings.classwise) return calibration;
    const classes = Math.max(this.#perRow, 2);
    const errors = this.#classBins === undefined ? Number.NaN : meanError(this.#classBins.filled(), count);
    return { ...calibration, classwiseEce: errors / classes };
  }

  toJSON(): PredictionsJson {
    const nll = this.#nll.toJSON();
    const brier = this.#brier.toJSON();
    const classBins = this.#classBins && { classBins: this.#classBins.toJSON() };
    return { perRow: this.#perRow, nll, brier, bins: this.#bins.toJSON(), ...classBins };
  }

  /** Restores what toJSON gave, into an instance without rows. */
  read(operation: string, { perRow, nll, brier, bins, classBins }: Record<string, unknown>): void {
    const numbers = readWhole(operation, 'json.perRow', perRow);
    this.#nll.merge(Sum.from(operation, 'json.nll', nll));
    this.#brier.merge(Sum.from(operation, 'json.brier', brier));
    this.#bins.read(operation, bins);
    if (numbers === 0) return;
    this.#prepare(operation, numbers);
    this.#classBins?.read(operation, classBins, 'json.classBins');
  }
}

/** How far a probability may lie outside [0, 1] because of rounding: some that were computed in 16 bits do. */
const SLACK = 2 ** -7;

/** @throws RangeError for a row that holds anything other than probabilities; NaN passes, and shows in the results */
function checkProbabilities(evaluation: Evaluation, settings: BlockSettings): void {
  const { call, input, isBinary } = evaluation;
  const { arena } = call.runtime;
  // Where a row was one number, class 1 holds it and class 0 its complement.
  const start = isBinary ? 1 : 0;
  let stray: number | undefined;
  forEachBlock(evaluation, settings, (block) => {
    const { n, inner, x } = block;
    const heap = arena.floats(input.elementBytes);
    forEachTarget(arena, block, (_, first) => {
      const row = x / input.elementBytes + first;
      for (let c = start; c < n; c++) {
        const p = heap[row + c * inner]!;
        if (p < -SLACK || p > 1 + SLACK) stray ??= p;
      }
    });
  });
  if (stray === undefined) return;
  throw new RangeError(`${call.operation}: x holds ${stray}, expected probabilities (logits: from: 'logits')`);
}

interface PredictionsJson {
  perRow: number;
  nll: SumJson;
  brier: SumJson;
  bins: unknown;
  classBins?: unknown;
}

/** The mean over the rows of their bin's |accuracy − confidence|. */
function meanError(tallies: readonly BinTally[], count: number): number {
  let sum = 0;
  for (const tally of tallies) sum += Math.abs(tally.surplus);
  return sum / count;
}

/** The largest |accuracy − confidence| of a bin that holds rows. */
function worstError(edged: readonly EdgedBin[]): number {
  let worst = 0;
  for (const { tally } of edged) if (tally.count > 0) worst = Math.max(worst, Math.abs(tally.surplus) / tally.count);
  return worst;
}

/** Σ (p_c − y_c)² of a row, y one-hot. */
function squaredError(heap: FloatArray, at: number, n: number, stride: number, target: number): number {
  const own = heap[at + target * stride]!;
  // Nothing cancels here; and in a short row, a loop that stops at the target would end at a branch no processor
  // predicts.
  if (!(own > 0.5)) return squares(heap, at, n, stride) + 1 - 2 * own;
  const others = squares(heap, at, target, stride) + squares(heap, at + (target + 1) * stride, n - 1 - target, stride);
  return others + (1 - own) ** 2;
}

/** Four sums side by side: with a single sum, each addition would wait for the one before. */
function squares(heap: FloatArray, at: number, count: number, stride: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= count; i += 4, at += 4 * stride) {
    const p = heap[at]!;
    const q = heap[at + stride]!;
    const r = heap[at + 2 * stride]!;
    const s = heap[at + 3 * stride]!;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < count; i++, at += stride) a += heap[at]! * heap[at]!;
  return a + b + (c + d);
}

/**
 * {@link calibrationError} of rows that come in shards: a data set evaluated in pieces, or by many machines. `add`
 * takes x, targets, and the options `shape` and `axis`; see {@link EvaluationState}.
 *
 * With bins of equal width, a state takes the same few kilobytes for any number of rows; with `classwise`, as much
 * again for each class. The edges of bins of equal mass depend on all rows together, so such a state keeps 8 bytes for
 * each row, and its JSON one number.
 *
 * @returns a state whose `value` is what {@link calibrationError} would give for all rows.
 * @throws TypeError for an option of the wrong type or an unknown one, RangeError for a wrong value.
 *
 * @example
 * const state = calibrationState({ from: 'probabilities', bins: 10 });
 * state.add([0.75, 0.25, 0.75, 0.25], [0, 0], { shape: [2, 2] }).value.ece; // 0.25
 * const other = calibrationState({ from: 'probabilities', bins: 10 });
 * other.add([0.25, 0.75, 0.75, 0.25], [1, 1], { shape: [2, 2] });
 * state.merge(other).value.ece; // 0
 * calibrationState.from(JSON.parse(JSON.stringify(state))).value.bins[7]; // { lower: 0.7, upper: 0.8, count: 4, confidence: 0.75, accuracy: 0.75 }
 */
export const calibrationState: StateFactory<CalibrationStateOptions, Calibration> = /* @__PURE__ */ defineState({
  name: STATE,
  options: STATE_OPTIONS,
  settings: readSettings,
  tally: (settings) => new Predictions(settings),
  read: (operation, json, predictions) => predictions.read(operation, json),
  add: (predictions, _, operation, x, targets, options) => {
    const settings = { operation, argument: 'x', options: PLACE_OPTIONS, mayBeBinary: true };
    predictions.add(readEvaluation(settings, x, targets, options));
  },
  value: (predictions) => predictions.value,
});

/**
 * How far confidence is from accuracy: of the predictions made with probability 0.8, are 80 % right? Gives the expected
 * and the maximum calibration error, Brier score, negative log-likelihood, and the bins, for
 * {@link reliabilityDiagram}.
 *
 * A row's confidence is its largest probability, and the row is right if that is the target's (a tie goes to the first
 * class, as in {@link argmax}). If a row is one number, in data of shape [rows] or [rows, 1], it belongs to class 1 of
 * two: a logit before the sigmoid, or a probability. The confidence is then the probability of class 1, from 0 to 1,
 * and the accuracy the share of rows of class 1. Bins are (lower, upper], and the first one includes 0; the float32
 * closest to an edge counts as on it, and a 16-bit float as the number that it is. A bin without rows has count 0, and
 * NaN for the rest; NaN in a row makes everything NaN.
 *
 * Logits are read block by block, and nothing of their size is allocated. From probabilities, `nll` uses the engine's
 * own logarithm: its last digit may differ between engines. Formulas: Guo et al., On calibration of modern neural
 * networks, 2017 (ece, mce); Nixon et al., Measuring calibration in deep learning, 2019 (equal mass); Kull et al.,
 * Beyond temperature scaling, 2019 (classwise); Brier, 1950.
 *
 * @param x logits or probabilities of shape [..., classes], or any shape with `axis`; or one number for each row.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows) of x's shape without its
 * axis.
 * @returns the errors and the bins.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length,
 * option or target, or for probabilities further than 2⁻⁷ outside [0, 1] (closer ones, which rounding may give, count
 * as 0 or 1); OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * const logits = [2, 0, 3, 0, 0, 1, 4, 0];
 * const { ece, mce, brier, nll } = calibrationError(logits, [0, 0, 1, 1], { shape: [4, 2], bins: 10 });
 * [ece, mce, brier, nll]; // [0.331, 0.467, 0.527, 1.127]
 * @example
 * const { bins } = calibrationError([0.1, 0.4, 0.8, 0.9], [0, 1, 1, 1], { from: 'probabilities', bins: 2 });
 * bins[0]; // { lower: 0, upper: 0.5, count: 2, confidence: 0.25, accuracy: 0.5 }
 */
export function calibrationError(
  x: Input,
  targets: ClassIndices | TensorLike,
  options?: CalibrationOptions,
): Calibration {
  const operation = 'calibrationError';
  const evaluation = readEvaluation(
    { operation, argument: 'x', options: OPTIONS, mayBeBinary: true },
    x,
    targets,
    options,
  );
  const predictions = new Predictions(readSettings(operation, evaluation.given, evaluation.input.elementBytes));
  predictions.add(evaluation);
  return predictions.value;
}
