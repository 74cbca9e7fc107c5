import type * as publicApi from './functions.js';
import { operations } from './operations.js';
import { tensorOn, zerosOn } from './ops/tensor.js';
import { Runtime, readSettings, type Settings } from './runtime.js';
import type { BackendInfo } from './wasm/backend.js';

/** An independent set of all functions, with a backend and a memory of its own. */
export type Kernels = Omit<typeof publicApi, 'init' | 'createKernels'>;

/**
 * An independent set of all functions: its own backend, linear memory and tensors. A tensor of one set given to another
 * is a TypeError.
 *
 * @throws TypeError, RangeError for wrong settings; Error when a backend named explicitly cannot run.
 *
 * @example
 * const { softmax } = createKernels({ backend: 'reference' });
 * softmax([0, 0]); // Float32Array [0.5, 0.5]
 */
export function createKernels(settings?: Settings): Kernels {
  const runtime = new Runtime(readSettings('createKernels', settings), 'createKernels');
  const set: Record<string, (...given: unknown[]) => unknown> = {
    backendInfo: (): BackendInfo => runtime.info,
    memoryUsage: () => runtime.usage,
  };
  for (const [name, operation] of Object.entries({ ...operations, tensor: tensorOn, zeros: zerosOn })) {
    const run = operation as (runtime: Runtime, ...given: unknown[]) => unknown;
    set[name] = (...given) => run(runtime, ...given);
  }
  return set as unknown as Kernels;
}
