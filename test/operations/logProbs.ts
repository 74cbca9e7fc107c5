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
      operands: ({ a, b, c, sum, scratch }, o, n, i) => [a, b, c, 0, o, n, i, 1, 0, 0, 0, 0, sum, scratch],
      apart: ['ac', 'bc'],
      same: [],
    },
  },
};
