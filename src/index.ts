export { init } from './setup.js';

// First, so that the modules are at the start of a bundle: see runtime.ts.

export type { EvaluationState, StateFactory, StateJson } from './call/state.js';
export { createKernels, type Kernels } from './create-kernels.js';
export { OutOfMemoryError } from './errors.js';
export * from './functions.js';
export { Tensor } from './memory/tensor.js';
export { createRandom } from './random.js';
export { type ReliabilityDiagramOptions, reliabilityDiagram } from './reliability-diagram.js';
export type {
  ArrayOf,
  BackendInfo,
  BackendName,
  BatchReduction,
  ClassBits,
  ClassIndices,
  ClassLossOptions,
  Dtype,
  ElementGradResult,
  ElementLossResult,
  ElementsOut,
  FloatArray,
  GradOptions,
  GradResult,
  HalfBits,
  IndexResult,
  Input,
  Labels,
  LossResult,
  MapResult,
  Mask,
  MemoryUsage,
  NoOptions,
  OptionsArgument,
  PlaceOptions,
  ReduceResult,
  Reduction,
  RowsOut,
  Settings,
  TensorLike,
  TensorResult,
  TopKOut,
  TopKResult,
  ValuesReport,
} from './types.js';
