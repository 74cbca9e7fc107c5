import { FLOATS } from '../support/operation.js';
import type { Ranking } from '../support/ranking.js';

export const argmax: Ranking = {
  kind: 'ranking',
  name: 'argmax',
  arguments: ['x'],
  options: ['shape', 'axis', 'out'],
  variants: [{ operands: { x: FLOATS } }],
  out: 'row indices',
  needsElements: true,
  contracts: {
    argmax: {
      operands: ({ a, b, scratch }, outer, n, inner) => ({ x: a, y: b, outer, n, inner, scratch }),
      apart: ['ab'],
      same: [],
    },
  },
};
