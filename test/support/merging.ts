/** Rows in chunks, which logSumExpState adds in any order and merges in any tree. */

import fc from 'fast-check';
import type { BackendName, LogSumExpState } from '../../src/index.js';
import { ALL_KINDS, type Dtype, type Floats, type Kind, numbers } from './cases.js';
import * as oracle from './oracle.js';

/** A row, where it is split, and how its chunks are merged. */
export interface Split {
  readonly dtype: Dtype;
  readonly kind: Kind;
  readonly n: number;
  readonly seed: number;
  /** Whether the row is shifted so that the result is about 0, where errors count most. */
  readonly isCentred: boolean;
  /** Whether the row rises, so that every chunk has a new maximum. */
  readonly isSorted: boolean;
}

export const splits = (dtype: Dtype): fc.Arbitrary<Split> =>
  fc.record({
    dtype: fc.constant(dtype),
    kind: fc.constantFrom(...ALL_KINDS),
    n: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 1500 })),
    seed: fc.integer({ min: 1, max: 1e6 }),
    isCentred: fc.boolean(),
    isSorted: fc.boolean(),
  });

export function rowOf({ dtype, kind, n, seed, isCentred, isSorted }: Split): Floats {
  const x = numbers(dtype, n, kind, seed);
  if (isSorted) x.sort();
  const { hi } = oracle.logSumExp('float64', x);
  return isCentred && Number.isFinite(hi[0]) ? x.map((value) => value - (hi[0] as number)) : x;
}

/** Splits [0, n) at random into few or many chunks, some of them empty. */
export function cut(n: number, random: () => number): [start: number, end: number][] {
  const pieces: [number, number][] = [];
  const longest = n ** random();
  for (let start = 0; start < n; ) {
    const end = Math.min(n, start + Math.floor(random() * (longest + 1)));
    pieces.push([start, end]);
    start = Math.max(end, start + Number(random() < 0.1));
    if (start > end) pieces.push([end, start]);
  }
  return pieces;
}

/**
 * Adds every chunk to a state, some to the same one, and merges the states in a random tree. Returns the last state
 * and the number of merges.
 */
export function gather(
  random: () => number,
  pieces: readonly [number, number][],
  create: () => LogSumExpState<number>,
  add: (state: LogSumExpState<number>, start: number, end: number) => void,
): { state: LogSumExpState<number>; merges: number } {
  const states = [create()];
  for (const [start, end] of pieces) {
    if (random() < 0.7) states.push(create());
    add(states.at(-1) as LogSumExpState<number>, start, end);
  }
  const merges = states.length - 1;
  while (states.length > 1) {
    const [other] = states.splice(Math.floor(random() * states.length), 1) as [LogSumExpState<number>];
    (states[Math.floor(random() * states.length)] as LogSumExpState<number>).merge(other);
  }
  return { state: states[0] as LogSumExpState<number>, merges };
}

/** The largest error that docs/merging.md allows. */
export function limitOf(dtype: Dtype, backend: BackendName, merges: number, value: number, scale: number): number {
  const merged = (8 + merges) * 2 ** -52 * Math.max(1, Math.abs(value));
  return merged + (dtype === 'float32' ? (backend === 'reference' ? 1 : 5) * 2 ** -23 * scale : 0);
}
