// The functions that a set of kernels has: one line per operation.
export { argmax } from './ops/argmax.js';
export { bceWithLogits, bceWithLogitsWithGrad } from './ops/bceWithLogits.js';
export { crossEntropy, crossEntropyWithGrad } from './ops/crossEntropy.js';
export { distillation, distillationWithGrad } from './ops/distillation.js';
export { inspectLogits } from './ops/inspectLogits.js';
export { klDiv, klDivWithGrad } from './ops/klDiv.js';
export { logSigmoid } from './ops/logSigmoid.js';
export { logSoftmax } from './ops/logSoftmax.js';
export { logSoftmaxBackward } from './ops/logSoftmaxBackward.js';
export { logSumExp } from './ops/logSumExp.js';
export { nllLoss, nllLossWithGrad } from './ops/nllLoss.js';
export { sigmoid } from './ops/sigmoid.js';
export { softmax } from './ops/softmax.js';
export { softmaxBackward } from './ops/softmaxBackward.js';
export { topK } from './ops/topK.js';
export { backendInfo, memoryUsage } from './setup.js';
export { tensor, zeros } from './tensors.js';
