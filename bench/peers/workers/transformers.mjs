import { createRequire } from 'node:module';
import { findBenchmark, inputsOf } from '../cases.mjs';
import { serve } from './serve.mjs';

const PACKAGE = '../node_modules/@huggingface/transformers';

serve(async () => {
  // The package does not export its mathematics, so the file is imported by its path.
  const maths = await import(`${PACKAGE}/src/utils/maths.js`);
  const functions = { softmax: maths.softmax, logSoftmax: maths.log_softmax };
  return {
    version: createRequire(import.meta.url)(`${PACKAGE}/package.json`).version,
    prepare({ operation, label, shape }) {
      if (operation === 'sample') return sampling(label);
      return operation in functions ? overRows(functions[operation], operation, shape) : undefined;
    },
  };
});

function overRows(call, operation, [rows, n]) {
  const { x } = inputsOf({ operation, shape: [rows, n] });
  const views = Array.from({ length: rows }, (_, row) => x.subarray(row * n, (row + 1) * n));
  const run = () => {
    for (const view of views) call(view);
  };
  return { run, result: () => Float32Array.from(views.flatMap((view) => [...call(view)])) };
}

/**
 * The sampler with which `generate` draws a token, on one row. Of the filters it has topK alone, which in Node runs in
 * native code, ONNX Runtime's.
 */
async function sampling(label) {
  const { LogitsSampler } = await import(`${PACKAGE}/src/generation/logits_sampler.js`);
  const { Tensor } = await import(`${PACKAGE}/src/utils/tensor.js`);
  const { make, n, options } = (await findBenchmark({ operation: 'sample', label })).example;
  const sampler = LogitsSampler.getSampler({ do_sample: true, num_beams: 1, top_k: options.topK });
  const logits = new Tensor('float32', make(n), [1, n]);
  let drawn;
  const run = async () => {
    [[drawn]] = await sampler(logits);
  };
  return { run, result: () => [drawn] };
}
