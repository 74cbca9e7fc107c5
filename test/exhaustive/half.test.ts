// Every float32 as float16 and bfloat16, by the kernels of each build. Takes minutes: npm run test:exhaustive.
import { describe, expect, test } from 'vitest';
import { narrow } from '../../src/half.js';
import { buildNames } from '../support/backends.js';
import { isNan, openHalves } from '../support/halves.js';

const BLOCK = 2 ** 16;
/** The blocks are split into several tests, so that progress is visible. */
const PARTS = 16;

describe.each(['float16', 'bfloat16'] as const)('2^32 floats as %s', (half) => {
  const builds = buildNames.map((build) => ({ build, halves: openHalves(build) }));
  const words = new Uint32Array(BLOCK);
  const floats = new Float32Array(words.buffer);
  const expected = new Uint16Array(BLOCK);

  test.each(Array.from({ length: PARTS }, (_, part) => part))(`part %i of ${PARTS}`, (part) => {
    let count = 0;
    for (let high = (part * BLOCK) / PARTS; high < ((part + 1) * BLOCK) / PARTS; high++) {
      for (let low = 0; low < BLOCK; low++) words[low] = high * BLOCK + low;
      for (let low = 0; low < BLOCK; low++) expected[low] = narrow(half, floats[low]!);
      for (const { build, halves } of builds) {
        const bits = halves.narrow(half, floats);
        for (let low = 0; low < BLOCK; low++) {
          const isRight = bits[low] === expected[low] || (isNan(half, bits[low]!) && isNan(half, expected[low]!));
          if (!isRight) expect.fail(`${build}, ${words[low]!.toString(16)}: ${bits[low]!.toString(16)}`);
        }
      }
      count += BLOCK;
    }
    expect(count).toBe(2 ** 32 / PARTS);
  });
});
