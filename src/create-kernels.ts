import * as functions from './functions.js';
import { handRuntime, Runtime, readSettings, type Settings } from './runtime.js';

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
  const bind = (run: (...given: never[]) => unknown): object => {
    const bound = (...given: never[]) => {
      handRuntime(runtime);
      return run(...given);
    };
    // What hangs on a function, as `from` on those that make states, is a function too.
    return Object.assign(bound, bindAll(run));
  };
  const bindAll = (all: object) => Object.fromEntries(Object.entries(all).map(([name, run]) => [name, bind(run)]));
  return bindAll(functions) as Kernels;
}
