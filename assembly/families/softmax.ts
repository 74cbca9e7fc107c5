// softmax and its gradient.
export { softmax } from "../kernels/softmax";
export { softmaxBackward } from "../kernels/softmaxBackward";
