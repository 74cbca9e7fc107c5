import { describe, expect, test } from 'vitest';
import { createKernels, type Input, type InspectTargetsOptions, type TargetsReport } from '../src/index.js';
import { sets } from './support/backends.js';
import { numbers } from './support/cases.js';

const { inspectTargets, crossEntropy, softmax, logSoftmax, tensor } = createKernels({ backend: 'simd128' });

const SHAPE = [2, 3];
const TARGETS = [0.5, 0.25, 0.25, 0, 1, 0];
const REPORT: TargetsReport = {
  warnings: [],
  rows: 2,
  classes: 3,
  min: 0,
  max: 1,
  negativeCount: 0,
  nonFiniteCount: 0,
  otherSumRows: 0,
};

function warningsOf(targets: Input, options?: InspectTargetsOptions): string[] {
  return inspectTargets(targets, options).warnings;
}

test.each(sets)('$name: takes every kind of input', ({ kernels }) => {
  const floats = Float32Array.from(TARGETS);
  const inputs: [Input, InspectTargetsOptions?][] = [
    [TARGETS, { shape: SHAPE }],
    [floats, { shape: SHAPE }],
    [Float64Array.from(TARGETS), { shape: SHAPE }],
    [{ data: floats, dims: SHAPE }],
    [kernels.tensor(TARGETS, SHAPE)],
  ];
  for (const [targets, options] of inputs) expect(kernels.inspectTargets(targets, options)).toEqual(REPORT);
});

describe('finds', () => {
  test.each([2, 10, 1000, 50_257])('nothing wrong with a softmax over %i classes, along any axis', (n) => {
    const x = numbers('float32', 3 * n, 'within ±30', n);
    expect(warningsOf(softmax(x, { shape: [3, n] }), { shape: [3, n] })).toEqual([]);
    const columns = softmax(x, { shape: [n, 3], axis: 0 });
    expect(inspectTargets(columns, { shape: [n, 3], axis: 0 })).toMatchObject({ warnings: [], rows: 3, classes: n });
  });

  test('negative probabilities, with which a loss has no lower end', () => {
    const targets = Float32Array.of(1.5, -0.5);
    expect(crossEntropy(Float32Array.of(100, 0), targets)).toBeLessThan(-40);
    expect(inspectTargets(targets)).toMatchObject({ negativeCount: 1, min: -0.5, max: 1.5, otherSumRows: 0 });
    expect(warningsOf(targets)).toEqual([expect.stringMatching(/^1 value is negative, .* Logits\? Give softmax/)]);
    expect(warningsOf([-1, 2, -3])).toEqual([expect.stringMatching(/^2 values are negative/)]);
    expect(warningsOf([0, -0, 1])).toEqual([]);
  });

  test('log-probabilities', () => {
    const x = numbers('float32', 6, 'within ±8', 1);
    expect(warningsOf(logSoftmax(x, { shape: SHAPE }), { shape: SHAPE })).toEqual([
      expect.stringMatching(/^6 values are negative, .* Log-probabilities\? Take their exponentials\.$/),
    ]);
  });

  test('sums that are not 1', () => {
    expect(inspectTargets([1, 1, 0, 0.5, 0.25, 0.25], { shape: SHAPE })).toMatchObject({
      otherSumRows: 1,
      warnings: [expect.stringMatching(/^1 of 2 rows holds values that do not sum to 1/)],
    });
    expect(warningsOf([0.5, 0.4995])).toEqual([]);
    expect(inspectTargets([0.5, 0.49]).otherSumRows).toBe(1);
  });

  test('sums that overflow', () => {
    for (const most of [Float32Array.of(3e38, 3e38), Float64Array.of(1e308, 1e308)]) {
      expect(inspectTargets(most)).toMatchObject({
        max: most[0],
        otherSumRows: 1,
        nonFiniteCount: 0,
        warnings: [expect.stringMatching(/^The row holds values that do not sum to 1/)],
      });
    }
  });

  test('values that are not numbers', () => {
    expect(inspectTargets([Number.NaN, Infinity, 0, 0, 1, -Infinity], { shape: SHAPE })).toMatchObject({
      min: 0,
      max: 1,
      nonFiniteCount: 3,
      negativeCount: 1,
      otherSumRows: 0,
      warnings: [expect.stringMatching(/^3 values are NaN or infinite/), expect.stringMatching(/^1 value is negative/)],
    });
  });

  test('no values', () => {
    expect(warningsOf([])).toEqual(['There are no values: 1 rows of 0 classes. Check shape.']);
    expect(inspectTargets([], { shape: [0, 3] })).toMatchObject({ rows: 0, classes: 3, min: Number.NaN });
  });
});

test('refuses what inspectLogits refuses', () => {
  expect(() => inspectTargets([1, 2], { dim: 0 } as never)).toThrow('inspectTargets: unknown option "dim"');
  expect(() => inspectTargets([1, 2], { shape: [3] })).toThrow('inspectTargets: targets has 2 elements, expected 3');
  const x = tensor(TARGETS);
  x.dispose();
  expect(() => inspectTargets(x)).toThrow('inspectTargets: targets is disposed');
});
