// Draws follow the expected distribution: a chi-square test against exact probabilities. Seeds are fixed, so that a
// test that passes once always passes. test/exhaustive/draws.test.ts does the same with more draws.
import { describe, expect, test } from 'vitest';
import { sets, wasmSets } from './support/backends.js';
import { COMBINATIONS, chiSquareP, countDraws, distributionOf, LOGITS, upperGamma } from './support/draws.js';

const LEAST_P = 1e-4;
const DRAWS = 100_000;
/** Draws are from the float32 values of the logits. */
const { fround } = Math;
const ROW = LOGITS.map(fround);

describe.each(wasmSets.filter(({ name }) => name !== 'debug').slice(0, 1))('$name', ({ kernels }) => {
  test.each(COMBINATIONS)('%o', (options) => {
    const { probabilities } = distributionOf(ROW, options);
    expect(
      chiSquareP(countDraws(kernels, ROW, DRAWS, { ...options, seed: COMBINATIONS.indexOf(options) }), probabilities),
    ).toBeGreaterThan(LEAST_P);
  });

  test('a million draws', () => {
    const counts = countDraws(kernels, ROW, 1_000_000, { seed: 21 });
    expect(chiSquareP(counts, distributionOf(ROW, {}).probabilities)).toBeGreaterThan(LEAST_P);
  });

  test('a sampler that is biased fails', () => {
    // One class with a probability 2 % too high, and a truncation that keeps too many classes.
    const { probabilities } = distributionOf(ROW, { topP: 0.85 });
    const biased = countDraws(kernels, ROW.with(1, ROW[1]! + 0.02), 1_000_000, { topP: 0.85, seed: 22 });
    expect(chiSquareP(biased, probabilities)).toBeLessThan(LEAST_P);
    expect(chiSquareP(countDraws(kernels, ROW, DRAWS, { topP: 0.95, seed: 22 }), probabilities)).toBeLessThan(LEAST_P);
  });

  test('steps and rows of one seed do not depend on each other', () => {
    const steps = 300;
    const counts = new Array<number>(16).fill(0);
    for (let step = 0; step < steps; step++) {
      const drawn = kernels.sample(new Float32Array(4 * 400), { shape: [400, 4], seed: 5, step });
      const next = kernels.sample(new Float32Array(4 * 400), { shape: [400, 4], seed: 5, step: step + 1 });
      for (let row = 0; row < 399; row++) counts[4 * drawn[row]! + (row % 2 === 0 ? next[row]! : drawn[row + 1]!)]!++;
    }
    expect(chiSquareP(counts, new Float64Array(16).fill(1 / 16))).toBeGreaterThan(LEAST_P);
  });
});

test('the reference draws the same', () => {
  const { kernels } = sets.find(({ name }) => name === 'reference')!;
  const options = { topK: 8, topP: 0.9, minP: 0.05, temperature: 1.3, seed: 3 };
  const counts = countDraws(kernels, ROW, 50_000, options);
  expect(chiSquareP(counts, distributionOf(ROW, options).probabilities)).toBeGreaterThan(LEAST_P);
});

test('p-values of the chi-square test are those of the tables', () => {
  // Critical values: 3.841 and 16.919 leave 5 %, 6.635 and 23.209 leave 1 %.
  for (const [freedom, statistic, p] of [
    [1, 3.841, 0.05],
    [9, 16.919, 0.05],
    [1, 6.635, 0.01],
    [10, 23.209, 0.01],
    [2, 9.21, 0.01],
  ] as const) {
    expect(upperGamma(freedom / 2, statistic / 2)).toBeCloseTo(p, 4);
  }
});
