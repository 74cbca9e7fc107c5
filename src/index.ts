export { init } from './setup.js';

// First, so that the modules are at the start of a bundle: see runtime.ts.

export type { BatchReduction, Reduction } from './call/loss.js';
export { createKernels, type Kernels } from './create-kernels.js';
export { OutOfMemoryError } from './errors.js';
export * from './functions.js';
export { Tensor } from './memory/tensor.js';
export type { AccuracyOptions } from './ops/accuracy.js';
export type { ArgmaxOptions } from './ops/argmax.js';
export type { BceWithLogitsOptions, BceWithLogitsWithGradOptions } from './ops/bceWithLogits.js';
export type { CrossEntropyOptions, CrossEntropyWithGradOptions } from './ops/crossEntropy.js';
export type { DistillationOptions, DistillationWithGradOptions } from './ops/distillation.js';
export type { InspectLogitsOptions, LogitsReport } from './ops/inspectLogits.js';
export type { KlDivOptions, KlDivWithGradOptions } from './ops/klDiv.js';
export type { LogProbsOptions } from './ops/logProbs.js';
export type { LogSumExpOptions } from './ops/logSumExp.js';
export type { NllLossOptions, NllLossWithGradOptions } from './ops/nllLoss.js';
export type { SigmoidOptions } from './ops/sigmoid.js';
export type { SoftmaxOptions } from './ops/softmax.js';
export type { SoftmaxBackwardOptions } from './ops/softmaxBackward.js';
export type { NestedNumbers, TensorOptions } from './ops/tensor.js';
export type { TopKOptions } from './ops/topK.js';
export type { MemoryUsage, Settings } from './runtime.js';
export type {
  ArrayOf,
  ClassIndices,
  Dtype,
  ElementGradResult,
  ElementLossResult,
  FloatArray,
  GradResult,
  IndexResult,
  Input,
  Labels,
  LossResult,
  MapResult,
  Mask,
  ReduceResult,
  TensorLike,
  TensorResult,
  TopKOut,
  TopKResult,
} from './types.js';
export type { BackendInfo, BackendName } from './wasm/backend.js';
