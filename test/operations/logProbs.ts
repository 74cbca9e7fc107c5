import { CLASS_INDICES, FLOATS, type Operation } from '../support/operation.js';

/** Of logSoftmax's results those of the targets, within its bounds: see test/logProbs.test.ts. */
export const logProbs: Operation & { readonly kind: 'at targets' } = {
  kind: 'at targets',
  name: 'logProbs',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'temperature', 'ignoreIndex'],
  variants: [{ operands: { logits: FLOATS, targets: CLASS_INDICES }, plain: { temperature: 2, ignoreIndex: -100 } }],
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
