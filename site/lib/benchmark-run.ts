import { checkResult } from '../../bench/harness.mjs';

const PLAIN = 'plain JavaScript';
export const CONTENDERS = [PLAIN, 'simd128', 'relaxed-simd'] as const;

/** Of each operation: its benchmark, and the cases that are timed, the first of them in a quick run. */
const OPERATIONS = [
  {
    name: 'softmax',
    load: () => import('../../bench/softmax.bench.mjs'),
    labels: ['256 × 1024', '1 × 10', '8 × 32768'],
  },
  { name: 'logSoftmax', load: () => import('../../bench/logSoftmax.bench.mjs'), labels: ['256 × 1024', '8 × 32768'] },
  {
    name: 'crossEntropy',
    load: () => import('../../bench/crossEntropy.bench.mjs'),
    labels: ['256 × 1024, with gradient', '4096 × 10, with gradient'],
  },
  {
    name: 'sample',
    load: () => import('../../bench/sample.bench.mjs'),
    labels: ['1 × 128000, topK 50', '1 × 128000', '4096 × 10'],
  },
];

export interface Timing {
  readonly label: string;
  /** Nanoseconds of a call, one for each contender; undefined where it does not run here. */
  readonly nanoseconds: readonly (number | undefined)[];
}

interface Request {
  readonly do: 'start' | 'prepare' | 'measure';
  readonly operation?: string;
  readonly index?: number;
  readonly milliseconds?: number;
}

/** A worker that does one contender's work. */
class Contender {
  readonly #worker: Worker;
  #reject: (error: Error) => void = () => {};

  constructor(name: string) {
    this.#worker = new Worker(new URL('../../bench/browser/worker.mjs', import.meta.url), { type: 'module', name });
  }

  ask(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      this.#worker.onmessage = ({ data: { answer, error } }) =>
        error === undefined ? resolve(answer) : reject(new Error(error));
      this.#worker.postMessage(request);
    });
  }

  stop(): void {
    this.#worker.terminate();
    this.#reject(new Error('stopped'));
  }
}

/** A run of all operations, which can be stopped. */
export class BenchmarkRun {
  readonly #isQuick: boolean;
  readonly #onTiming: (timing: Timing, share: number) => void;
  /** One at a time: the reference, then each contender. */
  #current: Contender | undefined;
  #isStopped = false;

  constructor(isQuick: boolean, onTiming: (timing: Timing, share: number) => void) {
    this.#isQuick = isQuick;
    this.#onTiming = onTiming;
  }

  stop(): void {
    this.#isStopped = true;
    this.#current?.stop();
  }

  /** @throws Error where a result is wrong, or the run was stopped */
  async run(): Promise<void> {
    const cases = OPERATIONS.flatMap(({ name, load, labels }) =>
      (this.#isQuick ? labels.slice(0, 1) : labels).map((label) => ({ operation: name, load, label })),
    );
    for (const [done, { operation, load, label }] of cases.entries()) {
      const bench = (await load()).default;
      const index = bench.cases.findIndex((example: { label: string }) => example.label === label);
      const reference = await this.#with('reference', operation, index, async (_, result) => result);
      const nanoseconds: (number | undefined)[] = [];
      for (const name of CONTENDERS) {
        nanoseconds.push(await this.#time(name, operation, index, reference, bench.floor));
      }
      this.#onTiming({ label: `${operation} ${label}`, nanoseconds }, (done + 1) / cases.length);
    }
  }

  async #time(name: string, operation: string, index: number, reference: unknown, floor: number) {
    const milliseconds = this.#isQuick ? 50 : 400;
    try {
      return await this.#with(name, operation, index, async (contender, result) => {
        checkResult(name, result, reference, floor);
        return (await contender.ask({ do: 'measure', milliseconds })) as number;
      });
    } catch (error) {
      // A backend that this browser lacks leaves its column empty; anything else ends the run.
      if (!this.#isStopped && String(error).includes('cannot run')) return undefined;
      throw error;
    }
  }

  /** Starts a worker, sets the case up and hands both over. */
  async #with<R>(
    name: string,
    operation: string,
    index: number,
    use: (contender: Contender, result: unknown) => Promise<R>,
  ): Promise<R> {
    if (this.#isStopped) throw new Error('stopped');
    const contender = new Contender(name);
    this.#current = contender;
    try {
      await contender.ask({ do: 'start', operation });
      return await use(contender, await contender.ask({ do: 'prepare', index }));
    } finally {
      contender.stop();
    }
  }
}
