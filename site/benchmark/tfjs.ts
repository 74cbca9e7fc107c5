/// <reference types="vite/client" />
/** A contender: TensorFlow.js on its WebAssembly backend, on one thread, from files of this site. */
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { reply } from '../../bench/contender.mjs';
import { Stopwatch } from '../../bench/stopwatch.mjs';
import { type Inputs, inputsOf, type OperationName } from './operations.js';

/** The addresses of its modules, by their paths. */
const MODULES: Record<string, string> = import.meta.glob('../node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm', {
  query: '?url',
  import: 'default',
  eager: true,
});

async function startBackend(): Promise<void> {
  const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  setWasmPaths(Object.fromEntries(Object.entries(MODULES).map(([path, url]) => [nameOf(path), url])));
  // The backends beside it use one thread too. Its threads would also start from a blob: address, which this page
  // forbids.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  if (!(await tf.setBackend('wasm'))) throw new Error('the WebAssembly backend of TensorFlow.js does not start');
}

/** A function that computes the result; a loss comes before its gradient. Undefined if there is nothing to compare. */
function callOf(operation: OperationName, { x, rows, classes, targets }: Inputs): (() => tf.Tensor[]) | undefined {
  const logits = tf.tensor2d(x, [rows, classes]);
  if (operation === 'softmax') return () => [tf.softmax(logits)];
  if (operation === 'logSoftmax') return () => [tf.logSoftmax(logits)];
  // It draws with random numbers of its own: its samples cannot be compared.
  if (operation === 'sample') return undefined;
  // The loss takes one-hot rows; making them is not timed.
  const oneHot = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), classes), 'float32'));
  const lossWithGrad = tf.valueAndGrad((z) => tf.losses.softmaxCrossEntropy(oneHot, z));
  return () => {
    const { value, grad } = lossWithGrad(logits);
    return [value, grad];
  };
}

let operation: OperationName;
let stopwatch: Stopwatch;

const answers = {
  async start(request: { operation: OperationName }) {
    operation = request.operation;
    await startBackend();
  },

  async prepare({ index }: { index: number }) {
    const call = callOf(operation, await inputsOf(operation, index));
    if (call === undefined) return undefined;
    stopwatch = new Stopwatch(() => tf.dispose(tf.tidy(call)));
    return tf.tidy(() => call().flatMap((tensor) => Array.from(tensor.dataSync())));
  },

  measure({ milliseconds }: { milliseconds: number }) {
    return stopwatch.measure(milliseconds);
  },
};

self.addEventListener('message', async ({ data }) => self.postMessage(await reply(() => answers, data)));
