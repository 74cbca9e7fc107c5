import { createRequire } from 'node:module';
import { inputsOf } from '../cases.mjs';
import { serve } from './serve.mjs';

const PACKAGE = '../node_modules/@huggingface/transformers';

serve(async () => {
  // Only the file with its mathematics: by path, as the package does not export it.
  const maths = await import(`${PACKAGE}/src/utils/maths.js`);
  const functions = { softmax: maths.softmax, logSoftmax: maths.log_softmax };
  return {
    version: createRequire(import.meta.url)(`${PACKAGE}/package.json`).version,
    prepare({ operation, shape: [rows, n] }) {
      if (!(operation in functions)) return undefined;
      const call = functions[operation];
      const { x } = inputsOf({ operation, shape: [rows, n] });
      const views = Array.from({ length: rows }, (_, row) => x.subarray(row * n, (row + 1) * n));
      const run = () => {
        for (const view of views) call(view);
      };
      return { run, result: () => Float32Array.from(views.flatMap((view) => [...call(view)])) };
    },
  };
});
