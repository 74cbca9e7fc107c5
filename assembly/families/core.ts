// Loaded before any other family: the constants of all, and what TypeScript calls itself.
export { transpose_f32 } from "../kernels/transpose";
export { instructionProbe, multiplyAddProbe } from "../simd/arch";
