import { inspect, noValues, pluralize, rowsHold, TOLERANCE } from '../call/report.js';
import type { Rows } from '../call/rows.js';
import { firstOf } from '../reference/rows.js';
import type { FloatArray, Input, PlaceOptions, ValuesReport } from '../types.js';

/** Options of {@link inspectTargets}. */
export interface InspectTargetsOptions extends PlaceOptions {}

/** What {@link inspectTargets} found. */
export interface TargetsReport extends ValuesReport {
  /** Values below 0, -∞ included. */
  negativeCount: number;
  /** NaN, ∞ and -∞. */
  nonFiniteCount: number;
  /** Rows of finite values whose sum is not 1. */
  otherSumRows: number;
}

/** Reads every value once. */
function survey(data: FloatArray, { n, inner, count: rows }: Rows): Omit<TargetsReport, 'warnings'> {
  let min = Infinity;
  let max = -Infinity;
  let negativeCount = 0;
  let nonFiniteCount = 0;
  let otherSumRows = 0;
  for (let row = 0; row < (n === 0 ? 0 : rows); row++) {
    const first = firstOf(row, n, inner);
    const before = nonFiniteCount;
    let sum = 0;
    for (let at = first, end = first + n * inner; at < end; at += inner) {
      const value = data[at]!;
      sum += value;
      if (value < 0) negativeCount++;
      if (!Number.isFinite(value)) nonFiniteCount++;
      else {
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
    // The sum of finite values may overflow.
    if (Math.abs(sum - 1) > TOLERANCE && nonFiniteCount === before) otherSumRows++;
  }
  return {
    rows,
    classes: n,
    min: min === Infinity ? Number.NaN : min,
    max: max === -Infinity ? Number.NaN : max,
    negativeCount,
    nonFiniteCount,
    otherSumRows,
  };
}

function warningsOf(found: Omit<TargetsReport, 'warnings'>): string[] {
  const { rows, classes, max, negativeCount, nonFiniteCount, otherSumRows } = found;
  if (rows * classes === 0) return [noValues(rows, classes)];
  const warnings: string[] = [];
  if (nonFiniteCount > 0) {
    warnings.push(
      `${pluralize(nonFiniteCount, 'value is', 'values are')} NaN or infinite, and so is the loss of their rows. Look for a ` +
        'division by 0 or a logarithm of 0 before this point.',
    );
  }
  if (negativeCount > 0) {
    warnings.push(
      `${pluralize(negativeCount, 'value is', 'values are')} negative, which no probability is: crossEntropy then takes ` +
        `them as they are, and has no lowest loss. ${max <= 0 ? 'Log-probabilities? Take their exponentials.' : 'Logits? Give softmax of them.'}`,
    );
  } else if (otherSumRows > 0) {
    warnings.push(
      `${rowsHold(otherSumRows, rows)} values that do not sum to 1. crossEntropy takes them as they are, as weights of the ` +
        'classes; for labels that do not exclude each other take bceWithLogits, for counts divide by their sum.',
    );
  }
  return warnings;
}

/**
 * The first thing to call when a loss is negative or falls without end. It finds class probabilities, given to
 * `crossEntropy` as targets, that are negative, NaN or infinite, or do not sum to 1 (within 0.001); `crossEntropy`
 * itself does not check them. For debugging: it reads every value once, in plain JavaScript. {@link inspectLogits}
 * inspects the logits.
 *
 * @param targets class probabilities of shape [..., classes], or any shape with `axis`.
 * @returns counts, the range of the finite values, and the warnings.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis or
 * length.
 *
 * @example
 * const { warnings, negativeCount } = inspectTargets([0.7, 0.3, 1.5, -0.5], { shape: [2, 2] });
 * negativeCount; // 1
 * warnings[0]; // '1 value is negative, which no probability is: …'
 * @example
 * inspectTargets([0.5, 0.25, 0.25]).warnings; // []
 */
export function inspectTargets(targets: Input, options?: InspectTargetsOptions): TargetsReport {
  const found = inspect('inspectTargets', 'targets', targets, options, survey);
  return { warnings: warningsOf(found), ...found };
}
