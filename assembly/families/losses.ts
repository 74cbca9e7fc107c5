// Losses over classes, with their gradients.
export { crossEntropy, softCrossEntropy } from "../kernels/crossEntropy";
export { distillation } from "../kernels/distillation";
export { logProbs } from "../kernels/logProbs";
export { nllLoss } from "../kernels/nllLoss";
