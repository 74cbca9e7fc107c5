import { describe, expect, test } from 'vitest';
import { alongAxis, backward, elementwise, losses } from './operations/index.js';
import { sizeOf } from './support/cases.js';
import { keptOf } from './support/expected.js';
import * as fixtures from './support/fixtures.js';
import { fixtureProblem as problemOf } from './support/losses.js';
import type { Exact, Precision, Scaled } from './support/oracle.js';
import * as oracle from './support/oracle.js';

/**
 * The oracle against mpmath's values. The errors are relative, or in units of the scale that the bounds of the
 * operation are stated in. The worst when this was written: float64 2.3e-16, double-double 4.8e-32 (6e-31 for a
 * softmax result so small that its `lo` is subnormal).
 */
const TOLERANCE: Record<Precision, number> = { float64: 1e-15, 'double-double': 1e-30 };
const PRECISIONS: readonly Precision[] = ['float64', 'double-double'];

/** Where a value or its `lo` is subnormal, a few units of the smallest double. */
const SMALLEST = 4 * 2 ** -1074;

function at(values: ArrayLike<number>, i: number): number {
  return values[i] as number;
}

/** The error of element i in units of its scale, or relative where there is none. */
function errorOf(actual: Exact, expected: Exact, i: number, scale?: ArrayLike<number>): number {
  const unit = scale === undefined ? Math.abs(at(expected.hi, i)) : at(scale, i);
  const missing = at(expected.lo, i) - at(actual.lo, i);
  const absolute = oracle.errorInUnits(at(actual.hi, i), at(expected.hi, i), missing, 1);
  return absolute <= SMALLEST ? 0 : absolute / unit;
}

function expectClose(precision: Precision, actual: Exact, expected: Exact, scale?: ArrayLike<number>): void {
  expect(actual.hi.length).toBe(expected.hi.length);
  for (let i = 0; i < expected.hi.length; i++) {
    const error = errorOf(actual, expected, i, scale);
    if (!(error <= TOLERANCE[precision])) {
      expect.fail(`element ${i} is ${actual.hi[i]} + ${actual.lo[i]}, expected ${expected.hi[i]}: off by ${error}`);
    }
    if (precision === 'float64') expect(actual.lo[i]).toBe(0);
  }
}

/** The fixtures give six digits of a scale. */
function expectScale(actual: Scaled, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(actual.hi[i])) continue;
    expect(Math.abs(at(actual.scale, i) - at(expected, i))).toBeLessThanOrEqual(1e-5 * at(expected, i));
  }
}

function cases<T extends { readonly name: string }>(
  all: readonly T[],
  run: (precision: Precision, c: T) => void,
): void {
  for (const precision of PRECISIONS) {
    describe(precision, () => {
      for (const c of all) test(c.name, () => run(precision, c));
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Cases of any axis as rows

interface Layout {
  readonly shape: readonly number[];
  readonly axis: number;
}

function classesOf({ shape, axis }: Layout): number {
  return at(shape, axis < 0 ? axis + shape.length : axis);
}

function rows(values: ArrayLike<number>, layout: Layout): Float64Array[] {
  const n = classesOf(layout);
  const all = oracle.toRows(values, layout.shape, layout.axis);
  const count = layout.shape.filter((_, i) => i !== (layout.axis + layout.shape.length) % layout.shape.length);
  return Array.from({ length: sizeOf(count) }, (_, r) => all.subarray(r * n, (r + 1) * n));
}

function joined(parts: readonly ArrayLike<number>[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => Array.from(part)));
}

/** Results of rows, one row after the other, moved to their positions in the tensor. */
function inShape(results: readonly Exact[], { shape, axis }: Layout): Exact {
  return {
    hi: oracle.fromRows(joined(results.map((r) => r.hi)), shape, axis),
    lo: oracle.fromRows(joined(results.map((r) => r.lo)), shape, axis),
  };
}

/** A number for each row. */
function inOrder(results: readonly Scaled[]): Scaled {
  const of = (part: 'hi' | 'lo' | 'scale') => joined(results.map((result) => result[part]));
  return { hi: of('hi'), lo: of('lo'), scale: of('scale') };
}

function scaledInShape(results: readonly Scaled[], layout: Layout): Scaled {
  const scale = oracle.fromRows(joined(results.map((r) => r.scale)), layout.shape, layout.axis);
  return { ...inShape(results, layout), scale };
}

// ---------------------------------------------------------------------------------------------------------------------

describe('points', () => {
  const functions = {
    exp: [oracle.exp, fixtures.expPoints],
    log: [oracle.log, fixtures.logPoints],
    log1p: [oracle.log1p, fixtures.log1pPoints],
    ...Object.fromEntries(elementwise.map((operation) => [operation.name, [operation.exact, operation.fixtures]])),
  } as Record<string, [apply: typeof oracle.exp, points: fixtures.Points]>;
  for (const [name, [apply, points]] of Object.entries(functions)) {
    for (const precision of PRECISIONS) {
      test(`${name}, ${precision}`, () => expectClose(precision, apply(precision, points.x), points));
    }
  }
});

describe.each(alongAxis)('$name', (operation) => {
  cases(operation.fixtures, (precision, c) => {
    const isMasked = c.mask !== undefined || c.causal === true;
    const flags = c.mask && Uint8Array.from(c.mask);
    const kept = isMasked
      ? rows(keptOf({ ...c, what: c.name, x: Float64Array.from(c.x), mask: flags, weights: undefined }), c)
      : [];
    const weights = c.weights === undefined ? [] : rows(c.weights, c);
    const results = rows(c.x, c).map((x, r) => {
      return operation.exact({ precision, x, temperature: c.temperature, weights: weights[r], kept: kept[r] });
    });
    const isReduced = operation.out === 'rows';
    const actual = isReduced ? inOrder(results) : scaledInShape(results, c);
    expectClose(precision, actual, c.y, c.scale);
    if (c.scale !== undefined) expectScale(actual, c.scale);
  });
});

describe.each(backward)('$name', (operation) => {
  cases(operation.fixtures, (precision, c) => {
    const dy = rows(c.dy, c);
    const results = rows(c.y ?? c.logP ?? [], c).map((row, r) =>
      operation.exact(precision, row, dy[r] ?? [], c.temperature),
    );
    const actual = scaledInShape(results, c);
    expectClose(precision, actual, c.dx, c.scale);
    expectScale(actual, c.scale);
  });
});

describe.each(losses)('$name', (operation) => {
  cases(operation.fixtures, (precision, c) => {
    // The precision of an oracle follows from the type of the arguments.
    const dtype = precision === 'float64' ? 'float32' : 'float64';
    const { loss, grad } = operation.exact({ ...problemOf(operation, c), dtype });
    expectClose(precision, loss, c.loss, c.lossScale);
    expectScale(loss, c.lossScale);
    expectClose(precision, grad, c.grad, c.gradScale);
    expectScale(grad, c.gradScale);
  });
});

describe('particular values', () => {
  test('the distance of softmax', () => {
    expect(Array.from(oracle.softmax('float64', [1, 3, -Infinity], 2).distance)).toEqual([1, 0, Infinity]);
    expect(oracle.softmax('float64', [NaN, 3]).distance[1]).toBeNaN();
  });

  test('logSumExp of [0, -40] is accurate to its last digit', () => {
    expect(oracle.logSumExp('double-double', [0, -40]).hi[0]).toBe(4.248354255291589e-18);
    expect(oracle.relativeError(4.248354255291589e-18, oracle.logSumExp('float64', [0, -40]), 0)).toBeLessThan(4e-16);
  });

  test('crossEntropy: one-hot probabilities are index targets', () => {
    const logits = [0.5, -1, 2, 3, 0.25, -2];
    const index = oracle.crossEntropy('double-double', logits, 3, { indices: [2, 0] });
    const oneHot = oracle.crossEntropy('double-double', logits, 3, { probabilities: [0, 0, 1, 1, 0, 0] });
    expect(oneHot).toEqual(index);
  });

  test('crossEntropy: BigInt indices', () => {
    const big = oracle.crossEntropy('float64', [1, 2, 3, 4], 2, { indices: new BigInt64Array([-100n, 1n]) });
    expect(big).toEqual(oracle.crossEntropy('float64', [1, 2, 3, 4], 2, { indices: [-100, 1] }));
  });

  test('distillation of a model with itself is exactly 0', () => {
    const logits = [1.5, -2, 0.25, 7];
    const { loss, grad } = oracle.distillation('double-double', logits, logits, 4, { temperature: 3 });
    expect([loss.hi[0], ...grad.hi.map(Math.abs)]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('long rows', () => {
  const n = 2 ** 18;
  const row = Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7) * 8);

  test('float64 agrees with double-double at 2^18 elements', () => {
    const fast = oracle.softmax('float64', row);
    const slow = oracle.softmax('double-double', row);
    let worst = 0;
    for (let i = 0; i < n; i++) worst = Math.max(worst, oracle.relativeError(at(fast.hi, i), slow, i));
    expect(worst).toBeLessThan(1e-15);
  });

  test('logSumExp of 2^18 equal elements is their value + 18 log 2', () => {
    const { hi } = oracle.logSumExp('double-double', new Float64Array(n).fill(0.5));
    expect(hi[0]).toBe(0.5 + 18 * Math.LN2);
  });
});

describe('comparison', () => {
  test('sees errors far below the last bit of the exact value', () => {
    expect(oracle.errorInUnits(1, 1, 2 ** -60, 2 ** -60)).toBe(1);
    expect(oracle.errorInUnits(1 + 2 ** -52, 1, 2 ** -60, 2 ** -52)).toBe(1 - 2 ** -8);
    expect(oracle.relativeError(3, { hi: new Float64Array([4]), lo: new Float64Array(1) }, 0)).toBe(0.25);
  });

  test('infinities and NaN are equal to themselves only', () => {
    expect(oracle.errorInUnits(NaN, NaN, 0, NaN)).toBe(0);
    expect(oracle.errorInUnits(Infinity, Infinity, 0, Infinity)).toBe(0);
    for (const [actual, exact] of [
      [1, NaN],
      [NaN, 1],
      [Infinity, 1],
      [1, Infinity],
      [-Infinity, Infinity],
    ] as const) {
      expect(oracle.errorInUnits(actual, exact, 0, 1)).toBe(Infinity);
    }
  });

  test('an exact 0 allows no error', () => {
    const zero = { hi: new Float64Array(1), lo: new Float64Array(1) };
    expect(oracle.relativeError(-0, zero, 0)).toBe(0);
    expect(oracle.relativeError(5e-324, zero, 0)).toBe(Infinity);
  });

  test('toRows and fromRows undo each other', () => {
    const values = Array.from({ length: 24 }, (_, i) => i);
    expect(Array.from(oracle.toRows(values, [2, 3, 4], 1).subarray(0, 6))).toEqual([0, 4, 8, 1, 5, 9]);
    for (const axis of [0, 1, 2, -1, -2, -3]) {
      const there = oracle.toRows(values, [2, 3, 4], axis);
      expect(Array.from(oracle.fromRows(there, [2, 3, 4], axis))).toEqual(values);
    }
  });
});

describe('fixtures', () => {
  const all = [...alongAxis, ...backward, ...losses].flatMap((operation) => [...operation.fixtures]);
  const points = [
    fixtures.expPoints,
    fixtures.logPoints,
    fixtures.log1pPoints,
    ...elementwise.map((operation) => operation.fixtures),
  ];

  test('the first of a pair is the rounded value', () => {
    const isExact = (value: unknown): value is Exact => typeof value === 'object' && value !== null && 'lo' in value;
    for (const { hi, lo } of [...points, ...all.flatMap((c) => Object.values(c).filter(isExact))]) {
      // A subnormal `lo` may have been rounded up to half a unit in hi's last place.
      const wrong = hi.findIndex((v, i) => !Object.is(v + at(lo, i), v) && Math.abs(at(lo, i)) >= 2 ** -1022);
      expect(wrong).toBe(-1);
    }
  });

  test('inputs of float32 cases are float32 numbers', () => {
    const inputs = [
      'x',
      'dy',
      'y',
      'logP',
      'logits',
      'logProbs',
      'targets',
      'probabilities',
      'weight',
      'weights',
    ].concat('posWeight', 'studentLogits', 'teacherLogits', 'gradOutput');
    for (const c of all.filter(({ dtype }) => dtype === 'float32')) {
      for (const [key, value] of Object.entries(c)) {
        if (!inputs.includes(key) || !Array.isArray(value)) continue;
        expect(
          value.filter((number) => !Object.is(Math.fround(number), number)),
          `${c.name}, ${key}`,
        ).toEqual([]);
      }
    }
  });

  test('every array has the size of its shape', () => {
    for (const c of all) {
      const first = Object.values(c).find((value) => Array.isArray(value) && value !== c.shape) as number[];
      expect(first.length, c.name).toBe(sizeOf(c.shape));
    }
  });
});
