// logSumExpState: tens of thousands of random merge trees, and how close their errors come to the bound. Takes a minute
// or two: npm run test:exhaustive -- merging.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sets } from '../support/backends.js';
import { DTYPES, randomOf } from '../support/cases.js';
import { cut, gather, limitOf, rowOf, splits } from '../support/merging.js';
import * as oracle from '../support/oracle.js';

const RUNS = 10_000;

describe.each(sets.filter(({ name }) => name !== 'debug'))('$name', ({ kernels, backend }) => {
  test.each(DTYPES)('%s', (dtype) => {
    const worst = { share: 0, units: 0, merges: 0 };
    const property = fc.property(splits(dtype), (split) => {
      const x = rowOf(split);
      const random = randomOf(split.seed);
      const { state, merges } = gather(random, cut(x.length, random), kernels.logSumExpState, (each, from, to) => {
        each.add(x.slice(from, to));
      });
      const { hi, lo, scale } = oracle.logSumExp('double-double', x);
      const [high, low] = [hi[0] as number, lo[0] as number];
      const limit = limitOf(dtype, backend, merges, high, Number.isFinite(high) ? (scale[0] as number) : 0);
      const share = oracle.errorInUnits(state.value, high, low, limit);
      worst.share = Math.max(worst.share, share);
      worst.units = Math.max(worst.units, (share * limit) / (2 ** -52 * Math.max(1, Math.abs(high))) || 0);
      worst.merges = Math.max(worst.merges, merges);
      return share <= 1;
    });
    fc.assert(property, { seed: 7, numRuns: RUNS });
    const found = `${worst.share.toFixed(3)} of the contract, ${worst.units.toPrecision(3)} · 2^-52 · max(1, |value|)`;
    console.log(`${backend}, ${dtype}: at most ${found}; trees of up to ${worst.merges} merges`);
    expect(worst.merges).toBeGreaterThan(100);
  });
});
