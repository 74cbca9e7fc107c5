// Runs tfjs-core's own specs of the operations that softmax-wasm replaces, and of functions that use these, on a
// backend, with softmax-wasm or without, and sends the outcome of each. specs.test.ts starts it.
import { createRequire, register as registerHooks } from 'node:module';
import Jasmine from 'jasmine';

const [backend, mode] = process.argv.slice(2);
const SPECS = [
  'gradients_test',
  'ops/arg_max_test',
  'ops/arg_min_test',
  'ops/fused/fused_mat_mul_test',
  'ops/log_sigmoid_test',
  'ops/log_softmax_test',
  'ops/log_sum_exp_test',
  'ops/losses/compute_weighted_loss_test',
  'ops/losses/log_loss_test',
  'ops/losses/sigmoid_cross_entropy_test',
  'ops/losses/softmax_cross_entropy_test',
  'ops/mat_mul_test',
  'ops/sigmoid_test',
  'ops/softmax_test',
  'ops/topk_test',
  'public/chained_ops/register_all_chained_ops_test',
];

registerHooks('./resolve.mjs', import.meta.url);
const require = createRequire(import.meta.url);
globalThis.require = require;
const core = new URL('node_modules/@tensorflow/tfjs-core/dist/', import.meta.url).href;

const tf = await import(`${core}index.js`);
await import(`${core}register_all_gradients.js`);
await import(`${core}public/chained_ops/register_all_chained_ops.js`);
// The packages for Node bring a copy of tfjs-core of their own; engine, kernels and the class of tensors are shared.
require('@tensorflow/tfjs-backend-cpu');
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
setWasmPaths(new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url).pathname);
await tf.setBackend(backend);
await tf.ready();

if (mode === 'with') {
  const { register } = await import('../../dist/tfjs/index.js');
  register(tf, { backend });
}

const jasmine = new Jasmine();
jasmine.exitOnCompletion = false;
jasmine.clearReporters();
const results = [];
jasmine.addReporter({
  specDone({ fullName, status, failedExpectations }) {
    results.push({ name: fullName, status, why: failedExpectations[0]?.message });
  },
});
const { setTestEnvs } = await import(`${core}jasmine_util.js`);
setTestEnvs([{ name: backend, backendName: backend, flags: {}, isDataSync: true }]);
for (const spec of SPECS) await import(`${core}${spec}.js`);
await jasmine.execute();
process.send(results, () => process.exit());
