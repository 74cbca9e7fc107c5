import * as functions from './functions.js';
import { handRuntime, Runtime, readSettings } from './runtime.js';
import type { Settings } from './types.js';

/** An independent set of all functions, with a backend and a memory of its own. */
export type Kernels = typeof functions;

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
  const bind = (run: (...given: never[]) => unknown) => {
    return (...given: never[]) => {
      handRuntime(runtime);
      return run(...given);
    };
  };
  return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, bind(run)])) as unknown as Kernels;
}
