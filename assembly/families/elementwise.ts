// Elementwise functions and losses.
export { bceWithLogits } from "../kernels/bceWithLogits";
export { klDiv, logKlDiv } from "../kernels/klDiv";
export { logSigmoid } from "../kernels/logSigmoid";
export { sigmoid } from "../kernels/sigmoid";
