import file from '../fixtures/entropy.json' with { type: 'json' };
import type { AlongAxis } from '../support/alongAxis.js';
import { boundsOf, everywhere } from '../support/bounds.js';
import { reduced } from '../support/contracts.js';
import { decodeCases } from '../support/fixtures.js';
import { INPUT, MASK, ROW_MASK } from '../support/operation.js';
import * as oracle from '../support/oracle.js';
import { asIf, one } from '../support/special.js';

const units = (text: string, unit: number) => [
  { ...everywhere, text: `${text} · H`, limit: (f: { scale: number }) => unit * f.scale },
];

export const entropy: AlongAxis = {
  kind: 'along an axis',
  name: 'entropy',
  arguments: ['x'],
  options: ['shape', 'axis', 'keepDims', 'temperature', 'mask', 'out'],
  variants: [
    { operands: { x: INPUT, mask: MASK }, plain: { keepDims: true } },
    { operands: { x: INPUT }, plain: { temperature: 2 } },
    { operands: { x: INPUT, mask: ROW_MASK } },
  ],
  out: 'rows',
  contracts: { entropy: reduced },
  exact: (row) => oracle.entropy(row.precision, row.x, row.temperature, row.kept),
  bounds: boundsOf(
    { simd: units('4 · 2^-23', 4 * 2 ** -23), reference: units('2^-23', 2 ** -23) },
    { simd: units('5 · 2^-52', 5 * 2 ** -52), reference: units('5 · 2^-52', 5 * 2 ** -52) },
  ),
  meaning: 'H is the entropy itself: a confident row keeps its digits.',
  fixtures: decodeCases(file, ['y']),
  special: {
    'holds NaN': one(NaN),
    'holds +∞': one(NaN),
    'holds nothing but −∞': one(NaN),
    'holds −∞ beside finite values': asIf('as if it were absent'),
    'has no elements': '0',
    'holds values up to the largest float': 'finite',
    'has elements that its mask does not keep': 'as if they were absent',
    'keeps nothing': '0',
    single: () => [0],
  },
};
