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
      operands: ({ a, b, scratch }, o, n, i) => [a, b, o, n, i, scratch],
      apart: ['ab'],
      same: [],
    },
  },
};
