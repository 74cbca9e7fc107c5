import { describe, expect, test } from 'vitest';
import { createKernels } from '../src/index.js';
import { sets } from './support/backends.js';
import { DTYPES, floatsOf, numbers } from './support/cases.js';

const { perplexity } = createKernels({ backend: 'simd128' });

describe.each(sets)('$name', ({ kernels }) => {
  test.each(DTYPES)('%s: e to the power of the mean loss', (dtype) => {
    for (const [shape, axis] of [
      [[7, 50], -1],
      [[2, 5, 17], 1],
      [[3, 4, 2], 0],
    ] as const) {
      const n = shape.at(axis) as number;
      const x = numbers(
        dtype,
        shape.reduce<number>((a, b) => a * b, 1),
        'within ±8',
        n,
      );
      const targets = Int32Array.from({ length: x.length / n }, (_, row) => (row % 4 === 3 ? -1 : row % n));
      const options = { shape, axis, ignoreIndex: -1, temperature: 1.5 };
      const expected = Math.exp(kernels.crossEntropy(x, targets, options));
      expect(kernels.perplexity(x, targets, options) / expected).toBeCloseTo(1, 14);
    }
  });

  test.each(DTYPES)('%s: for equal logits, the number of classes', (dtype) => {
    for (const n of [1, 2, 50_257]) {
      expect(kernels.perplexity(floatsOf(dtype, Array(n).fill(3)), 0) / n).toBeCloseTo(1, dtype === 'float32' ? 6 : 13);
    }
  });
});

test('special values', () => {
  expect(perplexity([100, 0], 0)).toBe(1);
  expect(perplexity([0, -Infinity], 1)).toBe(Infinity);
  expect(perplexity([0, 2000], 0)).toBe(Infinity);
  expect(perplexity([0, Number.NaN], 0)).toBeNaN();
  expect(perplexity([0, 1], -100)).toBeNaN();
  expect(perplexity([], [], { shape: [0, 3] })).toBeNaN();
});

test.each<[unknown, unknown, object, typeof Error, string]>([
  [[1, 2], [2], {}, RangeError, 'targets[0] is 2, expected an integer in [0, 2) or ignoreIndex (-100)'],
  [[1, 2], [0, 1], {}, RangeError, 'targets has 2 elements, expected 1, one for each row (several rows need shape)'],
  [
    [1, 2],
    new Float32Array(2),
    {},
    TypeError,
    'targets is Float32Array(2), expected class indices (integers: Int32Array.from converts)',
  ],
  [[], [0], { shape: [1, 0] }, RangeError, 'logits has 0 elements along the axis, expected at least 1'],
  [[1, 2], [0], { ignore_index: 1 }, TypeError, 'unknown option "ignore_index", the name is ignoreIndex here'],
  [
    [1, 2],
    [0],
    { reduction: 'sum' },
    TypeError,
    'unknown option "reduction", expected one of shape, axis, temperature, ignoreIndex',
  ],
  [[1, 2], [0], { temperature: -1 }, RangeError, 'temperature is -1, expected a number in [2^-100, 2^100]'],
  [[1, 2], [0], { temperature: '2' }, TypeError, 'temperature is "2", expected a positive number'],
  [[1, 2], [0], { ignoreIndex: '1' }, TypeError, 'ignoreIndex is "1", expected an integer'],
])('refuses %j, %j, %j', (logits, targets, options, Type, message) => {
  const run = () => perplexity(logits as number[], targets as number[], options);
  expect(run).toThrow(Type);
  expect(run).toThrow(message);
  expect(run).toThrow(/^perplexity: /);
});
