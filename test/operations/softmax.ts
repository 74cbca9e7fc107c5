import file from '../fixtures/softmax.json' with { type: 'json' };
import type { AlongAxis } from '../support/alongAxis.js';
import { type Bound, boundsOf, everywhere, otherwise, unitRows } from '../support/bounds.js';
import { mapped } from '../support/contracts.js';
import { decodeCases } from '../support/fixtures.js';
import { INPUT, MASK } from '../support/operation.js';
import * as oracle from '../support/oracle.js';
import { all, whereInfinite } from '../support/special.js';

const simd32: readonly Bound[] = [
  { ...unitRows(8), text: '3.6e-7 · p', limit: (f) => 3.6e-7 * f.magnitude },
  { ...unitRows(32), text: '2^-21 · p', limit: (f) => 2 ** -21 * f.magnitude },
  { ...unitRows(80), text: '2^-20 · p', limit: (f) => 2 ** -20 * f.magnitude },
  {
    ...otherwise,
    text: '(6 + 3 · \\|x − max\\| / T) · 2^-24 · p',
    limit: (f) => (6 + 3 * f.scale) * 2 ** -24 * f.magnitude,
  },
];

const float64: readonly Bound[] = [
  {
    ...everywhere,
    text: '(8 + 1.5 · \\|x − max\\| / T) · 2^-52 · p',
    limit: (f) => (8 + 1.5 * f.scale) * 2 ** -52 * f.magnitude,
  },
];

const reference32: readonly Bound[] = [
  { ...everywhere, text: '1.01 · 2^-24 · p', limit: (f) => 1.01 * 2 ** -24 * f.magnitude },
];

export const softmax: AlongAxis = {
  kind: 'along an axis',
  name: 'softmax',
  arguments: ['x'],
  options: ['shape', 'axis', 'temperature', 'mask', 'causal', 'out'],
  variants: [
    { operands: { x: INPUT, mask: MASK }, plain: { temperature: 2, causal: true } },
    { operands: { x: INPUT }, plain: { temperature: 0.5 } },
  ],
  out: 'elements',
  contracts: { softmax: mapped },
  exact: (row) => {
    const { distance: scale, ...result } = oracle.softmax(row.precision, row.x, row.temperature, row.kept);
    return { ...result, scale };
  },
  isProbability: true,
  bounds: boundsOf({ simd: simd32, reference: reference32 }, { simd: float64, reference: float64 }),
  meaning: 'p is the exact probability.',
  fixtures: decodeCases(file, ['y']),
  special: {
    'holds NaN': all(NaN),
    'holds +∞': all(NaN),
    'holds nothing but −∞': all(NaN),
    'holds −∞ beside finite values': whereInfinite(0, 'exactly 0 there'),
    'has no elements': 'empty',
    'holds values up to the largest float': 'nothing overflows on the way',
    'has elements that its mask does not keep': 'exactly 0 there',
    'keeps nothing': 'all 0',
    single: (x) => Float64Array.from(x, (value) => (value === 2.5 ? 1 : 0)),
  },
};
