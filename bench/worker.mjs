// The process of one contender: takes requests from run.mjs and answers them. See contenders.mjs.

import { createKernels } from 'softmax-wasm';
import { PLAIN } from './contenders.mjs';
import { Stopwatch } from './stopwatch.mjs';

const name = /** @type {any} */ (process.argv[2]);

let bench;
let kernels;
let stopwatch;

const answers = {
  async start({ operation }) {
    bench = (await import(`./${operation}.bench.mjs`)).default;
    if (name !== PLAIN) kernels = createKernels({ backend: name });
  },

  prepare({ index }) {
    const task = kernels === undefined ? bench.plain(bench.cases[index]) : bench.ours(kernels, bench.cases[index]);
    task.run();
    stopwatch = new Stopwatch(task.run);
    return task.result();
  },

  measure({ milliseconds }) {
    return stopwatch.measure(milliseconds);
  },
};

process.on('message', async (/** @type {any} */ request) => {
  try {
    process.send?.({ answer: await answers[request.do](request) });
  } catch (error) {
    process.send?.({ error: String(error.message) });
  }
});
