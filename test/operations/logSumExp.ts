import file from '../fixtures/logSumExp.json' with { type: 'json' };
import type { AlongAxis } from '../support/alongAxis.js';
import { logBounds } from '../support/bounds.js';
import { reduced } from '../support/contracts.js';
import { decodeCases } from '../support/fixtures.js';
import { CLASS_WEIGHTS, FLOATS, INPUT, MASK, ROW_MASK } from '../support/operation.js';
import * as oracle from '../support/oracle.js';
import { asIf, one } from '../support/special.js';

export const logSumExp: AlongAxis = {
  kind: 'along an axis',
  name: 'logSumExp',
  arguments: ['x'],
  options: ['shape', 'axis', 'keepDims', 'temperature', 'weights', 'mask', 'out'],
  variants: [
    { operands: { x: INPUT, weights: { ...CLASS_WEIGHTS, size: 'broadcast' }, mask: MASK }, plain: { keepDims: true } },
    { operands: { x: INPUT }, plain: { temperature: 2 } },
    { operands: { x: INPUT, weights: FLOATS } },
    { operands: { x: INPUT, mask: ROW_MASK } },
  ],
  out: 'rows',
  contracts: {
    logSumExp: reduced,
    // The descriptor of no weights at all, at c.
    weightedLogSumExp: {
      ...reduced,
      operands: ({ a, b, c, scratch }, outer, n, inner) => {
        return { x: a, y: b, outer, n, inner, temperature: 1, scratch, mask: 0, weights: c };
      },
      unchecked: ['c'],
    },
  },
  exact: (row) => oracle.logSumExp(row.precision, row.x, row.temperature, row.weights, row.kept),
  bounds: logBounds,
  meaning: 'scale is the larger of |result| and log s, where s = Σ e^((x − max) / T).',
  fixtures: decodeCases(file, ['y']),
  special: {
    'holds NaN': one(NaN),
    'holds +∞': one(Infinity, '+∞'),
    'holds nothing but −∞': one(-Infinity, '−∞'),
    'holds −∞ beside finite values': asIf('as if it were absent'),
    'has no elements': '−∞',
    'holds values up to the largest float': 'finite where the exact result is',
    'has elements that its mask does not keep': 'as if they were absent',
    'keeps nothing': '−∞',
    single: () => [2.5],
  },
};
