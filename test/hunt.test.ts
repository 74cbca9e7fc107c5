// A short run of the search of npm run test:hunt, with another seed each time.
import { describe, expect, test } from 'vitest';
import { type Found, hunt, type Random } from './hunt/climb.js';
import type { Input } from './hunt/inputs.js';
import { type Line, lines } from './hunt/lines.js';
import { chooseSeed, failWhereMissed, search, titleOf } from './hunt/search.js';
import { randomOf } from './support/cases.js';

const seed = chooseSeed();
const SECONDS = 0.025;

console.log(`hunt: SEED=${seed}`);

describe('no bound is missed', () => {
  test.each(lines.map((line) => [titleOf(line), line] as const))('%s', (_, line) => {
    failWhereMissed(line, seed, search(line, seed, SECONDS));
  });
});

describe('the search', () => {
  /** Ten digits; the more nines among them, the worse: none is drawn, each has to be climbed to. */
  const nines = {
    draw: () => Array<number>(10).fill(1),
    mutate: (digits: number[], _: number, random: Random) => digits.with(random() * 10, Math.floor(random() * 10)),
    judge: (digits: number[]) => ({ ratio: digits.filter((digit) => digit === 9).length / 10 + 0.01, at: 0 }),
    patience: () => 300,
  };

  test('climbs to the worst input', () => {
    expect(hunt(nines, randomOf(seed), 100).ratio).toBe(1.01);
  });

  test('ends at once if a result is not a number', () => {
    const judge = () => ({ ratio: Infinity, at: 0 });
    expect(hunt({ ...nines, judge }, randomOf(seed), 60_000).tries).toBe(1);
  });

  test('reports only results that miss their bound', () => {
    const line = lines[0] as Line;
    const { draw } = line.quarry(SECONDS);
    const found = (ratio: number): Found<Input> => ({ ratio, at: 3, tries: 1, input: draw(randomOf(seed)) });
    failWhereMissed(line, 5, found(1));
    for (const ratio of [1.001, Infinity, Number.NaN]) {
      expect(() => failWhereMissed(line, 5, found(ratio))).toThrow(
        `${titleOf(line)}: ${ratio} of the bound at 3, SEED=5`,
      );
    }
  });
});
