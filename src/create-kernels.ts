import * as functions from './functions.js';
import { handRuntime, openRuntime, readSettings } from './runtime.js';
import type { Settings } from './types.js';

/** An independent set of all functions, with its own backend and memory. */
export type Kernels = typeof functions;

/**
 * Makes an independent set of all functions, with its own backend, linear memory and tensors. A function throws a
 * TypeError for a tensor of another set. `createRandom` and `reliabilityDiagram`, which need no kernels, are not in a
 * set.
 *
 * @param settings the backend, a compiled module, and a limit of memory, {@link Settings}.
 * @returns the functions by name.
 * @throws TypeError, RangeError for wrong settings; Error when a backend named explicitly cannot run.
 *
 * @example
 * const { softmax } = createKernels({ backend: 'reference' });
 * softmax([0, 0]); // Float32Array [0.5, 0.5]
 */
export function createKernels(settings?: Settings): Kernels {
  const runtime = openRuntime(readSettings('createKernels', settings), 'createKernels');
  const bind = (run: (...given: never[]) => unknown): object => {
    const bound = (...given: never[]) => {
      handRuntime(runtime);
      return run(...given);
    };
    // Properties of a function, such as `from` of the functions that make states, are functions too.
    return Object.assign(bound, bindAll(run));
  };
  const bindAll = (all: object) => Object.fromEntries(Object.entries(all).map(([name, run]) => [name, bind(run)]));
  return bindAll(functions) as Kernels;
}
