import { describe, expect, test, vi } from 'vitest';
import { createRandom } from '../src/index.js';
import { philox4x32, uniformAt } from '../src/random.js';

/** Known answers of Random123 (kat_vectors): counter, key, result. */
const KNOWN = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const;

const words = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));

test.each(KNOWN)('Philox4x32-10 of %s under %s', (counter, key, expected) => {
  const [c0, c1, c2, c3] = words(counter) as [number, number, number, number];
  const [k0, k1] = words(key) as [number, number];
  expect(Array.from(philox4x32(c0, c1, c2, c3, k0, k1), (word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(
    expected,
  );
});

test('a number has the first 53 bits of its block, whose counter is the row, then the step', () => {
  const key = [7, 9] as const;
  const [w0, w1] = philox4x32(5, 1, 6, 2, ...key) as unknown as [number, number];
  // 27 bits of the first word and 26 of the second.
  const expected = (w0 >>> 5) * 2 ** 26 + (w1 >>> 6);
  expect(uniformAt(key, 2 ** 32 + 5, 2 * 2 ** 32 + 6) * 2 ** 53).toBe(expected);
});

describe('createRandom', () => {
  test('the same for the same seed, another one for another', () => {
    const take = (seed: number | bigint) => Array.from({ length: 5 }, createRandom(seed));
    expect(take(3)).toEqual(take(3n));
    expect(take(2 ** 52 + 1)).toEqual(take(2n ** 52n + 1n));
    expect(take(3)).not.toEqual(take(4));
    expect(take(3n)).not.toEqual(take(3n + 2n ** 32n));
    expect(take(2n ** 64n - 1n)[0]).toBeLessThan(1);
    expect(take(0).map((value) => value.toFixed(6))).toMatchInlineSnapshot(`
      [
        "0.399046",
        "0.972241",
        "0.019449",
        "0.787368",
        "0.934536",
      ]
    `);
  });

  test('different numbers each time without a seed', () => {
    expect(createRandom()()).not.toBe(createRandom()());
  });

  test('without a seed takes all 64 bits of a key from crypto', () => {
    const fill = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as Uint32Array).set([5, 6]);
      return array;
    });
    expect(createRandom()()).toBe(createRandom((6n << 32n) + 5n)());
    fill.mockRestore();
  });

  test('different numbers also without crypto', () => {
    const { crypto } = globalThis;
    const draw = vi.spyOn(Math, 'random');
    Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
    try {
      const [a, b] = [createRandom()(), createRandom()()];
      expect(a).not.toBe(b);
      expect(a >= 0 && a < 1).toBe(true);
      draw.mockReturnValueOnce(5.5 * 2 ** -32).mockReturnValueOnce(0.75);
      expect(createRandom()()).toBe(createRandom((3n << 62n) + 5n)());
    } finally {
      Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true });
      draw.mockRestore();
    }
  });

  test('wrong seeds', () => {
    const expected = 'expected a whole number from 0 to 2^53 - 1, or a bigint from 0n to 2n ** 64n - 1n';
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, Infinity, -1n, 2n ** 64n]) {
      const shown = typeof seed === 'bigint' ? `${seed}n` : `${seed}`;
      expect(() => createRandom(seed)).toThrow(new RangeError(`createRandom: seed is ${shown}, ${expected}`));
    }
    for (const seed of ['1', null, {}]) expect(() => createRandom(seed as never)).toThrow(TypeError);
  });
});
