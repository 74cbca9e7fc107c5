import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TensorFlowJs } from './cases.js';

/** TensorFlow.js as a program in Node loads it, on this backend. */
export async function loadTensorFlow(backend: 'wasm' | 'cpu'): Promise<TensorFlowJs> {
  const require = createRequire(import.meta.url);
  const tf = require('@tensorflow/tfjs') as TensorFlowJs;
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(fileURLToPath(new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
  await tf.setBackend(backend);
  await tf.ready();
  return tf;
}
