import { FLOATS, type Operation } from '../support/operation.js';

/** A report, not a result: see test/inspectTargets.test.ts. */
export const inspectTargets: Operation & { readonly kind: 'report' } = {
  kind: 'report',
  name: 'inspectTargets',
  arguments: ['targets'],
  options: ['shape', 'axis'],
  variants: [{ operands: { targets: FLOATS } }],
};
