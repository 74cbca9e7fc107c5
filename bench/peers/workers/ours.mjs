// softmax-wasm on the backend named as argument, or without one, JavaScript written by hand: both as in `npm run bench`.
import { createKernels } from '../../../dist/index.js';
import { labelOf } from '../cases.mjs';
import { serve } from './serve.mjs';

const backend = /** @type {any} */ (process.argv[2]);

serve(async () => {
  const kernels = backend === undefined ? undefined : createKernels({ backend });
  return {
    version: '',
    async prepare({ operation, shape }) {
      const withGrad = operation.endsWith('WithGrad');
      const file = `../../${withGrad ? operation.slice(0, -'WithGrad'.length) : operation}.bench.mjs`;
      const { default: bench } = await import(file);
      const label = `${labelOf(shape)}${withGrad ? ', with gradient' : ''}`;
      const example = bench.cases.find((/** @type {any} */ candidate) => candidate.label === label);
      if (example === undefined) throw new Error(`${operation}.bench.mjs has no ${label}`);
      return kernels === undefined ? bench.plain(example) : bench.ours(kernels, example);
    },
  };
});
