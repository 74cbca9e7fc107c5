import { expSumsKernel, weightedExpSumsKernel } from '../generated/kernels.js';
import { ROW_SUM_BYTES } from '../generated/layout.js';
import { expSums, weightedExpSums } from '../reference/logSumExpState.js';
import { defineKernel } from '../wasm/kernel.js';
import type { Call } from './call.js';
import { type BroadcastOperand, describeFloats, describeMask } from './descriptor.js';
import type { Mask } from './mask.js';
import type { Operand } from './place.js';
import type { Rows } from './rows.js';

const KERNEL = /* @__PURE__ */ defineKernel(expSumsKernel, expSums);
const WEIGHTED_KERNEL = /* @__PURE__ */ defineKernel(weightedExpSumsKernel, weightedExpSums);

/**
 * Computes the sum of exponentials of each row of a chunk, for LogSums.addFound. Returns the index in arena.f64 where
 * they begin; they are valid until the next call.
 */
export function findSums(
  { runtime, operation }: Call,
  chunk: Operand,
  rows: Rows,
  temperature: number,
  mask?: Mask,
  weights?: BroadcastOperand,
): number {
  const { run } = runtime;
  const { elementBytes } = chunk;
  const compute = runtime.kernel(weights === undefined ? KERNEL : WEIGHTED_KERNEL, elementBytes, operation);
  run.open(operation, rows, elementBytes);
  const sums = run.reserve(rows.count * ROW_SUM_BYTES);
  const from = run.input(chunk);
  const to = run.perRow(sums, ROW_SUM_BYTES);
  const maskDescriptor = mask && describeMask(runtime, mask, chunk, rows);
  const weightDescriptor = weights && describeFloats(runtime, weights, chunk, rows);
  run.start();
  while (run.next()) {
    compute({
      x: run.at(from),
      sums: run.at(to),
      rows: run.outer,
      n: rows.n,
      temperature,
      scratch: run.scratch,
      mask: maskDescriptor === undefined ? 0 : maskDescriptor.at(),
      weights: weightDescriptor === undefined ? 0 : weightDescriptor.at(),
    });
  }
  return sums / 8;
}
