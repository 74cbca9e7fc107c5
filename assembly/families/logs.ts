// Log-softmax and log-sum-exp, which share the logarithm of a sum of exponentials.
export { logSoftmax } from "../kernels/logSoftmax";
export { logSumExp, weightedLogSumExp } from "../kernels/logSumExp";
