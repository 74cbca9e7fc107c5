// The functions that a set of kernels has, and the types of their options: one line per operation.
export { type AccuracyOptions, type AccuracyStateOptions, accuracy, accuracyState } from './ops/accuracy.js';
export { type ArgmaxOptions, argmax } from './ops/argmax.js';
export {
  type BceWithLogitsOptions,
  type BceWithLogitsWithGradOptions,
  bceWithLogits,
  bceWithLogitsWithGrad,
} from './ops/bceWithLogits.js';
export {
  type Calibration,
  type CalibrationBin,
  type CalibrationOptions,
  type CalibrationStateOptions,
  calibrationError,
  calibrationState,
} from './ops/calibrationError.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyWithGradOptions,
  crossEntropy,
  crossEntropyWithGrad,
} from './ops/crossEntropy.js';
export {
  type CrossEntropyChunkOptions,
  type CrossEntropyGradientOptions,
  type CrossEntropyState,
  type CrossEntropyStateJson,
  type CrossEntropyStateOptions,
  crossEntropyState,
} from './ops/crossEntropyState.js';
export {
  type DistillationOptions,
  type DistillationWithGradOptions,
  distillation,
  distillationWithGrad,
} from './ops/distillation.js';
export { type EntropyOptions, entropy } from './ops/entropy.js';
export { type FitTemperatureOptions, fitTemperature, type TemperatureFit } from './ops/fitTemperature.js';
export { type InspectLogitsOptions, inspectLogits, type LogitsReport } from './ops/inspectLogits.js';
export { type InspectTargetsOptions, inspectTargets, type TargetsReport } from './ops/inspectTargets.js';
export { type KlDivOptions, type KlDivWithGradOptions, klDiv, klDivWithGrad } from './ops/klDiv.js';
export { type LogProbsOptions, logProbs } from './ops/logProbs.js';
export { logSigmoid } from './ops/logSigmoid.js';
export { logSoftmax } from './ops/logSoftmax.js';
export { logSoftmaxBackward } from './ops/logSoftmaxBackward.js';
export { type LogSumExpOptions, logSumExp } from './ops/logSumExp.js';
export {
  type LogSumExpChunkOptions,
  type LogSumExpState,
  type LogSumExpStateJson,
  type LogSumExpStateOptions,
  logSumExpState,
} from './ops/logSumExpState.js';
export { type NllLossOptions, type NllLossWithGradOptions, nllLoss, nllLossWithGrad } from './ops/nllLoss.js';
export { type PenalizeOptions, penalize, type TokenBias, type Tokens } from './ops/penalize.js';
export {
  type NllStateOptions,
  nllState,
  type PerplexityOptions,
  perplexity,
  perplexityState,
} from './ops/perplexity.js';
export { type SampleOptions, sample } from './ops/sample.js';
export { type SigmoidOptions, sigmoid } from './ops/sigmoid.js';
export { type SoftmaxOptions, softmax } from './ops/softmax.js';
export { type SoftmaxBackwardOptions, softmaxBackward } from './ops/softmaxBackward.js';
export { type NestedNumbers, type TensorOptions, tensor, zeros } from './ops/tensor.js';
export { type TopKOptions, topK } from './ops/topK.js';
export { backendInfo, memoryUsage } from './setup.js';
