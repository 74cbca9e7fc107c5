import { describe, expect, test } from 'vitest';
import { createKernels, type Input, type InspectLogitsOptions, type LogitsReport } from '../src/index.js';
import { sets } from './support/backends.js';
import { numbers } from './support/cases.js';
import { evaluateElsewhere } from './support/platform.js';

const { inspectLogits, softmax, logSoftmax, tensor } = createKernels({ backend: 'simd128' });

const SHAPE = [2, 3];
const LOGITS = [1, 2, 3, -1, 5, 1];
const REPORT: LogitsReport = {
  warnings: [],
  rows: 2,
  classes: 3,
  min: -1,
  max: 5,
  nanCount: 0,
  positiveInfinityCount: 0,
  negativeInfinityCount: 0,
  probabilityRows: 0,
  logProbabilityRows: 0,
  equalRows: 0,
};

/** The only warning of a report. */
function warningOf(x: Input, options?: InspectLogitsOptions): string {
  const { warnings } = inspectLogits(x, options);
  expect(warnings).toHaveLength(1);
  return warnings[0]!;
}

describe('takes every kind of input', () => {
  for (const { name, kernels } of sets) {
    test(name, () => {
      const floats = Float32Array.from(LOGITS);
      const inputs: [Input, InspectLogitsOptions?][] = [
        [LOGITS, { shape: SHAPE }],
        [floats, { shape: SHAPE }],
        [Float64Array.from(LOGITS), { shape: SHAPE }],
        [{ data: floats, shape: SHAPE }],
        [{ data: LOGITS, dims: SHAPE }],
        [evaluateElsewhere(`({ data: Float32Array.of(${LOGITS}), shape: [${SHAPE}] })`) as Input],
        [kernels.tensor(LOGITS, SHAPE)],
        [kernels.tensor(LOGITS, SHAPE, { dtype: 'float64' })],
        [kernels.tensor(LOGITS, SHAPE).data, { shape: SHAPE }],
      ];
      for (const [x, options] of inputs) expect(kernels.inspectLogits(x, options)).toEqual(REPORT);
    });
  }

  test('plain numbers are one row', () => {
    expect(inspectLogits(LOGITS)).toEqual({ ...REPORT, rows: 1, classes: 6 });
  });

  test('any axis', () => {
    const options = { shape: [2, 3, 4], axis: 1 };
    const x = numbers('float32', 24, 'within ±8', 1);
    expect(inspectLogits(softmax(x, options), options)).toMatchObject({ rows: 8, classes: 3, probabilityRows: 8 });
    expect(inspectLogits(logSoftmax(x, options), options).logProbabilityRows).toBe(8);
    expect(inspectLogits(softmax(x, options), { ...options, axis: -1 }).probabilityRows).toBe(0);
    expect(inspectLogits(tensor(softmax(x, options), [2, 3, 4]), { axis: -2 }).probabilityRows).toBe(8);
  });

  test('changes neither the data nor the memory', () => {
    const { inspectLogits, memoryUsage, tensor } = createKernels({ backend: 'simd128' });
    const x = tensor(LOGITS, SHAPE);
    const usage = memoryUsage();
    const view = x.data;
    inspectLogits(x);
    expect(view).toEqual(Float32Array.from(LOGITS));
    expect(memoryUsage()).toEqual(usage);
  });
});

describe('finds', () => {
  test.each([1, 2, 3, 10, 1000, 50_257])('nothing wrong with bell-shaped logits, %i rows', (rows) => {
    const x = numbers('float32', rows * 10, 'within ±30', rows);
    expect(inspectLogits(x, { shape: [rows, 10] }).warnings).toEqual([]);
  });

  test.each([2, 3, 10, 1000, 50_257])('probabilities and log-probabilities of %i classes', (n) => {
    for (const kind of ['within ±8', 'within ±79', 'some -∞'] as const) {
      const x = numbers('float32', 3 * n, kind, n);
      for (let start = 0; start < x.length; start += n) x[start] = 1;
      const options = { shape: [3, n] };
      expect(inspectLogits(x, options).probabilityRows).toBe(0);
      expect(inspectLogits(softmax(x, options), options).probabilityRows).toBe(3);
      expect(inspectLogits(logSoftmax(x, options), options).logProbabilityRows).toBe(3);
    }
  });

  test('probabilities taken for logits', () => {
    expect(warningOf([0.7, 0.2, 0.1])).toMatch(/^The row holds probabilities: .* drop the softmax/);
    expect(warningOf(softmax(LOGITS, { shape: SHAPE }), { shape: SHAPE })).toMatch(/^Every row holds probabilities/);
    expect(warningOf([1, 0, 0, 0, 1, 0, 4, 0, 3], { shape: [3, 3] })).toMatch(/^2 of 3 rows hold probabilities/);
  });

  test('no probabilities in less than half of the rows, in sums that are not 1, in negative values', () => {
    expect(inspectLogits([0.7, 0.2, 0.1, 1, 2, 3], { shape: SHAPE })).toMatchObject({
      warnings: [],
      probabilityRows: 1,
    });
    expect(inspectLogits([0.7, 0.29]).probabilityRows).toBe(0);
    expect(inspectLogits([1.2, -0.2]).probabilityRows).toBe(0);
  });

  test('log-probabilities', () => {
    expect(warningOf(logSoftmax(LOGITS, { shape: SHAPE }), { shape: SHAPE })).toMatch(/log-probabilities: .* nllLoss/);
    expect(inspectLogits([0, -Infinity]).logProbabilityRows).toBe(1);
    expect(inspectLogits([0, -Infinity, Number.NaN]).logProbabilityRows).toBe(0);
  });

  test('the output of a sigmoid', () => {
    const x = numbers('float32', 40, 'within ±8', 1).map((value) => 1 / (1 + Math.exp(-value)));
    expect(warningOf(x, { shape: [10, 4] })).toMatch(/looks like the output of a sigmoid/);
    expect(inspectLogits([0.9, 0.6]).warnings).toEqual([]);
  });

  test('NaN', () => {
    const report = inspectLogits([1, Number.NaN, 3, -1, 5, 1], { shape: SHAPE });
    expect(report).toMatchObject({ min: -1, max: 5, nanCount: 1, equalRows: 0 });
    expect(report.warnings).toEqual([expect.stringMatching(/^1 value is NaN/)]);
    expect(warningOf([Number.NaN, Number.NaN])).toMatch(/^2 values are NaN/);
  });

  test('infinities', () => {
    expect(inspectLogits([1, -Infinity, 3])).toMatchObject({ warnings: [], negativeInfinityCount: 1, min: 1, max: 3 });
    expect(warningOf([1, Infinity])).toMatch(/^1 value is \+Infinity/);
    expect(warningOf([-Infinity, -Infinity, 1, 2], { shape: [2, 2] })).toMatch(
      /^1 of 2 rows holds nothing but -Infinity/,
    );
    expect(inspectLogits([-Infinity, -Infinity])).toMatchObject({
      min: Number.NaN,
      max: Number.NaN,
      equalRows: 0,
      negativeInfinityCount: 2,
    });
  });

  test('rows of one value', () => {
    expect(warningOf([0, 0, 0])).toMatch(/^The row holds one value/);
    expect(inspectLogits([0, -0, 1, 2, 3, 3], { shape: [3, 2] }).equalRows).toBe(2);
  });

  test('values far apart', () => {
    expect(warningOf([-1e9, 2, 3])).toMatch(/up to 1000000000 apart/);
    expect(warningOf(Float64Array.of(-1.5e300, 2, 3))).toMatch(/up to 1.5e\+300 apart/);
    expect(inspectLogits([1000, 1001]).warnings).toEqual([]);
  });

  test('one class, and no values', () => {
    expect(warningOf([1, 2, 3], { shape: [3, 1] })).toMatch(/^Every row has one class only/);
    expect(warningOf([])).toBe('There are no values: 1 rows of 0 classes. Check shape.');
    expect(inspectLogits([], { shape: [0, 3] })).toMatchObject({ rows: 0, classes: 3, min: Number.NaN });
  });
});

describe('refuses', () => {
  test.each([
    [[1, 2], { dim: 0 }, TypeError, 'inspectLogits: unknown option "dim", the name is axis here'],
    [[1, 2], { shape: [3] }, RangeError, 'inspectLogits: x has 2 elements, expected 3 for shape [3]'],
    [[1, 2], { axis: 1 }, RangeError, 'inspectLogits: axis is 1, expected a whole number in [-1, 1)'],
    [['1'], undefined, TypeError, 'inspectLogits: x[0] is "1", expected a number (nested arrays: tensor() takes them)'],
    [[1, 2], 3, TypeError, 'inspectLogits: options is 3, expected an object: { axis: 3 }'],
  ])('%j, %j', (x, options, Type, message) => {
    expect(() => inspectLogits(x as Input, options as object)).toThrow(new Type(message));
  });

  test('tensors that are disposed or of another set', () => {
    const x = tensor(LOGITS);
    expect(() => createKernels({ backend: 'simd128' }).inspectLogits(x)).toThrow(TypeError);
    x.dispose();
    expect(() => inspectLogits(x)).toThrow('inspectLogits: x is disposed');
  });
});
