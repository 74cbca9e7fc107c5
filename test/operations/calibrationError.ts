import { CLASS_INDICES, FLOATS, type Operation, PROBABILITIES } from '../support/operation.js';

/** An evaluation of all rows: see test/calibration.test.ts. */
export const calibrationError: Operation & { readonly kind: 'report' } = {
  kind: 'report',
  name: 'calibrationError',
  arguments: ['x', 'targets'],
  options: ['shape', 'axis', 'from', 'temperature', 'bins', 'scheme', 'classwise', 'ignoreIndex'],
  variants: [
    {
      operands: { x: FLOATS, targets: CLASS_INDICES },
      plain: { from: 'logits', temperature: 2, bins: 7, scheme: 'width', classwise: true, ignoreIndex: -100 },
    },
    { operands: { x: PROBABILITIES, targets: CLASS_INDICES }, plain: { from: 'probabilities', scheme: 'mass' } },
  ],
  needsElements: true,
};
