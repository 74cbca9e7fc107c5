import file from '../fixtures/logSoftmaxBackward.json' with { type: 'json' };
import type { Backward } from '../support/backward.js';
import { unitsOf } from '../support/bounds.js';
import { paired } from '../support/contracts.js';
import { decodeCases } from '../support/fixtures.js';
import { INPUT } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

export const logSoftmaxBackward: Backward = {
  kind: 'backward',
  name: 'logSoftmaxBackward',
  forward: 'logSoftmax',
  arguments: ['logP', 'dy'],
  options: ['shape', 'axis', 'temperature', 'out'],
  variants: [{ operands: { logP: INPUT, dy: INPUT }, plain: { temperature: 2 } }],
  out: 'elements',
  contracts: { logSoftmaxBackward: paired },
  exact: oracle.logSoftmaxBackward,
  // In float64 1 / T is rounded as coarsely as a result, and so is what is multiplied by it.
  units: unitsOf(4, 6, 4),
  fixtures: decodeCases(file, ['dx']),
};
