import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { narrow, widen } from '../src/half.js';
import {
  type Calibration,
  type CalibrationOptions,
  createKernels,
  type Kernels,
  OutOfMemoryError,
} from '../src/index.js';
import fixtures from './fixtures/calibration.json' with { type: 'json' };
import { sets } from './support/backends.js';
import { DTYPES, type Dtype, floatsOf, numbers, randomOf, sizeOf } from './support/cases.js';

const { calibrationError, calibrationState, tensor } = createKernels({ backend: 'simd128' });

/** The tolerance of each figure with float32 probabilities, and with float64 ones. */
const TOLERANCE: Record<Dtype, number> = { float32: 1e-6, float64: 1e-13 };

type Fixture = (typeof fixtures.cases)[number];

function run(kernels: Kernels, dtype: Dtype, { x, targets, shape, options }: Fixture): Calibration {
  return kernels.calibrationError(floatsOf(dtype, x), targets, { ...(options as CalibrationOptions), shape });
}

/** Figures equal within a tolerance; NaN where a fixture has null. */
function expectNear(found: Calibration, { calibration: expected }: Fixture, tolerance: number): void {
  const near = (value: number, exact: number | null, name: string) => {
    const difference = exact === null ? (Number.isNaN(value) ? 0 : Infinity) : Math.abs(value - exact);
    expect(difference, `${name}: ${value}, expected ${exact}`).toBeLessThanOrEqual(tolerance);
  };
  for (const name of ['ece', 'mce', 'brier', 'nll'] as const) near(found[name], expected[name], name);
  expect('classwiseEce' in found).toBe('classwiseEce' in expected);
  if ('classwiseEce' in expected) near(found.classwiseEce!, expected.classwiseEce!, 'classwiseEce');
  expect(found.bins.map(({ count }) => count)).toEqual(expected.bins.map(({ count }) => count));
  found.bins.forEach((bin, i) => {
    for (const name of ['lower', 'upper', 'confidence', 'accuracy'] as const)
      near(bin[name], expected.bins[i]![name], name);
  });
}

describe.each(sets)('$name', ({ kernels }) => {
  describe.each(DTYPES)('%s: from the definitions', (dtype) => {
    test.each(fixtures.cases)('$name', (fixture) => {
      expectNear(run(kernels, dtype, fixture), fixture, TOLERANCE[dtype]);
    });

    test.each([
      [-1, [4, 3, 6, 5], 1],
      [1, [4, 5, 3, 6], 18],
      [0, [5, 4, 3, 6], 72],
      [1, [3, 5, 2, 40], 80],
      [0, [5, 2], 2],
    ])('axis %i of %j', (axis, shape, inner) => {
      const n = shape.at(axis)!;
      const x = numbers(dtype, sizeOf(shape), 'within ±8', 3);
      const rows = x.length / n;
      const random = randomOf(4);
      const targets = Int32Array.from({ length: rows }, () => Math.floor(n * random()));
      const classesLast = x.map((_, i) => {
        const row = Math.floor(i / n);
        return x[(Math.floor(row / inner) * n + (i % n)) * inner + (row % inner)]!;
      });
      const options = { classwise: true, temperature: 2 };
      const expected = kernels.calibrationError(classesLast, targets, { ...options, shape: [rows, n] });
      expect(kernels.calibrationError(x, targets, { ...options, shape, axis })).toEqual(expected);
    });

    test.each([1, 5000])('rows of 2 and more classes, %i of them', (rows) => {
      // More rows than fit into staging memory, and rows that do not fit into it alone.
      for (const n of rows === 1 ? [2, 3, 80_000] : [2, 3, 40]) {
        const x = numbers(dtype, rows * n, 'within ±8', n);
        const targets = Int32Array.from({ length: rows }, (_, row) => row % n);
        const p = kernels.softmax(x, { shape: [rows, n] });
        const fromLogits = kernels.calibrationError(x, targets, { shape: [rows, n] });
        const fromP = kernels.calibrationError(p, targets, { shape: [rows, n], from: 'probabilities' });
        for (const name of ['ece', 'mce', 'brier', 'nll'] as const) {
          expect(Math.abs(fromLogits[name] - fromP[name])).toBeLessThan(TOLERANCE[dtype] * Math.max(1, fromP[name]));
        }
      }
    });
  });

  test('agrees with the operations that give one figure', () => {
    const [rows, n] = [500, 37];
    const x = numbers('float64', rows * n, 'within ±8', 5);
    const targets = Int32Array.from({ length: rows }, (_, i) => (i % 9 === 0 ? -100 : (7 * i) % n));
    const options = { shape: [rows, n] };
    const found = kernels.calibrationError(x, targets, { ...options, bins: 1 });
    const p = kernels.softmax(x, options);
    const predicted = kernels.argmax(x, options);
    const kept = [...targets.keys()].filter((row) => targets[row]! >= 0);
    const confidence = kept.reduce((sum, row) => sum + p[row * n + predicted[row]!]!, 0) / kept.length;
    expect(found.bins[0]!.count).toBe(kept.length);
    expect(found.bins[0]!.accuracy).toBeCloseTo(kernels.accuracy(x, targets, options), 14);
    expect(found.bins[0]!.confidence).toBeCloseTo(confidence, 13);
    expect(found.nll).toBeCloseTo(kernels.crossEntropy(x, targets, options), 13);
  });

  test('takes every kind of input, and leaves memory as it was', () => {
    const x = [2, 0, 3, 0, 0, 1, 4, 0];
    const shape = [4, 2];
    const expected = kernels.calibrationError(x, [0, 0, 1, 1], { shape });
    const resident = kernels.tensor(x, shape);
    const usage = kernels.memoryUsage();
    for (const targets of [[0, 0, 1, 1], Int8Array.of(0, 0, 1, 1), BigInt64Array.of(0n, 0n, 1n, 1n)]) {
      expect(kernels.calibrationError(Float32Array.from(x), targets, { shape })).toEqual(expected);
      expect(kernels.calibrationError({ data: x, dims: shape }, targets)).toEqual(expected);
      expect(kernels.calibrationError(resident, targets)).toEqual(expected);
      expect(kernels.calibrationError(resident.data, targets, { shape })).toEqual(expected);
      expect(kernels.calibrationError(resident, { data: Int32Array.from(targets, Number), shape: [4] })).toEqual(
        expected,
      );
    }
    expect([...resident.data]).toEqual(x);
    expect(kernels.memoryUsage()).toEqual(usage);
  });

  test('one number for each row, more than staging memory holds', () => {
    const x = numbers('float32', 40_000, 'within ±8', 9);
    const targets = Uint8Array.from(x, (value, i) => Number(value + (i % 5) - 2 > 0));
    const pairs = Float32Array.from({ length: 80_000 }, (_, i) => (i % 2 === 0 ? 0 : x[(i - 1) / 2]!));
    const expected = kernels.calibrationError(pairs, targets, { shape: [40_000, 2] });
    expect(kernels.calibrationError(x, targets).nll).toBe(expected.nll);
  });

  test('one number for each row is that of class 1', () => {
    const x = numbers('float64', 200, 'within ±8', 6);
    const targets = Uint8Array.from(x, (value, i) => Number(value + (i % 5) - 2 > 0));
    const expected = kernels.calibrationError(x, targets, { temperature: 2 });
    const p = kernels.sigmoid(x.map((value) => value / 2));
    const resident = kernels.tensor(x, [200, 1], { dtype: 'float64' });
    expect(kernels.calibrationError(resident, targets, { temperature: 2 })).toEqual(expected);
    resident.dispose();
    const fromP = kernels.calibrationError(p, targets, { from: 'probabilities' });
    expect(fromP.bins.map(({ count }) => count)).toEqual(expected.bins.map(({ count }) => count));
    const brier = Array.from(p).reduce((sum, q, i) => sum + (q - targets[i]!) ** 2, 0) / 200;
    for (const found of [expected, fromP]) {
      expect(found.brier).toBeCloseTo(brier, 13);
      expect(found.nll).toBeCloseTo(
        kernels.bceWithLogits(
          x.map((value) => value / 2),
          targets,
        ),
        13,
      );
    }
    const shaped = { data: x, shape: [10, 1, 20] };
    const labels = { data: Int32Array.from(targets), shape: [10, 20] };
    expect(kernels.calibrationError(shaped, labels, { axis: 1, temperature: 2 })).toEqual(expected);
    const first = { data: x, shape: [1, 10, 20] };
    expect(kernels.calibrationError(first, labels, { axis: 0, temperature: 2 })).toEqual(expected);
  });
});

describe('bins', () => {
  /** The bins that hold rows, for input with a number for each row. */
  const filled = (x: readonly number[] | Float64Array, options: CalibrationOptions) => {
    const targets = Array.from(x, () => 1);
    const { bins } = calibrationError(Float64Array.from(x), targets, { from: 'probabilities', ...options });
    return bins.flatMap(({ lower, upper, count }, i) => (count > 0 ? [[i, lower, upper, count]] : []));
  };

  test('an edge belongs to the bin below, whatever rounding makes of it', () => {
    for (let bins = 1; bins <= 30; bins++) {
      const below = (x: number) => x - (x < 2 ** -500 ? 0 : 2 ** (Math.floor(Math.log2(x)) - 53));
      for (let i = 1; i <= bins; i++) {
        const edge = i / bins;
        const above = edge + 2 ** (Math.floor(Math.log2(edge)) - 52);
        expect(filled([edge], { bins })).toEqual([[i - 1, (i - 1) / bins, edge, 1]]);
        expect(filled([below(edge)], { bins })[0]![0]).toBe(i - 1);
        if (i < bins) expect(filled([above], { bins })[0]![0]).toBe(i);
      }
    }
  });

  test('an edge belongs to the bin below in float32 too', () => {
    for (let bins = 1; bins <= 30; bins++) {
      const edges = Float32Array.from({ length: bins }, (_, i) => (i + 1) / bins);
      const targets = new Int32Array(bins);
      const counts = (x: Float32Array | Float64Array) =>
        calibrationError(x, targets, { from: 'probabilities', bins }).bins.map(({ count }) => count);
      expect(counts(edges)).toEqual(Array(bins).fill(1));
      expect(counts(Float64Array.from(edges))).toEqual(Array(bins).fill(1));
    }
  });

  test('16 bits belong where their number lies, on every backend', () => {
    for (const { kernels } of sets) {
      for (const type of ['float16', 'bfloat16'] as const) {
        for (const bins of [1, 2, 3, 7, 8, 10, 15]) {
          const bits = Uint16Array.from({ length: bins }, (_, i) => narrow(type, (i + 1) / bins));
          const x = { data: bits, shape: [bins], type };
          const found = kernels.calibrationError(x, new Int32Array(bins), { from: 'probabilities', bins }).bins;
          const counts = found.map(() => 0);
          for (const p of Array.from(bits, (each) => widen(type, each))) {
            counts[found.findIndex(({ lower, upper }) => p > lower && p <= upper)]!++;
          }
          expect(found.map(({ count }) => count)).toEqual(counts);
        }
      }
    }
  });

  test('0 belongs to the first bin, and what rounding took out of [0, 1] to the first or the last', () => {
    expect(filled([0, -1e-3], { bins: 3 })).toEqual([[0, 0, 1 / 3, 2]]);
    expect(filled([1, 1 + 1e-3, Number.NaN], { bins: 3 })).toEqual([[2, 2 / 3, 1, 3]]);
  });

  test('of equal mass hold the same number of rows, except for ties', () => {
    const spread = Array.from({ length: 100 }, (_, i) => ((i * 37) % 100) / 100 + 0.001);
    const options = { scheme: 'mass', bins: 8 } as const;
    expect(filled(spread, options).map(([, , , count]) => count)).toEqual([13, 12, 13, 12, 13, 12, 13, 12]);
    expect(filled([0.5, 0.5, 0.5, 0.5, 0.9], options)).toEqual([
      [0, 0, 0.5, 4],
      [1, 0.5, 1, 1],
    ]);
    expect(filled([0.3], options)).toEqual([[0, 0, 1, 1]]);
    expect(calibrationError([], [], { ...options, shape: [0, 3] }).bins).toEqual([]);
  });
});

describe('is', () => {
  test('0 if confidence equals accuracy', () => {
    // Of the rows with probability k / 16, k of 16 are right; all figures are exact.
    const x: number[] = [];
    const targets: number[] = [];
    for (let k = 0; k <= 16; k++) {
      for (let i = 0; i < 16; i++) {
        x.push(k / 16);
        targets.push(i < k ? 1 : 0);
      }
    }
    for (const scheme of ['width', 'mass'] as const) {
      for (const bins of [1, 4, 16]) {
        const found = calibrationError(x, targets, { from: 'probabilities', scheme, bins });
        expect([found.ece, found.mce]).toEqual([0, 0]);
      }
    }
    const pairs = x.flatMap((p) => [1 - p, p]);
    const found = calibrationError(pairs, targets, {
      from: 'probabilities',
      bins: 16,
      classwise: true,
      shape: [272, 2],
    });
    expect(found.classwiseEce).toBe(0);
  });

  test('1 if all rows are certain and wrong', () => {
    const found = calibrationError([100, 0, 0, 100], [1, 0], { shape: [2, 2], classwise: true });
    const figures = { ece: 1, mce: 1, brier: 2, nll: 100, classwiseEce: 1 };
    for (const [name, figure] of Object.entries(figures)) {
      expect(found[name as keyof typeof figures]).toBeCloseTo(figure, 6);
    }
  });

  test('the same in any order of rows', () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean()), { minLength: 1, maxLength: 60 });
    const shuffled = rows.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(
        shuffled,
        fc.constantFrom('width', 'mass'),
        fc.integer({ min: 1, max: 9 }),
        ([all, other], scheme, bins) => {
          const evaluate = (each: typeof all) => {
            const x = each.map(([eighths]) => eighths / 8);
            const targets = each.map(([, isRight]) => Number(isRight));
            const { nll, ...found } = calibrationError(x, targets, { from: 'probabilities', scheme, bins });
            return found;
          };
          expect(evaluate(other)).toEqual(evaluate(all));
        },
      ),
      { seed: 42, numRuns: 200 },
    );
  });

  test('no smaller for many bins than for one, and no larger than the worst of them', () => {
    const x = numbers('float64', 300, 'within ±8', 8);
    const targets = Int32Array.from({ length: 100 }, (_, row) => row % 3);
    const of = (options: CalibrationOptions) => calibrationError(x, targets, { shape: [100, 3], ...options }).ece;
    for (const scheme of ['width', 'mass'] as const) {
      expect(of({ scheme, bins: 10 })).toBeGreaterThanOrEqual(of({ scheme, bins: 1 }));
      const { ece, mce } = calibrationError(x, targets, { shape: [100, 3], scheme });
      expect(mce).toBeGreaterThanOrEqual(ece);
      expect(mce).toBeLessThanOrEqual(1);
      expect(of({ scheme, bins: 1 })).toBe(of({ scheme: 'width', bins: 1 }));
    }
  });
});

describe('special values', () => {
  const NONE = { ece: Number.NaN, mce: Number.NaN, brier: Number.NaN, nll: Number.NaN };
  const EMPTY = { count: 0, confidence: Number.NaN, accuracy: Number.NaN };

  test('no rows, and rows that are all ignored', () => {
    const bins = [
      { ...EMPTY, lower: 0, upper: 0.5 },
      { ...EMPTY, lower: 0.5, upper: 1 },
    ];
    expect(calibrationError([], [], { shape: [0, 3], bins: 2 })).toEqual({ ...NONE, bins });
    expect(calibrationError([1, 2], [-100], { shape: [1, 2], bins: 2 })).toEqual({ ...NONE, bins });
    const options = { shape: [1, 2], bins: 2, ignoreIndex: 7, classwise: true };
    expect(calibrationError([1, 2], [7], options)).toEqual({ ...NONE, classwiseEce: Number.NaN, bins });
    expect(calibrationError([], [], { bins: 2 })).toEqual({ ...NONE, bins });
  });

  test('NaN in a row', () => {
    for (const scheme of ['width', 'mass'] as const) {
      expect(calibrationError([1, Number.NaN, 2, 1], [0, 0], { shape: [2, 2], scheme })).toMatchObject(NONE);
      const p = [0.3, Number.NaN, 0.6, 0.4];
      const options = { from: 'probabilities', shape: [2, 2], scheme } as const;
      expect(calibrationError(p, [0, 0], options)).toMatchObject(NONE);
    }
  });

  test('what rounding took out of [0, 1] counts as 0 or 1', () => {
    const p = [1 + 2 ** -8, -(2 ** -8), 1 + 2 ** -8, -(2 ** -8)];
    for (const options of [{ classwise: true }, { scheme: 'mass' }] as const) {
      const of = (targets: number[]) =>
        calibrationError(p, targets, { from: 'probabilities', shape: [2, 2], ...options });
      expect(of([0, 0])).toMatchObject({ ece: 0, mce: 0, nll: 0 });
      expect(of([0, 1])).toMatchObject({ ece: 0.5, mce: 0.5, nll: Infinity });
    }
    const binary = (targets: number[]) => calibrationError(p.slice(0, 2), targets, { from: 'probabilities', bins: 1 });
    expect(binary([1, 0])).toMatchObject({ ece: 0, brier: 0, nll: 0 });
    expect(binary([0, 1])).toMatchObject({ ece: 0, brier: 1, nll: Infinity });
  });

  test('more bins than an array takes: an error at once', () => {
    const state = calibrationState({ classwise: true, bins: 10_000 });
    const classes = 128_000;
    expect(() => state.add(new Float32Array(classes), [0], { shape: [1, classes] })).toThrow(OutOfMemoryError);
    expect(state.count).toBe(0);
    expect(state.add([1, 2], [0], { shape: [1, 2] }).count).toBe(1);
  });

  test('a target without a probability', () => {
    expect(calibrationError([1, -Infinity], [1], { shape: [1, 2] })).toMatchObject({ ece: 1, brier: 2, nll: Infinity });
    const fromP = calibrationError([1, 0], [1], { shape: [1, 2], from: 'probabilities' });
    expect(fromP).toMatchObject({ ece: 1, brier: 2, nll: Infinity });
    expect(calibrationError([0, 1], [1, 0], { from: 'probabilities' })).toMatchObject({ brier: 1, nll: Infinity });
  });

  test('a loss of a confident row keeps its digits', () => {
    const { nll } = calibrationError(Float64Array.of(40, 0), [0], { shape: [1, 2] });
    expect(nll / 4.248354255291589e-18 - 1).toBeLessThan(1e-13);
    const p = Float64Array.of(1e-20);
    expect(calibrationError(p, [0], { from: 'probabilities' }).nll).toBeCloseTo(1e-20, 33);
  });
});

describe('refuses', () => {
  const X = [1, 2, 3, 4];
  const SHAPE = { shape: [2, 2] };
  const range = 'a number in [2^-100, 2^100]';

  test.each<[unknown, unknown, object, typeof Error, string]>([
    [X, [0, 1], { ...SHAPE, from: 'logit' }, TypeError, 'from is "logit", expected "logits" or "probabilities"'],
    [X, [0, 1], { ...SHAPE, scheme: 'size' }, TypeError, 'scheme is "size", expected "width" or "mass"'],
    [X, [0, 1], { ...SHAPE, bins: 0 }, RangeError, 'bins is 0, expected a whole number in [1, 10000]'],
    [X, [0, 1], { ...SHAPE, bins: 2.5 }, RangeError, 'bins is 2.5, expected a whole number in [1, 10000]'],
    [X, [0, 1], { ...SHAPE, bins: 10_001 }, RangeError, 'bins is 10001, expected a whole number in [1, 10000]'],
    [X, [0, 1], { ...SHAPE, bins: '3' }, TypeError, 'bins is "3", expected a whole number in [1, 10000]'],
    [
      X,
      [0, 1],
      { ...SHAPE, temperature: 0 },
      RangeError,
      `temperature is 0, expected ${range} (for 0 take argmax, or sample)`,
    ],
    [X, [0, 1], { ...SHAPE, temperature: '1' }, TypeError, 'temperature is "1", expected a positive number'],
    [
      X,
      [0, 1],
      { ...SHAPE, temperature: 2, from: 'probabilities' },
      RangeError,
      'temperature is 2, expected 1 for probabilities',
    ],
    [X, [0, 1], { ...SHAPE, classwise: 1 }, TypeError, 'classwise is 1, expected true or false'],
    [
      X,
      [0, 1],
      { ...SHAPE, classwise: true, scheme: 'mass' },
      RangeError,
      'classwise is true, expected false with scheme "mass"',
    ],
    [X, [0, 1], { ...SHAPE, ignoreIndex: 0.5 }, RangeError, 'ignoreIndex is 0.5, expected an integer'],
    [X, [0, 1], { ...SHAPE, n_bins: 3 }, TypeError, 'unknown option "n_bins", the name is bins here'],
    [X, [0, 2], SHAPE, RangeError, 'targets[1] is 2, expected an integer in [0, 2) or ignoreIndex (-100)'],
    [X, [0, 1, 2, 0], {}, RangeError, 'targets[2] is 2, expected an integer in [0, 2) or ignoreIndex (-100)'],
    [X, [0, 1, 1], SHAPE, RangeError, 'targets has 3 elements, expected 2, one for each row'],
    [
      X,
      [0, 1, 1],
      {},
      RangeError,
      'targets has 3 elements, expected 4, one for each number of x (rows of several classes need shape)',
    ],
    [
      X,
      new Float32Array(2),
      SHAPE,
      TypeError,
      'targets is Float32Array(2), expected class indices (integers: Int32Array.from converts)',
    ],
    [[], [0, 1], { shape: [2, 0] }, RangeError, 'x has 0 elements along the axis, expected at least 1'],
    [X, [0, 1], { shape: [3, 2] }, RangeError, 'x has 4 elements, expected 6 for shape [3, 2]'],
    [
      [0.5, 1, 1.5, -1],
      [0, -100, 1, 1],
      { from: 'probabilities' },
      RangeError,
      "x holds 1.5, expected probabilities (logits: from: 'logits')",
    ],
    [
      [0.5, -3, 0.5, -1],
      [0, 1],
      { ...SHAPE, from: 'probabilities' },
      RangeError,
      "x holds -3, expected probabilities (logits: from: 'logits')",
    ],
    [['1'], [0], {}, TypeError, 'x[0] is "1", expected a number (nested arrays: tensor() takes them)'],
  ])('%j, %j, %j', (x, targets, options, Type, message) => {
    expect(() => calibrationError(x as number[], targets as number[], options)).toThrow(
      new Type(`calibrationError: ${message}`),
    );
  });

  test('nothing of a shard that holds logits, and what rows hold that do not count', () => {
    const state = calibrationState({ from: 'probabilities' }).add([0.5, 0.5], [0], { shape: [1, 2] });
    const before = JSON.stringify(state);
    expect(() => state.add([0.5, 0.5, 2, 0], [0, 0], { shape: [2, 2] })).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
    expect(state.add([9, -9, 1.001, Number.NaN], [-100, 0], { shape: [2, 2] }).count).toBe(2);
  });

  test('targets of another shape', () => {
    const targets = { data: Int32Array.of(0, 1, 0, 1), shape: [4, 1] };
    const message = 'calibrationError: targets has shape [4, 1], expected [4], the shape without its axis';
    for (const x of [X, { data: X, shape: [4] }, { data: X, shape: [4, 1] }]) {
      expect(() => calibrationError(x, targets)).toThrow(new RangeError(message));
    }
  });

  test('tensors that are disposed', () => {
    const x = tensor(X, [2, 2]);
    x.dispose();
    expect(() => calibrationError(x, [0, 1])).toThrow('calibrationError: x is disposed');
  });
});
