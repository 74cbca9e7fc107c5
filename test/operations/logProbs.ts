import { CLASS_INDICES, INPUT, MASK, type Operation } from '../support/operation.js';

/** The results of logSoftmax at the targets, within its bounds: see test/logProbs.test.ts. */
export const logProbs: Operation & { readonly kind: 'at targets' } = {
  kind: 'at targets',
  name: 'logProbs',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'temperature', 'mask', 'ignoreIndex', 'out'],
  variants: [
    { operands: { logits: INPUT, targets: CLASS_INDICES }, plain: { temperature: 2, ignoreIndex: -100 } },
    { operands: { logits: INPUT, targets: CLASS_INDICES, mask: MASK } },
  ],
  out: 'rows',
  needsElements: true,
  contracts: {
    logProbs: {
      operands: ({ a, b, c, scratch }, outer, n, inner) => {
        return { x: a, targets: b, losses: c, outer, n, inner, temperature: 1, scratch };
      },
      apart: ['ac', 'bc'],
      same: [],
    },
  },
};
