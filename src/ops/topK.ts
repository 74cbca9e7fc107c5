import { type Call, checkOverlaps, openCall, settle } from '../call/call.js';
import { PLAIN, readingError, unpolluted } from '../call/caller.js';
import { checkMask, readMask } from '../call/mask.js';
import { MaskedInput } from '../call/masked-input.js';
import { readOperand } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { type IndexPlace, type Operand, shapeOf } from '../call/place.js';
import { checkNotEmpty, checkRank } from '../call/ranking.js';
import { checkSize, newIndices, newResult, readIndexOut, readOut, tensorLikeOf } from '../call/result.js';
import { readRows } from '../call/rows.js';
import { withAxis } from '../call/shape.js';
import { typeError } from '../errors.js';
import { topKKernel } from '../generated/kernels.js';
import { topK as reference } from '../reference/topK.js';
import type { Runtime } from '../runtime.js';
import type { Input, Mask, NoOptions, OptionsArgument, TopKOut, TopKResult } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link topK}. */
export interface TopKOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is ranked; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of x's shape, or one that broadcasts to it by trailing
   * axes.
   */
  mask?: Mask | undefined;
  /**
   * Receives the results, k for each row: values of x's dtype, and indices. They must not overlap with each other or
   * with x, but the values may be x itself if k is the length of the axis.
   */
  out?: TopKOut | undefined;
}

const OPTIONS: OptionNames<TopKOptions> = { shape: true, axis: true, mask: true, out: true };

const KERNEL = /* @__PURE__ */ defineKernel(topKKernel, reference);

/**
 * How many candidates the kernel's buffer holds: more than k, so that the kernel seldom has to select the k largest.
 */
export function candidatesFor(n: number, k: number): number {
  return Math.min(n, 4 * k) + 32;
}

/** Where both results go. */
interface Out {
  values: Operand;
  indices: IndexPlace;
}

function runTopK(x: unknown, k: unknown, options: unknown): unknown {
  const call = openCall('topK');
  const { runtime, operation } = call;
  const input = readOperand(call, 'x', x);
  const { elementBytes } = input;
  const given = readOptions<TopKOptions>(operation, options, OPTIONS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readOuts(call, asked, input);
  const maskPlace = readMask(call, given.mask);
  const rows = readRows(operation, input, given);
  settle(call);
  const mask = checkMask(operation, maskPlace, false, input, rows.axis);
  checkNotEmpty(operation, input, rows);
  const { n, count } = rows;
  checkRank(operation, k, n);
  if (out !== undefined) checkOuts(call, input, out, count * k);

  const shape = withAxis(shapeOf(input), rows.axis, k);
  const isEmpty = count === 0;
  const compute = isEmpty ? undefined : runtime.kernel(KERNEL, elementBytes, operation);
  const { run } = runtime;
  run.open(operation, rows, elementBytes);
  const capacity = candidatesFor(n, k);
  const buffer = isEmpty ? 0 : run.reserve(capacity * 2 * elementBytes);
  const values = out?.values ?? newResult(call, input, shape, input.half);
  const indices = out?.indices ?? newIndices(count * k);
  const masked = mask && !isEmpty ? new MaskedInput(runtime, operation, mask, input, rows) : undefined;
  const from = masked === undefined ? run.input(input) : -1;
  const valueSlot = run.output(values, k);
  const indexSlot = run.integerOutput(indices, k);
  run.start(out === undefined ? values : undefined);
  while (run.next()) {
    const { outer, inner, scratch } = run;
    const results = { values: run.at(valueSlot), indices: run.at(indexSlot) };
    const x = masked === undefined ? run.at(from) : masked.apply();
    compute!({ x, ...results, outer, n, inner, k, buffer, capacity, scratch });
    if (masked !== undefined) correct(runtime, masked, n, k, results.indices);
  }
  return out === undefined ? wrapBoth(values, indices, input, shape) : asked;
}

/** Corrects the indices of values of −∞, which the mask may have written: first the elements that are kept, then −1. */
function correct({ run, arena }: Runtime, masked: MaskedInput, n: number, k: number, indices: number): void {
  const { outer, inner } = run;
  const { i32 } = arena;
  for (let row = 0; row < outer * inner; row++) {
    const column = row % inner;
    const first = indices / 4 + (row - column) * k + column;
    let rank = k;
    while (rank > 0 && masked.element(row, i32[first + (rank - 1) * inner]!) === -Infinity) rank--;
    for (let j = 0; j < n && rank < k; j++) {
      if (masked.element(row, j) === -Infinity && masked.keeps(row, j)) i32[first + rank++ * inner] = j;
    }
    for (; rank < k; rank++) i32[first + rank * inner] = -1;
  }
}

/** The results as the caller gets them, when the call has allocated them. */
function wrapBoth(values: Operand, indices: IndexPlace, { kind }: Operand, shape: readonly number[]): unknown {
  if (kind === 'array') return { values: values.array, indices: indices.array };
  return {
    values: values.tensor ?? tensorLikeOf(values, shape),
    indices: { data: indices.array, shape: shape.slice() },
  };
}

/** Reads both results, each once. @throws TypeError unless it is an object with both */
function readOuts(call: Call, asked: unknown, input: Operand): Out {
  const { operation } = call;
  const expected = '{ values, indices }';
  if (typeof asked !== 'object' || asked === null) throw typeError(operation, 'out', asked, expected);
  const isPolluted = PLAIN.values !== undefined || PLAIN.indices !== undefined;
  try {
    const out = (isPolluted ? unpolluted(asked) : asked) as Partial<TopKOut>;
    const values = readOut(call, 'out.values', out.values, input.elementBytes, input.half);
    const indices = readIndexOut(call, 'out.indices', out.indices);
    return { values, indices };
  } catch (error) {
    throw readingError(error, operation, 'out', asked, expected);
  }
}

function checkOuts(call: Call, input: Operand, { values, indices }: Out, size: number): void {
  checkSize(call, values, size);
  checkSize(call, indices, size);
  checkOverlaps(call, indices);
  checkOverlaps(call, values, input);
}

/**
 * The k largest elements along an axis and their indices, the largest first. Equal elements keep their order; NaN
 * counts as the largest of all.
 *
 * For small k the cost is little more than one pass over the elements; for k close to the length of the axis it is that
 * of a sort. Semantics: torch.topk, except that the order of equal elements is always defined.
 *
 * Masked-out elements are ignored, even if NaN; if a row keeps fewer than k, the remaining values are -∞ and their
 * indices -1.
 *
 * @param x numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @param k how many, from 1 to the length of the axis.
 * @returns `values` in the same kind of array or tensor as x, and `indices` in an Int32Array (`{ data, shape }` for
 * tensors). Their shape is that of x with k as the size of the axis.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis, k or
 * length, a mask that does not broadcast, an axis without elements, or results that overlap; OutOfMemoryError at the
 * limit of linear memory.
 *
 * @example
 * const { values, indices } = topK([0.1, 2.0, 1.0, 2.0], 3);
 * values; // Float32Array [2, 2, 1]
 * indices; // Int32Array [1, 3, 2]
 * @example
 * topK([1, 2, 3], 2, { mask: [true, false, false] }).indices; // Int32Array [0, -1]
 * @example
 * topK([1, 2, 3, 1, 5, 1], 1, { shape: [2, 3], axis: 0 }).values; // Float32Array [1, 5, 3]
 */
export function topK<X extends Input, const O extends TopKOptions | undefined = NoOptions>(
  x: X,
  k: number,
  ...options: OptionsArgument<O, TopKOptions>
): TopKResult<X, O>;
export function topK(x: unknown, k: unknown, options?: unknown): unknown {
  return runTopK(x, k, options);
}
