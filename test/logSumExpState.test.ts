import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BackendName, type Kernels, type LogSumExpState, OutOfMemoryError } from '../src/index.js';
import { setOf, sets } from './support/backends.js';
import { DTYPES, type Floats, numbers, randomOf } from './support/cases.js';
import { runProgram } from './support/examples.js';
import { any } from './support/failures.js';
import { cut, gather, limitOf, rowOf, type Split, splits } from './support/merging.js';
import * as oracle from './support/oracle.js';

const check = <T extends unknown[]>(property: fc.IProperty<T>) => fc.assert(property, { seed: 42, numRuns: 50 });

function expectExact(
  split: Split,
  backend: BackendName,
  merges: number,
  actual: number,
  { hi, lo, scale }: oracle.Scaled,
): void {
  const [high, low] = [hi[0] as number, lo[0] as number];
  const limit = limitOf(split.dtype, backend, merges, high, Number.isFinite(high) ? (scale[0] as number) : 0);
  const error = oracle.errorInUnits(actual, high, low, limit);
  if (!(error <= 1)) expect.fail(`${JSON.stringify(split)}: ${actual}, expected ${high}: ${error} of the bound`);
}

describe.each(sets)('$name', ({ kernels, backend }) => {
  describe.each(DTYPES)('%s', (dtype) => {
    test('any split and any tree of merges is within the contract', () => {
      check(
        fc.property(splits(dtype), (split) => {
          const x = rowOf(split);
          const random = randomOf(split.seed);
          const { state, merges } = gather(random, cut(x.length, random), kernels.logSumExpState, (each, from, to) => {
            each.add(x.slice(from, to));
          });
          expect(state.count).toBe(x.length);
          expectExact(split, backend, merges, state.value, oracle.logSumExp('double-double', x));
        }),
      );
    });

    test('with temperatures, weights and masks of its own for each chunk', () => {
      check(
        fc.property(splits(dtype), (split) => {
          const x = rowOf(split).map((value) => Math.max(-1e4, Math.min(1e4, value))) as Floats;
          const random = randomOf(split.seed);
          const weights = x.map(() => (random() < 0.2 ? 0 : 3 * random())) as Floats;
          const kept = Uint8Array.from(x, () => Number(random() < 0.8));
          const isDivided = random() < 0.5;
          // Powers of two divide exactly: the oracle takes the quotients.
          const divided = x.slice();
          const isWeighted = new Uint8Array(x.length);
          const { state, merges } = gather(random, cut(x.length, random), kernels.logSumExpState, (each, from, to) => {
            const temperature = isDivided ? 2 ** Math.floor(6 * random() - 3) : 1;
            const weighs = random() < 0.5;
            for (let i = from; i < to; i++) {
              divided[i] = (x[i] as number) / temperature;
              isWeighted[i] = Number(weighs);
            }
            each.add(x.slice(from, to), {
              temperature,
              mask: kept.slice(from, to),
              ...(weighs && { weights: weights.slice(from, to) }),
            });
          });
          const all = weights.map((weight, i) => (isWeighted[i] ? weight : 1));
          const exact = oracle.logSumExp('double-double', divided, 1, all, kept);
          expectExact(split, backend, merges, state.value, exact);
        }),
      );
    });

    test('a temperature that does not divide exactly', () => {
      for (const [n, t] of [
        [1, 3],
        [40_000, 3.3],
        [1000, 1e-3],
        [1000, 123_456],
      ] as const) {
        const x = numbers(dtype, n, 'within ±8', n).map((value) => (value / 8 - Math.log(n)) * t) as Floats;
        const state = kernels.logSumExpState();
        for (let i = 0; i < n; i += 8016) state.add(x.slice(i, i + 8016), { temperature: t });
        const split: Split = { dtype, kind: 'within ±8', n, seed: n, isCentred: true, isSorted: false };
        expectExact(split, backend, 0, state.value, oracle.logSumExp('double-double', x, t));
      }
    });

    test('more rows than fit into the staging memory', () => {
      const [rows, n] = [700, 300];
      const x = numbers(dtype, rows * n, 'within ±30', 3);
      const state = kernels.logSumExpState({ rows });
      for (const [from, to] of [
        [0, 1],
        [1, 130],
        [130, 300],
      ] as const) {
        const chunk = x.filter((_, i) => i % n >= from && i % n < to);
        state.add(chunk, { shape: [rows, to - from] });
      }
      expect(state.count).toBe(n);
      expect(state.value).toHaveLength(rows);
      for (let row = 0; row < rows; row += 23) {
        const split: Split = { dtype, kind: 'within ±30', n, seed: 3, isCentred: false, isSorted: false };
        const exact = oracle.logSumExp('double-double', x.subarray(row * n, row * n + n));
        expectExact(split, backend, 3, state.value[row] as number, exact);
      }
    });
  });

  test('known values', () => {
    const { logSumExpState } = kernels;
    const of = (...x: number[]) => logSumExpState().add(Float64Array.from(x));
    expect(of(0, -40).value).toBe(4.248354255291589e-18);
    expect(of(-40).merge(of(0)).value).toBe(4.248354255291589e-18);
    expect(of(1000, 1000).value).toBe(1000 + Math.LN2);
    expect(of(-1e300).merge(of(-1e300)).value).toBe(-1e300);
    expect(of(0).merge(of(-1e308)).merge(of(1e308)).value).toBe(1e308);
    // The halves of such a quotient overflow.
    expect(logSumExpState().add(Float64Array.of(1e305, 0), { temperature: 2 }).value).toBe(5e304);
    expect(logSumExpState().value).toBe(-Infinity);
    for (const chunk of [[], { data: new Float32Array(0), shape: [0] }, { data: new Float32Array(0), shape: [5, 0] }]) {
      expect(logSumExpState({ rows: 0 }).add(chunk).value).toEqual(new Float64Array(0));
    }
    expect(logSumExpState().add(Float64Array.of(5, 5), { weights: Float64Array.of(1, -1) }).value).toBe(-Infinity);
    expect(logSumExpState().add([5, 5], { weights: [1, -2] }).value).toBe(NaN);
    expect(
      logSumExpState()
        .add([5], { weights: [-1] })
        .add([5], { weights: [3] }).value,
    ).toBe(5 + Math.LN2);
    expect(of(700).add(Float64Array.of(0), { weights: Float64Array.of(1e-300) }).value).toBe(700);
    const slight = logSumExpState().add(Float64Array.of(400), { weights: Float64Array.of(1e-200) });
    expect(slight.merge(of(0)).value).toBeCloseTo(0, 12);
    const heavy = logSumExpState().add(Float64Array.of(0), { weights: Float64Array.of(1e300) });
    expect(Math.abs(heavy.value - 300 * Math.LN10)).toBeLessThan(2e-13);
    const heaviest = logSumExpState().add(Float64Array.of(0), { weights: Float64Array.of(Number.MAX_VALUE) });
    expect(Math.abs(heaviest.value - 1024 * Math.LN2)).toBeLessThan(2e-13);
    const inTwo = logSumExpState().add(Float64Array.of(0, 0), { weights: Float64Array.of(1e300, 1e284) });
    expect(Math.abs(inTwo.value - 300 * Math.LN10)).toBeLessThan(2e-13);
    const most = Float64Array.of(Number.MAX_VALUE, Number.MAX_VALUE);
    expect(logSumExpState().add(Float64Array.of(0, 0), { weights: most }).value).toBe(Infinity);
    const light = logSumExpState().add(Float64Array.of(0), { weights: Float64Array.of(1e-310) });
    expect(Math.abs(light.value + 310 * Math.LN10)).toBeLessThan(2e-13);
  });

  test('weights of plain numbers have the dtype of the chunk', () => {
    const of = (weights: number[] | Float64Array) =>
      kernels.logSumExpState().add(Float64Array.of(1), { weights }).value;
    expect(of([0.1])).toBe(of(Float64Array.of(0.1)));
  });

  test('weights that cancel, and weights of huge elements', () => {
    const of = (x: number[], weights: number[]) => {
      const whole = kernels.logSumExpState().add(Float64Array.from(x), { weights: Float64Array.from(weights) });
      const state = kernels.logSumExpState();
      x.forEach((element, i) => {
        state.add(Float64Array.of(element), { weights: Float64Array.of(weights[i]!) });
      });
      return [whole.value, state.value];
    };
    for (const value of of([3, 3, 3], [1, 1e-20, -1])) expect(value).toBeCloseTo(3 - 20 * Math.LN10, 13);
    // Below the maximum, too.
    const beneath = of([5, 3, 3, 3], [1e-20, 1, 1e-20, -1]);
    for (const value of beneath) expect(value).toBeCloseTo(5 - 20 * Math.LN10 + Math.log1p(Math.exp(-2)), 12);
    // Of a state that is merged nothing may be left but what rounding took.
    const rest = kernels.logSumExpState();
    for (const w of [1, 1e-20, -1]) rest.add(Float64Array.of(3), { weights: Float64Array.of(w) });
    const above = kernels.logSumExpState().add(Float64Array.of(5), { weights: Float64Array.of(1e-20) });
    expect(above.merge(rest).value).toBeCloseTo(5 - 20 * Math.LN10 + Math.log1p(Math.exp(-2)), 12);
    expect(of([1e16], [1e300])).toEqual(Array(2).fill(1e16 + 690));
    expect(of([1e16, 1e16], [1, -1])).toEqual([-Infinity, -Infinity]);
    expect(of([1e16], [-1])).toEqual([NaN, NaN]);
    // Sums that overflow in one chunk, and where chunks meet: at the maximum, and below it.
    expect(of([0, 0, 0], [1e308, 1e308, 1e308])).toEqual([Infinity, Infinity]);
    expect(of([1, 0, 0.9], [1e308, 1e308, 1e308])).toEqual([Infinity, Infinity]);
    expect(of([0, 0, 0], [-1e308, -1e308, -1e308])).toEqual([NaN, NaN]);
  });

  const { NEGATIVE_INFINITY: NOTHING, POSITIVE_INFINITY: INFINITE } = Number;
  const SPECIAL = [NOTHING, 3, INFINITE, NaN];

  test('NaN and infinities are as logSumExp has them, in every order', () => {
    for (const a of SPECIAL) {
      for (const b of SPECIAL) {
        const expected = kernels.logSumExp(Float64Array.of(a, b));
        const one = () => kernels.logSumExpState().add(Float64Array.of(a));
        expect(one().add(Float64Array.of(b)).value, `${a}, ${b}`).toBe(expected);
        expect(one().merge(kernels.logSumExpState().add(Float64Array.of(b))).value, `${a}, ${b}`).toBe(expected);
        expect(kernels.logSumExpState().add(Float64Array.of(a, b)).value, `${a}, ${b}`).toBe(expected);
        for (const w of [-1, 0, 2, INFINITE, NaN]) {
          const weights = Float64Array.of(1, w);
          const weighted = kernels.logSumExp(Float64Array.of(a, b), { weights });
          const state = one().add(Float64Array.of(b), { weights: weights.slice(1) });
          const isSame = Object.is(state.value, weighted) || Math.abs(state.value - weighted) < 2e-15;
          expect(isSame, `${a}, ${w} times ${b}: ${state.value}, expected ${weighted}`).toBe(true);
        }
      }
    }
  });

  test('what a mask drops is ignored, even if NaN or infinite', () => {
    const x = Float64Array.of(NaN, 1, Infinity, 2, NaN);
    for (const mask of [
      [0, 1, 0, 1, 0],
      [0, 1, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ] as const) {
      expect(kernels.logSumExpState().add(x, { mask }).value).toBeCloseTo(kernels.logSumExp(x, { mask }), 14);
      expect(kernels.logSumExpState().add(x, { mask }).count).toBe(5);
    }
    const rows = kernels.logSumExpState({ rows: 2 }).add([1, 2, 3, 4], { mask: { data: [1, 0], shape: [2, 1] } });
    expect(rows.value[1]).toBe(-Infinity);
    // One row has the axes that several have.
    const mask = { data: [1, 0], shape: [1, 2] };
    const weights = { data: [0.5, 2], shape: [1, 2] };
    expect(kernels.logSumExpState({ rows: 1 }).add(Float64Array.of(3, NaN), { mask }).value).toEqual(
      Float64Array.of(3),
    );
    expect(kernels.logSumExpState().add([3, 3], { weights }).value).toBe(
      kernels.logSumExpState().add([3, 3], { weights: weights.data }).value,
    );
  });

  test('an empty state or chunk changes nothing, and a state that is merged stays as it is', () => {
    const { logSumExpState } = kernels;
    const state = logSumExpState({ rows: 2 }).add([1, 2, 3, NaN, 5, -Infinity]);
    const before = JSON.stringify(state);
    expect(JSON.stringify(state.merge(logSumExpState({ rows: 2 })))).toBe(before);
    expect(JSON.stringify(state.add([]).add([], { shape: [2, 0] }))).toBe(before);
    const other = logSumExpState({ rows: 2 });
    expect(JSON.stringify(other.merge(state))).toBe(before);
    other.merge(state).merge(state);
    expect(JSON.stringify(state)).toBe(before);
    const twice = logSumExpState().add(Float64Array.of(1, 2));
    const value = twice.value + Math.LN2;
    expect(twice.merge(twice).value).toBeCloseTo(value, 15);
    expect(twice.count).toBe(4);
  });

  test('takes what operations take', () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const expected = kernels.logSumExpState({ rows: 2 }).add(x).value;
    using tensor = kernels.tensor(x, [2, 2]);
    const add = (chunk: never, options?: object) => kernels.logSumExpState({ rows: 2 }).add(chunk, options).value;
    for (const chunk of [[...x], { data: x, shape: [2, 2] }, { data: x, dims: [2, 1, 2] }, tensor, tensor.data]) {
      expect(add(chunk as never)).toEqual(expected);
    }
    expect(add(x as never, { shape: [1, 2, 2] })).toEqual(expected);
    expect(add(x as never, { mask: new Uint8Array(4).fill(1), weights: tensor })).not.toEqual(expected);
  });
});

describe('a million merges', () => {
  const { logSumExpState, memoryUsage, zeros } = setOf('simd128').kernels;
  const MANY = 1e6;
  const STEP = 2 ** -20;
  const ones = [0, -1].map((x) => logSumExpState().add([x]));
  const both = logSumExpState().add(Float64Array.of(0, -1));
  const json = logSumExpState().add([0]).toJSON();
  const stateOf = (x: number) => {
    json.sums[0] = x;
    return logSumExpState.from(json);
  };
  const SEQUENCES: Record<string, { at: (i: number) => LogSumExpState; exact: number }> = {
    'of one value': { at: () => ones[0]!, exact: Math.log(MANY) },
    'below the first': { at: (i) => ones[i === 0 ? 0 : 1]!, exact: Math.log1p((MANY - 1) / Math.E) },
    'of two values': { at: () => both, exact: Math.log(MANY) + Math.log1p(1 / Math.E) },
    'that rise and rise': {
      at: (i) => stateOf(i * STEP),
      exact: Math.log(Math.expm1(MANY * STEP) / Math.expm1(STEP)),
    },
  };

  test.each(Object.entries(SEQUENCES))('%s do not drift', (_, { at, exact }) => {
    const total = logSumExpState();
    for (let i = 0; i < MANY; i++) total.merge(at(i));
    expect(total.count).toBe(MANY * at(0).count);
    // A much smaller tolerance than the contract allows: the accuracy of the exact values here.
    expect(Math.abs(total.value - exact)).toBeLessThan(4 * 2 ** -52 * exact);
  });

  test('take no memory', () => {
    using probe = zeros([1]);
    const bytes = () => probe.data.buffer.byteLength;
    const usage = memoryUsage();
    const [state, other] = [logSumExpState(), logSumExpState().add([1, 2])];
    const before = bytes();
    const heap = () => {
      (globalThis as { gc?: () => void }).gc?.();
      return process.memoryUsage().heapUsed;
    };
    for (let i = 0; i < 1e4; i++) state.merge(other);
    const start = heap();
    for (let i = 0; i < 2e5; i++) state.merge(other);
    for (let i = 0; i < 2e4; i++) state.add([1, 2, 3]);
    expect(heap() - start).toBeLessThan(2e6);
    expect([bytes(), memoryUsage()]).toEqual([before, usage]);
    expect(JSON.stringify(state).length).toBeLessThan(200);
  });
});

describe('JSON', () => {
  const { logSumExpState } = setOf('simd128').kernels;

  test('restores the same state, bit for bit', () => {
    check(
      fc.property(fc.array(fc.array(fc.double(), { minLength: 3, maxLength: 3 }), { maxLength: 5 }), (chunks) => {
        const state = logSumExpState({ rows: 3 });
        for (const chunk of chunks) state.add(Float64Array.from(chunk));
        const again = logSumExpState.from(JSON.parse(JSON.stringify(state)));
        expect(again.toJSON()).toEqual(state.toJSON());
        expect(again.value).toEqual(state.value);
        expect(again.count).toBe(state.count);
        expect(logSumExpState.from(state.toJSON()).merge(state).value).toEqual(state.merge(again).value);
      }),
    );
    expect(logSumExpState.from(logSumExpState().toJSON()).value).toBe(-Infinity);
    // JSON has no −0.
    const zero = logSumExpState().add(Float64Array.of(-0)).toJSON();
    expect(JSON.parse(JSON.stringify(zero))).toEqual(zero);
  });

  test('goes to another process and back', async () => {
    const state = logSumExpState({ rows: 4 }).add(Float64Array.of(0.1, NaN, Infinity, -Infinity));
    const chunk = [1 / 3, 1, 2, 3];
    const printed = await runProgram(`
      import { logSumExpState } from 'softmax-wasm';
      const state = logSumExpState.from(${JSON.stringify(state)});
      console.log(JSON.stringify([state.toJSON(), state.merge(logSumExpState({ rows: 4 }).add(Float64Array.of(${chunk})))]));
    `);
    const [same, merged] = JSON.parse(printed);
    expect(logSumExpState.from(same).toJSON()).toEqual(state.toJSON());
    state.merge(logSumExpState({ rows: 4 }).add(Float64Array.from(chunk)));
    expect(logSumExpState.from(merged).toJSON()).toEqual(state.toJSON());
  });

  type Row = [change: object, type: typeof Error, message: string];
  const EXPECTED = 'a number, or "NaN", "Infinity" or "-Infinity"';
  const wrong: Row[] = [
    [{ state: 'nllState' }, TypeError, 'json.state is "nllState", expected "logSumExpState"'],
    [{ count: -1 }, RangeError, 'json.count is -1, expected a whole number, 0 or more'],
    [{ count: '2' }, TypeError, 'json.count is "2", expected a whole number, 0 or more'],
    [{ options: { rows: 3 } }, RangeError, 'json.sums has 8 elements, expected 12'],
    [{ options: { size: 3 } }, TypeError, 'unknown option "size", expected one of rows'],
    [{ options: { rows: 1.5 } }, RangeError, 'rows is 1.5, expected a whole number, 0 or more'],
    [{ sums: 3 }, TypeError, 'json.sums is 3, expected an array'],
    [{ sums: [1, 1, 0, 0, 1, null, 0, 0] }, TypeError, `json.sums[5] is null, expected ${EXPECTED}`],
    [{ sums: [1, 1, 0, 0, 1, 'nan', 0, 0] }, TypeError, `json.sums[5] is "nan", expected ${EXPECTED}`],
  ];

  test.each(wrong)('that is invalid: %j', (change, type, message) => {
    const json = { ...logSumExpState({ rows: 2 }).add([1, 2]).toJSON(), ...change };
    expect(() => logSumExpState.from(json as never)).toThrow(new type(`logSumExpState.from: ${message}`));
  });

  test.each([undefined, null, 3, '{}', []])('that is not even an object: %j', (json) => {
    expect(() => logSumExpState.from(json as never)).toThrow(/^logSumExpState.from: json(.state)? is .*, expected /);
  });
});

describe('errors', () => {
  type Row = [run: (state: LogSumExpState, kernels: Kernels) => unknown, type: typeof Error, message: string];
  const { kernels } = setOf('debug');
  const rows: Row[] = [
    [(s) => s.add(any(undefined)), TypeError, 'add: chunk is undefined, expected number[], Float32Array, Float64Array'],
    [(s) => s.add([1, any('2')]), TypeError, 'add: chunk[1] is "2", expected a number'],
    [(s) => s.add([1, 2, 3]), RangeError, 'add: chunk has 3 elements, expected as many elements for each of 2 rows'],
    [
      (_, k) => k.logSumExpState().add([1, 2], { shape: [2, 1] }),
      RangeError,
      'add: chunk has shape [2, 1], expected one row',
    ],
    [
      (s) => s.add([1, 2], { shape: [1, 2] }),
      RangeError,
      'add: chunk has shape [1, 2], expected as many elements for each of 2 rows',
    ],
    [(s) => s.add([1, 2], { shape: [2, 2] }), RangeError, 'add: chunk has 2 elements, expected 4 for shape [2, 2]'],
    [(s) => s.add({ data: [1], shape: [] }), RangeError, 'add: axis is -1, expected a shape with an axis'],
    [
      (s) => s.add([1, 2], any({ axis: 0 })),
      TypeError,
      'add: unknown option "axis", expected one of shape, temperature, ',
    ],
    [
      (s) => s.add([1, 2], { temperature: 0 }),
      RangeError,
      'add: temperature is 0, expected a number in [2^-100, 2^100]',
    ],
    [(s) => s.add([1, 2], { weights: [1, 2, 3] }), RangeError, 'add: weights has '],
    [(s) => s.add([1, 2], { mask: any([0.5, 1]) }), TypeError, 'add: mask[0] is 0.5, expected true or false, 1 or 0'],
    [(s) => s.add([1, 2], { mask: [true, false, true] }), RangeError, 'add: mask has '],
    [(s) => s.merge(any(undefined)), TypeError, 'merge: other is undefined, expected a state made by logSumExpState'],
    [(s) => s.merge(any(s.toJSON())), TypeError, 'merge: other is an object, expected a state made by logSumExpState'],
    [(s) => s.merge(any(new Proxy(s, {}))), TypeError, 'merge: other is an object, expected a state made by '],
    [(s, k) => s.merge(k.logSumExpState()), RangeError, 'merge: other has 1 rows, expected 2, as this state'],
    [(_, k) => k.logSumExpState({ rows: -1 }), RangeError, ': rows is -1, expected a whole number, 0 or more'],
    [(_, k) => k.logSumExpState({ rows: any('2') }), TypeError, ': rows is "2", expected a whole number, 0 or more'],
    [(_, k) => k.logSumExpState(any({ row: 1 })), TypeError, ': unknown option "row", the name is rows here'],
    [(_, k) => k.logSumExpState(any({ n: 1 })), TypeError, ': unknown option "n", expected one of rows'],
    [
      (s, k) => s.add(setOf('simd128').kernels.zeros([2, 1]), k && {}),
      TypeError,
      'add: chunk is a tensor of another set',
    ],
  ];

  test.each(rows)('%s', (run, type, message) => {
    const state = kernels.logSumExpState({ rows: 2 }).add([1, 2]);
    const before = JSON.stringify(state);
    const error = (() => {
      try {
        return run(state, kernels);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toContain(`logSumExpState${message.startsWith(':') ? '' : '.'}${message}`);
    expect(JSON.stringify(state)).toBe(before);
  });
});

test('a chunk beyond the limit of memory adds nothing', () => {
  const kernels = setOf('debug').create({ maxMemory: 2 ** 20 });
  const state = kernels.logSumExpState().add([1]);
  const before = JSON.stringify(state);
  expect(() => state.add(new Float32Array(2 ** 19))).toThrow(OutOfMemoryError);
  expect(() => state.add(new Float32Array(2 ** 19))).toThrow(/^logSumExpState.add: /);
  expect(JSON.stringify(state)).toBe(before);
  expect(state.add([1]).value).toBe(Math.log(2) + 1);
});

describe('callers whose code runs in the middle of an add', () => {
  const { create } = setOf('debug');

  /** Adds with a getter in the options that runs something once. */
  function addWhile(state: LogSumExpState, chunk: never, act: () => void): unknown {
    const options = {
      get temperature() {
        act();
        return 2;
      },
    };
    try {
      return state.add(chunk, options);
    } catch (error) {
      return error;
    }
  }

  test('and take the chunk away', () => {
    const state = create().logSumExpState();
    const chunk = new Float32Array(3);
    const error = addWhile(state, chunk as never, () => structuredClone(chunk.buffer, { transfer: [chunk.buffer] }));
    const message = 'logSumExpState.add: chunk is detached, expected an array whose buffer is alive';
    expect(error).toEqual(new TypeError(message));
    const other = new Float32Array(3);
    const shape = Object.defineProperty([0], 0, {
      get() {
        structuredClone(other.buffer, { transfer: [other.buffer] });
        return 3;
      },
    });
    expect(() => state.add(other, { shape })).toThrow(new TypeError(message));
    expect(state.count).toBe(0);
  });

  test('and dispose a tensor, or make the memory grow', () => {
    const kernels = create();
    const state = kernels.logSumExpState();
    const gone = kernels.tensor([1, 2]);
    const message = 'logSumExpState.add: chunk is disposed, expected a tensor that is alive';
    expect(addWhile(state, gone as never, () => gone.dispose())).toEqual(new TypeError(message));
    const kept = kernels.tensor([1, 2]);
    const before = kept.data.buffer;
    addWhile(state, kept as never, () => kernels.zeros([2 ** 20]));
    expect(kept.data.buffer).not.toBe(before);
    expect(state.value).toBe(kernels.logSumExpState().add([0.5, 1]).value);
  });

  test('and add to the same state', () => {
    const kernels = create();
    const state = kernels.logSumExpState();
    addWhile(state, [2, 4] as never, () => state.merge(state.add([5])));
    const expected = kernels.logSumExpState().add([5]).add([5]).add([1, 2]);
    expect(state.toJSON()).toEqual(expected.toJSON());
  });
});

test('has the same bits on every engine', () => {
  const { kernels } = setOf('simd128');
  const state = kernels.logSumExpState();
  for (let i = 0; i < 100; i++) {
    const x = numbers(i % 2 === 0 ? 'float32' : 'float64', 37, 'within ±30', i + 1);
    state.merge(kernels.logSumExpState().add(x, { temperature: 1 + (i % 7) / 3 }));
  }
  expect(state.toJSON().sums).toEqual([29.988664627075195, 1, 9.347033650594865, 5.011555411007916e-15]);
  expect(state.value).toBe(32.325364501900594);
});

test('128 256 logits in 16 chunks are as accurate as in one', () => {
  const { kernels } = setOf('simd128');
  const x = numbers('float32', 128_256, 'within ±30', 5);
  const state = kernels.logSumExpState();
  for (let i = 0; i < x.length; i += 8016) {
    state.merge(
      kernels.logSumExpState.from(
        kernels
          .logSumExpState()
          .add(x.subarray(i, i + 8016))
          .toJSON(),
      ),
    );
  }
  const { hi } = oracle.logSumExp('double-double', x);
  expect(Math.abs(state.value - (hi[0] as number)) / state.value).toBeLessThan(2e-8);
});
