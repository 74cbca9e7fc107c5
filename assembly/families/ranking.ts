// Kernels that rank elements.
export { accuracy } from "../kernels/accuracy";
export { argmax } from "../kernels/argmax";
export { topK } from "../kernels/topK";
