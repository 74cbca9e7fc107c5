/**
 * A contender made of threads: each has a set of kernels of its own and a share of the rows, in its own memory as the rows of
 * the other contenders are. This worker takes the first share itself; a call is over when all have gone over theirs.
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

/** What all rows give, of what the shares give. */
function join(results: readonly ArrayLike<number>[]): number[] {
  if (operation !== 'crossEntropy') return results.flatMap((result) => Array.from(result));
  const loss = results.reduce((sum, result) => sum + result[0]!, 0);
  return [loss, ...results.flatMap((result) => Array.from(result).slice(1))];
}

const answers = {
  start(request: { operation: OperationName }) {
    operation = request.operation;
  },

  /** Nothing where there is one row, which cannot be split. */
  async prepare({ index }: { index: number }) {
    const { rows } = await inputsOf(operation, index);
    if (rows === 1) return undefined;
    const [own, ...others] = split(rows, navigator.hardwareConcurrency);
    const task = await makeTask(createKernels(), operation, index, own!);
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
