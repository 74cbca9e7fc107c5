// Millions of draws: their distribution, and that both WebAssembly backends draw the same. Takes minutes:
// npm run test:exhaustive.
import { describe, expect, test } from 'vitest';
import { setOf, wasmSets } from '../support/backends.js';
import { type Dtype, floatsOf, randomOf } from '../support/cases.js';
import { COMBINATIONS, chiSquareP, countDraws, distributionOf, LOGITS } from '../support/draws.js';

const ROW = LOGITS.map(Math.fround);
const LEAST_P = 1e-4;

describe('a million draws follow the exact probabilities', () => {
  test.each(COMBINATIONS)('%o', (options) => {
    const counts = countDraws(setOf('simd128').kernels, ROW, 1_000_000, {
      ...options,
      seed: 100 + COMBINATIONS.indexOf(options),
    });
    const p = chiSquareP(counts, distributionOf(ROW, options).probabilities);
    console.log(`${JSON.stringify(options)}: p = ${p.toFixed(4)}`);
    expect(p).toBeGreaterThan(LEAST_P);
  });
});

const [ROWS, CLASSES] = [100_000, 10];

/** Rows of logits all of which differ. */
function rowsOf(dtype: Dtype, seed: number) {
  const random = randomOf(seed);
  return floatsOf(
    dtype,
    Array.from({ length: ROWS * CLASSES }, () => 8 * random() - 4),
  );
}

describe('ten million draws are the same on both WebAssembly backends', () => {
  const [first, second] = wasmSets.filter(({ name }) => name !== 'debug').map(({ kernels }) => kernels);

  test.runIf(second !== undefined).each(COMBINATIONS)('%o', (options) => {
    let total = 0;
    for (let round = 0; round < 100; round++) {
      const x = rowsOf(round % 2 === 0 ? 'float32' : 'float64', round >> 1);
      const given = { ...options, shape: [ROWS, CLASSES], seed: round };
      const drawn = first!.sample(x, given);
      const other = second!.sample(x, given);
      for (let row = 0; row < ROWS; row++) {
        if (drawn[row] !== other[row]) expect.fail(`round ${round}, row ${row}: ${drawn[row]} and ${other[row]}`);
      }
      total += ROWS;
    }
    expect(total).toBe(10_000_000);
  });
});
