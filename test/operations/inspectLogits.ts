import { FLOATS, type Operation } from '../support/operation.js';

/** A report, not a result: see test/inspectLogits.test.ts. */
export const inspectLogits: Operation & { readonly kind: 'report' } = {
  kind: 'report',
  name: 'inspectLogits',
  arguments: ['x'],
  options: ['shape', 'axis'],
  variants: [{ operands: { x: FLOATS } }],
};
