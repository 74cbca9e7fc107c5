// What every family needs beside its kernels, always loaded first: the constants of all, and what the wrapper calls.
export { transpose_f32 } from "../kernels/transpose";
export { instructionProbe, multiplyAddProbe } from "../simd/arch";
