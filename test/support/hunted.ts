/** How close a search has brought each backend to its bounds: npm run test:hunt finds it, docs/numerics.md shows it. */

import { readFileSync } from 'node:fs';
import type { BackendName } from '../../src/index.js';
import type { Bound, LossPart } from './bounds.js';
import type { Dtype } from './cases.js';
import type { Operation } from './operation.js';

/** A line of a table of bounds, for one backend. */
export interface Hunted {
  readonly what: string;
  readonly dtype: Dtype;
  readonly backend: BackendName;
}

/** The worst ratio of error and bound by line, dtype and backend. */
export type Ratios = Record<string, Record<string, number>>;

export const FILE = new URL('hunted.json', import.meta.url);

export function readRatios(): Ratios {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Ratios;
}

/** The name of a line in the table of an operation along an axis; elementwise operations use their own names. */
export function nameOf({ name }: Operation, { where }: Bound): string {
  return `${name}, ${where.replaceAll('\\', '')}`;
}

export function nameOfPart({ name }: Operation, part: LossPart): string {
  return `${name}, ${part === 'loss' ? 'loss' : 'gradient'}`;
}

export const SUM = 'softmax, sum − 1';
export const LOG_PROBS = 'logProbs, any row';
export const DRAWN_LOG_PROBS = 'sample, logProbs of the draws';
export const NLL = 'calibrationError, nll';

export function columnOf({ dtype, backend }: Omit<Hunted, 'what'>): string {
  return `${dtype} ${backend}`;
}
