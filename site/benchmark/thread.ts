/** One of the threads that threads.ts starts: computes its share of the rows at each turn. */
import { createKernels } from 'softmax-wasm';
import { reply } from '../../bench/contender.mjs';
import type { OperationName } from './operations.js';
import { makeTask, type Share, type Task } from './share.js';
import { endTurn, waitForTurn } from './turns.js';

let task: Task;

const answers = {
  async prepare(request: { operation: OperationName; index: number; share: Share }) {
    task = await makeTask(createKernels(), request.operation, request.index, request.share);
    task.run();
    return task.result();
  },

  /** Runs until the worker is terminated. */
  takeTurns({ turns }: { turns: Int32Array }) {
    for (let turn = 0; ; turn++) {
      waitForTurn(turns, turn);
      task.run();
      endTurn(turns);
    }
  },
};

self.addEventListener('message', async ({ data }) => self.postMessage(await reply(() => answers, data)));
