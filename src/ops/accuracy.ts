import { openCall, settle } from '../call/call.js';
import { checkMask, readMask } from '../call/mask.js';
import { MaskedInput } from '../call/masked-input.js';
import { readOperand } from '../call/operand.js';
import { type Given, type OptionNames, PLACE_OPTIONS, readOptions } from '../call/options.js';
import { checkNotEmpty, checkRank } from '../call/ranking.js';
import { readRows } from '../call/rows.js';
import { defineState, type StateFactory } from '../call/state.js';
import { checkIndices, placeIndices, readClassIndices, readIgnoreIndex } from '../call/targets.js';
import { rangeError } from '../errors.js';
import { accuracyKernel } from '../generated/kernels.js';
import { readWhole } from '../numbers.js';
import { accuracy as reference } from '../reference/accuracy.js';
import type { Runtime } from '../runtime.js';
import type { ClassIndices, Input, Mask, PlaceOptions, TensorLike } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link accuracy}. */
export interface AccuracyOptions {
  /** Sizes of the logits' axes. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis of the classes; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of the logits' shape, or one that broadcasts to it by
   * trailing axes.
   */
  mask?: Mask | undefined;
  /** Rows with this target do not count. Default -100. */
  ignoreIndex?: number | undefined;
  /** A row is right if its target is among the k largest logits: from 1 to the number of classes. Default 1. */
  k?: number | undefined;
}

/** Options of {@link accuracyState}: those of {@link AccuracyOptions} that hold for all rows. */
export type AccuracyStateOptions = Omit<AccuracyOptions, keyof PlaceOptions | 'mask'>;

const STATE_OPTIONS: OptionNames<AccuracyStateOptions> = { ignoreIndex: true, k: true };
const OPTIONS: OptionNames<AccuracyOptions> = { ...PLACE_OPTIONS, mask: true, ...STATE_OPTIONS };

const KERNEL = /* @__PURE__ */ defineKernel(accuracyKernel, reference);

/** The number of rows that are right, and of those that count. */
class Hits {
  hits = 0;
  count = 0;

  /** Adds the rows of a call. A state passes its `settings`, which then replace the options k and ignoreIndex. */
  add(operation: string, x: unknown, targets: unknown, options: unknown, settings?: AccuracyStateOptions): void {
    const call = openCall(operation);
    const { runtime } = call;
    const input = readOperand(call, 'logits', x);
    const read = readClassIndices(call, targets);
    const given = readOptions<AccuracyOptions>(operation, options, settings === undefined ? OPTIONS : PLACE_OPTIONS);
    const { k = 1, ignoreIndex: ignored } = settings ?? given;
    const maskPlace = readMask(call, given.mask);
    const rows = readRows(operation, input, given);
    const ignoreIndex = readIgnoreIndex(operation, ignored, read);
    settle(call);
    const mask = checkMask(operation, maskPlace, false, input, rows.axis);
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
    const masked = mask && new MaskedInput(runtime, operation, mask, input, rows);
    const xSlot = masked === undefined ? run.input(input) : -1;
    const targetSlot = run.perRow(indices, 4);
    run.start();
    arena.i32[hits / 4] = 0;
    while (run.next()) {
      const { outer, inner, scratch } = run;
      const x = masked === undefined ? run.at(xSlot) : masked.apply();
      if (masked !== undefined) arena.i32[hits / 4]! += takeHits(runtime, masked, n, k, run.at(targetSlot));
      compute({ x, targets: run.at(targetSlot), outer, n, inner, k, hits, scratch });
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
 * {@link accuracy} of rows that come in shards: a data set evaluated in pieces, or by many machines. `add` takes
 * logits, targets, and the options `shape` and `axis`; see {@link EvaluationState}.
 *
 * @returns a state whose `value` is the share of all rows that are right, NaN until a row counts.
 * @throws TypeError for an option of the wrong type or an unknown one, RangeError for a k below 1 or an ignoreIndex
 * that is not an integer.
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
    const hits = readWhole(operation, 'json.hits', json.hits);
    if (hits > tally.count) throw rangeError(operation, 'json.hits', hits, `at most json.count, ${tally.count}`);
    tally.hits = hits;
  },
  add: (tally, settings, operation, x, targets, options) => tally.add(operation, x, targets, options, settings),
  value: (tally) => tally.share,
});

/**
 * Counts the hits among targets whose logit is −∞, which the mask may have written, and makes them ignored (−1): the
 * kernel cannot rank them.
 */
function takeHits({ run, arena }: Runtime, masked: MaskedInput, n: number, k: number, targets: number): number {
  const { i32 } = arena;
  let hits = 0;
  for (let row = 0; row < run.outer * run.inner; row++) {
    const target = i32[targets / 4 + row]!;
    if (target < 0 || masked.element(row, target) !== -Infinity) continue;
    i32[targets / 4 + row] = -1;
    if (!masked.keeps(row, target)) continue;
    let rank = 0;
    for (let j = 0; j < n; j++) {
      if (masked.element(row, j) !== -Infinity || (j < target && masked.keeps(row, j))) rank++;
    }
    if (rank < k) hits++;
  }
  return hits;
}

/**
 * The share of rows whose target has the largest logit, or one of the k largest: top-k accuracy.
 *
 * Ties are broken as in {@link topK}: an equal logit counts as larger if it comes before the target, and NaN is the
 * largest of all. Logits and their probabilities give the same result. The result is NaN if no row counts. Masked-out
 * elements are ignored, even if NaN; a row whose target is masked out is wrong.
 *
 * @param logits shape [..., classes], or any shape with `axis`.
 * @param targets class indices (integer arrays of 8 to 64 bits, or as many plain numbers as rows; one number for a
 * single row) of the logits' shape without its axis.
 * @returns a number in [0, 1].
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, k,
 * length or target, or a mask that does not broadcast; OutOfMemoryError at the limit of linear memory.
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
