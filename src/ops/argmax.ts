import { checkOverlaps, openCall, settle } from '../call/call.js';
import { readOperand } from '../call/operand.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { checkNotEmpty, wrapIndices } from '../call/ranking.js';
import { checkSize, newIndices, readIndexOut } from '../call/result.js';
import { readRows } from '../call/rows.js';
import { argmaxKernel } from '../generated/kernels.js';
import { argmax as reference } from '../reference/argmax.js';
import type { Given, IndexResult, Input, NoOptions } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is searched; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Receives the indices, one for each row; no overlap with x. */
  out?: Int32Array | undefined;
}

const OPTIONS: OptionNames<ArgmaxOptions> = { shape: true, axis: true, out: true };

const KERNEL = /* @__PURE__ */ defineKernel(argmaxKernel, reference);

function run(x: unknown, options: unknown): unknown {
  const call = openCall('argmax');
  const { runtime, operation } = call;
  const input = readOperand(call, 'x', x);
  const { elementBytes } = input;
  const given = readOptions<ArgmaxOptions>(operation, options, OPTIONS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readIndexOut(call, 'out', asked);
  const rows = readRows(operation, input, given);
  settle(call);
  checkNotEmpty(operation, input, rows);
  if (out !== undefined) {
    checkSize(call, out, rows.count);
    checkOverlaps(call, out);
  }

  const indices = out ?? newIndices(rows.count);
  if (rows.count > 0) {
    const compute = runtime.kernel(KERNEL, elementBytes, operation);
    const { run } = runtime;
    const { n } = rows;
    run.open(operation, rows, elementBytes);
    const from = run.input(input);
    const to = run.integerOutput(indices, 1);
    run.start();
    while (run.next()) {
      const { outer, inner, scratch } = run;
      compute({ x: run.at(from), y: run.at(to), outer, n, inner, scratch });
    }
  }
  return out?.array ?? wrapIndices(indices.array, input, rows);
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
export function argmax<X extends Input, const O extends ArgmaxOptions | undefined = NoOptions>(
  x: X,
  ...options: Given<O, ArgmaxOptions>
): IndexResult<X, O>;
export function argmax(x: unknown, options?: unknown): unknown {
  return run(x, options);
}
