import { PLAIN } from '../../bench/contender.mjs';
import { checkResult } from '../../bench/harness.mjs';
import { Client } from './client.js';
import { OPERATIONS, type OperationName } from './operations.js';

const TFJS = 'tfjs-wasm';
/** The largest relative errors allowed. TensorFlow.js has an error of 4.1e-6 in softmax of 8 × 32768. */
const [OUR_BOUND, TFJS_BOUND] = [4e-6, 1e-5];

/** Why this page cannot use threads that share memory; undefined if it can. */
export function whyNoThreads(): string | undefined {
  if (!crossOriginIsolated) return 'this page is not isolated from other origins';
  return navigator.hardwareConcurrency > 1 ? undefined : 'there is one core';
}

const threadsName = () => `${navigator.hardwareConcurrency} threads`;

/** The contenders that are timed, in the order of the table's columns. */
export function contendersOf(withTfjs: boolean): string[] {
  const threads = whyNoThreads() === undefined ? [threadsName()] : [];
  return [PLAIN, 'simd128', 'relaxed-simd', ...threads, ...(withTfjs ? [TFJS] : [])];
}

function startContender(name: string): Client {
  if (name === TFJS) return new Client(new Worker(new URL('./tfjs.ts', import.meta.url), { type: 'module' }));
  if (name === threadsName()) {
    return new Client(new Worker(new URL('./threads.ts', import.meta.url), { type: 'module' }));
  }
  return new Client(new Worker(new URL('../../bench/browser/worker.mjs', import.meta.url), { type: 'module', name }));
}

interface Case {
  readonly operation: OperationName;
  readonly label: string;
}

/** The cases that a run times, in the order of the table's rows. */
export function casesOf(isQuick: boolean): Case[] {
  const operations = Object.entries(OPERATIONS) as [OperationName, (typeof OPERATIONS)[OperationName]][];
  return operations.flatMap(([operation, { labels }]) =>
    (isQuick ? labels.slice(0, 1) : labels).map((label) => ({ operation, label })),
  );
}

/** Nanoseconds of a call; undefined if the contender cannot run the case. */
export type Time = number | undefined;

/** A run of all cases, which can be stopped. */
export class BenchmarkRun {
  readonly #isQuick: boolean;
  readonly #contenders: readonly string[];
  readonly #onTime: (time: Time, row: number, column: number) => void;
  /** The worker in use: the reference, or a contender. There is one at a time. */
  #current: Client | undefined;
  #isStopped = false;

  constructor(
    isQuick: boolean,
    contenders: readonly string[],
    onTime: (time: Time, row: number, column: number) => void,
  ) {
    this.#isQuick = isQuick;
    this.#contenders = contenders;
    this.#onTime = onTime;
  }

  stop(): void {
    this.#isStopped = true;
    this.#current?.stop();
  }

  /** @throws Error if a result is wrong, or if the run was stopped */
  async run(): Promise<void> {
    for (const [row, { operation, label }] of casesOf(this.#isQuick).entries()) {
      const bench = (await OPERATIONS[operation].load()).default;
      const index = bench.cases.findIndex((example: { label: string }) => example.label === label);
      const reference = await this.#with('reference', operation, index, async (_, result) => result);
      for (const [column, name] of this.#contenders.entries()) {
        this.#onTime(await this.#time(name, operation, index, reference, bench.floor), row, column);
      }
    }
  }

  async #time(name: string, operation: OperationName, index: number, reference: unknown, floor: number): Promise<Time> {
    const milliseconds = this.#isQuick ? 50 : 400;
    try {
      return await this.#with(name, operation, index, async (contender, result) => {
        if (result === undefined) return undefined;
        checkResult(name, result, reference, floor, name === TFJS ? TFJS_BOUND : OUR_BOUND);
        return (await contender.ask({ do: 'measure', milliseconds })) as number;
      });
    } catch (error) {
      // A backend that this browser lacks leaves its column empty; anything else ends the run.
      if (!this.#isStopped && String(error).includes('cannot run')) return undefined;
      throw error;
    }
  }

  /** Starts a contender's worker, sets the case up, and calls `use` with the worker and the result. */
  async #with<R>(
    name: string,
    operation: OperationName,
    index: number,
    use: (contender: Client, result: unknown) => Promise<R>,
  ): Promise<R> {
    if (this.#isStopped) throw new Error('stopped');
    const contender = startContender(name);
    this.#current = contender;
    try {
      await contender.ask({ do: 'start', operation });
      return await use(contender, await contender.ask({ do: 'prepare', index }));
    } finally {
      contender.stop();
    }
  }
}
