// Runs in the page: starts the contenders, each in a worker, and the reference, with which their results are compared.
import { checkResult } from '../harness.mjs';

const workers = new Map();
let reference;

function ask(name, request) {
  const worker = workers.get(name);
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data: { answer, error } }) =>
      error === undefined ? resolve(answer) : reject(new Error(error));
    worker.postMessage(request);
  });
}

const answers = {
  /** Starts a contender afresh with an operation. */
  start({ contender: name, operation }) {
    workers.get(name)?.terminate();
    workers.set(name, new Worker('/worker.js', { type: 'module', name }));
    return ask(name, { do: 'start', operation });
  },

  /** Computes the result that the contenders must give for a case. */
  async expect({ index }) {
    reference = await ask('reference', { do: 'prepare', index });
  },

  async prepare({ contender: name, index, floor }) {
    checkResult(name, await ask(name, { do: 'prepare', index }), reference, floor);
  },

  measure({ contender: name, milliseconds }) {
    return ask(name, { do: 'measure', milliseconds });
  },
};

/** Answers requests. They and the answers are JSON texts, which every protocol for driving a browser can pass. */
Object.assign(globalThis, {
  async request(/** @type {string} */ text) {
    const { do: what, ...details } = JSON.parse(text);
    try {
      return JSON.stringify({ answer: await answers[what](details) });
    } catch (error) {
      return JSON.stringify({ error: String(error.message) });
    }
  },
});
