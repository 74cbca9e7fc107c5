import { cutOperand } from '../call/map.js';
import { giveShape, readOperand, readSizes } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { settle } from '../call/place.js';
import { checkNotEmpty, checkRank } from '../call/ranking.js';
import { geometry } from '../call/rows.js';
import { checkIgnoreIndex, checkIndices, placeIndices, placeOfTargets, readTargets } from '../call/targets.js';
import { typeError } from '../errors.js';
import { accuracyKernel } from '../generated/kernels.js';
import { accuracy as reference } from '../reference/accuracy.js';
import { currentRuntime, type Runtime } from '../runtime.js';
import type { ClassIndices, Input, TensorLike } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

const kernel = /* @__PURE__ */ defineKernel(accuracyKernel, reference);

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

interface ReadOptions {
  shape?: unknown;
  axis?: unknown;
  ignoreIndex?: unknown;
  k?: unknown;
}

const OPTIONS: OptionNames = { shape: true, axis: true, ignoreIndex: true, k: true };

/** @internal */
export function accuracyOn(runtime: Runtime, logits: unknown, targets: unknown, options?: unknown): unknown {
  const operation = 'accuracy';
  const input = readOperand(runtime, operation, 'logits', logits);
  const read = readTargets(runtime, operation, targets);
  const { shape, axis = -1, ignoreIndex, k = 1 } = readOptions<ReadOptions>(operation, options, OPTIONS);
  const sizes = readSizes(operation, shape);
  settle(runtime.arena, operation, input, placeOfTargets(read));
  giveShape(operation, input, sizes);
  if (read.probabilities !== undefined) throw typeError(operation, 'targets', targets, 'class indices (integers)');
  checkIgnoreIndex(operation, ignoreIndex, read);
  cutOperand(operation, input, axis);
  const { outer, n, inner, size } = geometry;
  const rows = outer * inner;
  checkNotEmpty(operation, 'logits', n, rows);
  checkIndices(operation, read, input, axis as number, rows, size);
  checkRank(operation, k, n);
  if (rows === 0) return Number.NaN;

  const { stream, arena } = runtime;
  stream.open(operation, outer, n, inner, input.elementBytes);
  const hits = stream.claim(4);
  const indices = stream.claim(rows * 4);
  const counted = placeIndices(runtime, operation, read, n, ignoreIndex ?? -100, indices);
  const from = stream.input(input);
  const shares = stream.rows(indices, 4);
  stream.start();
  arena.i32[hits / 4] = 0;
  const run = runtime.kernel(kernel, input.elementBytes);
  while (stream.next()) {
    const { outer, inner, scratch } = stream;
    run({ x: stream.at(from), targets: stream.at(shares), outer, n, inner, k, hits, scratch });
  }
  return arena.i32[hits / 4]! / counted;
}

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
  return accuracyOn(currentRuntime(), logits, targets, options) as number;
}
