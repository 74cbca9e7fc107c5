import { logProbsKernel } from '../generated/kernels.js';
import { logProbs as reference } from '../reference/logProbs.js';
import { defineKernel } from '../wasm/kernel.js';

/** The kernel of logProbs, which sample runs on its draws too. */
export const LOG_PROBS_KERNEL = /* @__PURE__ */ defineKernel(logProbsKernel, reference);
