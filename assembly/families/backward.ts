// The gradients of softmax and log-softmax.
export { logSoftmaxBackward } from "../kernels/logSoftmaxBackward";
export { softmaxBackward } from "../kernels/softmaxBackward";
