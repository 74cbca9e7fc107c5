// The process in which TensorFlow.js runs on a backend, alone or registered with softmax-wasm: answers run.mjs.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { reply } from '../contender.mjs';
import { Stopwatch } from '../stopwatch.mjs';
import { casesOf } from './cases.mjs';

const [, , backend, mode] = process.argv;
const HOME = new URL('../../test/tfjs/', import.meta.url);
const require = createRequire(HOME);
/** How many elements of a result are compared at most. */
const COMPARED = 1000;

let answers;

async function load() {
  // TensorFlow.js prints to the console when it is loaded, which would disturb the table.
  console.warn = () => {};
  const tf = /** @type {any} */ (require('@tensorflow/tfjs'));
  /** @type {any} */ (require('@tensorflow/tfjs-backend-wasm')).setWasmPaths(
    fileURLToPath(new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', HOME)),
  );
  await tf.setBackend(backend);
  await tf.ready();
  const { register } = await import('../../dist/tfjs/index.js');
  const fast = mode === 'alone' ? undefined : register(tf, { matMul: mode === 'registered' });
  const cases = casesOf(tf, fast);
  let stopwatch;

  return {
    /** The names of the cases, and in which memory softmax-wasm computes. */
    start: () => ({ names: [...cases.keys()], memory: fast?.info[0].memory }),

    /** Sets a case up, runs it once and returns the first elements of the result. */
    async prepare({ name }) {
      tf.disposeVariables();
      const setUp = /** @type {() => any} */ (cases.get(name));
      const run = setUp();
      const first = await run();
      const result = Array.isArray(first) ? first : Array.from(first.dataSync().subarray(0, COMPARED));
      // tf.tidy disposes of the tensors of a function. A training step is asynchronous and disposes of its own.
      stopwatch = new Stopwatch(Array.isArray(first) ? run : () => tf.tidy(() => void run()));
      return result;
    },

    measure: ({ milliseconds }) => stopwatch.measure(milliseconds),
  };
}

process.on('message', async (request) => process.send?.(await reply(() => (answers ??= load()), request)));
