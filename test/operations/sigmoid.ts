import file from '../fixtures/sigmoid.json' with { type: 'json' };
import { elementUnits } from '../support/bounds.js';
import { element } from '../support/contracts.js';
import type { Elementwise } from '../support/elementwise.js';
import { decodePoints } from '../support/fixtures.js';
import { INPUT } from '../support/operation.js';
import * as oracle from '../support/oracle.js';

export const sigmoid: Elementwise = {
  kind: 'elementwise',
  name: 'sigmoid',
  arguments: ['x'],
  options: ['shape', 'out'],
  variants: [{ operands: { x: INPUT } }],
  out: 'elements',
  contracts: { sigmoid: element },
  exact: oracle.sigmoid,
  range: [0, 1],
  units: elementUnits,
  fixtures: decodePoints(file),
  special: { NaN: 'NaN', '+∞': '1', '−∞': '0', 0: '½' },
};
