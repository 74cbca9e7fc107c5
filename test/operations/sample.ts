import { FLOATS, MASK, type Operation } from '../support/operation.js';

/** Its draws are compared with exact probabilities: see test/sample.test.ts and test/distribution.test.ts. */
export const sample: Operation & { readonly kind: 'draws' } = {
  kind: 'draws',
  name: 'sample',
  arguments: ['logits'],
  options: [
    ...['shape', 'axis', 'temperature', 'topK', 'topP', 'minP', 'temperatureLast'],
    ...['mask', 'seed', 'step', 'firstRow', 'random', 'logProbs', 'out'],
  ],
  variants: [
    {
      operands: { logits: FLOATS },
      plain: { temperature: 2, topK: 2, topP: 0.9, minP: 0.01, temperatureLast: true, seed: 1, step: 2, firstRow: 3 },
    },
    { operands: { logits: FLOATS, mask: { ...MASK, values: 'ones' } }, plain: { seed: 1n } },
    // A function and a second result: test/sample.test.ts has them.
    { operands: { logits: FLOATS }, plain: { temperature: 0, random: undefined, logProbs: undefined } },
  ],
  out: 'row indices',
  needsElements: true,
  contracts: {
    sample: {
      operands: ({ a, b, c, d, e, buffer, sum, scratch }, outer, n, inner) => {
        const draw = { temperature: 1, truncationTemperature: 1, topK: 0, topP: 0.9, reach: Infinity };
        const room = { row: c, weights: d, candidates: buffer, indices: e };
        return { x: a, y: b, u: sum, outer, n, inner, ...draw, mask: 0, bits: 0, words: 0, ...room, scratch };
      },
      apart: ['ab'],
      same: [],
    },
  },
};
