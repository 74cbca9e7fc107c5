import {
  type Evaluation,
  forEachBlock,
  forEachTarget,
  lossesOf,
  predictionsOf,
  probabilitiesOf,
  readEvaluation,
  settleEvaluation,
} from '../call/evaluation.js';
import { HIGH_TEMPERATURE, LOW_TEMPERATURE, type OptionNames, PLACE_OPTIONS } from '../call/options.js';
import { Sum } from '../call/sum.js';
import { readIgnoreIndex } from '../call/targets.js';
import { fitTemperatureKernel } from '../generated/kernels.js';
import { fitTemperature as reference } from '../reference/fitTemperature.js';
import type { ClassIndices, Input, PlaceOptions, TensorLike } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link fitTemperature}. */
export interface FitTemperatureOptions extends PlaceOptions {
  /** Rows with this target do not count. Default -100. */
  ignoreIndex?: number | undefined;
}

/** What {@link fitTemperature} found. */
export interface TemperatureFit {
  /**
   * The temperature with the least loss. It is 0 or Infinity if the loss falls to its limit there, the lowest or highest
   * temperature that other functions take if the loss still falls at that one, and NaN if there is no minimum.
   */
  temperature: number;
  /** Mean negative log-likelihood in nats at temperature 1. */
  nllBefore: number;
  /** The same at `temperature`, or its limit there. */
  nllAfter: number;
  /** The number of temperatures that were tried. */
  iterations: number;
  /** Whether the loss has its minimum at `temperature`. */
  converged: boolean;
  /** Why it did not converge; undefined if it did. */
  reason?: string;
}

const OPTIONS: OptionNames<FitTemperatureOptions> = { ...PLACE_OPTIONS, ignoreIndex: true };

const KERNEL = /* @__PURE__ */ defineKernel(fitTemperatureKernel, reference);

/** Far more than Newton's method needs, and enough to halve any interval down to its last digits. */
const MOST_ITERATIONS = 100;
/** The factor by which a bound that is not known yet is moved out. */
const FACTOR = 8;
/** A step no larger than this share of β is the last one: Newton's method squares the relative error. */
const TOLERANCE = { 4: 2 ** -20, 8: 2 ** -32 } as const;

/** Slope and curvature of the mean loss as a function of β = 1 / t, which is convex, times the number of rows. */
interface Derivatives {
  readonly slope: number;
  readonly curvature: number;
}

/** The logits and targets of a fit. */
class Fit {
  readonly #evaluation: Evaluation;
  readonly #ignoreIndex: number;

  constructor(evaluation: Evaluation, ignoreIndex: number) {
    this.#evaluation = evaluation;
    this.#ignoreIndex = ignoreIndex;
  }

  /** The number of rows that count, and their mean loss at a temperature. */
  losses(temperature: number): { count: number; nll: number } {
    const evaluation = this.#evaluation;
    const settings = { ignoreIndex: this.#ignoreIndex };
    const { count, sums } = forEachBlock(evaluation, settings, lossesOf(evaluation, temperature));
    return { count, nll: new Sum(...sums).value / count };
  }

  /** The temperatures that kernels take. */
  get low(): number {
    return LOW_TEMPERATURE[this.#evaluation.input.elementBytes];
  }

  get high(): number {
    return HIGH_TEMPERATURE[this.#evaluation.input.elementBytes];
  }

  get tolerance(): number {
    return TOLERANCE[this.#evaluation.input.elementBytes];
  }

  /** Σ over the rows of E_p[x − x_target] and of Var_p[x], p = softmax(β x). */
  derivatives(beta: number): Derivatives {
    const { call, input } = this.#evaluation;
    const computeProbabilities = probabilitiesOf(this.#evaluation, 1 / beta);
    const addDerivatives = call.runtime.kernel(KERNEL, input.elementBytes, call.operation);
    const settings = { ignoreIndex: this.#ignoreIndex, works: true };
    const { sums } = forEachBlock(this.#evaluation, settings, (block) => {
      computeProbabilities(block);
      const { x, work, targets, outer, n, inner, sums } = block;
      addDerivatives({ x, p: work, targets, outer, n, inner, sums });
    });
    const [slope, curvature] = sums;
    return { slope, curvature };
  }

  /**
   * The limit of the slope as β → ∞, where softmax gives the largest logit of a row probability 1: 0 if every target
   * has the largest logit of its row.
   */
  get slopeAtInfinity(): number {
    const { call, input } = this.#evaluation;
    const { arena } = call.runtime;
    const predict = predictionsOf(this.#evaluation);
    let slope = 0;
    forEachBlock(this.#evaluation, { ignoreIndex: this.#ignoreIndex, works: true }, (block) => {
      predict(block);
      const { x, inner, indices } = block;
      const heap = arena.floats(input.elementBytes);
      forEachTarget(arena, block, (target, first, row) => {
        const start = x / input.elementBytes + first;
        slope += heap[start + arena.i32[indices / 4 + row]! * inner]! - heap[start + target * inner]!;
      });
    });
    return slope;
  }
}

/** A loss has reached its limit if doubling the temperature changes it by less than this share of itself. */
const LEVEL = 2 ** -20;

/** Why the loss has no minimum, or none was found. */
const NO_ROWS = 'no row counts: there are none, or every target is ignoreIndex';
const NOT_A_NUMBER = 'the loss is NaN: a row holds NaN or +Infinity, or nothing but -Infinity';
const INFINITE = 'the loss is infinite at every temperature: a target has the logit -Infinity';
const CONSTANT = 'the loss is the same at every temperature: all logits of a row are alike';
const AT_ZERO = 'the loss falls all the way to temperature 0: every target has the largest logit of its row';
const OUT_OF_RANGE = 'the loss still falls where the temperatures end that the other functions take';
const NOT_FOUND = `no end after ${MOST_ITERATIONS} steps`;
const AT_INFINITY =
  'the loss falls all the way to temperature Infinity: targets have no larger logits than other classes';

/**
 * Newton's method for the zero of the slope, from β = 0, where the derivatives are known, within bounds that every step
 * narrows.
 */
function findTemperature(fit: Fit, atZero: Derivatives): { temperature: number; iterations: number } {
  const { tolerance, low: coldest, high: hottest } = fit;
  const range = (beta: number) => Math.min(Math.max(beta, 1 / hottest), 1 / coldest);
  let low = 0;
  let high = Infinity;
  // The squares of infinite logits may leave no first step: then β = 1.
  let beta = range(-atZero.slope / atZero.curvature || 1);
  let lastStep = Infinity;
  let iterations = 0;
  while (iterations < MOST_ITERATIONS && lastStep > tolerance * beta) {
    iterations++;
    const { slope, curvature } = fit.derivatives(beta);
    if (slope === 0) break;
    if (slope < 0) low = beta;
    else high = beta;
    let next = beta - slope / curvature;
    // A step that leaves the bounds, or is more than half as long as the one before, may not converge.
    const isGood = next > low && next < high && 2 * Math.abs(next - beta) <= lastStep;
    if (!isGood && !(Math.abs(next - beta) <= tolerance * beta)) {
      next = low === 0 ? beta / FACTOR : high === Infinity ? beta * FACTOR : Math.sqrt(low) * Math.sqrt(high);
    }
    next = range(next);
    lastStep = Math.abs(next - beta);
    beta = next;
  }
  return { temperature: 1 / beta, iterations };
}

/**
 * Temperature scaling: the temperature that minimizes the cross-entropy of held-out logits. Dividing by it before the
 * softmax turns the logits of an overconfident or underconfident classifier into calibrated probabilities, and does not
 * change which class is predicted. Pass the logits of a validation set, not of the training set.
 *
 * The loss is convex in 1 / temperature. Newton's method finds the zero of its slope, the mean of E_p[x] − x_target, in
 * a few passes over the logits. Nothing of their size is allocated.
 *
 * Not every loss has a minimum. If every target has the largest logit of its row (separable data), the loss keeps
 * falling towards temperature 0; if targets have no larger logits than the other classes on average, it keeps falling
 * towards Infinity. Then `temperature` is that limit, which no other function accepts, `nllAfter` is the limit of the
 * loss, `converged` is false, and `reason` says why. If the loss is NaN or infinite, or no row counts, the temperature
 * is NaN; if the loss is the same at every temperature, it is 1. Formula: Guo et al., On calibration of modern neural
 * networks, 2017.
 *
 * @param logits shape [..., classes], or any shape with `axis`; or shape [rows] or [rows, 1], one for each row: the
 * logit of class 1 of two, as before a sigmoid.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows) of the logits' shape
 * without its axis.
 * @returns the temperature, and the mean loss before and after.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, length
 * or target; OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * // Confidence 0.998, but right in two rows of three. A logit of log 2 has the probability 2 / 3.
 * const { temperature, nllBefore, nllAfter } = fitTemperature([6, 0, 6, 0, 6, 0], [0, 0, 1], { shape: [3, 2] });
 * [temperature, 6 / Math.log(2)]; // [8.656, 8.656]
 * [nllBefore, nllAfter]; // [2.002, 0.637]
 * @example
 * fitTemperature([2, 0, 0, 3], [0, 1], { shape: [2, 2] }).temperature; // 0
 */
export function fitTemperature(
  logits: Input,
  targets: ClassIndices | TensorLike,
  options?: FitTemperatureOptions,
): TemperatureFit {
  const operation = 'fitTemperature';
  const settings = { operation, argument: 'logits', options: OPTIONS, mayBeBinary: true };
  const evaluation = readEvaluation(settings, logits, targets, options);
  const ignoreIndex = readIgnoreIndex(operation, evaluation.given.ignoreIndex);
  settleEvaluation(evaluation);
  const fit = new Fit(evaluation, ignoreIndex);
  const { count, nll: nllBefore } = fit.losses(1);
  const failed = (temperature: number, nllAfter: number, reason: string, iterations = 0): TemperatureFit => {
    return { temperature, nllBefore, nllAfter, iterations, converged: false, reason };
  };
  if (count === 0) return failed(Number.NaN, Number.NaN, NO_ROWS);
  if (Number.isNaN(nllBefore)) return failed(Number.NaN, Number.NaN, NOT_A_NUMBER);
  if (nllBefore === Infinity) return failed(Number.NaN, Infinity, INFINITE);
  // At the highest temperature all finite logits are equally probable.
  const atZero = fit.derivatives(1 / fit.high);
  const { slopeAtInfinity } = fit;
  if (atZero.slope === 0 && slopeAtInfinity === 0) return failed(1, nllBefore, CONSTANT);
  if (slopeAtInfinity === 0) {
    const { nll } = fit.losses(fit.low);
    // Logits may be so close that not even the lowest temperature leaves the others without probability.
    return fit.derivatives(1 / fit.low).slope === 0 ? failed(0, nll, AT_ZERO) : failed(fit.low, nll, OUT_OF_RANGE);
  }
  if (atZero.slope >= 0) {
    const { nll } = fit.losses(fit.high);
    // Logits may be so large that not even the highest temperature makes them equally probable.
    const isLevel = fit.losses(fit.high / 2).nll <= nll * (1 + LEVEL);
    return isLevel ? failed(Infinity, nll, AT_INFINITY) : failed(fit.high, nll, OUT_OF_RANGE);
  }
  const { temperature, iterations } = findTemperature(fit, atZero);
  const { nll: nllAfter } = fit.losses(temperature);
  if (temperature <= fit.low || temperature >= fit.high) return failed(temperature, nllAfter, OUT_OF_RANGE, iterations);
  if (iterations === MOST_ITERATIONS) return failed(temperature, nllAfter, NOT_FOUND, iterations);
  return { temperature, nllBefore, nllAfter, iterations, converged: true };
}
