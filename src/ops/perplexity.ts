import { type Evaluation, forEachBlock, lossesOf, readEvaluation, settleEvaluation } from '../call/evaluation.js';
import { type Given, type OptionNames, PLACE_OPTIONS, readTemperature } from '../call/options.js';
import { defineState, type StateFactory, type StateKind } from '../call/state.js';
import { Sum, type SumJson } from '../call/sum.js';
import { readIgnoreIndex } from '../call/targets.js';
import type { ClassIndices, Input, PlaceOptions, TensorLike } from '../types.js';

/** Options of {@link nllState} and {@link perplexityState}. */
export interface NllStateOptions {
  /** Divides the logits first, for instance by the result of {@link fitTemperature}; positive. Default 1. */
  temperature?: number | undefined;
  /** Rows with this target do not count. Default -100. */
  ignoreIndex?: number | undefined;
}

/** Options of {@link perplexity}. */
export interface PerplexityOptions extends PlaceOptions, NllStateOptions {}

const STATE_OPTIONS: OptionNames<NllStateOptions> = { temperature: true, ignoreIndex: true };
const OPTIONS: OptionNames<PerplexityOptions> = { ...PLACE_OPTIONS, ...STATE_OPTIONS };

type Settings = Required<NllStateOptions>;

/** The sum of the losses of all rows, and how many rows count. */
class Losses {
  count = 0;
  readonly sum = new Sum();

  add(evaluation: Evaluation, { temperature, ignoreIndex }: Settings): void {
    const { call, input } = evaluation;
    const t = readTemperature(call.operation, temperature, input.elementBytes);
    settleEvaluation(evaluation);
    const { count, sums } = forEachBlock(evaluation, { ignoreIndex }, lossesOf(evaluation, t));
    this.count += count;
    this.sum.merge(new Sum(...sums));
  }

  merge({ count, sum }: Losses): void {
    this.count += count;
    this.sum.merge(sum);
  }

  get mean(): number {
    return this.sum.value / this.count;
  }

  toJSON(): { sum: SumJson } {
    return { sum: this.sum.toJSON() };
  }
}

/** A state does not know the dtype until rows are added: it checks the temperature as a float64 until then. */
function readSettings(operation: string, given: Given<NllStateOptions>, elementBytes: 4 | 8 = 8): Settings {
  return {
    temperature: readTemperature(operation, given.temperature, elementBytes),
    ignoreIndex: readIgnoreIndex(operation, given.ignoreIndex),
  };
}

const NLL: StateKind<NllStateOptions, Losses, number> = {
  name: 'nllState',
  options: STATE_OPTIONS,
  settings: readSettings,
  tally: () => new Losses(),
  read: (operation, json, losses) => losses.sum.merge(Sum.from(operation, 'json.sum', json.sum)),
  add: (losses, settings, operation, x, targets, options) => {
    losses.add(
      readEvaluation({ operation, argument: 'logits', options: PLACE_OPTIONS }, x, targets, options),
      settings,
    );
  },
  value: (losses) => losses.mean,
};

const PERPLEXITY: StateKind<NllStateOptions, Losses, number> = {
  ...NLL,
  name: 'perplexityState',
  value: (losses) => Math.exp(losses.mean),
};

/**
 * The mean negative log-likelihood of rows that come in shards, in nats: {@link crossEntropy} of class indices with
 * reduction `'mean'`, without weights and masks, as a state. `add` takes logits, targets, and the options `shape` and
 * `axis`; see {@link EvaluationState}.
 *
 * A state takes three numbers, however many rows there are.
 *
 * @returns a state whose `value` is the mean, NaN until a row counts.
 * @throws TypeError for a wrong kind of option or an unknown one, RangeError for a wrong value.
 *
 * @example
 * const first = nllState().add([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] });
 * const second = nllState().add([0, 0, 9], 2);
 * first.merge(nllState.from(JSON.parse(JSON.stringify(second)))).value; // 0.815
 * first.count; // 3
 */
export const nllState: StateFactory<NllStateOptions, number> = /* @__PURE__ */ defineState(NLL);

/**
 * {@link perplexity} of rows that come in shards: a corpus evaluated in pieces, or by many machines. `add` takes
 * logits, targets, and the options `shape` and `axis`; see {@link EvaluationState}.
 *
 * @returns a state whose `value` is the perplexity of all rows, NaN until a row counts.
 * @throws TypeError for a wrong kind of option or an unknown one, RangeError for a wrong value.
 *
 * @example
 * const state = perplexityState().add([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] });
 * state.value; // 3.393
 * state.merge(perplexityState().add([0, 0, 9], 2)).value; // 2.258
 */
export const perplexityState: StateFactory<NllStateOptions, number> = /* @__PURE__ */ defineState(PERPLEXITY);

/**
 * The perplexity of logits: e to the power of the mean negative log-likelihood of the targets, in nats. It is the
 * number of equally probable classes among which a choice would be as uncertain: 1 for predictions that are right and
 * certain, the number of classes for uniform ones.
 *
 * The mean is that of {@link crossEntropy}; the exponential is the engine's own, so that the last digit may differ
 * between engines. The result is Infinity if a target has the logit -∞, and NaN if no row counts. Formula: Jelinek et
 * al., Perplexity: a measure of the difficulty of speech recognition tasks, 1977.
 *
 * @param logits shape [..., classes], or any shape with `axis`: of a language model, [tokens, vocabulary].
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis.
 * @returns a number, 1 or more.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length,
 * option or target; OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * perplexity([0, 0, 0, 0], 2); // 4
 * @example
 * perplexity([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] }); // 3.393
 * perplexity([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3], temperature: 2 }); // 2.611
 */
export function perplexity(logits: Input, targets: ClassIndices | TensorLike, options?: PerplexityOptions): number {
  const operation = 'perplexity';
  const evaluation = readEvaluation({ operation, argument: 'logits', options: OPTIONS }, logits, targets, options);
  const losses = new Losses();
  losses.add(evaluation, readSettings(operation, evaluation.given, evaluation.input.elementBytes));
  return Math.exp(losses.mean);
}
