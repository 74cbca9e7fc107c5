import { ownOf, PLAIN, readingError } from '../call/caller.js';
import { cutOperand } from '../call/map.js';
import { giveShape, type Operand, readOperand, readSizes, shapeOf } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { checkOverlap } from '../call/overlap.js';
import { settle } from '../call/place.js';
import { checkNotEmpty, checkRank } from '../call/ranking.js';
import { checkSize, type IndexPlace, newIndices, newResult, readIndexOut, readOut } from '../call/result.js';
import { geometry, withAxis } from '../call/rows.js';
import { typeError } from '../errors.js';
import { topKKernel } from '../generated/kernels.js';
import { topK as reference } from '../reference/topK.js';
import { currentRuntime, type Runtime } from '../runtime.js';
import type { Input, TopKOut, TopKResult } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

const kernel = /* @__PURE__ */ defineKernel(topKKernel, reference);

/** Options of {@link topK}. */
export interface TopKOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[];
  /** The axis that is ranked; negative counts from the end. Default -1. */
  axis?: number;
  /** Receives the results, k for each problem: values of x's dtype and indices, which do not overlap; the values may be x
   * itself where k is all of its axis. */
  out?: TopKOut;
}

interface ReadOptions {
  shape?: unknown;
  axis?: unknown;
  out?: unknown;
}

const OPTIONS: OptionNames = { shape: true, axis: true, out: true };

/** Where both results go. */
interface Out {
  values: Operand;
  indices: IndexPlace;
}

/** @internal */
export function topKOn(runtime: Runtime, x: unknown, k: unknown, options?: unknown): unknown {
  const input = readOperand(runtime, 'topK', 'x', x);
  const given = readOptions<ReadOptions>('topK', options, OPTIONS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readOuts(runtime, asked, input);
  const { axis = -1 } = given;
  const sizes = readSizes('topK', given.shape);
  settle(runtime.arena, 'topK', input, out?.values, out?.indices);
  giveShape('topK', input, sizes);
  cutOperand('topK', input, axis);
  const { outer, n, inner } = geometry;
  checkNotEmpty('topK', 'x', n, outer * inner);
  checkRank('topK', k, n);
  const results = outer * k * inner;
  if (out !== undefined) checkOuts(runtime, input, out, results);

  const resultShape = withAxis(shapeOf(input), axis as number, k);
  if (results === 0) {
    if (out !== undefined) return asked;
    return handBackBoth(newResult(runtime, 'topK', input, resultShape), newIndices(0), input, resultShape);
  }
  const { stream } = runtime;
  const { elementBytes } = input;
  stream.open('topK', outer, n, inner, elementBytes);
  const capacity = Math.min(n, 4 * k + 32);
  const buffer = stream.claim(capacity * 2 * elementBytes);
  const values = out?.values ?? newResult(runtime, 'topK', input, resultShape);
  const indices = out?.indices ?? newIndices(results);
  const from = stream.input(input);
  const toValues = stream.output(values, k);
  const toIndices = stream.integerOutput(indices, k);
  stream.start(out === undefined ? values : undefined);
  const run = runtime.kernel(kernel, elementBytes);
  while (stream.next()) {
    const { outer, inner, scratch } = stream;
    const [values, indices] = [stream.at(toValues), stream.at(toIndices)];
    run({ x: stream.at(from), values, indices, outer, n, inner, k, buffer, capacity, scratch });
  }
  return out === undefined ? handBackBoth(values, indices, input, resultShape) : asked;
}

/** Results that the call made, as the caller gets them. */
function handBackBoth(values: Operand, indices: IndexPlace, { kind }: Operand, shape: readonly number[]): unknown {
  if (kind === 'array') return { values: values.array, indices: indices.array };
  const like = (data: unknown) => ({ data, shape: shape.slice() });
  return { values: values.tensor ?? like(values.array), indices: like(indices.array) };
}

/** Reads both results, each once. @throws TypeError unless it is an object with both */
function readOuts(runtime: Runtime, asked: unknown, input: Operand): Out {
  const expected = '{ values, indices }';
  if (typeof asked !== 'object' || asked === null) throw typeError('topK', 'out', asked, expected);
  const isPolluted = PLAIN.values !== undefined || PLAIN.indices !== undefined;
  try {
    const out = (isPolluted ? ownOf(asked) : asked) as Partial<TopKOut>;
    const values = readOut(runtime, 'topK', 'out.values', out.values, input.elementBytes);
    const indices = readIndexOut(runtime, 'topK', 'out.indices', out.indices);
    return { values, indices };
  } catch (error) {
    throw readingError(error, 'topK', 'out', asked, expected);
  }
}

function checkOuts(runtime: Runtime, input: Operand, { values, indices }: Out, size: number): void {
  checkSize('topK', values, size);
  checkSize('topK', indices, size);
  checkOverlap(runtime, 'topK', 'out.values', values, 'x', input);
  checkOverlap(runtime, 'topK', 'out.indices', indices, 'x', input, false);
  checkOverlap(runtime, 'topK', 'out.indices', indices, 'out.values', values, false);
}

/**
 * The k largest elements along an axis and their indices, the largest first. Equals come in the order in which they
 * lie; NaN counts as the largest of all.
 *
 * A few of many cost little more than a look at each element; all of them are a sort. Semantics: torch.topk, except
 * that equals have an order always.
 *
 * @param x numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @param k how many, from 1 to the length of the axis.
 * @returns `values` in the kind of x and `indices` in an Int32Array (`{ data, shape }` for tensors), with k in the place
 * of the axis.
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, axis, k or length,
 * an axis without elements, or results that overlap, OutOfMemoryError at the limit of linear memory.
 *
 * @example
 * const { values, indices } = topK([0.1, 2.0, 1.0, 2.0], 3);
 * values; // Float32Array [2, 2, 1]
 * indices; // Int32Array [1, 3, 2]
 * @example
 * topK([1, 2, 3, 1, 5, 1], 1, { shape: [2, 3], axis: 0 }).values; // Float32Array [1, 5, 3]
 */
export function topK<X extends Input, const O extends TopKOptions>(x: X, k: number, options?: O): TopKResult<X, O> {
  return topKOn(currentRuntime(), x, k, options) as TopKResult<X, O>;
}
