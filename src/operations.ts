import { crossEntropyOn, crossEntropyWithGradOn } from './ops/crossEntropy.js';
import { logSoftmaxOn } from './ops/logSoftmax.js';
import { logSumExpOn } from './ops/logSumExp.js';
import { nllLossOn, nllLossWithGradOn } from './ops/nllLoss.js';
import { softmaxOn } from './ops/softmax.js';

/** Every operation by its public name, taking the runtime first: what a set of kernels is made of. */
export const operations = {
  crossEntropy: crossEntropyOn,
  crossEntropyWithGrad: crossEntropyWithGradOn,
  logSoftmax: logSoftmaxOn,
  logSumExp: logSumExpOn,
  nllLoss: nllLossOn,
  nllLossWithGrad: nllLossWithGradOn,
  softmax: softmaxOn,
};
