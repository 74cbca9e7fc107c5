import { cutOperand } from '../call/map.js';
import { giveShape, readOperand, readSizes } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { checkOverlap } from '../call/overlap.js';
import { settle } from '../call/place.js';
import { checkNotEmpty, handBackIndices } from '../call/ranking.js';
import { checkSize, newIndices, readIndexOut } from '../call/result.js';
import { geometry } from '../call/rows.js';
import { argmaxKernel } from '../generated/kernels.js';
import { argmax as reference } from '../reference/argmax.js';
import { currentRuntime, type Runtime } from '../runtime.js';
import type { IndexResult, Input } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

const kernel = /* @__PURE__ */ defineKernel(argmaxKernel, reference);

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[];
  /** The axis that is searched; negative counts from the end. Default -1. */
  axis?: number;
  /** Receives the indices, one for each problem; apart from x. */
  out?: Int32Array;
}

interface ReadOptions {
  shape?: unknown;
  axis?: unknown;
  out?: unknown;
}

const OPTIONS: OptionNames = { shape: true, axis: true, out: true };

/** @internal */
export function argmaxOn(runtime: Runtime, x: unknown, options?: unknown): unknown {
  const input = readOperand(runtime, 'argmax', 'x', x);
  const given = readOptions<ReadOptions>('argmax', options, OPTIONS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readIndexOut(runtime, 'argmax', 'out', asked);
  const { axis = -1 } = given;
  const sizes = readSizes('argmax', given.shape);
  settle(runtime.arena, 'argmax', input, out);
  giveShape('argmax', input, sizes);
  cutOperand('argmax', input, axis);
  const { outer, n, inner } = geometry;
  checkNotEmpty('argmax', 'x', n, outer * inner);
  if (out !== undefined) {
    checkSize('argmax', out, outer * inner);
    checkOverlap(runtime, 'argmax', 'out', out, 'x', input, false);
  }

  const indices = out ?? newIndices(outer * inner);
  if (indices.length === 0) return out?.array ?? handBackIndices(indices.array, input, axis as number);
  const { stream } = runtime;
  stream.open('argmax', outer, n, inner, input.elementBytes);
  const from = stream.input(input);
  const to = stream.integerOutput(indices, 1);
  stream.start();
  const run = runtime.kernel(kernel, input.elementBytes);
  while (stream.next()) {
    run({ x: stream.at(from), y: stream.at(to), outer: stream.outer, n, inner: stream.inner, scratch: stream.scratch });
  }
  return out?.array ?? handBackIndices(indices.array, input, axis as number);
}

/**
 * The index of the largest element along an axis: the first of equals, and of NaN, which counts as the largest of all.
 *
 * Softmax does not change which element that is: give it the logits. Semantics: torch.argmax, except that it names the
 * first of equals always.
 *
 * @param x numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns a number for a plain row; with `shape` an Int32Array, and for tensors `{ data, shape }` with one, without
 * the axis.
 * @throws TypeError for a wrong kind of argument or an unknown option, RangeError for a wrong shape, axis or length, an
 * axis without elements, or an overlap of `out` with x.
 *
 * @example
 * argmax([0.1, 2.0, 1.0]); // 1
 * @example
 * argmax([1, 2, 3, 1, 5, 1], { shape: [2, 3] }); // Int32Array [2, 1]
 * argmax([1, 2, 3, 1, 5, 1], { shape: [2, 3], axis: 0 }); // Int32Array [0, 1, 0]
 */
export function argmax<X extends Input, const O extends ArgmaxOptions>(x: X, options?: O): IndexResult<X, O> {
  return argmaxOn(currentRuntime(), x, options) as IndexResult<X, O>;
}
