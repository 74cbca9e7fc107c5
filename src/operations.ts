import { accuracyOn } from './ops/accuracy.js';
import { argmaxOn } from './ops/argmax.js';
import { bceWithLogitsOn, bceWithLogitsWithGradOn } from './ops/bceWithLogits.js';
import { crossEntropyOn, crossEntropyWithGradOn } from './ops/crossEntropy.js';
import { distillationOn, distillationWithGradOn } from './ops/distillation.js';
import { inspectLogitsOn } from './ops/inspectLogits.js';
import { klDivOn, klDivWithGradOn } from './ops/klDiv.js';
import { logProbsOn } from './ops/logProbs.js';
import { logSigmoidOn } from './ops/logSigmoid.js';
import { logSoftmaxOn } from './ops/logSoftmax.js';
import { logSoftmaxBackwardOn } from './ops/logSoftmaxBackward.js';
import { logSumExpOn } from './ops/logSumExp.js';
import { nllLossOn, nllLossWithGradOn } from './ops/nllLoss.js';
import { sigmoidOn } from './ops/sigmoid.js';
import { softmaxOn } from './ops/softmax.js';
import { softmaxBackwardOn } from './ops/softmaxBackward.js';
import { topKOn } from './ops/topK.js';

/** Every operation by its public name, taking the runtime first: what a set of kernels is made of. */
export const operations = {
  accuracy: accuracyOn,
  argmax: argmaxOn,
  bceWithLogits: bceWithLogitsOn,
  bceWithLogitsWithGrad: bceWithLogitsWithGradOn,
  crossEntropy: crossEntropyOn,
  crossEntropyWithGrad: crossEntropyWithGradOn,
  distillation: distillationOn,
  distillationWithGrad: distillationWithGradOn,
  inspectLogits: inspectLogitsOn,
  klDiv: klDivOn,
  klDivWithGrad: klDivWithGradOn,
  logProbs: logProbsOn,
  logSigmoid: logSigmoidOn,
  logSoftmax: logSoftmaxOn,
  logSoftmaxBackward: logSoftmaxBackwardOn,
  logSumExp: logSumExpOn,
  nllLoss: nllLossOn,
  nllLossWithGrad: nllLossWithGradOn,
  sigmoid: sigmoidOn,
  softmax: softmaxOn,
  softmaxBackward: softmaxBackwardOn,
  topK: topKOn,
};
