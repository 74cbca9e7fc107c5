import { rankingFamily } from '../generated/families.js';
import { topK as reference } from '../reference/topK.js';
import { cutOperand, dtypeOf, newResult, placeResult } from '../runtime/call.js';
import { ownOf, PLAIN, readingError } from '../runtime/caller.js';
import { typeError } from '../runtime/errors.js';
import { geometry, withAxis } from '../runtime/geometry.js';
import { type Operand, readOperand, shapeOf } from '../runtime/input.js';
import { defineKernel } from '../runtime/kernel.js';
import { type OptionNames, readOptions } from '../runtime/options.js';
import { addressOf, checkOverlap } from '../runtime/overlap.js';
import { checkIndexOut, checkNotEmpty, checkRank } from '../runtime/ranking.js';
import { currentRuntime, type Runtime } from '../runtime/runtime.js';
import type { Tensor } from '../runtime/tensor.js';
import type { FloatArray, Input, TopKOut, TopKResult } from '../runtime/types.js';

const kernel = /* @__PURE__ */ defineKernel(rankingFamily, 'topK', reference);

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

/** `out` as it comes, before it is checked. */
interface Unchecked {
  values: unknown;
  indices: unknown;
}

/** @internal */
export function topKOn(runtime: Runtime, x: unknown, k: unknown, options?: unknown): unknown {
  const { shape, axis = -1, out } = readOptions<ReadOptions>('topK', options, OPTIONS);
  const given = out === undefined ? undefined : readOut(out);
  const input = readOperand(runtime, 'topK', 'x', x, shape);
  cutOperand('topK', input, axis);
  const { outer, n, inner } = geometry;
  checkNotEmpty('topK', 'x', n, outer * inner);
  checkRank('topK', k, n);
  const results = outer * k * inner;
  if (given !== undefined) checkResults(runtime, input, given, results);

  const resultShape = withAxis(shapeOf(input), axis as number, k);
  if (results === 0) {
    if (given !== undefined) return out;
    return handBackBoth(newResult(runtime, 'topK', input, resultShape), new Int32Array(0), input, resultShape);
  }
  const home = given && addressOf(runtime, 'topK', given.values);
  const indicesHome = given === undefined ? -1 : addressOf(runtime, 'topK', given.indices);
  const { stream } = runtime;
  const { elementBytes } = input;
  stream.open('topK', outer, n, inner, elementBytes);
  const capacity = Math.min(n, 4 * k + 32);
  const buffer = stream.claim(capacity * 2 * elementBytes);
  const values = given?.values ?? newResult(runtime, 'topK', input, resultShape);
  const indices = given?.indices ?? new Int32Array(results);
  const from = stream.input(input);
  const toValues = placeResult(runtime, 'topK', values, home, k);
  const toIndices = stream.integerOutput(indices, indicesHome, k);
  stream.start(given === undefined && values);
  const run = runtime.kernel(kernel, elementBytes);
  while (stream.next()) {
    const { outer: slices, inner: width, scratch } = stream;
    run(stream.at(from), stream.at(toValues), stream.at(toIndices), slices, n, width, k, buffer, capacity, scratch);
  }
  return given === undefined ? handBackBoth(values, indices, input, resultShape) : out;
}

/** Results that the call made, as the caller gets them. */
function handBackBoth(
  values: FloatArray | Tensor,
  indices: Int32Array,
  { kind }: Operand,
  shape: readonly number[],
): unknown {
  if (kind === 'array') return { values, indices };
  const like = (data: unknown) => ({ data, shape: shape.slice() });
  return { values: kind === 'tensor' ? values : like(values), indices: like(indices) };
}

/** Both results, each read once. @throws TypeError unless it is an object */
function readOut(out: unknown): Unchecked {
  const expected = '{ values, indices }';
  if (typeof out !== 'object' || out === null) throw typeError('topK', 'out', out, expected);
  const isPolluted = PLAIN.values !== undefined || PLAIN.indices !== undefined;
  try {
    const { values, indices } = isPolluted ? ownOf(out as Unchecked) : (out as Unchecked);
    return { values, indices };
  } catch (error) {
    throw readingError(error, 'topK', 'out', out, expected);
  }
}

function checkResults(runtime: Runtime, input: Operand, out: Unchecked, size: number): asserts out is TopKOut {
  const { values, indices } = out;
  runtime.checkOut('topK', 'out.values', values, dtypeOf(input), size);
  checkIndexOut('topK', 'out.indices', indices, size);
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
