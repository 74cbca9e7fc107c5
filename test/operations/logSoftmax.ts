import file from '../fixtures/logSoftmax.json' with { type: 'json' };
import type { AlongAxis } from '../support/alongAxis.js';
import { logBounds } from '../support/bounds.js';
import { mapped } from '../support/contracts.js';
import { decodeCases } from '../support/fixtures.js';
import { INPUT, MASK } from '../support/operation.js';
import * as oracle from '../support/oracle.js';
import { all, whereInfinite } from '../support/special.js';

export const logSoftmax: AlongAxis = {
  kind: 'along an axis',
  name: 'logSoftmax',
  arguments: ['x'],
  options: ['shape', 'axis', 'temperature', 'mask', 'causal', 'out'],
  variants: [
    { operands: { x: INPUT, mask: MASK }, plain: { temperature: 2, causal: true } },
    { operands: { x: INPUT }, plain: { temperature: 0.5 } },
  ],
  out: 'elements',
  contracts: { logSoftmax: mapped },
  exact: (row) => oracle.logSoftmax(row.precision, row.x, row.temperature, row.kept),
  bounds: logBounds,
  meaning: 'scale is the larger of |x − max| / T and log s, where s = Σ e^((x − max) / T).',
  fixtures: decodeCases(file, ['y']),
  special: {
    'holds NaN': all(NaN),
    'holds +∞': all(NaN),
    'holds nothing but −∞': all(NaN),
    'holds −∞ beside finite values': whereInfinite(-Infinity, '−∞ there'),
    'has no elements': 'empty',
    'holds values up to the largest float': 'finite where the exact result is',
    'has elements that its mask does not keep': '−∞ there',
    'keeps nothing': 'all −∞',
    single: (x) => Float64Array.from(x, (value) => (value === 2.5 ? 0 : -Infinity)),
  },
};
