import { inspect, noValues, pluralize, rowsHold, TOLERANCE } from '../call/report.js';
import type { Rows } from '../call/rows.js';
import { firstOf } from '../reference/rows.js';
import type { FloatArray, Input, PlaceOptions, ValuesReport } from '../types.js';

/** Options of {@link inspectLogits}. */
export interface InspectLogitsOptions extends PlaceOptions {}

/** What {@link inspectLogits} found. */
export interface LogitsReport extends ValuesReport {
  nanCount: number;
  positiveInfinityCount: number;
  negativeInfinityCount: number;
  /** Rows of values in [0, 1] that sum to 1: a softmax has been applied already. */
  probabilityRows: number;
  /** Rows whose exponentials sum to 1: a logSoftmax has been applied already. */
  logProbabilityRows: number;
  /** Rows in which all values are finite and equal. */
  equalRows: number;
}

/** The report, and what only the warnings need. */
interface Survey extends Omit<LogitsReport, 'warnings'> {
  /** Rows that hold only -∞. */
  emptyRows: number;
  /** The largest difference between two finite values of one row. */
  spread: number;
}

/** Values this far apart are unusual: e^-104 is already 0 in float32. */
const WIDE = 200;
/** With this many logits of a network, it is no accident if all of them lie in [0, 1]. */
const MANY = 8;

/** Reads every value once. */
function survey(data: FloatArray, { n, inner, count: rows }: Rows): Survey {
  let min = Infinity;
  let max = -Infinity;
  let nanCount = 0;
  let positiveInfinityCount = 0;
  let negativeInfinityCount = 0;
  let probabilityRows = 0;
  let logProbabilityRows = 0;
  let equalRows = 0;
  let emptyRows = 0;
  let spread = 0;
  for (let row = 0; row < (n === 0 ? 0 : rows); row++) {
    const first = firstOf(row, n, inner);
    let low = Infinity;
    let high = -Infinity;
    let sum = 0;
    let sumOfExp = 0;
    let nans = 0;
    let above = 0;
    let below = 0;
    for (let at = first, end = first + n * inner; at < end; at += inner) {
      const value = data[at]!;
      if (value - value === 0) {
        if (value < low) low = value;
        if (value > high) high = value;
        sum += value;
        // Log-probabilities are never positive: other rows do not pay for exponentials.
        if (high <= TOLERANCE) sumOfExp += Math.exp(value);
      } else if (value > 0) above++;
      else if (value < 0) below++;
      else nans++;
    }
    if (low < min) min = low;
    if (high > max) max = high;
    if (high - low > spread) spread = high - low;
    nanCount += nans;
    positiveInfinityCount += above;
    negativeInfinityCount += below;
    if (n < 2) continue;
    const finite = n - nans - above - below;
    if (below === n) emptyRows++;
    if (finite === n && low === high) equalRows++;
    if (finite === n && low >= 0 && high <= 1 + TOLERANCE && Math.abs(sum - 1) <= TOLERANCE) probabilityRows++;
    if (nans + above === 0 && high <= TOLERANCE && Math.abs(sumOfExp - 1) <= TOLERANCE) logProbabilityRows++;
  }
  return {
    rows,
    classes: n,
    min: min === Infinity ? Number.NaN : min,
    max: max === -Infinity ? Number.NaN : max,
    nanCount,
    positiveInfinityCount,
    negativeInfinityCount,
    probabilityRows,
    logProbabilityRows,
    equalRows,
    emptyRows,
    spread,
  };
}

/** The warnings in their order: each gives its text, or false where it does not apply. */
const WARNINGS: readonly ((found: Survey) => string | false)[] = [
  ({ classes }) =>
    classes === 1 &&
    'Every row has one class only, and softmax of one number is always 1. Check shape and axis; a single ' +
      'yes-or-no output belongs in bceWithLogits.',
  ({ nanCount }) =>
    nanCount > 0 &&
    `${pluralize(nanCount, 'value is', 'values are')} NaN, and so is every result of their rows. Look for a division by ` +
      '0 or a logarithm of 0 before this point, or lower the learning rate.',
  ({ positiveInfinityCount }) =>
    positiveInfinityCount > 0 &&
    `${pluralize(positiveInfinityCount, 'value is', 'values are')} +Infinity, and softmax of their rows is NaN. Look for ` +
      'an overflow before this point.',
  ({ emptyRows, rows }) =>
    emptyRows > 0 &&
    `${rowsHold(emptyRows, rows)} nothing but -Infinity, and softmax of that is NaN. A mask that keeps nothing of a ` +
      'row? Leave such rows out.',
  notLogits,
  ({ equalRows, rows }) =>
    equalRows > 0 &&
    `${rowsHold(equalRows, rows)} one value again and again, so that softmax gives every class the same. Padding, ` +
      'or a layer that is not trained, or dead?',
  ({ spread }) =>
    spread > WIDE &&
    `The values of a row lie up to ${Number(spread.toPrecision(3))} apart, so that softmax is 0 or 1 and its ` +
      'gradient 0. Scale the inputs of the model, or lower the learning rate; to mask a class out, use -Infinity.',
];

/** The warning for values that look like the output of a softmax, a logSoftmax or a sigmoid. */
function notLogits({ rows, classes, min, max, probabilityRows, logProbabilityRows }: Survey): string | false {
  if (2 * probabilityRows > rows) {
    return (
      `${rowsHold(probabilityRows, rows)} probabilities: values in [0, 1] that sum to 1. softmax and crossEntropy ` +
      'expect logits, as they were before a softmax: drop the softmax that made these, or give their logarithms ' +
      'to nllLoss.'
    );
  }
  if (2 * logProbabilityRows > rows) {
    return (
      `${rowsHold(logProbabilityRows, rows)} log-probabilities: their exponentials sum to 1. Give them to ` +
      'nllLoss as they are; crossEntropy would give the same and do the work of logSoftmax again.'
    );
  }
  return (
    min >= 0 &&
    max <= 1 &&
    min < max &&
    rows * classes >= MANY &&
    'Every value lies in [0, 1], which looks like the output of a sigmoid. bceWithLogits and crossEntropy expect ' +
      'logits: drop the sigmoid, it is inside the loss.'
  );
}

function warningsOf(found: Survey): string[] {
  const { rows, classes } = found;
  if (rows * classes === 0) return [noValues(rows, classes)];
  return WARNINGS.map((warning) => warning(found)).filter((text) => text !== false);
}

/**
 * The first thing to call when a model does not learn. It finds logits that are already probabilities or
 * log-probabilities, NaN, infinities, rows of equal values and values too far apart, and `warnings` says which mistake
 * is likely and how to fix it. For debugging: it reads every value once, in plain JavaScript. {@link inspectTargets}
 * inspects the targets.
 *
 * A row counts as probabilities or log-probabilities if its values, or their exponentials, sum to 1 within 0.001; there
 * is a warning if more than half of the rows do. -∞ masks a class out, so it is counted, and there is a warning only
 * for rows that hold nothing else.
 *
 * @param x logits of shape [..., classes], or any shape with `axis`.
 * @returns counts, the range of the finite values, and the warnings.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis or
 * length.
 *
 * @example
 * const { warnings, probabilityRows } = inspectLogits([0.7, 0.2, 0.1, 0.3, 0.3, 0.4], { shape: [2, 3] });
 * probabilityRows; // 2
 * warnings[0]; // 'Every row holds probabilities: values in [0, 1] that sum to 1. …'
 * @example
 * inspectLogits([2.0, -1.0, 0.5]).warnings; // []
 */
export function inspectLogits(x: Input, options?: InspectLogitsOptions): LogitsReport {
  const { emptyRows, spread, ...report } = inspect('inspectLogits', 'x', x, options, survey);
  return { warnings: warningsOf({ ...report, emptyRows, spread }), ...report };
}
