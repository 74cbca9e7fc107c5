// The process of one contender: takes requests from run.mjs and answers them. See contenders.mjs.

import { createKernels } from 'softmax-wasm';
import { Bench } from 'tinybench';
import { PLAIN } from './contenders.mjs';

const name = /** @type {any} */ (process.argv[2]);
/** A sample takes at least this long, many calls where need be: a clock cannot see a microsecond. */
const SAMPLE_MILLISECONDS = 0.05;

/** At least this much before anything is timed, so that the engine has optimized every loop. */
const WARM_UP = { milliseconds: 150, calls: 12 };

let bench;
let kernels;
let task;
/** 0 until it is known. */
let callsPerSample = 0;

const answers = {
  async start({ operation }) {
    bench = (await import(`./${operation}.bench.mjs`)).default;
    if (name !== PLAIN) kernels = createKernels({ backend: name });
  },

  prepare({ index }) {
    task = kernels === undefined ? bench.plain(bench.cases[index]) : bench.ours(kernels, bench.cases[index]);
    task.run();
    callsPerSample = 0;
    return task.result();
  },

  async measure({ milliseconds }) {
    if (callsPerSample === 0) {
      callFor(Math.max(milliseconds, WARM_UP.milliseconds), WARM_UP.calls);
      callsPerSample = Math.ceil(SAMPLE_MILLISECONDS / callFor(milliseconds / 4));
    }
    const timer = new Bench({ time: milliseconds, iterations: 2, warmup: false });
    timer.add(name, sample);
    await timer.run();
    const [{ result }] = timer.tasks;
    if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`);
    return (result.latency.p50 / callsPerSample) * 1e6;
  },
};

function sample() {
  for (let i = 0; i < callsPerSample; i++) task.run();
}

/** Calls for so long, and so often at least. @returns milliseconds of one call. */
function callFor(milliseconds, least = 1) {
  const start = performance.now();
  let calls = 0;
  let elapsed = 0;
  for (; elapsed < milliseconds || calls < least; elapsed = performance.now() - start) {
    task.run();
    calls++;
  }
  return elapsed / calls;
}

process.on('message', async (/** @type {any} */ request) => {
  try {
    process.send?.({ answer: await answers[request.do](request) });
  } catch (error) {
    process.send?.({ error: String(error.message) });
  }
});
