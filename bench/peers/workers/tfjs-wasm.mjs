import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { inputsOf, K, lossResult } from '../cases.mjs';
import { serve } from './serve.mjs';

const load = createRequire(import.meta.url);

serve(async () => {
  const tf = load('@tensorflow/tfjs');
  const { setWasmPaths } = load('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(load.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error('its wasm backend does not start');

  const { softmaxCrossEntropy, sigmoidCrossEntropy } = tf.losses;
  const forward = {
    softmax: (x) => tf.softmax(x, 1),
    logSoftmax: (x) => tf.logSoftmax(x, 1),
    logSumExp: (x) => tf.logSumExp(x, 1),
    argmax: (x) => tf.argMax(x, 1),
    sigmoid: tf.sigmoid,
    logSigmoid: tf.logSigmoid,
    topK: (x) => tf.topk(x, K),
    crossEntropy: (x, targets) => softmaxCrossEntropy(targets, x),
    bceWithLogits: (x, targets) => sigmoidCrossEntropy(targets, x),
  };
  const withGradient = {
    crossEntropyWithGrad: forward.crossEntropy,
    bceWithLogitsWithGrad: forward.bceWithLogits,
  };

  const numbersOf = (given) =>
    'indices' in given ? [...given.values.dataSync(), ...given.indices.dataSync()] : given.dataSync();

  return {
    version: tf.version.tfjs,
    prepare({ operation, shape }) {
      if (!(operation in forward || operation in withGradient)) return undefined;
      const inputs = inputsOf({ operation, shape });
      const x = tf.tensor2d(inputs.x, shape);
      // The loss takes one-hot rows; making them is not timed.
      const targets = operation.startsWith('crossEntropy')
        ? tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(inputs.targets, 'int32'), shape[1]), 'float32'))
        : inputs.targets.length > 0 && tf.tensor2d(inputs.targets, shape);
      const dispose = () => tf.dispose([x, targets]);

      if (operation in forward) {
        const call = () => forward[operation](x, targets);
        return { run: () => tf.dispose(tf.tidy(call)), result: () => tf.tidy(() => numbersOf(call())), dispose };
      }
      const valueAndGrad = tf.valueAndGrad((logits) => withGradient[operation](logits, targets));
      const call = () => valueAndGrad(x);
      const result = () =>
        tf.tidy(() => {
          const { value, grad } = call();
          return lossResult(value.dataSync()[0], grad.dataSync());
        });
      return { run: () => tf.dispose(tf.tidy(call)), result, dispose };
    },
  };
});
