import { describe, expect, test } from 'vitest';
import type { Kernels, SampleOptions } from '../src/index.js';
import { createRandom } from '../src/index.js';
import { samplingProcessor } from '../src/transformers/index.js';
import { sets, wasmSets } from './support/backends.js';
import {
  DTYPES,
  type Dtype,
  type Floats,
  floatsOf,
  LARGE,
  lengths,
  numbers,
  randomOf,
  sizeOf,
} from './support/cases.js';
import { GUARD } from './support/compare.js';
import { COMBINATIONS, type Distribution, distributionOf, drawnAt, flatRow, peakedRow } from './support/draws.js';
import { any } from './support/failures.js';

/** Draws from one row, at each of these random numbers. */
function drawAt(kernels: Kernels, x: Floats, numbers: readonly number[], options: SampleOptions = {}): number[] {
  return numbers.map((u) => kernels.sample(x, { ...options, random: () => u }) as number);
}

const known = new Map<string, Distribution>();

/** Computed once for all backends. */
function exactOf(x: Floats, options: SampleOptions, what: string): Distribution {
  const key = `${what}, ${JSON.stringify(options)}`;
  const found = known.get(key) ?? distributionOf(x, options);
  known.set(key, found);
  return found;
}

const SOME = Array.from({ length: 17 }, (_, i) => (i + 0.37) / 17);

/**
 * Expects the draws of the exact distribution, except where rounding may change them. Returns how many were compared.
 */
function expectDraws(kernels: Kernels, x: Floats, options: SampleOptions, us: readonly number[], what: string): number {
  const { probabilities, isUnsure } = exactOf(x, options, what);
  const drawn = drawAt(kernels, x, us, options);
  if (isUnsure) return 0;
  let compared = 0;
  for (const [i, u] of us.entries()) {
    const expected = drawnAt(probabilities, u);
    if (expected === undefined) continue;
    compared++;
    if (drawn[i] !== expected) expect.fail(`${what}, ${JSON.stringify(options)}, ${u}: ${drawn[i]}, not ${expected}`);
  }
  return compared;
}

describe.each(sets)('$name', (set) => {
  const { kernels } = set;

  for (const dtype of DTYPES) {
    test(`${dtype}: rows of every length, every combination of options`, () => {
      let [compared, all] = [0, 0];
      for (const n of lengths(dtype).filter((length) => length > 0 && length < 600)) {
        for (const kind of ['within ±8', 'few values', 'some -∞', 'around 1000', 'all equal'] as const) {
          const x = numbers(dtype, n, kind, n);
          if (x.every((value) => value === -Infinity)) continue;
          const options = COMBINATIONS[(n + kind.length) % COMBINATIONS.length]!;
          compared += expectDraws(kernels, x, options, SOME, `${dtype}, ${n}, ${kind}`);
          all += SOME.length;
        }
      }
      expect(compared).toBeGreaterThan(0.9 * all);
    });

    test(`${dtype}: long rows, peaked and flat`, () => {
      const us = [0, 1e-3, 0.2, 0.5, 0.77, 0.999];
      // The reference sorts each time.
      const n = set.name === 'reference' ? 1000 : 20_000;
      // One class with half of the probability, and many equal ones, for which an estimate from sampled weights is
      // wrong.
      const lopsided = floatsOf(
        dtype,
        flatRow(n, 3).map((value, j) => (j % 400 === 7 ? 5.5 : value / 8)),
      );
      const rows = {
        peaked: floatsOf(dtype, peakedRow(n, 1)),
        flat: floatsOf(dtype, flatRow(n, 2)),
        lopsided,
        // The probable classes are where no sample is taken, or wherever one is.
        unsampled: floatsOf(
          dtype,
          flatRow(n, 7).map((value, j) => value / 100 + ((j >> 4) % 2) * 2),
        ),
        sampled: floatsOf(
          dtype,
          flatRow(n, 8).map((value, j) => value / 100 - ((j >> 4) % 2) * 2),
        ),
        sorted: floatsOf(dtype, flatRow(n, 4)).sort(),
        'all equal': floatsOf(dtype, new Array(n).fill(3)),
        'few values': numbers(dtype, n, 'few values', 3),
        'one far above': floatsOf(dtype, flatRow(n, 5)).fill(40, 77, 78),
        'largest last': floatsOf(dtype, flatRow(n, 6)).fill(9, n - 1),
      };
      let [compared, all] = [0, 0];
      for (const [name, x] of Object.entries(rows)) {
        for (const options of [
          {},
          { topK: 50 },
          { topP: 0.9 },
          { topP: 0.5, topK: 9000 },
          { minP: 0.1 },
          { topP: 0.999 },
          { topP: 0 },
        ]) {
          compared += expectDraws(kernels, x, options, us, `${dtype}, ${n}, ${name}`);
          all += us.length;
        }
      }
      expect(compared).toBeGreaterThan(0.6 * all);
    });

    test(`${dtype}: any axis of any shape, masks, in typed arrays and in tensors`, () => {
      for (const [i, [shape, axis]] of LARGE.filter(
        ([sizes]) => sizeOf(sizes) < (set.name === 'reference' ? 40_000 : 150_000),
      ).entries()) {
        const n = shape[axis] as number;
        const x = numbers(dtype, sizeOf(shape), 'within ±8', i);
        const count = x.length / n;
        const options: SampleOptions = { ...COMBINATIONS[(5 * i) % COMBINATIONS.length], seed: 9, step: i };
        const inner = sizeOf(shape.slice(axis + 1));
        const rowAt = (row: number, values: ArrayLike<number>) => {
          const first = Math.floor(row / inner) * n * inner + (row % inner);
          return Array.from({ length: n }, (_, j) => values[first + j * inner] as number);
        };
        const mask = Uint8Array.from(x, (_, at) => ((at * 7919) % 11 < 6 ? 1 : 0));
        const drawn = kernels.sample(x, { ...options, shape, axis });
        using t = kernels.tensor(x, shape);
        expect((kernels.sample(t, { ...options, axis }) as { data: Int32Array }).data).toEqual(drawn);
        const masked = kernels.sample(x, { ...options, shape, axis, mask });
        for (let row = 0; row < count; row += Math.max(1, Math.floor(count / 40))) {
          const alone = { ...options, firstRow: row };
          const values = floatsOf(dtype, rowAt(row, x));
          expect(kernels.sample(values, alone)).toBe(drawn[row]);
          const kept = rowAt(row, mask);
          const dropped = values.map((value, j) => (kept[j] === 0 ? -Infinity : value));
          expect(masked[row], `row ${row}`).toBe(kernels.sample(dropped, alone));
        }
      }
    });
  }

  test('edges', () => {
    const draw = (x: number[], options: SampleOptions = {}) => [
      ...new Set(drawAt(kernels, Float64Array.from(x), SOME, options)),
    ];
    expect(draw([5])).toEqual([0]);
    expect(draw([-Infinity, -3e38, -Infinity])).toEqual([1]);
    expect(draw([1, 2, 3], { topP: 1 })).toEqual([0, 1, 2]);
    expect(draw([1, 2, 3], { topP: 1e-9 })).toEqual([2]);
    expect(draw([1, 2, 3], { topP: 0 })).toEqual([2]);
    expect(draw([1, 2, 3], { topK: 1 })).toEqual([2]);
    expect(draw([1, 2, 3], { topK: 4 })).toEqual([0, 1, 2]);
    expect(draw([1, 2, 3], { topK: Number.MAX_SAFE_INTEGER })).toEqual([0, 1, 2]);
    expect(draw([1, 2, 3], { minP: 1 })).toEqual([2]);
    expect(draw([3, 3, 2, 3], { minP: 1 })).toEqual([0, 1, 3]);
    // Of equal classes at the limit, the first are kept.
    expect(draw([2, 1, 2, 1, 1, 2], { topK: 4 })).toEqual([0, 1, 2, 5]);
    expect(draw([0, 0, 0, 0], { topP: 0.5 })).toEqual([0, 1]);
    expect(draw([0, -0, 0, -0], { topK: 2 })).toEqual([0, 1]);
    // topK keeps three classes, of which two have 2/3 of the probability.
    expect(draw([0, 0, 0, 0, 0, 0], { topK: 3, topP: 0.66 })).toEqual([0, 1]);
    expect(draw([0, 0, 0, 0, 0, 0], { topK: 3, topP: 0.67 })).toEqual([0, 1, 2]);
    // At temperature 1 the second class is below half of the first, at 4 it is not.
    expect(draw([1, 0], { temperature: 4, minP: 0.5 })).toEqual([0, 1]);
    expect(draw([1, 0], { temperature: 4, minP: 0.5, temperatureLast: true })).toEqual([0]);
    expect(draw([1, 2, 3], { mask: [true, false, false] })).toEqual([0]);
    expect(draw([1, NaN, 3], { mask: [true, false, false] })).toEqual([0]);
    expect(draw([Infinity, 1, 3], { mask: { bits: Int32Array.of(0b010) } })).toEqual([1]);
    expect(draw([1, 2, 3], { temperature: 2 ** -90 })).toEqual([2]);
    expect(draw([1, 2, 3], { temperature: 2 ** 90 })).toEqual([0, 1, 2]);
    expect(draw([-1.7e308, 1.7e308])).toEqual([1]);
    expect(draw([1e300, 1e300])).toEqual([0, 1]);
  });

  test('a byte of a mask may stand for a whole row, whatever lies behind it in memory', () => {
    const shape = [2, 3];
    const sampleWith = (data: Uint8Array, size: number[]) => [
      ...kernels.sample([0, 0, 99, 0, 0, 99], { shape, mask: { data, shape: size } }),
    ];
    expect(sampleWith(Uint8Array.of(1, 0, 0), [3])).toEqual([0, 0]);
    expect(sampleWith(Uint8Array.of(1, 1), [2, 1])).toEqual([2, 2]);
  });

  test('temperature 0 is argmax of what is kept', () => {
    for (const n of [1, 2, 7, 49, 130, 1001]) {
      const x = numbers('float32', 3 * n, 'few values', n);
      const options = { shape: [3, n], temperature: 0, topK: 3, topP: 0.2 };
      expect(kernels.sample(x, options)).toEqual(kernels.argmax(x, { shape: [3, n] }));
    }
    expect(kernels.sample([1, 3, 3, 2], { temperature: 0 })).toBe(1);
    expect(kernels.sample([1, 3, 3, 2], { temperature: 0, mask: [true, false, false, true] })).toBe(3);
    expect(kernels.sample([1, 2], { temperature: 0, random: () => any('none is needed') })).toBe(1);
  });

  test('where the number is a limit the next class is drawn', () => {
    const below = (u: number) => u * (1 - 2 ** -53);
    for (const n of [2, 4, 8, 64, 1024]) {
      const x = new Float32Array(n);
      for (let k = 1; k < n; k += Math.ceil(n / 16)) {
        expect(drawAt(kernels, x, [k / n, below(k / n)])).toEqual([k, k - 1]);
      }
    }
    // Also the limits of the chunks, whose sums are compared first.
    for (const k of [256, 512, 768]) {
      expect(drawAt(kernels, new Float32Array(1024), [k / 1024, below(k / 1024)])).toEqual([k, k - 1]);
    }
  });

  test.each(DTYPES)('%s: the largest number draws what has a weight, however its sum was rounded', (dtype) => {
    for (let seed = 1; seed <= 50; seed++) {
      const x = numbers(dtype, 300, 'within ±8', seed).fill(-Infinity, 290);
      const [drawn] = drawAt(kernels, x, [1 - 2 ** -53]);
      expect(drawn, `seed ${seed}`).toBeLessThan(290);
    }
  });

  test.each(DTYPES)('%s: weights are e^x to their last digits', (dtype) => {
    const unit = dtype === 'float32' ? 2 ** -24 : 2 ** -53;
    for (let i = 1; i <= 200; i++) {
      const x = floatsOf(dtype, [0, -i * 0.0371]);
      const distance = -(x[1] as number);
      const first = 1 / (1 + Math.exp(-distance));
      const limit = (4 + 3 * distance) * unit * first * (1 - first) + 2 ** -51;
      expect(drawAt(kernels, x, [first - limit, first + limit]), `distance ${distance}`).toEqual([0, 1]);
    }
  });

  test.each(DTYPES)('%s: minP decides for the two numbers on both sides of its limit', (dtype) => {
    for (let i = 1; i < 40; i++) {
      const minP = i / 40;
      const distance = -Math.log(minP);
      const x = floatsOf(dtype, [4, 4 - distance]);
      const isKept = 4 - (x[1] as number) <= distance;
      expect(drawAt(kernels, x, [0.9999], { minP }), `minP ${minP}`).toEqual([isKept ? 1 : 0]);
    }
  });

  test('a mask of bits keeps what a mask of bytes keeps', () => {
    const random = randomOf(8);
    for (const n of [1, 31, 32, 33, 64, 300]) {
      const words = Math.ceil(n / 32);
      const bits = Int32Array.from({ length: 3 * words }, () => 2 ** 32 * random());
      for (let row = 0; row < 3; row++) bits[row * words]! |= 1;
      const x = numbers('float32', 3 * n, 'within ±8', n);
      const bytes = (given: Int32Array) =>
        Uint8Array.from(
          x,
          (_, i) => (given[(Math.floor(i / n) * words + ((i % n) >> 5)) % given.length]! >> ((i % n) & 31)) & 1,
        );
      for (let seed = 0; seed < 20; seed++) {
        const options = { shape: [3, n], seed, topP: seed % 2 === 0 ? 0.8 : 1 };
        const each = kernels.sample(x, { ...options, mask: bytes(bits) });
        expect(kernels.sample(x, { ...options, mask: { bits } })).toEqual(each);
        expect(kernels.sample(x, { ...options, mask: { bits: new Uint32Array(bits) } })).toEqual(each);
        const first = bits.slice(0, words);
        const shared = kernels.sample(x, { ...options, mask: bytes(first) });
        expect(kernels.sample(x, { ...options, mask: { bits: first } })).toEqual(shared);
        // Along another axis, and in a view of linear memory.
        const turned = x.map((_, i) => x[(i % 3) * n + Math.floor(i / 3)]!);
        using held = kernels.zeros([bits.length]);
        const view = new Int32Array(held.data.buffer, held.data.byteOffset, bits.length);
        view.set(bits);
        const along = { ...options, shape: [n, 3], axis: 0 };
        expect(kernels.sample(turned, { ...along, mask: { bits: view } })).toEqual(each);
      }
    }
  });

  test('the last word of a mask of bits may keep nothing', () => {
    for (const n of [33, 50, 63]) {
      const bits = Int32Array.of(0b0001, 0, 0b0010, 0, 0b0100, 0);
      expect([...kernels.sample(new Float32Array(3 * n), { shape: [3, n], mask: { bits } })]).toEqual([0, 1, 2]);
    }
  });

  test('logProbs are those of the draws, of all classes at temperature 1', () => {
    for (const dtype of DTYPES) {
      const x = numbers(dtype, 24 * 40, 'within ±8', 1);
      for (const [shape, axis] of [
        [[24, 40], 1],
        [[40, 24], 0],
        [[8, 40, 3], 1],
      ] as const) {
        const logProbs = floatsOf(dtype, new Array(24).fill(GUARD));
        const mask = Uint8Array.from({ length: 40 }, (_, j) => j % 2);
        const options = { shape, axis, topK: 5, temperature: 0.5, seed: 1 };
        const drawn = kernels.sample(x, { ...options, logProbs });
        expect(logProbs).toEqual(kernels.logProbs(x, drawn, { shape, axis }));
        const own = kernels.zeros([24], { dtype });
        const broadcast = { data: mask, shape: shape.map((size, i) => (i === axis ? size : 1)) };
        const kept = kernels.sample(x, { ...options, mask: broadcast, logProbs: own, out: new Int32Array(24) });
        expect(own.toArray()).toEqual(kernels.logProbs(x, kept, { shape, axis }));
        own.dispose();
      }
    }
    const logProb = new Float32Array(1);
    expect(kernels.sample([1, 2, 3], { temperature: 0, logProbs: logProb })).toBe(2);
    expect(logProb[0]).toBeCloseTo(-0.4076, 4);
  });

  test('a batch draws the same in parts, and one row like it', () => {
    const [rows, n] = [37, 60];
    const x = numbers('float32', rows * n, 'within ±8', 3);
    const options = { seed: 2n ** 63n + 5n, step: 2 ** 40, topP: 0.9 };
    const all = kernels.sample(x, { ...options, shape: [rows, n], firstRow: 2 ** 33 });
    for (const part of [1, 2, 5, 36]) {
      for (let first = 0; first < rows; first += part) {
        const some = x.subarray(first * n, Math.min(rows, first + part) * n);
        const drawn = kernels.sample(some, { ...options, shape: [some.length / n, n], firstRow: 2 ** 33 + first });
        expect([...drawn]).toEqual([...all.subarray(first, first + part)]);
      }
    }
    expect(kernels.sample(x, { ...options, shape: [rows, n], step: 2 ** 40 + 1 })).not.toEqual(all);
    expect(kernels.sample(x, { ...options, shape: [rows, n], seed: 5 })).not.toEqual(all);
    expect(kernels.sample(x, { shape: [rows, n], seed: 5 })).toEqual(kernels.sample(x, { shape: [rows, n], seed: 5n }));
  });

  test('without a seed it is another draw each time', () => {
    const x = new Float32Array(64 * 100);
    const draw = () => kernels.sample(x, { shape: [64, 100] });
    expect(draw()).not.toEqual(draw());
  });

  describe('a random function', () => {
    test('is called once for each row, in their order; createRandom gives what the seed gives', () => {
      const x = numbers('float32', 20 * 7, 'within ±8', 4);
      for (const options of [{ shape: [20, 7] }, { shape: [2, 7, 10], axis: 1 }]) {
        let calls = 0;
        const random = createRandom(11);
        const counted = () => {
          calls++;
          return random();
        };
        expect(kernels.sample(x, { ...options, random: counted })).toEqual(kernels.sample(x, { ...options, seed: 11 }));
        expect(calls).toBe(20);
      }
    });

    test('may call the library, and make its memory grow, with all arguments in that', () => {
      const own = set.create();
      const held = own.tensor(numbers('float32', 4 * 30, 'within ±8', 5), [4, 30]);
      const view = held.data as Float32Array<ArrayBuffer>;
      const expected = own.sample(view, { shape: [4, 30], seed: 6, topP: 0.9 });
      const places = own.zeros([4]);
      const out = new Int32Array(places.data.buffer, places.data.byteOffset, 4);
      const logProbs = own.zeros([4]);
      const random = createRandom(6);
      const drawn = own.sample(view, {
        shape: [4, 30],
        topP: 0.9,
        logProbs: logProbs.data,
        out,
        random: () => {
          own.sample(new Float32Array(50), { topK: 3, topP: 0.3 });
          own.zeros([2 ** 18]);
          return random();
        },
      });
      expect(drawn).toBe(out);
      expect([...new Int32Array(places.data.buffer, places.data.byteOffset, 4)]).toEqual([...expected]);
      expect(logProbs.toArray()).toEqual(own.logProbs(held, expected).toArray());
    });

    test('that throws, or spoils the arguments, leaves everything as it was', () => {
      const own = new Error('mine');
      const out = new Int32Array(2).fill(7);
      const x = new Float32Array(6);
      const run = (random: () => number) => kernels.sample(x, { shape: [2, 3], out, random });
      let calls = 0;
      expect(() =>
        run(() => {
          if (calls++ === 1) throw own;
          return 0;
        }),
      ).toThrow(own);
      const detach = () => {
        if (x.length > 0) structuredClone(x.buffer, { transfer: [x.buffer] });
        return 0;
      };
      expect([...out]).toEqual([7, 7]);
      expect(() => run(detach)).toThrow('sample: logits is detached, expected an array whose buffer is alive');
      expect([...out]).toEqual([7, 7]);
    });
  });

  describe('errors', () => {
    const range = (...given: [object, string][]) =>
      given.map(([options, says]) => [options, says, RangeError] as const);
    const type = (...given: [object, string][]) => given.map(([options, says]) => [options, says, TypeError] as const);
    const SHARE = 'expected a number in [0, 1]';
    const SEED = 'expected a whole number from 0 to 2^53 - 1, or a bigint from 0n to 2n ** 64n - 1n';
    const COUNT = 'expected a whole number from 0 to 2^53 - 1';
    const WORDS = 'expected 1 for all rows, or 2';
    test.each([
      ...range(
        [{ topK: 0 }, 'topK is 0, expected a whole number, 1 or more'],
        [{ topK: 1.5 }, 'topK is 1.5, expected a whole number, 1 or more'],
        [{ topP: -0.1 }, `topP is -0.1, ${SHARE}`],
        [{ topP: 1.1 }, `topP is 1.1, ${SHARE}`],
        [{ topP: NaN }, `topP is NaN, ${SHARE}`],
        [{ minP: 2 }, `minP is 2, ${SHARE}`],
        [{ temperature: -1 }, 'temperature is -1, expected a number in [2^-100, 2^100] or 0'],
        [{ seed: -1 }, `seed is -1, ${SEED}`],
        [{ seed: 2n ** 64n }, `seed is 18446744073709551616n, ${SEED}`],
        [{ seed: 1, step: -1 }, `step is -1, ${COUNT}`],
        [{ seed: 1, firstRow: 0.5 }, `firstRow is 0.5, ${COUNT}`],
        [{ random: () => 1 }, 'random() is 1, expected a number in [0, 1)'],
        [{ random: () => NaN }, 'random() is NaN, expected a number in [0, 1)'],
        [{ mask: { bits: new Int32Array(3) } }, `mask.bits has 3 elements, ${WORDS}`],
        [{ logProbs: new Float32Array(3) }, 'logProbs has 3 elements, expected 2'],
      ),
      ...type(
        [{ topK: '3' }, 'topK is "3", expected a whole number, 1 or more'],
        [{ topP: '1' }, `topP is "1", ${SHARE}`],
        [{ minP: null }, `minP is null, ${SHARE}`],
        [{ temperatureLast: 1 }, 'temperatureLast is 1, expected true or false'],
        [{ seed: '1' }, `seed is "1", ${SEED}`],
        [{ seed: 1, step: 1n }, `step is 1n, ${COUNT}`],
        [{ step: 1 }, 'step is 1, expected a seed with it'],
        [{ firstRow: 1 }, 'firstRow is 1, expected a seed with it'],
        [{ random: Math.random, seed: 1 }, 'seed is 1, expected none beside random'],
        [{ random: Math.random, step: 1 }, 'step is 1, expected none beside random'],
        [{ random: 0.5 }, 'random is 0.5, expected a function'],
        [{ random: () => '0' }, 'random() is "0", expected a number in [0, 1)'],
        [
          { mask: { bits: [1] } },
          'mask.bits is an array of 1, expected an Int32Array or Uint32Array of a bit for each class',
        ],
        [{ logProbs: new Float64Array(2) }, 'logProbs is Float64Array(2), expected a Float32Array or a Tensor'],
        ...Object.entries({
          top_p: 'topP',
          top_k: 'topK',
          min_p: 'minP',
          temp: 'temperature',
          generator: 'random',
          random_seed: 'seed',
        }).map(([name, ours]): [object, string] => [
          { [name]: 1 },
          `unknown option "${name}", the name is ${ours} here`,
        ]),
        [{ do_sample: false }, 'unknown option "do_sample", temperature: 0 takes the largest'],
        [
          { repetition_penalty: 1.1 },
          'unknown option "repetition_penalty", penalize(logits, tokens, { repetition }) comes before it',
        ],
        [{ logit_bias: {} }, 'unknown option "logit_bias", penalize(logits, tokens, { bias }) comes before it'],
      ),
    ])('%o', (options, says, Type) => {
      const out = new Int32Array(2).fill(7);
      const run = () => kernels.sample(new Float32Array(6), any({ shape: [2, 3], out, ...options }));
      expect(run).toThrow(new Type(`sample: ${says}`));
      expect([...out]).toEqual([7, 7]);
    });

    test('rows that nothing can be drawn from are named, and nothing is written', () => {
      const out = new Int32Array(3).fill(7);
      const logProbs = new Float32Array(3).fill(7);
      const expected = 'expected finite numbers or -Infinity, one finite';
      for (const [bad, got] of [
        [[1, NaN], 'holds NaN'],
        [[NaN, Infinity], 'holds NaN'],
        [[Infinity, 1], 'holds Infinity'],
        [[-Infinity, -Infinity], 'keeps no class above -Infinity'],
      ] as const) {
        const bits = Int32Array.of(0b11);
        for (const options of [{}, { temperature: 0 }, { topK: 1 }, { topP: 0.5, minP: 0.1 }, { mask: { bits } }]) {
          const run = () => kernels.sample([1, 2, ...bad, 3, 4], { shape: [3, 2], ...options, out, logProbs });
          expect(run).toThrow(new RangeError(`sample: row 1 of logits ${got}, ${expected}`));
        }
      }
      const mask = [true, true, true, true, false, false];
      const run = () => kernels.sample([1, 2, 3, 4, 5, 6], { shape: [3, 2], mask, out, logProbs });
      expect(run).toThrow(new RangeError(`sample: row 2 of logits keeps no class above -Infinity, ${expected}`));
      expect([...out, ...logProbs]).toEqual(new Array(6).fill(7));
    });

    test('results over each other or over the logits', () => {
      const x = new Float32Array(6);
      const words = new Int32Array(x.buffer, 0, 2);
      const over = () => kernels.sample(x, { shape: [2, 3], out: words });
      expect(over).toThrow(new RangeError('sample: out is Int32Array(2), expected a range apart from logits'));
      const both = new Float32Array(4);
      const out = new Int32Array(both.buffer, 0, 2);
      const overlap = () => kernels.sample(x, { shape: [2, 3], out, logProbs: both.subarray(1, 3) });
      expect(overlap).toThrow(new RangeError('sample: out is Int32Array(2), expected a range apart from logProbs'));
      const own = () => kernels.sample(x, { shape: [2, 3], logProbs: x.subarray(0, 2) });
      expect(own).toThrow('sample: logProbs is Float32Array(2), expected a range apart from logits');
    });
  });
});

describe('both WebAssembly backends draw the same', () => {
  const [first, ...others] = wasmSets.map(({ kernels }) => kernels);

  test.each(COMBINATIONS)('%o', (options) => {
    for (const dtype of DTYPES) {
      const shape = [2000, 50];
      const x = numbers(dtype, sizeOf(shape), 'within ±8', 7);
      const expected = first!.sample(x, { ...options, shape, seed: 1 });
      for (const kernels of others) expect(kernels.sample(x, { ...options, shape, seed: 1 })).toEqual(expected);
    }
  });

  test('with numbers within an ULP of the limits between classes, and there one of the two beside it', () => {
    for (const dtype of DTYPES) {
      for (const options of [{}, { topK: 20 }, { topP: 0.9 }, { minP: 0.01 }, { temperature: 0.6 }]) {
        for (const n of [5, 30, 700]) {
          const x = numbers(dtype, n, 'within ±8', n);
          for (const [limit, u] of nearLimits(dtype, x, options)) {
            const drawn = first!.sample(x, { ...options, random: () => u }) as number;
            expect(limit.includes(drawn), `${drawn} at ${u}`).toBe(true);
            for (const kernels of others) expect(kernels.sample(x, { ...options, random: () => u })).toBe(drawn);
          }
        }
      }
    }
  });

  /** Numbers around some limits, each with the classes that it may draw. */
  function nearLimits(dtype: Dtype, x: Floats, options: SampleOptions): [classes: number[], u: number][] {
    const { probabilities } = distributionOf(x, options);
    const kept = [...probabilities.keys()].filter((j) => probabilities[j]! > 0);
    const found: [number[], number][] = [];
    let sum = 0;
    for (const [k, j] of kept.entries()) {
      sum += probabilities[j]!;
      // A class too improbable for float32 has two limits that are equal.
      if (k + 1 === kept.length || k % Math.ceil(kept.length / 25) !== 0) continue;
      const reach = (dtype === 'float32' ? 2 ** -20 : 2 ** -48) * sum;
      const near = kept.filter((_, at) => Math.abs(at - k) < 40);
      let limit = 0;
      const classes = kept.filter((each) => {
        const start = limit;
        limit += probabilities[each]!;
        return near.includes(each) && limit >= sum - reach && start <= sum + reach;
      });
      for (const ulps of [-1, 0, 1]) found.push([classes, Math.min(sum * (1 + ulps * 2 ** -52), 1 - 2 ** -53)]);
    }
    return found;
  }

  test('which are these', () => {
    const draws = COMBINATIONS.map((options) => {
      const x = numbers('float32', 6 * 1000, 'within ±8', 8);
      return [...first!.sample(x, { ...options, shape: [6, 1000], seed: 2026, step: 3 })].join(' ');
    });
    expect(draws).toMatchSnapshot();
  });
});

test('more classes than there are sums', () => {
  const n = 1_000_003;
  const x = new Float32Array(n).fill(-300);
  x[999_990] = 20;
  x[17] = 20;
  for (const { kernels } of wasmSets) {
    expect(drawAt(kernels, x, [0, 0.49, 0.51, 1 - 2 ** -53])).toEqual([17, 17, 999_990, 999_990]);
    expect(drawAt(kernels, new Float32Array(n), [0, 0.25, 1 - 2 ** -53])).toEqual([0, Math.floor(n / 4), n - 1]);
  }
});

test.each([
  ['float16', 0xfc00, [0x4000, 0x3c00]],
  ['bfloat16', 0xff80, [0x4000, 0x3f80]],
])('a logits processor on bits of %s', (type, least, bits) => {
  const processor = samplingProcessor(Object, { temperature: 0 }) as unknown as {
    _call(ids: bigint[][], logits: object): { data: Uint16Array };
  };
  const logits = { data: Uint16Array.from(bits), dims: [1, 2], type };
  expect([...processor._call([[1n]], logits).data]).toEqual([0, least]);
});

test('a logits processor takes options that are inherited', () => {
  const processor = samplingProcessor(Object, Object.create({ temperature: 0 })) as unknown as {
    _call(ids: bigint[][], logits: object): { data: Float32Array };
  };
  for (let i = 0; i < 50; i++) {
    const logits = { data: Float32Array.of(1, 1.1, 1), dims: [1, 3] };
    expect([...processor._call([[1n]], logits).data]).toEqual([-Infinity, 0, -Infinity]);
  }
});
