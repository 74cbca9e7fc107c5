// A moment of the search that npm run test:hunt makes, elsewhere every time.
import { describe, test } from 'vitest';
import { lines } from './hunt/lines.js';
import { chooseSeed, failWhereMissed, search, titleOf } from './hunt/search.js';

const seed = chooseSeed();
const SECONDS = 0.025;

console.log(`hunt: SEED=${seed}`);

describe('no bound is missed', () => {
  test.each(lines.map((line) => [titleOf(line), line] as const))('%s', (_, line) => {
    failWhereMissed(line, seed, search(line, seed, SECONDS));
  });
});
