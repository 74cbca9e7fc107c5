import { INPUT, type Operation } from '../support/operation.js';

/** In plain TypeScript, on single elements: see test/penalize.test.ts. */
export const penalize: Operation & { readonly kind: 'sparse' } = {
  kind: 'sparse',
  name: 'penalize',
  arguments: ['logits', 'tokens'],
  options: ['shape', 'repetition', 'frequency', 'presence', 'bias', 'out'],
  variants: [
    { operands: { logits: INPUT }, plain: { tokens: [], repetition: 1.5, frequency: 1, presence: 1, bias: undefined } },
  ],
  out: 'elements',
};
