import { logits } from '../../bench/harness.mjs';
import { classIndices } from '../../bench/losses.mjs';

/** The benchmark of each operation, and the cases that are timed; a quick run times only the first. */
export const OPERATIONS = {
  softmax: {
    load: () => import('../../bench/softmax.bench.mjs'),
    labels: ['256 × 1024', '1 × 10', '8 × 32768'],
  },
  logSoftmax: {
    load: () => import('../../bench/logSoftmax.bench.mjs'),
    labels: ['256 × 1024', '8 × 32768'],
  },
  crossEntropy: {
    load: () => import('../../bench/crossEntropy.bench.mjs'),
    labels: ['256 × 1024, with gradient', '4096 × 10, with gradient'],
  },
  sample: {
    load: () => import('../../bench/sample.bench.mjs'),
    labels: ['1 × 128000, topK 50', '1 × 128000', '4096 × 10'],
  },
} as const;

export type OperationName = keyof typeof OPERATIONS;

/** The inputs of an operation in a case. */
export interface Inputs {
  readonly x: Float32Array;
  readonly rows: number;
  readonly classes: number;
  /** The class of each row, for a loss. */
  readonly targets: Int32Array;
  /** For `sample`: its filters. */
  readonly filters: object;
}

/** The inputs of a case, the same as those that the benchmark makes. */
export async function inputsOf(operation: OperationName, index: number): Promise<Inputs> {
  const example = (await OPERATIONS[operation].load()).default.cases[index];
  const [rows, classes] = example.shape ?? [example.rows, example.n];
  return {
    x: (example.make ?? logits)(example.elements),
    rows,
    classes,
    targets: classIndices({ rows, n: classes }),
    filters: example.options ?? {},
  };
}
