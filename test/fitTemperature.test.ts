import { describe, expect, test } from 'vitest';
import { createKernels, type TemperatureFit } from '../src/index.js';
import fixtures from './fixtures/calibration.json' with { type: 'json' };
import { setOf, sets } from './support/backends.js';
import { DTYPES, type Dtype, type Floats, floatsOf, numbers, randomOf, sizeOf } from './support/cases.js';

const { fitTemperature } = createKernels({ backend: 'simd128' });

/** The tolerances of a temperature and of a loss. */
const TOLERANCE: Record<Dtype, number> = { float32: 1e-6, float64: 1e-12 };
const LOSS_TOLERANCE: Record<Dtype, number> = { float32: 1e-6, float64: 1e-14 };
/** The most iterations that a fit may take. */
const MOST_PASSES = 12;

const fitted = fixtures.cases.filter(({ fit }) => fit !== undefined);

/**
 * Logits whose loss is least at temperature 1: a row's targets are its classes in proportion to their probabilities.
 */
function calibrated(
  dtype: Dtype,
  rows: number,
  scale: number,
): { logits: Floats; targets: Int32Array; shape: number[] } {
  const random = randomOf(rows);
  const logits: number[] = [];
  const targets: number[] = [];
  for (let row = 0; row < rows; row++) {
    const counts = [1, 1 + Math.floor(5 * random()), 1 + Math.floor(20 * random())];
    counts.forEach((count, c) => {
      for (let i = 0; i < count; i++) {
        logits.push(...counts.map((each) => scale * Math.log(each)));
        targets.push(c);
      }
    });
  }
  return { logits: floatsOf(dtype, logits), targets: Int32Array.from(targets), shape: [targets.length, 3] };
}

function expectTemperature(fit: TemperatureFit, temperature: number, tolerance: number): void {
  expect(fit.converged).toBe(true);
  expect(fit.reason).toBeUndefined();
  expect(Math.abs(fit.temperature / temperature - 1)).toBeLessThan(tolerance);
  expect(fit.iterations).toBeLessThanOrEqual(MOST_PASSES);
  expect(fit.nllAfter).toBeLessThanOrEqual(fit.nllBefore * (1 + 1e-7));
}

describe.each(sets)('$name', ({ kernels, create }) => {
  describe.each(DTYPES)('%s', (dtype) => {
    test.each(fitted)('the temperature of "$name"', ({ x, targets, shape, fit }) => {
      const found = kernels.fitTemperature(floatsOf(dtype, x), targets, { shape });
      // Searching for the least loss would determine a temperature only to half of its digits.
      expectTemperature(found, fit!.temperature, Math.max(TOLERANCE[dtype], 1e-7));
      expect(Math.abs(found.nllBefore - fit!.nllBefore)).toBeLessThan(LOSS_TOLERANCE[dtype]);
      expect(Math.abs(found.nllAfter - fit!.nllAfter)).toBeLessThan(LOSS_TOLERANCE[dtype]);
    });

    test.each([1e-6, 0.01, 0.1, 0.5, 1, 1.7, 5, 30, 1e3, 1e6])('the factor %f of the logits', (factor) => {
      const { logits, targets, shape } = calibrated(dtype, 9, factor);
      expectTemperature(kernels.fitTemperature(logits, targets, { shape }), factor, TOLERANCE[dtype]);
    });

    test.each([2, 3, 4, 5, 50, 131])('%i classes, along any axis', (n) => {
      for (const inner of [1, 3, 17]) {
        const shape = [9, n, inner];
        const x = numbers(dtype, sizeOf(shape), 'within ±8', n + inner);
        // An impossible class, -Infinity, in every other slice; it is no target.
        for (let i = 0; n > 2 && i < x.length; i += 2 * n * inner) x[i] = -Infinity;
        const best = kernels.argmax({ data: x, shape }, { axis: 1 }).data;
        // Two of three rows are right, and the others no better than chance.
        const targets = best.map((c, row) => (row % 3 > 0 ? c : c + 1 < n ? c + 1 : n - 2));
        const found = kernels.fitTemperature(x, targets, { shape, axis: 1 });
        const expected = setOf('reference').kernels.fitTemperature(x, targets, { shape, axis: 1 });
        expectTemperature(found, expected.temperature, 10 * TOLERANCE[dtype]);
      }
    });

    test('the factor of many rows along another axis, some ignored', () => {
      const { logits, targets, shape } = calibrated(dtype, 500, 2.5);
      const [rows] = shape as [number, number];
      const turned = logits.map((_, i) => logits[(i % rows) * 3 + Math.floor(i / rows)]!);
      expectTemperature(kernels.fitTemperature(turned, targets, { shape: [3, rows], axis: 0 }), 2.5, TOLERANCE[dtype]);
      const junk = floatsOf(dtype, [...logits, Number.NaN, Infinity, 3]);
      const options = { shape: [rows + 1, 3], ignoreIndex: 7 };
      const found = kernels.fitTemperature(junk, Int32Array.from([...targets, 7]), options);
      expectTemperature(found, 2.5, TOLERANCE[dtype]);
    });

    test('the factor of one logit for each row', () => {
      // Where the logit is log k, k of k + 1 rows have class 1.
      const logits: number[] = [];
      const targets: number[] = [];
      for (const k of [1, 2, 5, 9]) {
        for (let i = 0; i <= k; i++) {
          logits.push(3 * Math.log(k), -3 * Math.log(k));
          targets.push(Number(i < k), Number(i === k));
        }
      }
      const x = floatsOf(dtype, logits);
      const found = kernels.fitTemperature(x, targets);
      expectTemperature(found, 3, TOLERANCE[dtype]);
      expect(kernels.fitTemperature({ data: x, shape: [x.length, 1] }, targets)).toEqual(found);
      const pairs = floatsOf(
        dtype,
        logits.flatMap((logit) => [0, logit]),
      );
      expect(kernels.fitTemperature(pairs, targets, { shape: [x.length, 2] })).toEqual(found);
    });

    test('nearly separable and nearly meaningless logits', () => {
      // One row of many is slightly on the wrong side; or only one is on the right side.
      const [rows, n] = [50, 2];
      const sides = Array.from({ length: rows }, (_, row) => (row === 0 ? -1e-3 : 1));
      const nearly = kernels.fitTemperature(
        floatsOf(
          dtype,
          sides.flatMap((side) => [side, 0]),
        ),
        new Uint8Array(rows),
        {
          shape: [rows, n],
        },
      );
      expect(nearly).toMatchObject({ converged: true });
      expect(nearly.temperature).toBeGreaterThan(0.05);
      expect(nearly.temperature).toBeLessThan(0.2);
      const halves = Array.from({ length: rows }, (_, row) => (row % 2 === 0 ? -1 : 1.001));
      const hardly = kernels.fitTemperature(
        floatsOf(
          dtype,
          halves.flatMap((side) => [side, 0]),
        ),
        new Uint8Array(rows),
        {
          shape: [rows, n],
        },
      );
      expect(hardly).toMatchObject({ converged: true });
      // For small logits the loss is least at β = 2 · mean / mean square of the margins.
      expect(Math.abs(hardly.temperature / 1001 - 1)).toBeLessThan(1e-3);
    });
  });

  test('allocates nothing of the size of the logits', () => {
    const { fitTemperature, calibrationError, tensor } = create({ maxMemory: 2 ** 20 });
    const [rows, n] = [1000, 300];
    const logits = numbers('float32', rows * n, 'within ±8', 1);
    const targets = Int32Array.from({ length: rows }, (_, row) => row % n);
    const resident = tensor([1]);
    fitTemperature(logits, targets, { shape: [rows, n] });
    calibrationError(logits, targets, { shape: [rows, n] });
    expect(resident.data.buffer.byteLength).toBeLessThanOrEqual(2 ** 20);
  });
});

/** The mean loss by its definition. */
function meanLoss(x: Floats, targets: ArrayLike<number>, n: number, t: number): number {
  let total = 0;
  for (let row = 0; row < targets.length; row++) {
    const logits = Array.from(x.subarray(row * n, row * n + n), (logit) => logit / t);
    const max = Math.max(...logits);
    total += Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0)) + max - logits[targets[row]!]!;
  }
  return total / targets.length;
}

describe('says why there is no temperature', () => {
  const SEPARABLE = /^the loss falls all the way to temperature 0:/;
  const MEANINGLESS = /^the loss falls all the way to temperature Infinity:/;
  const { NaN: none } = Number;

  test.each<[string, number[], number[], number[], Partial<TemperatureFit>, RegExp]>([
    ['separable', [2, 0, 0, 3], [0, 1], [2, 2], { temperature: 0, nllAfter: 0 }, SEPARABLE],
    ['separable but for ties', [2, 2, 0, 3], [0, 1], [2, 2], { temperature: 0, nllAfter: Math.LN2 / 2 }, SEPARABLE],
    ['the wrong way round', [2, 0, 0, 3], [1, 0], [2, 2], { temperature: Infinity, nllAfter: Math.LN2 }, MEANINGLESS],
    ['no better than chance', [2, 0, 2, 0], [0, 1], [2, 2], { temperature: Infinity, nllAfter: Math.LN2 }, MEANINGLESS],
    [
      'all alike',
      [1, 1, 3, 3],
      [0, 1],
      [2, 2],
      { temperature: 1, nllAfter: Math.LN2 },
      /^the loss is the same at every/,
    ],
    ['NaN', [1, none, 3, 3], [0, 1], [2, 2], { temperature: none, nllAfter: none }, /^the loss is NaN:/],
    ['+Infinity', [1, Infinity], [0], [1, 2], { temperature: none, nllAfter: none }, /^the loss is NaN:/],
    ['no target', [1, -Infinity], [1], [1, 2], { temperature: none, nllAfter: Infinity }, /^the loss is infinite/],
    ['ignored', [1, 2], [-100], [1, 2], { temperature: none, nllBefore: none, nllAfter: none }, /^no row counts:/],
    ['no rows', [], [], [0, 2], { temperature: none, nllBefore: none, nllAfter: none }, /^no row counts:/],
  ])('%s', (_, logits, targets, shape, expected, reason) => {
    for (const dtype of DTYPES) {
      const found = fitTemperature(floatsOf(dtype, logits), targets, { shape });
      expect(found).toMatchObject({
        converged: false,
        iterations: 0,
        reason: expect.stringMatching(reason),
        temperature: expected.temperature,
      });
      expect(Math.abs(found.nllAfter - expected.nllAfter!) < 1e-6 || Object.is(found.nllAfter, expected.nllAfter)).toBe(
        true,
      );
    }
  });

  test('-Infinity at other classes than the target rules them out', () => {
    const logits = [Math.log(3) * 2, 0, -Infinity];
    const rows = [logits, logits, logits, logits].flat();
    const found = fitTemperature(Float64Array.from(rows), [0, 0, 0, 1], { shape: [4, 3] });
    expectTemperature(found, 2, 1e-12);
  });

  test('a temperature out of the range that operations take', () => {
    for (const [dtype, scale, temperature] of [
      ['float32', 2 ** -110, 2 ** -100],
      ['float32', 2 ** 110, 2 ** 100],
      ['float64', 2 ** -910, 2 ** -900],
    ] as const) {
      const { logits, targets, shape } = calibrated(dtype, 5, scale);
      const found = fitTemperature(logits, targets, { shape });
      expect(found).toMatchObject({ temperature, converged: false, reason: expect.stringContaining('still falls') });
      expect(found.iterations).toBeLessThan(3);
      expect(found.nllAfter / meanLoss(logits, targets, 3, temperature)).toBeCloseTo(1, 5);
    }
  });

  test('separable logits, so close that the coldest temperature does not tell them apart', () => {
    for (const [dtype, coldest] of [
      ['float32', 2 ** -100],
      ['float64', 2 ** -900],
    ] as const) {
      const logits = floatsOf(
        dtype,
        [2, 0, 0, 3].map((x) => x * coldest),
      );
      const found = fitTemperature(logits, [0, 1], { shape: [2, 2] });
      const reason = expect.stringContaining('still falls');
      expect(found).toMatchObject({ temperature: coldest, converged: false, reason });
      expect(found.nllAfter / meanLoss(logits, [0, 1], 2, coldest)).toBeCloseTo(1, 5);
    }
  });

  test('an end that is not reached: the squares of such logits overflow, and nothing tells how far it is', () => {
    const { logits, targets, shape } = calibrated('float64', 5, 1e200);
    const found = fitTemperature(logits, targets, { shape });
    expect(found).toMatchObject({ converged: false, iterations: 100, reason: 'no end after 100 steps' });
  });
});

test.each<[unknown, unknown, object, typeof Error, string]>([
  [
    [1, 2, 3, 4],
    [0, 2],
    { shape: [2, 2] },
    RangeError,
    'targets[1] is 2, expected an integer in [0, 2) or ignoreIndex (-100)',
  ],
  [[1, 2], [0, 2], {}, RangeError, 'targets[1] is 2, expected an integer in [0, 2) or ignoreIndex (-100)'],
  [[1, 2], [0], {}, RangeError, 'targets has 1 element, expected 2, one for each number of logits (rows of'],
  [
    [1, 2],
    new Float64Array(1),
    { shape: [1, 2] },
    TypeError,
    'targets is Float64Array(1), expected class indices (integers: Int32Array.from converts)',
  ],
  [[1, 2], [0], { shape: [1, 2], T: 1 }, TypeError, 'unknown option "T", expected one of shape, axis, ignoreIndex'],
  [[1, 2], [0], { shape: [1, 2], ignoreIndex: 1.5 }, RangeError, 'ignoreIndex is 1.5, expected an integer'],
  [null, [0], {}, TypeError, 'logits is null, expected number[]'],
])('refuses %j, %j, %j', (logits, targets, options, Type, message) => {
  const run = () => fitTemperature(logits as number[], targets as number[], options);
  expect(run).toThrow(Type);
  expect(run).toThrow(`fitTemperature: ${message}`);
});
