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
   * The temperature that makes the loss least; 0 or Infinity where the loss falls all the way there, the lowest or the
   * highest that other functions take where it is least beyond these, NaN where there is none.
   */
  temperature: number;
  /** Mean negative log-likelihood in nats at temperature 1. */
  nllBefore: number;
  /** The same at the temperature found, or its limit there. */
  nllAfter: number;
  /** How many temperatures were tried. */
  iterations: number;
  /** Whether the loss is least at the temperature. */
  converged: boolean;
  /** Why not; undefined where it is. */
  reason?: string;
}

const OPTIONS: OptionNames<FitTemperatureOptions> = { ...PLACE_OPTIONS, ignoreIndex: true };

const KERNEL = /* @__PURE__ */ defineKernel(fitTemperatureKernel, reference);

/** Far more than Newton's method needs, and enough to halve any interval down to its last digits. */
const MOST_ITERATIONS = 100;
/** How far a bound that is not known yet is moved out. */
const FACTOR = 8;
/** A step that is so small a part of β is the last: Newton's method squares what is left. */
const TOLERANCE = { 4: 2 ** -20, 8: 2 ** -32 } as const;

/** The mean loss over β = 1 / t is convex; its slope and its curvature, times the number of rows. */
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

  /** The limit of the slope as β → ∞, where the largest logit of a row is sure: 0 if that is every target's. */
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

/** A loss that changes by less, relative to itself, from one temperature to twice that is at its limit. */
const LEVEL = 2 ** -20;

/** Why the loss is least nowhere. */
const NO_ROWS = 'no row counts: there are none, or every target is ignoreIndex';
const NOT_A_NUMBER = 'the loss is NaN: a row holds NaN or +Infinity, or nothing but -Infinity';
const INFINITE = 'the loss is infinite at every temperature: a target has the logit -Infinity';
const CONSTANT = 'the loss is the same at every temperature: all logits of a row are alike';
const AT_ZERO = 'the loss falls all the way to temperature 0: every target has the largest logit of its row';
const OUT_OF_RANGE = 'the loss still falls where the temperatures end that the other functions take';
const NOT_FOUND = `no end after ${MOST_ITERATIONS} steps`;
const AT_INFINITY =
  'the loss falls all the way to temperature Infinity: targets have no larger logits than other classes';

/** Newton's method for the zero of the slope from β = 0 on, where it is known, within bounds that every step narrows. */
function findTemperature(fit: Fit, atZero: Derivatives): { temperature: number; iterations: number } {
  const { tolerance, low: coldest, high: hottest } = fit;
  const range = (beta: number) => Math.min(Math.max(beta, 1 / hottest), 1 / coldest);
  let low = 0;
  let high = Infinity;
  // Infinite logits' squares may leave no step.
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
    // A step that leaves the bounds, or is not even half as long as the one before, may lead nowhere.
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
 * Temperature scaling: the temperature that makes the cross-entropy of held-out logits least. Divided by it before the
 * softmax, the logits of a classifier that is too sure, or not sure enough, become confidences to rely on; which class is
 * predicted stays as it is. Give the logits of a validation set, not those of training.
 *
 * The loss is convex in 1 / temperature; Newton's method finds the zero of its slope, the mean of E_p[x] − x_target, in a
 * handful of passes over the logits. Nothing of their size is allocated.
 *
 * Not every loss is least somewhere. Where every target has the largest logit of its row (separable data) it falls all the
 * way to temperature 0, and where targets have no larger logits than the other classes to Infinity: then `temperature` is
 * that, which no other function takes, `nllAfter` the limit, `converged` false, and `reason` says so. Where the loss is NaN,
 * infinite or of no rows, the temperature is NaN; where it is the same at every temperature, 1.
 * Formula: Guo et al., On calibration of modern neural networks, 2017.
 *
 * @param logits shape [..., classes], or any shape with `axis`; or of shape [rows] or [rows, 1], one for each row, that of
 * class 1 of two, as it is before a sigmoid.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows) of the logits' shape
 * without its axis.
 * @returns the temperature, and the mean loss before and after.
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, axis, length or
 * target, OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * // Sure to 0.998, and right two times out of three: 2 / 3 it is at a logit of log 2.
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
  // At the highest temperature every finite logit is as likely as the others.
  const atZero = fit.derivatives(1 / fit.high);
  const { slopeAtInfinity } = fit;
  if (atZero.slope === 0 && slopeAtInfinity === 0) return failed(1, nllBefore, CONSTANT);
  if (slopeAtInfinity === 0) return failed(0, fit.losses(fit.low).nll, AT_ZERO);
  if (atZero.slope >= 0) {
    const { nll } = fit.losses(fit.high);
    // Logits may be so large that not even the highest temperature makes them alike.
    const isLevel = fit.losses(fit.high / 2).nll <= nll * (1 + LEVEL);
    return isLevel ? failed(Infinity, nll, AT_INFINITY) : failed(fit.high, nll, OUT_OF_RANGE);
  }
  const { temperature, iterations } = findTemperature(fit, atZero);
  const { nll: nllAfter } = fit.losses(temperature);
  if (temperature <= fit.low || temperature >= fit.high) return failed(temperature, nllAfter, OUT_OF_RANGE, iterations);
  if (iterations === MOST_ITERATIONS) return failed(temperature, nllAfter, NOT_FOUND, iterations);
  return { temperature, nllBefore, nllAfter, iterations, converged: true };
}
