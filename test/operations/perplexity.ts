import { CLASS_INDICES, FLOATS, type Operation } from '../support/operation.js';

/** An evaluation of all rows: see test/perplexity.test.ts. */
export const perplexity: Operation & { readonly kind: 'report' } = {
  kind: 'report',
  name: 'perplexity',
  arguments: ['logits', 'targets'],
  options: ['shape', 'axis', 'temperature', 'ignoreIndex'],
  variants: [{ operands: { logits: FLOATS, targets: CLASS_INDICES }, plain: { temperature: 1, ignoreIndex: -100 } }],
  needsElements: true,
};
