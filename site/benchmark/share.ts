import type { Kernels } from 'softmax-wasm';
import { U } from '../../bench/sample.bench.mjs';
import { type Inputs, inputsOf, type OperationName } from './operations.js';

/** A range of rows. */
export interface Share {
  readonly first: number;
  readonly rows: number;
}

export interface Task {
  run(): void;
  /** The numbers that `run` has written; a loss comes before its gradient. */
  result(): ArrayLike<number>;
}

/** Splits rows into a share for each thread, or for each row if there are fewer. */
export function split(rows: number, threads: number): Share[] {
  const count = Math.min(rows, threads);
  const start = (i: number) => Math.floor((rows * i) / count);
  return Array.from({ length: count }, (_, i) => ({ first: start(i), rows: start(i + 1) - start(i) }));
}

/** An operation on a share of its rows, which are copied into the memory of this set of kernels. */
export async function makeTask(
  kernels: Kernels,
  operation: OperationName,
  index: number,
  { first, rows }: Share,
): Promise<Task> {
  const all = await inputsOf(operation, index);
  const x = all.x.subarray(first * all.classes, (first + rows) * all.classes);
  const targets = all.targets.subarray(first, first + rows);
  return MAKERS[operation](kernels, { ...all, x, targets, rows }, rows / all.rows);
}

/**
 * Makes the task of each operation. `part` is the fraction of all rows that the share has: the mean over all rows is
 * the sum of the shares' means, each times its fraction.
 */
const MAKERS: Record<OperationName, (kernels: Kernels, inputs: Inputs, part: number) => Task> = {
  softmax: (kernels, inputs) => makeMap(kernels, inputs, kernels.softmax),
  logSoftmax: (kernels, inputs) => makeMap(kernels, inputs, kernels.logSoftmax),

  crossEntropy(kernels, { x, rows, classes, targets }, part) {
    const logits = kernels.tensor(x, [rows, classes]);
    const out = kernels.zeros([rows, classes]);
    let loss = 0;
    const run = () => {
      loss = part * kernels.crossEntropyWithGrad(logits, targets, { out, gradOutput: part }).loss;
    };
    return { run, result: () => [loss, ...out.toArray()] };
  },

  sample(kernels, { x, rows, classes, filters }) {
    const logits = kernels.tensor(x, [rows, classes]);
    const out = new Int32Array(rows);
    const options = { ...filters, shape: [rows, classes], out, random: () => U };
    return { run: () => kernels.sample(logits, options), result: () => out };
  },
};

function makeMap(kernels: Kernels, { x, rows, classes }: Inputs, map: Kernels['softmax']): Task {
  const logits = kernels.tensor(x, [rows, classes]);
  const out = kernels.zeros([rows, classes]);
  return { run: () => map(logits, { out }), result: () => out.toArray() };
}
