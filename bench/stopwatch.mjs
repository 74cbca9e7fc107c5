// How a process times its own work.
import { Bench } from 'tinybench';

/** A sample takes at least this long, many calls where need be: a clock cannot see a microsecond. */
const SAMPLE_MILLISECONDS = 0.05;

/** At least this much before anything is timed, so that the engine has optimized every loop. */
const WARM_UP = { milliseconds: 150, calls: 12 };

/** Times one function, which may return a promise, in as many rounds as asked for. */
export class Stopwatch {
  /** 0 until it is known. */
  #callsPerSample = 0;
  #run;
  #isAsync = false;

  constructor(run) {
    this.#run = run;
  }

  /** Nanoseconds of one call: the median of the samples that fit into so many milliseconds. */
  async measure(milliseconds) {
    if (this.#callsPerSample === 0) {
      await this.#callFor(Math.max(milliseconds, WARM_UP.milliseconds), WARM_UP.calls);
      this.#callsPerSample = Math.ceil(SAMPLE_MILLISECONDS / (await this.#callFor(milliseconds / 4)));
    }
    const run = this.#run;
    const calls = this.#callsPerSample;
    const sample = () => {
      for (let i = 0; i < calls; i++) run();
    };
    const sampleAsync = async () => {
      for (let i = 0; i < calls; i++) await run();
    };
    const timer = new Bench({ time: milliseconds, iterations: 2, warmup: false });
    timer.add('work', this.#isAsync ? sampleAsync : sample);
    await timer.run();
    const [{ result }] = timer.tasks;
    if (result.state !== 'completed') throw new Error(`timing: ${result.state}`);
    return (result.latency.p50 / calls) * 1e6;
  }

  /** Calls for so long, and so often at least. @returns milliseconds of one call. */
  async #callFor(milliseconds, least = 1) {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    for (; elapsed < milliseconds || calls < least; elapsed = performance.now() - start) {
      const pending = this.#run();
      if (pending instanceof Promise) {
        this.#isAsync = true;
        await pending;
      }
      calls++;
    }
    return elapsed / calls;
  }
}
