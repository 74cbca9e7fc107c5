import { rangeError } from './errors.js';
import { readWhole } from './numbers.js';

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1,
 * 2, 3 (SC 2011). A block of four words depends only on the key and the counter.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** What is added to the key in each round: 2^32 times the fractional parts of the golden ratio and of √3. */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The upper 32 bits of the product of two words, from the products of their halves. */
function upperProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Neither sum exceeds 32 bits.
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const rest = (Math.imul(aLow, bHigh) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (rest >>> 16)) | 0;
}

/** The last block. One array for all calls, because a batch takes a block for each row. */
const block = new Uint32Array(4);

/** The block of a counter (c0 to c3) under a key (k0, k1). The array is overwritten by the next call. */
export function philox4x32(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number): Uint32Array {
  for (let round = 0; round < ROUNDS; round++) {
    const upper0 = upperProduct(MULTIPLIER_0, c0);
    const upper1 = upperProduct(MULTIPLIER_1, c2);
    const lower0 = Math.imul(MULTIPLIER_0, c0);
    const lower1 = Math.imul(MULTIPLIER_1, c2);
    c0 = upper1 ^ c1 ^ k0;
    c1 = lower1;
    c2 = upper0 ^ c3 ^ k1;
    c3 = lower0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
  return block;
}

/** A seed as a key, its low word first. */
export type Key = readonly [low: number, high: number];

/** The upper word of a safe integer, whose lower one is `value | 0`. */
function upperWord(value: number): number {
  return Math.floor(value / 2 ** 32);
}

/** The random number in [0, 1) of a row in a step: 53 bits of the block whose counter is the row and the step. */
export function uniformAt([low, high]: Key, row: number, step: number): number {
  const words = philox4x32(row | 0, upperWord(row), step | 0, upperWord(step), low | 0, high | 0);
  return ((words[0]! >>> 5) * 2 ** 26 + (words[1]! >>> 6)) * 2 ** -53;
}

const SEED = 'a whole number from 0 to 2^53 - 1, or a bigint from 0n to 2n ** 64n - 1n';

/** The key that a seed stands for. @throws TypeError, RangeError */
export function keyOf(operation: string, seed: unknown): Key {
  if (typeof seed === 'bigint') {
    if (seed < 0n || seed >= 2n ** 64n) throw rangeError(operation, 'seed', seed, SEED);
    return [Number(seed & 0xffffffffn), Number(seed >> 32n)];
  }
  const words = readWhole(operation, 'seed', seed, SEED);
  return [words >>> 0, upperWord(words)];
}

/** A fresh random key; without `crypto` it is only as good as Math.random. */
export function freshKey(): Key {
  if (typeof crypto === 'undefined') return [Math.random() * 2 ** 32, Math.random() * 2 ** 32];
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [words[0]!, words[1]!];
}

/**
 * A stream of random numbers in [0, 1): the same numbers for the same seed in every engine, and independent ones for
 * different seeds.
 *
 * The generator is Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011) with the seed as
 * its key. Number i takes its 53 bits from the first two words of the block with counter i: {@link sample} uses the
 * same number for row i of step 0 with the same `seed`.
 *
 * @param seed a whole number from 0 to 2^53 − 1, or a bigint of 64 bits; default: a fresh seed.
 * @returns a function that gives the next number each time it is called.
 * @throws TypeError, RangeError for anything else as a seed.
 *
 * @example
 * const random = createRandom(7);
 * random(); // 0.955
 * sample([2, 1, 0], { random }) < 3; // true
 */
export function createRandom(seed?: number | bigint): () => number {
  const key = seed === undefined ? freshKey() : keyOf('createRandom', seed);
  let count = 0;
  return () => uniformAt(key, count++, 0);
}
