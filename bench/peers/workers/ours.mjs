// softmax-wasm on the backend that the argument names or, without an argument, JavaScript written by hand: both run the
// code of `npm run bench`.
import { createKernels } from '../../../dist/index.js';
import { findBenchmark } from '../cases.mjs';
import { serve } from './serve.mjs';

const backend = /** @type {any} */ (process.argv[2]);

serve(async () => {
  const kernels = backend === undefined ? undefined : createKernels({ backend });
  return {
    version: '',
    async prepare({ operation, label }) {
      const { bench, example } = await findBenchmark({ operation, label });
      return kernels === undefined ? bench.plain(example) : bench.ours(kernels, example);
    },
  };
});
