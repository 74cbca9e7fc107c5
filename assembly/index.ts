// What the module exports: one line per operation, and what the wrapper needs to set it up.
export { accuracy_f32, accuracy_f64 } from "./kernels/accuracy";
export { argmax_f32, argmax_f64 } from "./kernels/argmax";
export { bceWithLogits_f32, bceWithLogits_f64 } from "./kernels/bceWithLogits";
export {
  crossEntropy_f32, crossEntropy_f64, softCrossEntropy_f32, softCrossEntropy_f64
} from "./kernels/crossEntropy";
export { distillation_f32, distillation_f64 } from "./kernels/distillation";
export { klDiv_f32, klDiv_f64, logKlDiv_f32, logKlDiv_f64 } from "./kernels/klDiv";
export { logSigmoid_f32, logSigmoid_f64 } from "./kernels/logSigmoid";
export { logProbs_f32, logProbs_f64 } from "./kernels/logProbs";
export { logSoftmax_f32, logSoftmax_f64 } from "./kernels/logSoftmax";
export { logSoftmaxBackward_f32, logSoftmaxBackward_f64 } from "./kernels/logSoftmaxBackward";
export {
  logSumExp_f32, logSumExp_f64, weightedLogSumExp_f32, weightedLogSumExp_f64
} from "./kernels/logSumExp";
export { nllLoss_f32, nllLoss_f64 } from "./kernels/nllLoss";
export { sigmoid_f32, sigmoid_f64 } from "./kernels/sigmoid";
export { softmax_f32, softmax_f64 } from "./kernels/softmax";
export { softmaxBackward_f32, softmaxBackward_f64 } from "./kernels/softmaxBackward";
export { topK_f32, topK_f64 } from "./kernels/topK";
export { transpose_f32 } from "./kernels/transpose";
export { multiplyAddProbe } from "./simd/arch";

/** The end of the read-only constants: memory from here on is the wrapper's. */
export function staticEnd(): usize {
  return __heap_base;
}
