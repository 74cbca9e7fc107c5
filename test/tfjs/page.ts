/** Runs all cases, one after another, in a page that has TensorFlow.js from script tags. */

import { register } from '../../src/tfjs/index.js';
import { cases, type TensorFlowJs } from './cases.js';

declare const tf: TensorFlowJs & { wasm: { setWasmPaths(folder: string): void } };

async function runCases(backend: 'wasm' | 'cpu'): Promise<object> {
  tf.wasm.setWasmPaths('/wasm/');
  await tf.setBackend(backend);
  await tf.ready();
  const failures: string[] = [];
  for (const { name, run } of cases) {
    try {
      await run({ tf, backend, register });
    } catch (error) {
      failures.push(`${name}: ${(error as Error).stack ?? error}`);
    }
  }
  const fast = register(tf);
  const { memory } = fast.info[0]!;
  fast.unregister();
  const threads = await tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
  return { count: cases.length, failures, memory, threads };
}

(globalThis as unknown as { request: (backend: 'wasm' | 'cpu') => Promise<string> }).request = async (backend) =>
  JSON.stringify(await runCases(backend));
