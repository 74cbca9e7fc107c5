/**
 * A contender that consists of several threads. Each has a set of kernels of its own, with a share of the rows in its
 * memory. This worker computes the first share itself; a call ends when all threads have computed theirs.
 */
import { createKernels } from 'softmax-wasm';
import { reply } from '../../bench/contender.mjs';
import { Stopwatch } from '../../bench/stopwatch.mjs';
import { Client } from './client.js';
import { inputsOf, type OperationName } from './operations.js';
import { makeTask, split } from './share.js';
import { beginTurn, makeTurns, waitForEnd } from './turns.js';

let operation: OperationName;
let stopwatch: Stopwatch;

function startThread(): Client {
  return new Client(new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' }));
}

/** The result of all rows, from the results of the shares. */
function join(results: readonly ArrayLike<number>[]): number[] {
  if (operation !== 'crossEntropy') return results.flatMap((result) => Array.from(result));
  const loss = results.reduce((sum, result) => sum + result[0]!, 0);
  return [loss, ...results.flatMap((result) => Array.from(result).slice(1))];
}

const answers = {
  start(request: { operation: OperationName }) {
    operation = request.operation;
  },

  /** Sets the case up. The result is undefined if there is only one row, which cannot be split. */
  async prepare({ index }: { index: number }) {
    const { rows } = await inputsOf(operation, index);
    if (rows === 1) return undefined;
    const [first, ...others] = split(rows, navigator.hardwareConcurrency);
    const task = await makeTask(createKernels(), operation, index, first!);
    const threads = others.map(startThread);
    const results = await Promise.all(
      threads.map((thread, i) => thread.ask({ do: 'prepare', operation, index, share: others[i] })),
    );
    const turns = makeTurns();
    for (const thread of threads) thread.ask({ do: 'takeTurns', turns });
    const run = () => {
      beginTurn(turns, threads.length);
      task.run();
      waitForEnd(turns);
    };
    run();
    stopwatch = new Stopwatch(run);
    return join([task.result(), ...(results as ArrayLike<number>[])]);
  },

  measure({ milliseconds }: { milliseconds: number }) {
    return stopwatch.measure(milliseconds);
  },
};

self.addEventListener('message', async ({ data }) => self.postMessage(await reply(() => answers, data)));
