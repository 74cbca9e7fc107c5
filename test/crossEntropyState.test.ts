import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CrossEntropyState, type Kernels, OutOfMemoryError } from '../src/index.js';
import { setOf, sets } from './support/backends.js';
import { SMALLEST_NORMAL, SMALLEST_STEP } from './support/bounds.js';
import {
  ALL_KINDS,
  DTYPES,
  type Dtype,
  type Floats,
  type Kind,
  newFloats,
  numbers,
  randomOf,
} from './support/cases.js';
import { runProgram } from './support/examples.js';
import { any } from './support/failures.js';
import * as oracle from './support/oracle.js';

/** Logits [rows, n], and where their classes are split into chunks. */
interface Problem {
  readonly kind: Kind;
  readonly rows: number;
  readonly n: number;
  readonly temperature: number;
  readonly seed: number;
}

const problems: fc.Arbitrary<Problem> = fc.record({
  kind: fc.constantFrom(...ALL_KINDS),
  rows: fc.integer({ min: 1, max: 4 }),
  n: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 30, max: 300 })),
  temperature: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 100, noNaN: true })),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

/** The chunk with the classes in [from, to) of logits [rows, n]. */
function chunkOf(x: Floats, n: number, from: number, to: number): Floats {
  return x.filter((_, i) => i % n >= from && i % n < to) as Floats;
}

/**
 * Adds random chunks to states, and merges them in a random tree. Returns the state, the chunks and the number of
 * merges.
 */
function gather(
  x: Floats,
  n: number,
  targets: readonly number[],
  random: () => number,
  create: () => CrossEntropyState,
): { state: CrossEntropyState; chunks: [from: number, to: number][] } {
  const states: CrossEntropyState[] = [create()];
  const chunks: [number, number][] = [];
  for (let from = 0; from < n; ) {
    const to = Math.min(n, from + 1 + Math.floor(random() ** 4 * n));
    if (random() < 0.7) states.push(create());
    (states.at(-1) as CrossEntropyState).add(chunkOf(x, n, from, to), { targets, offset: from });
    chunks.push([from, to]);
    from = to;
  }
  while (states.length > 1) {
    const [other] = states.splice(Math.floor(random() * states.length), 1) as [CrossEntropyState];
    (states[Math.floor(random() * states.length)] as CrossEntropyState).merge(other);
  }
  return { state: states[0] as CrossEntropyState, chunks };
}

function listOf(value: number | Float32Array | Float64Array): ArrayLike<number> {
  return typeof value === 'number' ? [value] : value;
}

/** A further scale of which an error may be a multiple. */
function unitsOf(dtype: Dtype, units32: number, merges: number): number {
  return (8 + merges) * 2 ** -52 + (dtype === 'float32' ? units32 * 2 ** -23 : 0);
}

describe.each(sets)('$name', ({ kernels }) => {
  const { crossEntropyState } = kernels;

  describe.each(DTYPES)('%s', (dtype) => {
    test('any split and any tree of merges is within the contract, and so is the gradient of each chunk', () => {
      const property = fc.property(problems, (problem) => {
        const { kind, rows, n, temperature, seed } = problem;
        const x = numbers(dtype, rows * n, kind, seed);
        const random = randomOf(seed);
        const targets = Array.from({ length: rows }, () => (random() < 0.15 ? -100 : Math.floor(n * random())));
        const settings = { rows, temperature, reduction: 'none' } as const;
        const { state, chunks } = gather(x, n, targets, random, () => crossEntropyState(settings));
        expect(state.count).toBe(n);
        const exact = oracle.crossEntropy('double-double', x, n, { indices: targets }, settings);
        const expectClose = (what: string, actual: number, from: oracle.Scaled, i: number, limit: number) => {
          const [hi, lo] = [from.hi[i] as number, from.lo[i] as number];
          const error = oracle.errorInUnits(actual, hi, lo, limit);
          if (!(error <= 1)) expect.fail(`${JSON.stringify(problem)}, ${what}: ${actual}, expected ${hi}`);
        };
        const values = state.value as Float64Array;
        const lossUnits = unitsOf(dtype, 5, chunks.length);
        values.forEach((value, row) => {
          const scale = exact.unreduced.scale[row] as number;
          expectClose(`row ${row}`, value, exact.unreduced, row, lossUnits * scale + SMALLEST_STEP[dtype]);
        });
        const units = unitsOf(dtype, 4, chunks.length);
        for (const [from, to] of chunks) {
          const gradient = state.gradient(chunkOf(x, n, from, to), { offset: from }) as Floats;
          gradient.forEach((value, at) => {
            const [row, c] = [Math.floor(at / (to - from)), from + (at % (to - from))];
            const i = row * n + c;
            // At the target, the error is relative to the gradient itself.
            const isTarget = c === targets[row];
            const scale = isTarget ? Math.abs(exact.grad.hi[i] as number) : (exact.grad.scale[i] as number);
            const least = isTarget ? SMALLEST_STEP[dtype] : SMALLEST_NORMAL[dtype] / temperature;
            expectClose(`gradient ${row}, ${c}`, value, exact.grad, i, units * scale + least);
          });
        }
      });
      fc.assert(property, { seed: 42, numRuns: 60 });
    });

    test('mean, sum and gradOutput are those of crossEntropyWithGrad', () => {
      const [rows, n] = [5, 70];
      const x = numbers(dtype, rows * n, 'within ±8', 7);
      const targets = [3, -7, 69, 0, 40];
      const [a, b] = [chunkOf(x, n, 0, 41), chunkOf(x, n, 41, n)];
      for (const reduction of ['mean', 'sum', 'none'] as const) {
        const upstream = newFloats(dtype, rows).map((_, i) => i - 1.5) as Floats;
        const gradOutput = reduction === 'none' ? upstream : 2.5;
        const options = { ignoreIndex: -7, temperature: 2, reduction };
        const whole = kernels.crossEntropyWithGrad(x, targets, { ...options, shape: [rows, n], gradOutput });
        const state = crossEntropyState({ ...options, rows });
        state
          .add(a, { targets, offset: 0, shape: [rows, 41] })
          .add(b, { targets: BigInt64Array.from(targets, BigInt), offset: 41 });
        const tolerance = dtype === 'float32' ? 2e-6 : 1e-14;
        const expectNear = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
          expect(actual).toHaveLength(expected.length);
          for (let i = 0; i < expected.length; i++) {
            expect(Math.abs((actual[i] as number) - (expected[i] as number))).toBeLessThan(tolerance * 8);
          }
        };
        expectNear(listOf(state.value), listOf(whole.loss));
        const grads = [a, b].map((chunk, i) => state.gradient(chunk, { targets, offset: 41 * i, gradOutput }));
        expectNear(grads[0] as Floats, chunkOf(whole.grad as Floats, n, 0, 41));
        expectNear(grads[1] as Floats, chunkOf(whole.grad as Floats, n, 41, n));
        const out = a.slice() as Floats;
        expect(state.gradient(out, { offset: 0, gradOutput, out })).toBe(out);
        expect(out).toEqual(grads[0]);
      }
    });
  });

  test('the loss includes the rounding error of the distance to the target', () => {
    const [rows, n] = [500, 2];
    const random = randomOf(3);
    const x = Float64Array.from({ length: rows * n }, (_, i) => (i % n === 0 ? -8 - 6 * random() : random()));
    const targets = new Int32Array(rows);
    for (const temperature of [1, 3]) {
      const settings = { rows, temperature, reduction: 'none' } as const;
      const { hi, lo } = oracle.crossEntropy('double-double', x, n, { indices: targets }, settings).unreduced;
      const losses = crossEntropyState(settings).add(x, { targets, offset: 0 }).value as Float64Array;
      losses.forEach((loss, row) => {
        const step = 2 ** (Math.floor(Math.log2(loss)) - 52);
        const error = oracle.errorInUnits(loss, hi[row] as number, lo[row] as number, step);
        if (!(error < 0.6)) expect.fail(`row ${row}, temperature ${temperature}: ${loss}, off by ${error} steps`);
      });
    }
  });

  test('a confident row keeps the digits of its loss and its gradient, wherever its target is', () => {
    const x = Float64Array.of(-30, 0, -31, -33);
    const whole = kernels.crossEntropyWithGrad(x, 1);
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const bounds = [0, 1, 2, 4];
      const state = crossEntropyState();
      for (const i of order) {
        const offset = bounds[i] as number;
        state.merge(crossEntropyState().add(x.slice(offset, bounds[i + 1]), { targets: 1, offset }));
      }
      expect(Math.abs(state.value / whole.loss - 1)).toBeLessThan(1e-15);
      const [gradient] = state.gradient(x.slice(1, 2), { offset: 1 });
      expect(Math.abs((gradient as number) / (whole.grad[1] as number) - 1)).toBeLessThan(1e-15);
    }
  });

  test('special values are those of crossEntropy', () => {
    const { NEGATIVE_INFINITY: LEAST, POSITIVE_INFINITY: MOST } = Number;
    for (const row of [
      [1, NaN, 2],
      [1, MOST, 2],
      [LEAST, LEAST, LEAST],
      [1, LEAST, 2],
      [LEAST, 1, 2],
      [1e38, -1e38, 0],
    ]) {
      for (const [target, gradOutput] of [
        [0, 1],
        [1, 1],
        [2, 1],
        [0, 0],
        [1, 0],
        [2, 0],
      ] as const) {
        const whole = kernels.crossEntropyWithGrad(Float64Array.from(row), target, { gradOutput });
        const state = crossEntropyState();
        for (const offset of [2, 0, 1]) state.add(Float64Array.of(row[offset] as number), { targets: target, offset });
        expect(state.value, `${row}, ${target}`).toBe(whole.loss);
        const grad = row.map((x, offset) => state.gradient(Float64Array.of(x), { offset, gradOutput })[0] as number);
        grad.forEach((value, i) => {
          const expected = whole.grad[i] as number;
          expect(
            Object.is(value + 0, expected + 0) || Math.abs(value - expected) < 1e-15,
            `${row}, ${target}, ${gradOutput}, ${i}`,
          ).toBe(true);
        });
      }
    }
    const extreme = crossEntropyState({ temperature: 4 }).add(Float64Array.of(1.5e308, -1.5e308), {
      targets: 1,
      offset: 0,
    });
    expect(extreme.value).toBe(7.5e307);
  });

  test('ignored rows do not count', () => {
    const targets = [-100, 1];
    const state = crossEntropyState({ rows: 2 }).add([NaN, 1, 2, 3], { targets, offset: 0 });
    expect(state.value).toBeCloseTo(kernels.crossEntropy([2, 3], 1), 6);
    const gradient = state.gradient([NaN, 1, 2, 3], { offset: 0 });
    expect(gradient.slice(0, 2)).toEqual(new Float32Array(2));
    const none = crossEntropyState().add([1, 2], { targets: -100, offset: 0 });
    expect(none.value).toBe(NaN);
    expect(none.gradient([1, 2], { offset: 0 })).toEqual(new Float32Array(2));
    expect(crossEntropyState({ reduction: 'sum' }).add([1], { targets: -100, offset: 5 }).value).toBe(0);
    expect(crossEntropyState({ rows: 0, reduction: 'none' }).value).toEqual(new Float64Array(0));
  });

  test('targets count from an empty chunk on', () => {
    const state = crossEntropyState().add([], { targets: 1, offset: 0 });
    expect(() => state.add([1, 2], { targets: 0, offset: 0 })).toThrow(
      'the target of row 0 is 0 in targets, expected 1',
    );
    expect(state.add([1, 2], { targets: 1, offset: 0 }).count).toBe(2);
  });

  test('small losses count beside a large one', () => {
    const large = 2 ** 60;
    const x = Float64Array.from({ length: 10 }, (_, i) => (i === 1 ? -large : i % 2 === 1 ? -40 : 0));
    const targets = new Int32Array(5).fill(1);
    const state = crossEntropyState({ rows: 5, reduction: 'sum' }).add(x, { targets, offset: 0 });
    // The four together are more than half of the distance to the next float64.
    expect(state.value).toBe(large + 256);
  });

  test('takes and returns the same kinds as operations', () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const targets = [0, 1];
    const state = crossEntropyState({ rows: 2 }).add(x, { targets, offset: 0 });
    const expected = state.gradient(x, { offset: 0 });
    const forms = [[...x], { data: x, shape: [2, 2] }];
    for (const chunk of forms) {
      expect(crossEntropyState({ rows: 2 }).add(chunk, { targets: Uint8Array.from(targets), offset: 0 }).value).toBe(
        state.value,
      );
    }
    expect(state.gradient([...x], { offset: 0 })).toEqual(expected);
    expect(state.gradient({ data: x, shape: [2, 2] }, { offset: 0 })).toEqual({ data: expected, shape: [2, 2] });
    // Tensors of other tests may not have been reclaimed yet.
    const { tensors } = kernels.memoryUsage();
    using tensor = kernels.tensor(x, [2, 2]);
    using made = state.gradient(tensor, { offset: 0 });
    expect([made.toArray(), made.shape]).toEqual([expected, [2, 2]]);
    using out = kernels.zeros([4]);
    expect(state.gradient(tensor, { offset: 0, out })).toBe(out);
    expect(out.toArray()).toEqual(expected);
    expect(kernels.memoryUsage().tensors).toBe(tensors + 3);
  });

  test('rows that stream', () => {
    const [rows, n] = [300, 700];
    const x = numbers('float32', rows * n, 'within ±8', 2);
    const targets = Int32Array.from({ length: rows }, (_, i) => (i * 37) % n);
    const whole = kernels.crossEntropyWithGrad(x, targets, { shape: [rows, n] });
    const state = crossEntropyState({ rows });
    for (const [from, to] of [
      [400, n],
      [0, 400],
    ] as const)
      state.add(chunkOf(x, n, from, to), { targets, offset: from });
    expect(Math.abs(state.value - whole.loss)).toBeLessThan(2e-6 * whole.loss);
    const gradient = state.gradient(chunkOf(x, n, 0, 400), { offset: 0 });
    const expected = chunkOf(whole.grad as Floats, n, 0, 400);
    expect(gradient.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-8)).toBe(true);
  });
});

describe('JSON', () => {
  const { crossEntropyState } = setOf('simd128').kernels;
  const OPTIONS = { rows: 3, temperature: 0.3, ignoreIndex: 7, reduction: 'none' } as const;
  const started = () =>
    crossEntropyState(OPTIONS).add(Float64Array.of(0.1, -Infinity, 3, NaN, 5, 6), { targets: [1, 3, 7], offset: 0 });

  test('restores the same state, bit for bit', () => {
    const rest = { targets: [1, 3, 7], offset: 2 };
    const chunk = Float64Array.of(1, 2, 3, 4, 5, 6);
    for (const state of [crossEntropyState(OPTIONS), started(), started().add(chunk, rest), crossEntropyState()]) {
      const again = crossEntropyState.from(JSON.parse(JSON.stringify(state)));
      expect(again.toJSON()).toEqual(state.toJSON());
      expect(crossEntropyState.from(state.toJSON()).toJSON()).toEqual(state.toJSON());
      expect(again.count).toBe(state.count);
    }
    // JSON has neither −0 nor undefined.
    const zero = crossEntropyState().add(Float64Array.of(-0), { targets: 0, offset: 0 }).toJSON();
    expect(JSON.parse(JSON.stringify(zero))).toStrictEqual(zero);
    const again = crossEntropyState.from(JSON.parse(JSON.stringify(started()))).add(chunk, rest);
    expect(again.value).toEqual(started().add(chunk, rest).value);
    expect(again.gradient(chunk, rest)).toEqual(started().add(chunk, rest).gradient(chunk, rest));
  });

  test('goes to another process and back', async () => {
    const printed = await runProgram(`
      import { crossEntropyState } from 'softmax-wasm';
      const state = crossEntropyState.from(${JSON.stringify(started())});
      console.log(JSON.stringify(state.add([1, 2, 3], { targets: [1, 3, 7], offset: 3 })));
    `);
    const expected = started().add([1, 2, 3], { targets: [1, 3, 7], offset: 3 });
    const came = crossEntropyState.from(JSON.parse(printed));
    expect(came.toJSON().targetLogits).toEqual(expected.toJSON().targetLogits);
    const [values, wanted] = [came, expected].map(({ value }) => value as Float64Array);
    values?.forEach((value, row) => {
      const other = wanted?.[row] as number;
      expect(Object.is(value, other) || Math.abs(value - other) <= 1e-6 * other, `${row}`).toBe(true);
    });
  });

  type Row = [change: object, type: typeof Error, message: string];
  const wrong: Row[] = [
    [{ state: 'logSumExpState' }, TypeError, 'json.state is "logSumExpState", expected "crossEntropyState"'],
    [{ count: 0.5 }, RangeError, 'json.count is 0.5, expected a whole number, 0 or more'],
    [{ options: { ...OPTIONS, rows: 2 } }, RangeError, 'json.sums has 12 elements, expected 8'],
    [{ targets: [1, 2] }, RangeError, 'json.targets has 2 elements, expected 3'],
    [{ targets: [1, 2, -7] }, RangeError, 'json.targets[2] is -7, expected a whole number, 0 or more'],
    [{ targetLogits: [1, 2] }, RangeError, 'json.targetLogits has 2 elements, expected 3'],
    [{ targets: undefined }, TypeError, 'json.targets is undefined, expected an array'],
    [
      { targetLogits: [1, 2, undefined] },
      TypeError,
      'json.targetLogits[2] is undefined, expected a number, or "NaN", ',
    ],
    [{ options: {}, sums: [0, 1, 0, 0] }, RangeError, 'json.targetLogits has 3 elements, expected 1'],
    [{ targetLogits: [1, 2, 'x'] }, TypeError, 'json.targetLogits[2] is "x", expected a number, or "NaN", '],
    [
      { options: { ...OPTIONS, reduction: 'batchMean' } },
      TypeError,
      'reduction is "batchMean", expected one of "mean", ',
    ],
  ];

  test.each(wrong)('that is invalid: %j', (change, type, message) => {
    let caught: unknown;
    try {
      crossEntropyState.from({ ...started().toJSON(), ...change } as never);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(type);
    expect((caught as Error).message).toContain(`crossEntropyState.from: ${message}`);
  });
});

describe('errors', () => {
  const { kernels } = setOf('debug');
  const { crossEntropyState } = kernels;
  const T = { targets: [0, 3] };
  type Row = [run: (state: CrossEntropyState<number>, all: Kernels) => unknown, type: typeof Error, message: string];
  const rows: Row[] = [
    [(s) => s.add(any('x'), { ...T, offset: 4 }), TypeError, 'add: chunk is "x", expected number[], Float32Array'],
    [
      (s) => s.add([1, 2, 3], { ...T, offset: 4 }),
      RangeError,
      'add: chunk has 3 elements, expected as many elements for each of 2 rows',
    ],
    [(s) => s.add([1, 2], any({ offset: 4 })), TypeError, 'add: targets is undefined, expected class indices'],
    [(s) => s.add([1, 2], any(undefined)), TypeError, 'add: targets is undefined, expected class indices'],
    [(s) => s.add([1, 2], any(T)), TypeError, 'add: offset is undefined, expected a whole number, 0 or more'],
    [(s) => s.add([1, 2], { ...T, offset: -1 }), RangeError, 'add: offset is -1, expected a whole number, 0 or more'],
    [
      (s) => s.add([1, 2], { targets: [0], offset: 4 }),
      RangeError,
      'add: targets has 1 element, expected 2, one for each row',
    ],
    [
      (s) => s.add([1, 2], { targets: [0, 1.5], offset: 4 }),
      RangeError,
      'add: targets[1] is 1.5, expected an integer, 0 or more, or ignoreIndex (-100)',
    ],
    [
      (s) => s.add([1, 2], { targets: [0, -1], offset: 4 }),
      RangeError,
      'add: targets[1] is -1, expected an integer, 0 or more, or',
    ],
    [
      (s) => s.add([1, 2], { targets: BigInt64Array.of(0n, 2n ** 60n), offset: 4 }),
      RangeError,
      'add: targets[1] is 1152921504606846976n, expected',
    ],
    [
      (s) => s.add([1, 2], { targets: any(new Float32Array(2)), offset: 4 }),
      TypeError,
      'add: targets is Float32Array(2), expected class indices (integers: Int32Array.from converts)',
    ],
    [
      (s) => s.add([1, 2], { targets: [0, 2], offset: 4 }),
      RangeError,
      'add: the target of row 1 is 2 in targets, expected 3, as before',
    ],
    [
      (s) => s.add([1, 2], { targets: [-100, 3], offset: 4 }),
      RangeError,
      'add: the target of row 0 is ignored in targets, expected 0, as before',
    ],
    [
      (s) => s.add([1, 2], { ...T, offset: 0 }),
      RangeError,
      'add: class 0, the target of row 0, was in a chunk before, expected it in exactly one',
    ],
    [
      () =>
        crossEntropyState({ rows: 2 })
          .add([1, 2], { ...T, offset: 3 })
          .add([1, 2], { ...T, offset: 3 }),
      RangeError,
      'add: class 3, the target of row 1, was in a chunk before, expected it in exactly one',
    ],
    [
      (s) => s.add([1, 2], any({ ...T, offset: 4, weight: [1] })),
      TypeError,
      'add: unknown option "weight", expected one of shape, targets, offset',
    ],
    [(s) => s.value, RangeError, 'value: class 3, the target of row 1, was in no chunk, expected it in exactly one'],
    [
      () => crossEntropyState().add([1], { targets: 0, offset: 1 }).value,
      RangeError,
      'value: class 0, the target of row 0, was in no chunk, expected it in exactly one',
    ],
    [
      (s) => s.gradient([1, 2], { offset: 0 }),
      RangeError,
      'gradient: class 3, the target of row 1, was in no chunk, expected it in',
    ],
    [() => crossEntropyState().value, RangeError, "value: no chunk was added, expected one with each row's target"],
    [(s) => s.merge(any({})), TypeError, 'merge: other is an object, expected a state made by crossEntropyState'],
    [
      (s, k) => s.merge(any(k.logSumExpState())),
      TypeError,
      'merge: other is an object, expected a state made by crossEntropyState',
    ],
    [(s) => s.merge(crossEntropyState({ rows: 3 })), RangeError, 'merge: other has rows 3, expected 2, as this state'],
    [
      (s) => s.merge(crossEntropyState({ rows: 2, temperature: 2 })),
      RangeError,
      'merge: other has temperature 2, expected 1, as this state',
    ],
    [
      (s) => s.merge(s),
      RangeError,
      'merge: the target of row 0 was in a chunk of both states, expected it in exactly one',
    ],
    [
      (s) => s.merge(crossEntropyState({ rows: 2 }).add([1, 2], { targets: [5, 3], offset: 3 })),
      RangeError,
      'merge: the target of row 0 is 5 in other, expected 0, as before',
    ],
    [
      () => crossEntropyState({ temperature: 0 }),
      RangeError,
      ': temperature is 0, expected a number in [2^-900, 2^900]',
    ],
    [
      () => crossEntropyState({ temperature: 1e40 }).add([1], { targets: 0, offset: 0 }),
      RangeError,
      'add: temperature is 1e+40, expected a number in [2^-100, 2^100]',
    ],
    [() => crossEntropyState({ ignoreIndex: 0.5 }), RangeError, ': ignoreIndex is 0.5, expected an integer'],
    [
      () => crossEntropyState({ reduction: any('batchMean') }),
      TypeError,
      ': reduction is "batchMean", expected one of "mean", "sum", "none"',
    ],
    [
      () => crossEntropyState(any({ classes: 3 })),
      TypeError,
      ': unknown option "classes", expected one of rows, temperature, ignoreIndex, reduction',
    ],
  ];

  test.each(rows)('%s', (run, type, message) => {
    const state = crossEntropyState({ rows: 2 }).add([1, 2, 3, 4], { ...T, offset: 0 });
    const before = JSON.stringify(state);
    let caught: unknown;
    try {
      run(state, kernels);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(type);
    expect((caught as Error).message).toContain(`crossEntropyState${message.startsWith(':') ? '' : '.'}${message}`);
    expect(JSON.stringify(state)).toBe(before);
  });

  test.each([
    [{ offset: 0, out: new Float32Array(3) }, RangeError, 'out has 3 elements, expected 2'],
    [{ offset: 0, out: new Float64Array(2) }, TypeError, 'out is Float64Array(2), expected a Float32Array or a Tensor'],
    [
      { offset: 0, gradOutput: [1, 2] },
      TypeError,
      'gradOutput is an array of 2, expected a number for reduction "mean"',
    ],
    [{ offset: 0, targets: 0 }, RangeError, 'the target of row 0 is 0 in targets, expected 1, as before'],
    [{ offset: 0.5 }, RangeError, 'offset is 0.5, expected a whole number, 0 or more'],
    [{}, TypeError, 'offset is undefined, expected a whole number, 0 or more'],
  ])('gradient with %j', (options, type, message) => {
    const state = crossEntropyState().add([1, 2], { targets: 1, offset: 0 });
    expect(() => state.gradient([1, 2], options as never)).toThrow(new type(`crossEntropyState.gradient: ${message}`));
  });

  test('gradient of an overlapping result, of too many upstream and of a float32 chunk of float64 logits', () => {
    const buffer = new Float32Array(3);
    const state = crossEntropyState().add([1, 2], { targets: 1, offset: 0 });
    const overlap = () => state.gradient(buffer.subarray(0, 2), { offset: 0, out: buffer.subarray(1) });
    expect(overlap).toThrow('crossEntropyState.gradient: out is Float32Array(2), expected the very range of chunk or ');
    const each = crossEntropyState({ reduction: 'none' }).add([1, 2], { targets: 1, offset: 0 });
    const upstream = () => each.gradient([1, 2], { offset: 0, gradOutput: [1, 2] });
    expect(upstream).toThrow('crossEntropyState.gradient: gradOutput has 2 elements, expected 1, one for each row');
    const wide = crossEntropyState().add(Float64Array.of(0.1, 0.2), { targets: 1, offset: 0 });
    const message = 'chunk is float32, expected float64, as the chunk with the maximum of row 0, 0.2';
    expect(() => wide.gradient([0.1, 0.2], { offset: 0 })).toThrow(
      new TypeError(`crossEntropyState.gradient: ${message}`),
    );
  });
});

test('a chunk beyond the limit of memory changes nothing', () => {
  const kernels = setOf('debug').create({ maxMemory: 2 ** 20 });
  const state = kernels.crossEntropyState().add([1, 2], { targets: 1, offset: 0 });
  const before = JSON.stringify(state);
  const long = new Float32Array(2 ** 19);
  expect(() => state.add(long, { targets: 1, offset: 2 })).toThrow(/^crossEntropyState.add: /);
  expect(() => state.gradient(long, { offset: 2 })).toThrow(OutOfMemoryError);
  // There is room for the kernel's operands, but not for the result.
  const rows = 6600;
  const wide = kernels
    .crossEntropyState({ rows })
    .add(new Float32Array(rows), { targets: new Int32Array(rows), offset: 0 });
  using tensor = kernels.tensor(new Float32Array(rows), [rows, 1]);
  using filler = kernels.zeros([70_000]);
  const usage = kernels.memoryUsage();
  expect(() => wide.gradient(tensor, { offset: 0 })).toThrow(OutOfMemoryError);
  expect(kernels.memoryUsage()).toEqual(usage);
  expect(filler.disposed).toBe(false);
  expect(JSON.stringify(state)).toBe(before);
});

test('a 16-bit gradient is freed if there is memory for it, but none to compute it in', () => {
  const kernels = setOf('debug').create({ maxMemory: 2 ** 20 });
  const n = 80_000;
  using chunk = kernels.zeros([1, n], { dtype: 'float16' });
  const state = kernels.crossEntropyState().add(chunk, { targets: 0, offset: 0 });
  const usage = kernels.memoryUsage();
  expect(() => state.gradient(chunk, { offset: 0 })).toThrow(OutOfMemoryError);
  expect(kernels.memoryUsage()).toEqual(usage);
});

describe('callers whose code runs in the middle of a call', () => {
  const { create } = setOf('debug');

  test('and take arguments away', () => {
    const { crossEntropyState } = create();
    const state = crossEntropyState({ rows: 2 });
    const detached: ArrayBuffer[] = [];
    const options = (array: Float32Array | Int32Array, others: object) =>
      Object.defineProperty({ ...others }, 'offset', {
        enumerable: true,
        get() {
          detached.push(structuredClone(array.buffer as ArrayBuffer, { transfer: [array.buffer as ArrayBuffer] }));
          return 0;
        },
      }) as never;
    const targets = Int32Array.of(0, 1);
    const chunk = new Float32Array(4);
    expect(() => state.add(chunk, options(targets, { targets }))).toThrow(
      new TypeError('crossEntropyState.add: targets is detached, expected an array whose buffer is alive'),
    );
    expect(() => state.add(chunk, options(chunk, { targets: [0, 1] }))).toThrow(
      new TypeError('crossEntropyState.add: chunk is detached, expected an array whose buffer is alive'),
    );
    const other = new Float32Array(4);
    const sizes = new Proxy([2, 2], {
      get(from, key) {
        if (key === '1' && other.length > 0) structuredClone(other.buffer, { transfer: [other.buffer] });
        return Reflect.get(from, key);
      },
    });
    expect(() => state.add(other, { targets: [0, 1], offset: 0, shape: sizes })).toThrow(
      new TypeError('crossEntropyState.add: chunk is detached, expected an array whose buffer is alive'),
    );
    expect(state.count).toBe(0);
    state.add([1, 2, 3, 4], { targets: [0, 1], offset: 0 });
    const out = new Float32Array(4);
    expect(() => state.gradient([1, 2, 3, 4], options(out, { out }))).toThrow(
      new TypeError('crossEntropyState.gradient: out is detached, expected an array whose buffer is alive'),
    );
    expect(detached).toHaveLength(3);
  });

  test('and are asked once', () => {
    const { crossEntropyState } = create();
    const reads: PropertyKey[] = [];
    const counted = <T extends object>(options: T) =>
      new Proxy(options, {
        get(from, name) {
          reads.push(name);
          return Reflect.get(from, name);
        },
      });
    const given = { shape: [1, 2], targets: 0, offset: 0 };
    const state = crossEntropyState({ reduction: 'none' }).add([1, 2], counted(given));
    expect(reads.sort()).toEqual(['offset', 'shape', 'targets']);
    reads.length = 0;
    state.gradient([1, 2], counted({ ...given, out: undefined, gradOutput: [2] }));
    expect(reads.sort()).toEqual(['gradOutput', 'offset', 'out', 'shape', 'targets']);
  });

  test('and add the very chunk first', () => {
    const { crossEntropyState } = create();
    const state = crossEntropyState();
    const options = {
      targets: 0,
      get offset() {
        if (state.count === 0) state.add([1, 2], { targets: 0, offset: 0 });
        return 0;
      },
    };
    expect(() => state.add([1, 2], options)).toThrow(
      'crossEntropyState.add: class 0, the target of row 0, was in a chunk',
    );
    expect(state.count).toBe(2);
  });
});
