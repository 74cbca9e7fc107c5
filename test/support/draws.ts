/** Reference for draws: the distribution by its definition, in float64, and the chi-square test. */

import type { Kernels, SampleOptions } from '../../src/index.js';
import { floatsOf, randomOf } from './cases.js';

export type Truncation = Pick<SampleOptions, 'temperature' | 'topK' | 'topP' | 'minP' | 'temperatureLast'>;

/** Every combination of the options. With LOGITS, each option keeps fewer classes than the one before it. */
export const COMBINATIONS: readonly Truncation[] = [...[{}, { topK: 7 }]].flatMap((first) =>
  [{}, { topP: 0.9 }].flatMap((second) =>
    [{}, { minP: 0.25 }].flatMap((third) =>
      [{}, { temperature: 0.7 }, { temperature: 1.6, temperatureLast: true }].map((last) => {
        return { ...first, ...second, ...third, ...last };
      }),
    ),
  ),
);

/** Logits of ten classes, of which each option keeps different ones; two logits are equal. */
export const LOGITS = [0.3, 1.9, -0.8, 1.1, 0.3, 2.4, -2.2, 0.9, 1.5, -0.1];

/** Closer than this to a boundary, either class may be kept or drawn. */
const TOLERANCE = 1e-6;

export interface Distribution {
  /** A probability for each class. */
  readonly probabilities: Float64Array;
  /** Whether rounding may keep another class. */
  readonly isUnsure: boolean;
}

/**
 * The distribution from which draws are made: softmax, with the classes in the order of their logits, truncated by one
 * option after another.
 */
export function distributionOf(x: ArrayLike<number>, options: Truncation): Distribution {
  const { temperature = 1, topK = x.length, topP = 1, minP = 0, temperatureLast = false } = options;
  const max = Array.from(x).reduce((a, b) => Math.max(a, b), -Infinity);
  const at = temperatureLast ? 1 : temperature;
  const weight = (j: number, t: number) => Math.exp(((x[j] as number) - max) / t);
  const order = Array.from(x, (_, j) => j).sort((a, b) => (x[b] as number) - (x[a] as number) || a - b);
  const ranked = order.slice(0, topK);
  const total = ranked.reduce((sum, j) => sum + weight(j, at), 0);
  let isUnsure = false;
  const kept = new Set<number>();
  for (let k = 0, sum = 0; k < ranked.length && (k === 0 || sum < topP * total); k++) {
    const j = ranked[k] as number;
    sum += weight(j, at);
    if (topP < 1 && Math.abs(sum / total - topP) < TOLERANCE) isUnsure = true;
    if (minP > 0 && Math.abs(weight(j, at) / minP - 1) < TOLERANCE) isUnsure = true;
    if (weight(j, at) >= minP) kept.add(j);
  }
  const weights = Float64Array.from(x, (_, j) => (kept.has(j) ? weight(j, temperature) : 0));
  const all = weights.reduce((a, b) => a + b, 0);
  return { probabilities: weights.map((value) => value / all), isUnsure };
}

/** The first class at which the cumulative probability exceeds u; undefined if u is too close to a limit to tell. */
export function drawnAt(probabilities: Float64Array, u: number): number | undefined {
  let sum = 0;
  for (let j = 0; j < probabilities.length; j++) {
    sum += probabilities[j] as number;
    if (Math.abs(sum - u) < TOLERANCE) return undefined;
    if (sum > u) return j;
  }
  return undefined;
}

const ROWS = 50_000;

/** How often each class is drawn from copies of one row; each copy has its own random number. */
export function countDraws(
  kernels: Pick<Kernels, 'sample'>,
  logits: readonly number[],
  count: number,
  options: SampleOptions,
): number[] {
  const n = logits.length;
  const x = floatsOf(
    'float32',
    Array.from({ length: ROWS * n }, (_, i) => logits[i % n] as number),
  );
  const out = new Int32Array(ROWS);
  const counts = new Array<number>(n).fill(0);
  for (let firstRow = 0; firstRow < count; firstRow += ROWS) {
    kernels.sample(x, { ...options, shape: [ROWS, n], firstRow, out });
    for (const drawn of out.subarray(0, Math.min(ROWS, count - firstRow))) counts[drawn]!++;
  }
  return counts;
}

/**
 * The p-value of Pearson's chi-square test: how probable counts are that differ at least this much from the expected
 * ones.
 */
export function chiSquareP(counts: readonly number[], probabilities: ArrayLike<number>): number {
  const total = counts.reduce((a, b) => a + b, 0);
  let [statistic, classes] = [0, 0];
  for (const [j, count] of counts.entries()) {
    const expected = (probabilities[j] as number) * total;
    if (expected === 0) {
      if (count > 0) return 0;
      continue;
    }
    statistic += (count - expected) ** 2 / expected;
    classes++;
  }
  return classes === 1 ? 1 : upperGamma((classes - 1) / 2, statistic / 2);
}

/** Q(a, x), the regularized upper incomplete gamma function, where 2a is a whole number: by its recurrence in a. */
export function upperGamma(a: number, x: number): number {
  const isHalf = a % 1 !== 0;
  let q = isHalf ? complementaryError(Math.sqrt(x)) : Math.exp(-x);
  let term = isHalf ? Math.exp(-x) * Math.sqrt(x / Math.PI) * 2 : Math.exp(-x) * x;
  for (let k = isHalf ? 0.5 : 1; k < a; k++) {
    q += term;
    term *= x / (k + 1);
  }
  return q;
}

/** erfc(x) for x ≥ 0 to 1.2e-7 of itself: Numerical Recipes' Chebyshev fit. */
function complementaryError(x: number): number {
  const t = 1 / (1 + x / 2);
  const coefficients = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  return t * Math.exp(-x * x + coefficients.reduceRight((sum, c) => sum * t + c, 0));
}

/** A row of logits like a trained model's: few are far above many. */
export function peakedRow(n: number, seed: number): number[] {
  const random = randomOf(seed);
  const bell = () => 2 * (random() + random() + random() + random() - 2);
  return Array.from({ length: n }, (_, j) => bell() + (j % Math.ceil(n / 16) === 3 ? 12 + random() : 0));
}

/** A row of logits like an untrained model's. */
export function flatRow(n: number, seed: number): number[] {
  const random = randomOf(seed);
  return Array.from({ length: n }, () => 2 * (random() + random() + random() + random() - 2));
}
