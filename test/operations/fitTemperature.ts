import { CLASS_INDICES, FLOATS, type Operation } from '../support/operation.js';

/** An evaluation of all rows: see test/fitTemperature.test.ts. */
export const fitTemperature: Operation & { readonly kind: 'report' } = {
  kind: 'report',
  name: 'fitTemperature',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'ignoreIndex'],
  variants: [{ operands: { logits: FLOATS, targets: CLASS_INDICES }, plain: { ignoreIndex: -100 } }],
  needsElements: true,
  contracts: {
    fitTemperature: {
      operands: ({ a, b, c, d }, outer, n, inner) => ({ x: a, p: b, targets: c, outer, n, inner, sums: d }),
      apart: ['ad', 'bd', 'cd'],
      same: [],
    },
  },
};
