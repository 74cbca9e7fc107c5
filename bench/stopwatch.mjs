// Times a function in the process or worker that runs it.
import { Bench } from 'tinybench';

/** The least time of a sample, which consists of several calls if one is too short for the clock. */
const SAMPLE_MILLISECONDS = Math.max(0.05, 100 * clockTick());

/** The least time of the warm-up, in which the engine optimizes every loop. */
const WARM_UP = { milliseconds: 150, calls: 12 };
/** Rounds up to this length belong to a quick run, which has a shorter warm-up too. */
const QUICK = { round: 20, milliseconds: 40, calls: 3 };

/** Times one function, which may return a promise, in one or more rounds. */
export class Stopwatch {
  /** The number of calls in a sample; 0 until it is known. */
  #callsPerSample = 0;
  #run;
  #isAsync = false;

  constructor(run) {
    this.#run = run;
  }

  /** Nanoseconds of one call: the median of the samples that fit into the given milliseconds. */
  async measure(milliseconds) {
    if (this.#callsPerSample === 0) {
      await this.#warmUp(milliseconds);
      this.#callsPerSample = await this.#chooseCalls();
    }
    const calls = this.#callsPerSample;
    const timer = new Bench({ time: milliseconds, iterations: 2, warmup: false });
    timer.add('work', this.#sample(calls));
    await timer.run();
    const [{ result }] = timer.tasks;
    if (result.state !== 'completed') throw new Error(`timing: ${result.state}`);
    return (result.latency.p50 / calls) * 1e6;
  }

  /** A function that makes the given number of calls. */
  #sample(calls) {
    const run = this.#run;
    if (!this.#isAsync) {
      return () => {
        for (let i = 0; i < calls; i++) run();
      };
    }
    return async () => {
      for (let i = 0; i < calls; i++) await run();
    };
  }

  async #warmUp(milliseconds) {
    const least = milliseconds > QUICK.round ? WARM_UP : QUICK;
    const end = performance.now() + Math.max(milliseconds, least.milliseconds);
    for (let calls = 0; calls < least.calls || performance.now() < end; calls++) {
      const pending = this.#run();
      if (pending instanceof Promise) {
        this.#isAsync = true;
        await pending;
      }
    }
  }

  /**
   * Doubles the number of calls until the fastest of three samples is long enough: reading the clock may take longer
   * than a call.
   */
  async #chooseCalls() {
    for (let calls = 1; ; calls *= 2) {
      const sample = this.#sample(calls);
      let fastest = Infinity;
      for (let i = 0; i < 3; i++) {
        const start = performance.now();
        await sample();
        fastest = Math.min(fastest, performance.now() - start);
      }
      if (fastest >= SAMPLE_MILLISECONDS) return calls;
    }
  }
}

/** The smallest step of the clock in milliseconds: browsers make theirs coarse. */
function clockTick() {
  let tick = Infinity;
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    tick = Math.min(tick, now - start);
  }
  return tick;
}
