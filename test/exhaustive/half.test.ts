// Every float16 as float32, and every float32 as float16 and bfloat16, by the kernels of each build. Takes minutes:
// npm run test:exhaustive.
import { describe, expect, test } from 'vitest';
import { narrow } from '../../src/reference/half.js';
import { buildNames } from '../support/backends.js';
import { isNan, openHalves } from '../support/halves.js';

const BLOCK = 2 ** 16;

describe.each(buildNames)('%s', (build) => {
  const halves = openHalves(build);

  test.each(['float16', 'bfloat16'] as const)('2^32 floats as %s', (half) => {
    const words = new Uint32Array(BLOCK);
    const floats = new Float32Array(words.buffer);
    let count = 0;
    for (let high = 0; high < BLOCK; high++) {
      for (let low = 0; low < BLOCK; low++) words[low] = high * BLOCK + low;
      const bits = halves.narrow(half, floats);
      for (let low = 0; low < BLOCK; low++) {
        const value = floats[low] as number;
        const got = bits[low] as number;
        const isRight = Number.isNaN(value) ? isNan(half, got) : got === narrow(half, value);
        if (!isRight) expect.fail(`${words[low]!.toString(16)}: ${got.toString(16)}`);
      }
      count += BLOCK;
    }
    expect(count).toBe(2 ** 32);
  });
});
