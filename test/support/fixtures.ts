/**
 * The files in test/fixtures, typed and decoded. scripts/fixtures/make.py computed it with mpmath from the definitions;
 * every value is a pair of doubles, so one file serves float32 and float64. The records of the operations import
 * theirs.
 */

import expFile from '../fixtures/exp.json' with { type: 'json' };
import logFile from '../fixtures/log.json' with { type: 'json' };
import log1pFile from '../fixtures/log1p.json' with { type: 'json' };
import type { BatchReduction, Exact, Reduction } from './oracle.js';

export type Dtype = 'float32' | 'float64';

export interface Points extends Exact {
  readonly x: number[];
}

interface Case {
  /** Unique within its file; starts with the dtype, except for the golden values. */
  readonly name: string;
  /** The type in which the inputs are exactly representable. */
  readonly dtype: Dtype;
  readonly shape: number[];
}

interface RowCase extends Case {
  readonly axis: number;
  readonly temperature: number;
}

/** A case of an operation along an axis. */
export interface AlongAxisCase extends RowCase {
  readonly x: number[];
  /** The weights, and the mask, in which 1 keeps an element: both have x's size. */
  readonly weights?: number[];
  readonly mask?: number[];
  readonly causal?: boolean;
  /** One for each element, or for each row. */
  readonly y: Exact;
  /** The scale of which bounds are multiples; softmax has none here. */
  readonly scale?: number[];
}

/** A case of a backward operation, with y or logP, the result of the forward operation. */
export interface BackwardCase extends RowCase {
  readonly y?: number[];
  readonly logP?: number[];
  readonly dy: number[];
  readonly dx: Exact;
  readonly scale: number[];
}

export interface LossCase extends Case {
  readonly reduction: BatchReduction;
  readonly axis?: number;
  /** One per row (per element for bceWithLogits and klDiv) with reduction 'none'. */
  readonly gradOutput?: number | number[];
  /** One element, or one per row or element with reduction 'none'. */
  readonly loss: Exact;
  readonly lossScale: number[];
  /** The gradient with respect to the first argument. */
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

/** A case of a loss with either `targets` (indices) or `probabilities` (of the logits' shape). */
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
  /** The mask, of the logits' size: 1 keeps a class. */
  readonly mask?: number[];
}

export interface BceWithLogitsCase extends LossCase {
  readonly reduction: Reduction;
  readonly logits: number[];
  readonly targets: number[];
  /** Both have the logits' size. */
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

/** JSON cannot represent these three numbers. */
const NON_FINITE: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

function decodeNumbers(value: unknown): unknown {
  if (typeof value === 'string' && Object.hasOwn(NON_FINITE, value)) return NON_FINITE[value];
  return Array.isArray(value) ? value.map(decodeNumbers) : value;
}

type Pair = readonly [hi: number, lo: number];

function decodePairs(pairs: readonly Pair[]): Exact {
  return { hi: Float64Array.from(pairs, (pair) => pair[0]), lo: Float64Array.from(pairs, (pair) => pair[1]) };
}

/** Decodes a case; `results` names the fields that hold pairs. */
export function decodeCases<T extends Case>(
  file: { readonly cases: readonly object[] },
  results: readonly string[],
): readonly T[] {
  return file.cases.map((entry) => {
    const fields = Object.entries(entry).map(([key, raw]) => {
      const value = decodeNumbers(raw);
      return [key, results.includes(key) ? decodePairs(value as Pair[]) : value];
    });
    return Object.fromEntries(fields) as T;
  });
}

export function decodePoints(file: { readonly points: readonly unknown[] }): Points {
  const points = decodeNumbers(file.points) as [x: number, hi: number, lo: number][];
  return { x: points.map(([x]) => x), ...decodePairs(points.map(([, hi, lo]) => [hi, lo])) };
}

/** Decodes the cases of a loss and its gradient. */
export function decodeLosses(file: { readonly cases: readonly object[] }): readonly LossCase[] {
  return decodeCases(file, ['loss', 'grad']);
}

export const expPoints = decodePoints(expFile);
export const logPoints = decodePoints(logFile);
export const log1pPoints = decodePoints(log1pFile);
