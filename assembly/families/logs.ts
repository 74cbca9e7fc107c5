// Log-softmax and log-sum-exp: they share the logarithm of a sum.
export { logSoftmax } from "../kernels/logSoftmax";
export { logSumExp, weightedLogSumExp } from "../kernels/logSumExp";
