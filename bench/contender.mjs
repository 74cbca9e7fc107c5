// What a contender does on request, in a process (worker.mjs) or in a worker of a page (browser/worker.mjs).
import { Stopwatch } from './stopwatch.mjs';

/** JavaScript written by hand, with which the other contenders are compared. */
export const PLAIN = 'plain JavaScript';

/** The functions that answer requests to a contender, by the request's `do`. `createKernels` is the library's. */
export function contender(name, createKernels) {
  const kernels = name === PLAIN ? undefined : createKernels({ backend: name });
  let bench;
  let stopwatch;

  return {
    /** Loads an operation: the benchmark in the file of that name. */
    async start({ operation }) {
      bench = (await import(`./${operation}.bench.mjs`)).default;
    },

    /** Sets a case up, runs it once and returns the result. */
    prepare({ index }) {
      const task = kernels === undefined ? bench.plain(bench.cases[index]) : bench.ours(kernels, bench.cases[index]);
      task.run();
      stopwatch = new Stopwatch(task.run);
      return task.result();
    },

    /** Nanoseconds of one call. */
    measure({ milliseconds }) {
      return stopwatch.measure(milliseconds);
    },

    /** The size of linear memory in bytes; 0 for plain JavaScript. */
    memory() {
      return kernels === undefined ? 0 : kernels.zeros([1]).data.buffer.byteLength;
    },
  };
}

/** The message that answers a request: the answer, or the error. `answersOf` may return a promise. */
export async function reply(answersOf, request) {
  try {
    return { answer: await (await answersOf())[request.do](request) };
  } catch (error) {
    return { error: String(error.message) };
  }
}
