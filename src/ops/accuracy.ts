import { openCall, settle } from '../call/call.js';
import { PLACE_OPTIONS, type PlaceOptions } from '../call/evaluation.js';
import { readCount } from '../call/json.js';
import { readOperand } from '../call/operand.js';
import { type Given, type OptionNames, readOptions } from '../call/options.js';
import { checkNotEmpty, checkRank } from '../call/ranking.js';
import { readRows } from '../call/rows.js';
import { defineState, type StateFactory } from '../call/state.js';
import { checkIndices, placeIndices, readIgnoreIndex, readTargets } from '../call/targets.js';
import { typeError } from '../errors.js';
import { accuracyKernel } from '../generated/kernels.js';
import { accuracy as reference } from '../reference/accuracy.js';
import type { ClassIndices, Input, TensorLike } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link accuracy}. */
export interface AccuracyOptions {
  /** Sizes of the logits' axes. Plain numbers without it are one row. */
  shape?: readonly number[];
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number;
  /** Rows with this target do not count. Default -100. */
  ignoreIndex?: number;
  /** A target among so many of the largest is right, from 1 to the number of classes. Default 1. */
  k?: number;
}

/** Options of {@link accuracyState}, as {@link AccuracyOptions} has them. */
export type AccuracyStateOptions = Omit<AccuracyOptions, keyof PlaceOptions>;

const STATE_OPTIONS: OptionNames<AccuracyStateOptions> = { ignoreIndex: true, k: true };
const OPTIONS: OptionNames<AccuracyOptions> = { ...PLACE_OPTIONS, ...STATE_OPTIONS };

const KERNEL = /* @__PURE__ */ defineKernel(accuracyKernel, reference);

/** How many rows are right, of how many that count. */
class Hits {
  hits = 0;
  count = 0;

  /** Adds the rows of a call; `settings` take the place of options. */
  add(operation: string, x: unknown, targets: unknown, options: unknown, settings?: AccuracyStateOptions): void {
    const call = openCall(operation);
    const { runtime } = call;
    const input = readOperand(call, 'logits', x);
    const read = readTargets(call, targets);
    const given = readOptions<AccuracyOptions>(operation, options, settings === undefined ? OPTIONS : PLACE_OPTIONS);
    const { k = 1, ignoreIndex: ignored } = settings ?? given;
    const rows = readRows(operation, input, given);
    if (read.probabilities !== undefined) throw typeError(operation, 'targets', targets, 'class indices (integers)');
    const ignoreIndex = readIgnoreIndex(operation, ignored, read);
    settle(call);
    checkNotEmpty(operation, input, rows);
    checkIndices(operation, read, input, rows);
    const { n, count } = rows;
    checkRank(operation, k, n);
    if (count === 0) return;

    const compute = runtime.kernel(KERNEL, input.elementBytes, operation);
    const { run, arena } = runtime;
    run.open(operation, rows, input.elementBytes);
    const hits = run.reserve(4);
    const indices = run.reserve(count * 4);
    const counted = placeIndices(runtime, operation, read, n, ignoreIndex, indices);
    const from = run.input(input);
    const to = run.perRow(indices, 4);
    run.start();
    arena.i32[hits / 4] = 0;
    while (run.next()) {
      const { outer, inner, scratch } = run;
      compute({ x: run.at(from), targets: run.at(to), outer, n, inner, k, hits, scratch });
    }
    this.hits += arena.i32[hits / 4]!;
    this.count += counted;
  }

  merge({ hits, count }: Hits): void {
    this.hits += hits;
    this.count += count;
  }

  get share(): number {
    return this.hits / this.count;
  }

  toJSON(): { hits: number } {
    return { hits: this.hits };
  }
}

function readSettings(
  operation: string,
  { k = 1, ignoreIndex }: Given<AccuracyStateOptions>,
): Required<AccuracyStateOptions> {
  // The number of classes is not known yet.
  checkRank(operation, k, Number.MAX_SAFE_INTEGER);
  return { k, ignoreIndex: readIgnoreIndex(operation, ignoreIndex) };
}

/**
 * {@link accuracy} of rows that come in shards: of a data set that is evaluated in pieces, or by many machines. `add` takes
 * logits, targets, and `shape` and `axis`; see {@link EvaluationState}.
 *
 * @returns a state whose `value` is the share of all rows that are right, NaN while none counts.
 * @throws TypeError for a wrong kind of option or an unknown one, RangeError for a k that is no rank or an ignoreIndex that
 * is no integer.
 *
 * @example
 * const state = accuracyState().add([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] });
 * state.value; // 0.5
 * state.merge(accuracyState().add([0, 0, 9], 2)).value; // 0.667
 * accuracyState.from(JSON.parse(JSON.stringify(state))).count; // 3
 */
export const accuracyState: StateFactory<AccuracyStateOptions, number> = /* @__PURE__ */ defineState({
  name: 'accuracyState',
  options: STATE_OPTIONS,
  settings: readSettings,
  tally: () => new Hits(),
  read: (operation, json, tally) => {
    tally.hits = readCount(operation, 'json.hits', json.hits);
  },
  add: (tally, settings, operation, x, targets, options) => tally.add(operation, x, targets, options, settings),
  value: (tally) => tally.share,
});

/**
 * The share of rows whose target has the largest logit, or one of the k largest: top-k accuracy.
 *
 * Ties are broken as in {@link topK}: an equal logit counts as larger where it lies ahead of the target, and NaN is the
 * largest of all. Logits and probabilities give the same. NaN when no row counts.
 *
 * @param logits shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis.
 * @returns a number in [0, 1].
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, axis, k, length or
 * target, OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * accuracy([1, 2, 3, 1, 5, 1], [0, 1], { shape: [2, 3] }); // 0.5
 * @example
 * accuracy([0.1, 0.7, 0.2], 2, { k: 2 }); // 1
 */
export function accuracy<X extends Input>(
  logits: X,
  targets: ClassIndices | TensorLike,
  options?: AccuracyOptions,
): number {
  const hits = new Hits();
  hits.add('accuracy', logits, targets, options);
  return hits.share;
}
