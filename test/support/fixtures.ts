/**
 * The fixtures of test/fixtures, typed and decoded. scripts/fixtures/make.py computed them with mpmath from the
 * definitions; every value is a pair of doubles, so one file serves float32 and float64.
 */

import bceWithLogitsFile from '../fixtures/bceWithLogits.json' with { type: 'json' };
import crossEntropyFile from '../fixtures/crossEntropy.json' with { type: 'json' };
import distillationFile from '../fixtures/distillation.json' with { type: 'json' };
import expFile from '../fixtures/exp.json' with { type: 'json' };
import klDivFile from '../fixtures/klDiv.json' with { type: 'json' };
import logFile from '../fixtures/log.json' with { type: 'json' };
import log1pFile from '../fixtures/log1p.json' with { type: 'json' };
import logSigmoidFile from '../fixtures/logSigmoid.json' with { type: 'json' };
import logSoftmaxFile from '../fixtures/logSoftmax.json' with { type: 'json' };
import logSoftmaxBackwardFile from '../fixtures/logSoftmaxBackward.json' with { type: 'json' };
import logSumExpFile from '../fixtures/logSumExp.json' with { type: 'json' };
import nllLossFile from '../fixtures/nllLoss.json' with { type: 'json' };
import sigmoidFile from '../fixtures/sigmoid.json' with { type: 'json' };
import softmaxFile from '../fixtures/softmax.json' with { type: 'json' };
import softmaxBackwardFile from '../fixtures/softmaxBackward.json' with { type: 'json' };
import type { BatchReduction, Exact, Reduction } from './oracle.js';

export type Dtype = 'float32' | 'float64';

export interface Points extends Exact {
  readonly x: number[];
}

interface Case {
  /** Unique within its file; starts with the dtype, except for the golden values. */
  readonly name: string;
  /** The inputs are exactly representable in it. */
  readonly dtype: Dtype;
  readonly shape: number[];
}

interface RowCase extends Case {
  readonly axis: number;
  readonly temperature: number;
}

export interface SoftmaxCase extends RowCase {
  readonly x: number[];
  /** Of x's size, 1 keeps. */
  readonly mask?: number[];
  readonly causal?: boolean;
  readonly y: Exact;
}

export interface LogSoftmaxCase extends SoftmaxCase {
  /** max(|x − max|/T, log s); 0 in a row without a finite maximum. */
  readonly scale: number[];
}

export interface LogSumExpCase extends RowCase {
  readonly x: number[];
  /** Of x's size. */
  readonly weights?: number[];
  readonly mask?: number[];
  readonly causal?: boolean;
  /** One per row. */
  readonly y: Exact;
  /** max(|y|, |log s|). */
  readonly scale: number[];
}

interface BackwardCase extends RowCase {
  readonly dy: number[];
  readonly dx: Exact;
  readonly scale: number[];
}

export interface SoftmaxBackwardCase extends BackwardCase {
  readonly y: number[];
}

export interface LogSoftmaxBackwardCase extends BackwardCase {
  readonly logP: number[];
}

interface LossCase extends Case {
  readonly reduction: BatchReduction;
  /** One per row (per element for bceWithLogits and klDiv) with reduction 'none'. */
  readonly gradOutput?: number | number[];
  /** One element, or one per row or element with reduction 'none'. */
  readonly loss: Exact;
  readonly lossScale: number[];
  /** With respect to the first argument. */
  readonly grad: Exact;
  readonly gradScale: number[];
}

export interface NllLossCase extends LossCase {
  readonly reduction: Reduction;
  readonly axis: number;
  readonly logProbs: number[];
  readonly targets: number[];
  readonly weight?: number[];
  readonly ignoreIndex?: number;
}

/** Has either `targets` (indices) or `probabilities` (of the logits' shape). */
export interface CrossEntropyCase extends LossCase {
  readonly reduction: Reduction;
  readonly axis: number;
  readonly logits: number[];
  readonly targets?: number[];
  readonly probabilities?: number[];
  readonly temperature: number;
  readonly weight?: number[];
  readonly ignoreIndex?: number;
  readonly labelSmoothing: number;
}

export interface BceWithLogitsCase extends LossCase {
  readonly reduction: Reduction;
  readonly logits: number[];
  readonly targets: number[];
  /** Both of the logits' size. */
  readonly weight?: number[];
  readonly posWeight?: number[];
}

export interface KlDivCase extends LossCase {
  readonly logProbs: number[];
  readonly targets: number[];
  readonly logTarget: boolean;
}

export interface DistillationCase extends LossCase {
  readonly axis: number;
  readonly studentLogits: number[];
  readonly teacherLogits: number[];
  readonly temperature: number;
}

/** JSON has no way to write these three. */
const NON_FINITE: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

function decodeNumbers(value: unknown): unknown {
  if (typeof value === 'string' && Object.hasOwn(NON_FINITE, value)) return NON_FINITE[value];
  return Array.isArray(value) ? value.map(decodeNumbers) : value;
}

type Pair = readonly [hi: number, lo: number];

function decodePairs(pairs: readonly Pair[]): Exact {
  return { hi: Float64Array.from(pairs, (pair) => pair[0]), lo: Float64Array.from(pairs, (pair) => pair[1]) };
}

/** `results` names the fields that hold pairs. */
function decodeCases<T extends Case>(file: { readonly cases: readonly object[] }, results: string[]): readonly T[] {
  return file.cases.map((entry) => {
    const fields = Object.entries(entry).map(([key, raw]) => {
      const value = decodeNumbers(raw);
      return [key, results.includes(key) ? decodePairs(value as Pair[]) : value];
    });
    return Object.fromEntries(fields) as T;
  });
}

function decodePoints(file: { readonly points: readonly unknown[] }): Points {
  const points = decodeNumbers(file.points) as [x: number, hi: number, lo: number][];
  return { x: points.map(([x]) => x), ...decodePairs(points.map(([, hi, lo]) => [hi, lo])) };
}

export const expPoints = decodePoints(expFile);
export const logPoints = decodePoints(logFile);
export const log1pPoints = decodePoints(log1pFile);
export const sigmoidPoints = decodePoints(sigmoidFile);
export const logSigmoidPoints = decodePoints(logSigmoidFile);

const LOSS_RESULTS = ['loss', 'grad'];

export const softmaxCases = decodeCases<SoftmaxCase>(softmaxFile, ['y']);
export const logSoftmaxCases = decodeCases<LogSoftmaxCase>(logSoftmaxFile, ['y']);
export const logSumExpCases = decodeCases<LogSumExpCase>(logSumExpFile, ['y']);
export const softmaxBackwardCases = decodeCases<SoftmaxBackwardCase>(softmaxBackwardFile, ['dx']);
export const logSoftmaxBackwardCases = decodeCases<LogSoftmaxBackwardCase>(logSoftmaxBackwardFile, ['dx']);
export const crossEntropyCases = decodeCases<CrossEntropyCase>(crossEntropyFile, LOSS_RESULTS);
export const nllLossCases = decodeCases<NllLossCase>(nllLossFile, LOSS_RESULTS);
export const bceWithLogitsCases = decodeCases<BceWithLogitsCase>(bceWithLogitsFile, LOSS_RESULTS);
export const klDivCases = decodeCases<KlDivCase>(klDivFile, LOSS_RESULTS);
export const distillationCases = decodeCases<DistillationCase>(distillationFile, LOSS_RESULTS);
