import { describe, expect, test } from 'vitest';
import type { Kernels, PenalizeOptions } from '../src/index.js';
import { sets } from './support/backends.js';
import { randomOf } from './support/cases.js';
import { any, describeErrors } from './support/failures.js';

const { fround } = Math;

/**
 * The definitions in float64: CTRL's repetition penalty, OpenAI's frequency and presence penalties, then the biases.
 */
function expected(row: readonly number[], tokens: readonly number[], options: PenalizeOptions): number[] {
  const { repetition = 1, frequency = 0, presence = 0 } = options;
  return row.map((logit, token) => {
    const count = tokens.filter((each) => each === token).length;
    if (count === 0) return logit;
    return (logit > 0 ? logit / repetition : logit * repetition) - frequency * count - presence;
  });
}

describe.each(sets)('$name', ({ kernels }) => {
  test('follows the definitions', () => {
    const random = randomOf(4);
    for (let round = 0; round < 200; round++) {
      const n = 1 + Math.floor(20 * random());
      const row = Array.from({ length: n }, () => 10 * random() - 5);
      const tokens = Array.from({ length: Math.floor(30 * random()) }, () => Math.floor(n * random()));
      const options = { repetition: 0.5 + random(), frequency: random() - 0.3, presence: random() - 0.3 };
      expect([...kernels.penalize(Float64Array.from(row), tokens, options)]).toEqual(expected(row, tokens, options));
      const rounded = expected(row.map(fround), tokens, options).map(fround);
      for (const given of [
        tokens,
        Int32Array.from(tokens),
        BigInt64Array.from(tokens, BigInt),
        Uint8Array.from(tokens),
      ]) {
        expect([...kernels.penalize(row, given, options)]).toEqual(rounded);
      }
    }
  });

  test('touches only the tokens in place', () => {
    const row = new Float32Array([1, NaN, -1, Infinity, 4]);
    expect(kernels.penalize(row, [0, 2, 2], { repetition: 2, frequency: 1, out: row })).toBe(row);
    expect([...row]).toEqual([-0.5, NaN, -4, Infinity, 4]);
    using x = kernels.tensor([1, 2, 3]);
    expect(kernels.penalize(x, [2], { presence: 1, out: x })).toBe(x);
    expect([...x.data]).toEqual([1, 2, 2]);
    const view = x.data as Float32Array;
    expect([...kernels.penalize(view, [0], { presence: 1, out: view })]).toEqual([0, 2, 2]);
  });

  test('leaves the logits unchanged without out, and takes every kind', () => {
    const row = Float32Array.of(1, 2);
    expect([...kernels.penalize(row, [1], { presence: 1 })]).toEqual([1, 1]);
    expect([...row]).toEqual([1, 2]);
    expect(kernels.penalize({ data: row, dims: [1, 2] }, [0], { presence: 1 })).toEqual({
      data: Float32Array.of(0, 2),
      shape: [1, 2],
    });
    using x = kernels.tensor([1, 2]);
    using y = kernels.penalize(x, [0], { presence: 1 });
    expect([...y.data]).toEqual([0, 2]);
    const out = new Float32Array(2);
    expect(kernels.penalize(x, [], { out })).toBe(out);
    expect([...out]).toEqual([1, 2]);
    const one = { data: Int32Array.of(1), shape: [] };
    expect([...kernels.penalize(row, one, { presence: 1 })]).toEqual([1, 1]);
  });

  test('rows each with tokens of their own', () => {
    const options = { shape: [2, 3], presence: 1 };
    const x = [1, 1, 1, 1, 1, 1];
    expect([...kernels.penalize(x, [[0], [1, 2]], options)]).toEqual([0, 1, 1, 1, 0, 0]);
    expect([...kernels.penalize(x, [Int32Array.of(0), []], options)]).toEqual([0, 1, 1, 1, 1, 1]);
    const like = { data: BigInt64Array.of(0n, 0n, 1n, 2n), dims: [2, 2] };
    expect([...kernels.penalize(x, like, options)]).toEqual([0, 1, 1, 1, 0, 0]);
    const deep = { data: BigInt64Array.of(0n, 0n, 1n, 2n), dims: [2, 1, 2] };
    expect([...kernels.penalize(x, deep, { ...options, shape: [2, 1, 3] })]).toEqual([0, 1, 1, 1, 0, 0]);
    expect([...kernels.penalize(x, [[], [0]], options)]).toEqual([1, 1, 1, 0, 1, 1]);
    expect([...kernels.penalize(x, [], { ...options, bias: [[1, 2]] })]).toEqual([1, 3, 1, 1, 3, 1]);
  });

  test('a bias as a Map, pairs or an object; after the penalties', () => {
    const add = (bias: PenalizeOptions['bias']) => [...kernels.penalize([2, 2, 2], [0], { repetition: 2, bias })];
    expect(
      add(
        new Map([
          [0, 3],
          [2, -Infinity],
        ]),
      ),
    ).toEqual([4, 2, -Infinity]);
    expect(
      add([
        [0, 1],
        [0, 1],
      ]),
    ).toEqual([3, 2, 2]);
    expect(add({ 0: 0.5, 1: -1 })).toEqual([1.5, 1, 2]);
    // A key that makes nothing iterable.
    for (const none of [undefined, null, 1]) {
      expect(add(any({ 0: 0.5, 1: -1, [Symbol.iterator]: none }))).toEqual([1.5, 1, 2]);
    }
  });

  test('16-bit floats are rounded by way of float32, as everywhere', () => {
    // Halfway between 1 and the next float16 once it is a float32, and above that before.
    const bias = { 0: 2 ** -11 + 2 ** -40 };
    const data = Uint16Array.of(0x3c00);
    expect(kernels.penalize({ data, shape: [1], type: 'float16' }, [], { bias }).data).toEqual(data);
    expect(kernels.penalize([1], [], { bias })).toEqual(Float32Array.of(1 + 2 ** -11));
  });

  test('a batch without tokens, in all forms', () => {
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const tokens of [[], [[], []], { data: new Int32Array(0), dims: [2, 0] }, new Int32Array(0)]) {
      expect(kernels.penalize(x, any(tokens), { shape: [2, 3], repetition: 2 })).toEqual(x);
    }
  });

  test('-∞ stays, and a logit of 0 is not scaled', () => {
    expect([...kernels.penalize([-Infinity, 0], [0, 1], { repetition: 3 })]).toEqual([-Infinity, 0]);
  });

  test('what the caller throws passes through', () => {
    const own = new Error('mine');
    const bias = {
      [Symbol.iterator]: () => {
        throw own;
      },
    };
    expect(() => kernels.penalize([1], [], { bias: any(bias) })).toThrow(own);
  });
});

function detached(array: Int32Array<ArrayBuffer>): Int32Array {
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const X = () => new Float32Array(6);
const call =
  (tokens: unknown, options: object = {}) =>
  (k: Kernels, out: unknown) =>
    k.penalize(X(), any(tokens), any({ ...options, out }));
describeErrors([
  { message: 'penalize: tokens[1] is 6, expected an integer in [0, 6)', call: call([0, 6]) },
  { message: 'penalize: tokens[0] is -1, expected an integer in [0, 6)', call: call(Int32Array.of(-1)) },
  { message: 'penalize: tokens[0] is 0.5, expected an integer in [0, 6)', call: call([0.5]) },
  { message: 'penalize: tokens[0] is "1", expected a token (an integer)', type: TypeError, call: call(['1']) },
  {
    message: 'penalize: tokens is 3, expected tokens (integers), or an array of them for each row',
    type: TypeError,
    call: call(3),
  },
  {
    message: 'penalize: tokens is null, expected tokens (integers), or an array of them for each row',
    type: TypeError,
    call: call(null),
  },
  {
    message: 'penalize: tokens is an object, expected tokens (integers), or an array of them for each row',
    type: TypeError,
    call: (k, out) => {
      using tokens = k.zeros([1]);
      return call(tokens)(k, out);
    },
  },
  { message: 'penalize: tokens[0] is null, expected a token (an integer)', type: TypeError, call: call([null]) },
  {
    message: 'penalize: tokens is Float32Array(1), expected tokens (integers), or an array of them for each row',
    type: TypeError,
    call: call(new Float32Array(1)),
  },
  {
    message: 'penalize: tokens holds float16, expected tokens (integers), or an array of them for each row',
    type: TypeError,
    call: call({ data: new Uint16Array(1), shape: [1], type: 'float16' }),
  },
  {
    message: 'penalize: tokens has 3 elements, expected 4 for shape [2, 2]',
    call: call({ data: new Int32Array(3), shape: [2, 2] }),
  },
  {
    message: 'penalize: tokens is detached, expected an array whose buffer is alive',
    type: TypeError,
    call: call(detached(Int32Array.of(1))),
  },
  { message: 'penalize: tokens[1][0] is 3, expected an integer in [0, 3)', call: call([[0], [3]], { shape: [2, 3] }) },
  {
    message: 'penalize: tokens is the tokens of one row, expected an array for each of 2 rows',
    call: call([1], { shape: [2, 3] }),
  },
  {
    message: 'penalize: tokens is the tokens of one row, expected an array for each of 2 rows',
    call: call({ data: Int32Array.of(1), shape: [1] }, { shape: [2, 3] }),
  },
  {
    message: 'penalize: tokens is the tokens of one row, expected an array for each of 0 rows',
    call: (k) => k.penalize([], [1], { shape: [0, 3] }),
  },
  {
    message: 'penalize: tokens is 1 arrays, expected an array for each of 2 rows',
    call: call([[1]], { shape: [2, 3] }),
  },
  {
    message: 'penalize: tokens is 3 arrays, expected an array for each of 2 rows',
    call: call([[1], [1], [1]], { shape: [2, 3] }),
  },
  { message: 'penalize: repetition is 0, expected a positive number', call: call([], { repetition: 0 }) },
  { message: 'penalize: repetition is -1, expected a positive number', call: call([], { repetition: -1 }) },
  {
    message: 'penalize: repetition is "2", expected a finite number',
    type: TypeError,
    call: call([], { repetition: '2' }),
  },
  { message: 'penalize: frequency is NaN, expected a finite number', call: call([], { frequency: NaN }) },
  { message: 'penalize: presence is Infinity, expected a finite number', call: call([], { presence: Infinity }) },
  {
    message: 'penalize: bias is 3, expected a Map, pairs [token, number] or an object of them',
    type: TypeError,
    call: call([], { bias: 3 }),
  },
  {
    message: 'penalize: bias is null, expected a Map, pairs [token, number] or an object of them',
    type: TypeError,
    call: call([], { bias: null }),
  },
  ...[detached(Int32Array.of(1)), new Float32Array(0)].map((bias) => ({
    message: `penalize: bias is ${bias.constructor.name}(0), expected a Map, pairs [token, number] or an object of them`,
    type: TypeError,
    call: call([], { bias }),
  })),
  {
    message: 'penalize: bias[0] is 3, expected a Map, pairs [token, number] or an object of them',
    type: TypeError,
    call: call([], { bias: [3, 1] }),
  },
  {
    message: 'penalize: bias[1][0] is 9, expected an integer in [0, 6)',
    call: call([], {
      bias: [
        [0, 1],
        [9, 1],
      ],
    }),
  },
  ...['a', '', ' ', '01', '1.0'].map((key) => ({
    message: `penalize: bias[0][0] is "${key}", expected a token (an integer)`,
    type: TypeError,
    call: call([], { bias: { [key]: 1 } }),
  })),
  { message: 'penalize: bias[0][1] is NaN, expected a number', call: call([], { bias: { 0: NaN } }) },
  { message: 'penalize: bias[0][1] is "1", expected a number', type: TypeError, call: call([], { bias: [[0, '1']] }) },
  ...['repetition', 'frequency', 'presence'].map((name) => ({
    message: `penalize: unknown option "${name}_penalty", the name is ${name} here`,
    type: TypeError,
    call: call([], { [`${name}_penalty`]: 1 }),
  })),
  {
    message: 'penalize: unknown option "logit_bias", the name is bias here',
    type: TypeError,
    call: call([], { logit_bias: {} }),
  },
  {
    message: 'penalize: out has 6 elements, expected 5',
    call: (k, out) => k.penalize(new Float32Array(5), [], { out }),
  },
  {
    message: 'penalize: out is Float32Array(6), expected the very range of logits or one apart from it',
    call: (k) => {
      const x = new Float32Array(7);
      return k.penalize(x.subarray(0, 6), [], { out: x.subarray(1) });
    },
  },
]);
