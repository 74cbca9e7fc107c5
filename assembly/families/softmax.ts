// softmax by itself: what most programs load.
export { softmax } from "../kernels/softmax";
