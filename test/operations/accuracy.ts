import { CLASS_INDICES, FLOATS, MASK } from '../support/operation.js';
import type { Ranking } from '../support/ranking.js';

export const accuracy: Ranking = {
  kind: 'ranking',
  name: 'accuracy',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'mask', 'ignoreIndex', 'k'],
  variants: [
    { operands: { logits: FLOATS, targets: CLASS_INDICES }, plain: { ignoreIndex: -100, k: 1 } },
    { operands: { logits: FLOATS, targets: CLASS_INDICES, mask: MASK }, plain: { k: 1 } },
  ],
  needsElements: true,
  contracts: {
    accuracy: {
      operands: ({ a, b, c, scratch }, outer, n, inner) => ({
        x: a,
        targets: b,
        outer,
        n,
        inner,
        k: 1,
        hits: c,
        scratch,
      }),
      apart: ['ac', 'bc'],
      same: [],
    },
  },
};
