import type { WideArray } from '../arrays.js';
import { product } from '../call/shape.js';
import {
  argmaxKernel,
  logSoftmaxKernel,
  type SoftmaxOperands,
  sigmoidKernel,
  softmaxKernel,
  topKKernel,
} from '../generated/kernels.js';
import { OPERAND_SCRATCH } from '../memory/arena.js';
import { argmax } from '../ops/argmax.js';
import { logSoftmax } from '../ops/logSoftmax.js';
import { sigmoid } from '../ops/sigmoid.js';
import { softmax } from '../ops/softmax.js';
import { candidatesFor, topK } from '../ops/topK.js';
import { argmax as argmaxReference } from '../reference/argmax.js';
import { logSoftmax as logSoftmaxReference } from '../reference/logSoftmax.js';
import { sigmoid as sigmoidReference } from '../reference/sigmoid.js';
import { softmax as softmaxReference } from '../reference/softmax.js';
import { topK as topKReference } from '../reference/topK.js';
import { defineKernel, type Kernel } from '../wasm/kernel.js';
import type { Storage } from './backends.js';
import { type Computation, compute, lastAsMinusOne } from './compute.js';
import type { KernelCall, TensorInfo } from './types.js';

/**
 * A faster form of a kernel of TensorFlow.js. It returns undefined for calls that the original kernel has to compute.
 */
export type Replacement = (call: KernelCall, storage: Storage) => TensorInfo | TensorInfo[] | undefined;

/** The faster forms, by the kernel's name. */
export const REPLACEMENTS = {
  // TensorFlow.js composes these of several kernels or takes long for each element, so copying pays at any size.
  Softmax: ({ inputs, attrs }, storage) => map(SOFTMAX_ROWS, storage, inputs.logits!, attrs!.dim as number, 1),
  LogSoftmax: ({ inputs, attrs }, storage) => map(LOG_SOFTMAX_ROWS, storage, inputs.logits!, attrs!.axis as number, 1),

  Sigmoid: ({ inputs }, storage) => map(SIGMOID_ELEMENTS, storage, inputs.x!, -1, leastFor(storage)),

  ArgMax({ inputs, attrs }, storage) {
    const x = inputs.x!;
    const { shape } = x;
    const axis = readAxis(attrs!.axis, shape.length);
    if (axis === undefined || !suits(x, leastFor(storage))) return undefined;
    const rows = shape.slice();
    rows.splice(axis, 1);
    const winners = storage.create(rows, 'int32');
    return compute(WINNERS, storage, x, [winners], lastAsMinusOne(axis, shape)) ? winners : undefined;
  },

  TopK({ inputs, attrs }, storage) {
    const x = inputs.x!;
    const k = attrs!.k as number;
    if (!suits(x, leastFor(storage)) || !isValidK(k, x.shape)) return undefined;
    const shape = x.shape.slice();
    shape[shape.length - 1] = k;
    const outputs = [storage.create(shape, 'float32'), storage.create(shape.slice(), 'int32')];
    return compute(largest(k), storage, x, outputs, -1) ? outputs : undefined;
  },
} as const satisfies Record<string, Replacement>;

/** The number of elements from which copying pays for kernels that do little work per element. */
const WORTH_A_COPY = 1000;

/** The number of elements from which our kernel is faster in spite of the cost of reaching it. */
function leastFor({ shared }: Storage): number {
  return shared === undefined ? WORTH_A_COPY : 1;
}

/** Whether our kernels compute a tensor; other dtypes stay with TensorFlow.js. */
function suits({ dtype, shape }: TensorInfo, least: number): boolean {
  return dtype === 'float32' && shape.length > 0 && product(shape) >= least;
}

function map(
  computation: Computation,
  storage: Storage,
  x: TensorInfo,
  axis: number,
  least: number,
): TensorInfo | undefined {
  if (!suits(x, least)) return undefined;
  const { shape } = x;
  const y = storage.create(shape, 'float32');
  return compute(computation, storage, x, [y], lastAsMinusOne(axis, shape)) ? y : undefined;
}

const SOFTMAX = /* @__PURE__ */ defineKernel(softmaxKernel, softmaxReference);
const LOG_SOFTMAX = /* @__PURE__ */ defineKernel(logSoftmaxKernel, logSoftmaxReference);
const SIGMOID = /* @__PURE__ */ defineKernel(sigmoidKernel, sigmoidReference);
const ARGMAX = /* @__PURE__ */ defineKernel(argmaxKernel, argmaxReference);
const TOP_K = /* @__PURE__ */ defineKernel(topKKernel, topKReference);

function rowsOf(name: string, kernel: Kernel<SoftmaxOperands>, along: typeof softmax): Computation {
  return {
    onRows(runtime, x, outer, n, y) {
      const scratch = runtime.arena.kernelScratch;
      runtime.kernel(kernel, 4, name)({ x, y, outer, n, inner: 1, temperature: 1, scratch, mask: 0 });
      return true;
    },
    onElements(x, [y], shape, axis) {
      along(x, { shape, axis, out: y as Float32Array });
      return true;
    },
  };
}

const SOFTMAX_ROWS = rowsOf('softmax', SOFTMAX, softmax);
const LOG_SOFTMAX_ROWS = rowsOf('logSoftmax', LOG_SOFTMAX, logSoftmax);

const SIGMOID_ELEMENTS: Computation = {
  onRows(runtime, x, outer, n, y) {
    runtime.kernel(SIGMOID, 4, 'sigmoid')({ x, y, count: outer * n, scratch: runtime.arena.kernelScratch });
    return true;
  },
  onElements(x, [y]) {
    sigmoid(x, { out: y as Float32Array });
    return true;
  },
};

// Each backend of TensorFlow.js orders NaN among numbers in its own way, so rows with NaN are left to it.

const WINNERS: Computation = {
  onRows(runtime, x, outer, n, y) {
    const { kernelScratch: scratch, f32, i32 } = runtime.arena;
    runtime.kernel(ARGMAX, 4, 'argmax')({ x, y, outer, n, inner: 1, scratch });
    return areNumbers(f32, x / 4, i32, y / 4, outer, n, 1);
  },
  onElements(x, [y], shape, axis) {
    const winners = y as Int32Array;
    argmax(x, { shape, axis, out: winners });
    const inner = axis === -1 ? 1 : product(shape.slice(axis + 1));
    return areNumbers(x, 0, winners, 0, winners.length / inner, shape.at(axis)!, inner);
  },
};

/**
 * Whether the largest element of every row of [outer, n, inner] is a number, not NaN; elements begin at `first`,
 * indices at `at`.
 */
function areNumbers(
  x: WideArray,
  first: number,
  winners: Int32Array,
  at: number,
  outer: number,
  n: number,
  inner: number,
): boolean {
  const end = at + outer * inner;
  for (let column = 0; at < end; at++) {
    if (Number.isNaN(x[first + winners[at]! * inner + column])) return false;
    if (++column < inner) continue;
    column = 0;
    first += n * inner;
  }
  return true;
}

/** Bytes of one candidate in the topK kernel's buffer, for float32. */
const CANDIDATE_BYTES = 8;

function largest(k: number): Computation {
  return {
    onRows(runtime, x, outer, n, values, indices) {
      const { arena } = runtime;
      const { kernelScratch: scratch, operandScratch } = arena;
      const capacity = candidatesFor(n, k);
      const bytes = capacity * CANDIDATE_BYTES;
      const fits = bytes <= OPERAND_SCRATCH;
      const buffer = fits ? operandScratch : arena.allocate(bytes, 'topK');
      const compute = runtime.kernel(TOP_K, 4, 'topK');
      compute({ x, values, indices, outer, n, inner: 1, k, buffer, capacity, scratch });
      if (!fits) arena.free(buffer);
      return startWithNumbers(arena.f32, values / 4, outer, k);
    },
    onElements(x, [values, indices], shape) {
      topK(x, k, { shape, out: { values: values as Float32Array, indices: indices as Int32Array } });
      return startWithNumbers(values!, 0, values!.length / k, k);
    },
  };
}

/** Whether no row of k values has NaN, which would come first. */
function startWithNumbers(values: ArrayLike<number>, at: number, rows: number, k: number): boolean {
  for (let row = 0; row < rows; row++) if (Number.isNaN(values[at + row * k])) return false;
  return true;
}

function isValidK(k: number, shape: readonly number[]): boolean {
  return Number.isInteger(k) && k >= 1 && k <= shape[shape.length - 1]!;
}

/** A single axis, counted from the first; undefined for several axes or none. */
function readAxis(given: unknown, rank: number): number | undefined {
  const axis = Array.isArray(given) && given.length === 1 ? (given[0] as unknown) : given;
  if (typeof axis !== 'number' || !Number.isInteger(axis) || axis < -rank || axis >= rank) return undefined;
  return axis < 0 ? axis + rank : axis;
}
