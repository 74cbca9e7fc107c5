import { FLOATS, MASK, ROW_MASK } from '../support/operation.js';
import type { Ranking } from '../support/ranking.js';

export const argmax: Ranking = {
  kind: 'ranking',
  name: 'argmax',
  arguments: ['x'],
  options: ['shape', 'axis', 'keepDims', 'mask', 'out'],
  variants: [
    { operands: { x: FLOATS } },
    { operands: { x: FLOATS, mask: MASK }, plain: { keepDims: true } },
    { operands: { x: FLOATS, mask: ROW_MASK }, plain: { keepDims: false } },
  ],
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
