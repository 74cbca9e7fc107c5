import { createRequire } from 'node:module';
import { inputsOf, lossResult } from '../cases.mjs';
import { serve } from './serve.mjs';

const PACKAGE = '@jax-js/jax';

serve(async () => {
  if (Number.parseInt(process.versions.node, 10) < 24) throw new Error('it needs Node 24 or later');
  const { defaultDevice, init, jit, nn, numpy, valueAndGrad } = await import(PACKAGE);
  await init('wasm');
  defaultDevice('wasm');
  // It has no losses. As in its documentation, they are composed, with one-hot rows; making these is not timed.
  const crossEntropy = (x, targets) => nn.logSoftmax(x, -1).mul(targets).sum(-1).mean().neg();
  const functions = {
    softmax: jit((x) => nn.softmax(x, -1)),
    logSoftmax: jit((x) => nn.logSoftmax(x, -1)),
    logSumExp: jit((x) => nn.logsumexp(x, -1)),
    argmax: jit((x) => numpy.argmax(x, -1)),
    sigmoid: jit(nn.sigmoid),
    logSigmoid: jit(nn.logSigmoid),
    crossEntropy: jit(crossEntropy),
    crossEntropyWithGrad: jit(valueAndGrad(crossEntropy)),
  };

  return {
    version: createRequire(import.meta.url)(`../node_modules/${PACKAGE}/package.json`).version,
    prepare({ operation, shape }) {
      if (!(operation in functions)) return undefined;
      const inputs = inputsOf({ operation, shape });
      const x = numpy.array(inputs.x).reshape(shape);
      const targets = nn.oneHot(numpy.array(Int32Array.from(inputs.targets)), shape[1]);
      const call = operation.startsWith('crossEntropy')
        ? () => functions[operation](x.ref, targets.ref)
        : () => functions[operation](x.ref);
      // It computes only when the numbers are read.
      const read = (given) => (Array.isArray(given) ? Promise.all(given.map((it) => it.data())) : given.data());
      const result = async () => {
        const given = await read(call());
        return Array.isArray(given) ? lossResult(given[0][0], given[1]) : given;
      };
      return { run: () => read(call()), result, dispose: () => x.dispose() };
    },
  };
});
