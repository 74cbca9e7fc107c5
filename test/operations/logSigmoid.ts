import file from '../fixtures/logSigmoid.json' with { type: 'json' };
import { elementUnits } from '../support/bounds.js';
import { element } from '../support/contracts.js';
import type { Elementwise } from '../support/elementwise.js';
import { decodePoints } from '../support/fixtures.js';
import { INPUT } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

export const logSigmoid: Elementwise = {
  kind: 'elementwise',
  name: 'logSigmoid',
  arguments: ['x'],
  options: ['shape', 'out'],
  variants: [{ operands: { x: INPUT } }],
  out: 'elements',
  contracts: { logSigmoid: element },
  exact: oracle.logSigmoid,
  range: [-Infinity, 0],
  units: elementUnits,
  fixtures: decodePoints(file),
  special: { NaN: 'NaN', '+∞': '0', '−∞': '−∞', 0: '−log 2' },
};
