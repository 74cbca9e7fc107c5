// The numbers that kernels and TypeScript share. The debug module exports them, and the build writes them into
// src/generated/layout.ts.
export { BLOCK_MULTIPLE, LOSS_SUM_BYTES, LOSS_SUM_LOST } from "./loss";
export { AXIS_COUNT, AXIS_LIST, BASE, CAUSAL_FIRST, CAUSAL_ROWS, FIRST_ROW, STRIDE } from "./mask";
export { HOLDS_INFINITY, HOLDS_NAN, NOTHING_KEPT } from "./sampling";
export { HEADER_BYTES, LINE_BYTES, ROW_LINES, ROW_SUM_BYTES } from "./scratch";
