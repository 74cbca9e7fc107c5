import { INPUT, MASK, ROW_MASK } from '../support/operation.js';
import type { Ranking } from '../support/ranking.js';

export const topK: Ranking = {
  kind: 'ranking',
  name: 'topK',
  arguments: ['x', 'k'],
  options: ['shape', 'axis', 'mask', 'out'],
  variants: [
    { operands: { x: INPUT }, plain: (n) => ({ k: Math.min(2, n) }) },
    { operands: { x: INPUT }, plain: (n) => ({ k: n }) },
    { operands: { x: INPUT, mask: MASK }, plain: (n) => ({ k: Math.min(2, n) }) },
    { operands: { x: INPUT, mask: ROW_MASK }, plain: (n) => ({ k: n }) },
  ],
  out: 'ranking',
  needsElements: true,
  contracts: {
    topK: {
      operands: ({ a, b, c, buffer, scratch }, outer, n, inner) => {
        return { x: a, values: b, indices: c, outer, n, inner, k: n, buffer, capacity: n, scratch };
      },
      apart: ['ab', 'ac', 'bc'],
      same: ['ab'],
    },
  },
};
