import { checkOverlaps, openCall, settle } from '../call/call.js';
import { checkMask, readMask } from '../call/mask.js';
import { MaskedInput } from '../call/masked-input.js';
import { readOperand } from '../call/operand.js';
import { type OptionNames, readFlag, readOptions } from '../call/options.js';
import { checkNotEmpty, wrapIndices } from '../call/ranking.js';
import { checkSize, newIndices, readIndexOut } from '../call/result.js';
import { readRows } from '../call/rows.js';
import { argmaxKernel } from '../generated/kernels.js';
import { argmax as reference } from '../reference/argmax.js';
import type { Runtime } from '../runtime.js';
import type { IndexResult, Input, Mask, NoOptions, OptionsArgument } from '../types.js';
import { defineKernel } from '../wasm/kernel.js';

/** Options of {@link argmax}. */
export interface ArgmaxOptions {
  /** Sizes of the axes; their product is the number of elements. Plain numbers without it are one row. */
  shape?: readonly number[] | undefined;
  /** The axis that is searched; negative counts from the end. Default -1. */
  axis?: number | undefined;
  /** Whether a tensor-like result keeps the axis, with size 1. Default false. */
  keepDims?: boolean | undefined;
  /**
   * Elements to keep: those where it is neither 0 nor false. Of x's shape, or one that broadcasts to it by trailing
   * axes.
   */
  mask?: Mask | undefined;
  /** Receives the indices, one for each row; no overlap with x. */
  out?: Int32Array | undefined;
}

const OPTIONS: OptionNames<ArgmaxOptions> = {
  shape: true,
  axis: true,
  keepDims: true,
  mask: true,
  out: true,
};

const KERNEL = /* @__PURE__ */ defineKernel(argmaxKernel, reference);

function runArgmax(x: unknown, options: unknown): unknown {
  const call = openCall('argmax');
  const { runtime, operation } = call;
  const input = readOperand(call, 'x', x);
  const { elementBytes } = input;
  const given = readOptions<ArgmaxOptions>(operation, options, OPTIONS);
  const { out: asked } = given;
  const out = asked === undefined ? undefined : readIndexOut(call, 'out', asked);
  const maskPlace = readMask(call, given.mask);
  const keepDims = readFlag(operation, 'keepDims', given.keepDims);
  const rows = readRows(operation, input, given);
  settle(call);
  const mask = checkMask(operation, maskPlace, false, input, rows.axis);
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
    const masked = mask && new MaskedInput(runtime, operation, mask, input, rows);
    const from = masked === undefined ? run.input(input) : -1;
    const to = run.integerOutput(indices, 1);
    run.start();
    while (run.next()) {
      const { outer, inner, scratch } = run;
      const x = masked === undefined ? run.at(from) : masked.apply();
      compute({ x, y: run.at(to), outer, n, inner, scratch });
      if (masked !== undefined) correct(runtime, masked, n, run.at(to));
    }
  }
  return out?.array ?? wrapIndices(indices.array, input, rows, keepDims);
}

/**
 * Corrects rows whose maximum is −∞, which the mask may have written: the index of the first element kept, or −1 if
 * none is.
 */
function correct({ run, arena }: Runtime, masked: MaskedInput, n: number, y: number): void {
  const { i32 } = arena;
  for (let row = 0; row < run.outer * run.inner; row++) {
    if (masked.element(row, i32[y / 4 + row]!) !== -Infinity) continue;
    let first = 0;
    while (first < n && !masked.keeps(row, first)) first++;
    i32[y / 4 + row] = first < n ? first : -1;
  }
}

/**
 * The index of the largest element along an axis. The first one wins a tie; NaN counts as the largest of all, and the
 * first NaN wins.
 *
 * Softmax does not change which element is the largest, so pass logits. Semantics: torch.argmax, except that a tie
 * always goes to the first element.
 *
 * Masked-out elements are ignored, even if NaN; a row that keeps nothing gives -1.
 *
 * @param x numbers, a typed array, a tensor-like object or a {@link Tensor}.
 * @returns a number for a plain row, an Int32Array with `shape`, and for tensors `{ data, shape }` with an Int32Array,
 * the axis removed.
 * @throws TypeError for an argument of the wrong type or an unknown option; RangeError for a wrong shape, axis or
 * length, a mask that does not broadcast, an axis without elements, or an `out` that overlaps with x.
 *
 * @example
 * argmax([0.1, 2.0, 1.0]); // 1
 * @example
 * argmax([1, 2, 3, 1, 5, 1], { shape: [2, 3] }); // Int32Array [2, 1]
 * argmax([1, 2, 3, 1, 5, 1], { shape: [2, 3], axis: 0 }); // Int32Array [0, 1, 0]
 * @example
 * argmax([1, 2, 3], { mask: [true, true, false] }); // 1
 */
export function argmax<X extends Input, const O extends ArgmaxOptions | undefined = NoOptions>(
  x: X,
  ...options: OptionsArgument<O, ArgmaxOptions>
): IndexResult<X, O>;
export function argmax(x: unknown, options?: unknown): unknown {
  return runArgmax(x, options);
}
