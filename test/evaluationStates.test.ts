import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CalibrationStateOptions,
  createKernels,
  type EvaluationState,
  type Kernels,
  type StateFactory,
  type StateJson,
} from '../src/index.js';
import { sets } from './support/backends.js';
import { numbers, randomOf } from './support/cases.js';

const simd128 = createKernels({ backend: 'simd128' });

/** A kind of state with its options, and the function that takes all rows at once. */
interface Kind {
  readonly name: string;
  make(kernels: Kernels): EvaluationState<unknown>;
  from(kernels: Kernels, json: StateJson): EvaluationState<unknown>;
  once(kernels: Kernels, x: Float32Array, targets: Int32Array, shape: number[]): unknown;
}

/** A kind by the names of its functions. */
function kind<O extends object>(
  state: 'accuracyState' | 'nllState' | 'perplexityState' | 'calibrationState',
  once: 'accuracy' | 'crossEntropy' | 'perplexity' | 'calibrationError',
  options: O,
): Kind {
  const factory = (kernels: Kernels) => kernels[state] as StateFactory<O, unknown>;
  return {
    name: `${state} ${JSON.stringify(options)}`,
    make: (kernels) => factory(kernels)(options),
    from: (kernels, json) => factory(kernels).from(json),
    once: (kernels, x, targets, shape) => {
      const evaluate = kernels[once] as (x: Float32Array, targets: Int32Array, options: object) => unknown;
      return evaluate(x, targets, { ...options, shape });
    },
  };
}

const ignoreIndex = 100;
const KINDS: readonly Kind[] = [
  kind('accuracyState', 'accuracy', {}),
  kind('accuracyState', 'accuracy', { k: 3, ignoreIndex }),
  kind('nllState', 'crossEntropy', {}),
  kind('nllState', 'crossEntropy', { temperature: 2 }),
  kind('perplexityState', 'perplexity', { temperature: 4, ignoreIndex }),
  kind('calibrationState', 'calibrationError', {}),
  kind('calibrationState', 'calibrationError', { temperature: 2, bins: 10, classwise: true, ignoreIndex }),
  kind('calibrationState', 'calibrationError', { scheme: 'mass', bins: 7 }),
];

const N = 5;
const ROWS = 60;

/** Rows and their targets, of which one in eight is ignored. */
function data(seed: number, rows = ROWS, ignored = -100): { x: Float32Array; targets: Int32Array } {
  const random = randomOf(seed);
  const x = Float32Array.from(numbers('float32', rows * N, 'within ±8', seed));
  const targets = Int32Array.from({ length: rows }, () => (random() < 1 / 8 ? ignored : Math.floor(N * random())));
  return { x, targets };
}

/** Expects numbers to be equal up to their last digit, and everything else to be equal. */
function expectSame(found: unknown, expected: unknown): void {
  if (typeof expected === 'number' && Number.isFinite(expected)) {
    expect(Math.abs((found as number) - expected)).toBeLessThanOrEqual(2 ** -51 * Math.max(1, Math.abs(expected)));
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(found as object)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) expectSame((found as Record<string, unknown>)[name], value);
  } else expect(found).toBe(expected);
}

const roundTrip = (state: EvaluationState<unknown>): StateJson => JSON.parse(JSON.stringify(state)) as StateJson;

describe.each(KINDS)('$name', (each) => {
  const ignored = each.name.includes('ignoreIndex') ? ignoreIndex : -100;

  describe.each(sets)('$name', ({ kernels }) => {
    test('used once gives what the function gives', () => {
      const { x, targets } = data(1, ROWS, ignored);
      const state = each.make(kernels).add(x, targets, { shape: [ROWS, N] });
      expect(state.value).toEqual(each.once(kernels, x, targets, [ROWS, N]));
      expect(state.count).toBe(targets.filter((target) => target !== ignored).length);
      const resident = kernels.tensor(x, [ROWS, N]);
      expect(each.make(kernels).add(resident, targets).value).toEqual(state.value);
      resident.dispose();
    });
  });

  test('any split into shards, merged in any order and grouping, also through JSON', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: ROWS }), { maxLength: 8 });
    const merges = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), cuts, merges, (seed, inner, choices) => {
        const { x, targets } = data(seed, ROWS, ignored);
        const edges = [0, ...inner.sort((a, b) => a - b), ROWS];
        const states = edges.slice(1).map((end, i) => {
          const start = edges[i]!;
          const shard = x.subarray(start * N, end * N);
          return each.make(simd128).add(shard, targets.subarray(start, end), { shape: [end - start, N] });
        });
        for (const [a, b, travels] of choices) {
          if (states.length === 1) break;
          const [from] = states.splice(b % states.length, 1) as [EvaluationState<unknown>];
          const before = JSON.stringify(from);
          const into = states[a % states.length]!;
          into.merge(travels ? each.from(simd128, roundTrip(from)) : from);
          expect(JSON.stringify(from)).toBe(before);
        }
        const [all] = states as [EvaluationState<unknown>];
        const expected = each.make(simd128).add(x, targets, { shape: [ROWS, N] });
        expect(all.count).toBe(expected.count);
        expectSame(all.value, expected.value);
      }),
      { seed: 42, numRuns: 40 },
    );
  });

  test('JSON is the state to the last bit, infinities and NaN included', () => {
    const { x, targets } = data(2, ROWS, ignored);
    const states = [
      each.make(simd128),
      each.make(simd128).add(x, targets, { shape: [ROWS, N] }),
      each.make(simd128).add([0, -Infinity, 0], [1], { shape: [1, 3] }),
      each.make(simd128).add([0, Number.NaN, 0], [1], { shape: [1, 3] }),
    ];
    for (const state of states) {
      const before = JSON.stringify(state);
      const again = each.from(simd128, roundTrip(state));
      expect(JSON.stringify(again)).toBe(before);
      expect(again.value).toEqual(state.value);
      expect(JSON.stringify(state)).toBe(before);
      expect(again.merge(each.make(simd128)).value).toEqual(state.value);
      expect(again.add([], [], { shape: [0, 3] }).value).toEqual(state.value);
    }
  });

  test('adds nothing when it throws', () => {
    const { x, targets } = data(3, ROWS, ignored);
    const state = each.make(simd128).add(x, targets, { shape: [ROWS, N] });
    const before = JSON.stringify(state);
    const bad = targets.slice();
    bad[ROWS - 1] = N;
    expect(() => state.add(x, bad, { shape: [ROWS, N] })).toThrow(RangeError);
    expect(() => state.add(x, targets, { shape: [N, ROWS] })).toThrow(RangeError);
    expect(JSON.stringify(state)).toBe(before);
    const empty = each.make(simd128);
    expect(() => empty.add(x, bad, { shape: [ROWS, N] })).toThrow(RangeError);
    expect(JSON.stringify(empty)).toBe(JSON.stringify(each.make(simd128)));
  });

  test('merges with itself, which counts every row twice', () => {
    const { x, targets } = data(4, ROWS, ignored);
    const state = each.make(simd128).add(x, targets, { shape: [ROWS, N] });
    const twice = each.make(simd128);
    for (let i = 0; i < 2; i++) twice.add(x, targets, { shape: [ROWS, N] });
    expect(state.merge(state).count).toBe(twice.count);
    expectSame(state.value, twice.value);
  });
});

test('a million merges leave no drift', () => {
  const { x, targets } = data(5);
  const one = simd128.nllState().add(x, targets, { shape: [ROWS, N] });
  const bins = simd128.calibrationState({ bins: 3 }).add(x, targets, { shape: [ROWS, N] });
  const losses = simd128.nllState();
  const calibration = simd128.calibrationState({ bins: 3 });
  for (let i = 0; i < 1e6; i++) {
    losses.merge(one);
    calibration.merge(bins);
  }
  expect(losses.count).toBe(1e6 * one.count);
  expect(Math.abs(losses.value / one.value - 1)).toBeLessThanOrEqual(2 ** -52);
  for (const figure of ['ece', 'mce', 'brier', 'nll'] as const) {
    expect(Math.abs(calibration.value[figure] / bins.value[figure] - 1)).toBeLessThanOrEqual(2 ** -51);
  }
});

test('bins of equal mass take as many rows from another state as it has', () => {
  const x = Float32Array.from(numbers('float32', 1000 * N, 'within ±8', 6));
  const targets = Int32Array.from({ length: 1000 }, (_, row) => row % N);
  const all = simd128.calibrationState({ scheme: 'mass' }).add(x, targets, { shape: [1000, N] });
  expect(simd128.calibrationState({ scheme: 'mass' }).merge(all).value).toEqual(all.value);
});

test('states of different sets merge', () => {
  const reference = createKernels({ backend: 'reference' });
  const state = simd128.accuracyState().add([1, 2], [1], { shape: [1, 2] });
  expect(state.merge(reference.accuracyState().add([1, 2], [0], { shape: [1, 2] })).value).toBe(0.5);
});

test('a state that is added to while it reads', () => {
  const state = simd128.nllState();
  const options = {
    get shape() {
      state.add([0, 0], 0);
      return [1, 2];
    },
  };
  expect(state.add([3, 3], 1, options).count).toBe(2);
  expect(state.value).toBeCloseTo(Math.LN2, 6);
});

test('a state of a set takes tensors of that set alone', () => {
  const other = createKernels({ backend: 'simd128' });
  const x = other.tensor([1, 2], [1, 2]);
  expect(() => simd128.nllState().add(x, [0])).toThrow('nllState.add: logits is a tensor of another set of kernels');
  expect(other.nllState().add(x, [0]).count).toBe(1);
  expect(other.nllState.from(simd128.nllState().toJSON() as StateJson).add(x, [0]).count).toBe(1);
});

describe('refuses', () => {
  const { accuracyState, nllState, perplexityState, calibrationState } = simd128;

  test.each<[string, () => unknown, typeof Error, string]>([
    [
      'another kind',
      () => nllState().merge(perplexityState()),
      TypeError,
      'nllState.merge: other is an object, expected a state made by nllState',
    ],
    [
      'no state',
      () => nllState().merge(JSON.parse('{}')),
      TypeError,
      'nllState.merge: other is an object, expected a state made by nllState (of JSON: nllState.from(other))',
    ],
    [
      'a proxy',
      () => nllState().merge(new Proxy(nllState(), {})),
      TypeError,
      'nllState.merge: other is an object, expected a state made by nllState',
    ],
    [
      'nothing',
      () => nllState().merge(undefined as never),
      TypeError,
      'nllState.merge: other is undefined, expected a state made by nllState',
    ],
    [
      'other options',
      () => accuracyState().merge(accuracyState({ k: 5 })),
      RangeError,
      'accuracyState.merge: other has k 5, expected 1, as this state',
    ],
    [
      'other bins',
      () => calibrationState().merge(calibrationState({ bins: 10 })),
      RangeError,
      'calibrationState.merge: other has bins 10, expected 15, as this state',
    ],
    [
      'other classes',
      () =>
        calibrationState()
          .add([1, 2], [0], { shape: [1, 2] })
          .add([1, 2, 3], [0], { shape: [1, 3] }),
      RangeError,
      'calibrationState.add: x has rows of 3, expected rows of 2, as before',
    ],
    [
      'other classes of another state',
      () =>
        calibrationState()
          .add([1, 2], [0], { shape: [1, 2] })
          .merge(calibrationState().add([1, 2], [0, 1])),
      RangeError,
      'calibrationState.merge: other has rows of 1, expected rows of 2, as before',
    ],
    [
      'k of no rank',
      () => accuracyState({ k: 0 }),
      RangeError,
      'accuracyState: k is 0, expected a whole number in [1, ',
    ],
    [
      'k of a string',
      () => accuracyState({ k: '1' as never }),
      TypeError,
      'accuracyState: k is "1", expected a whole number',
    ],
    [
      'too large a k',
      () => accuracyState({ k: 3 }).add([1, 2], 0),
      RangeError,
      'accuracyState.add: k is 3, expected a whole number in [1, 2]',
    ],
    [
      'an unknown option',
      () => nllState({ dim: 1 } as object),
      TypeError,
      'nllState: unknown option "dim", expected one of temperature, ignoreIndex',
    ],
    [
      'ignoreIndex',
      () => nllState({ ignoreIndex: 0.5 }),
      RangeError,
      'nllState: ignoreIndex is 0.5, expected an integer',
    ],
    [
      'an option of the state',
      () => nllState().add([1], 0, { ignoreIndex: 1 } as object),
      TypeError,
      'nllState.add: unknown option "ignoreIndex", expected one of shape, axis',
    ],
    [
      'a temperature beyond float32',
      () => calibrationState({ temperature: 2 ** 200 }).add([1, 2], [0], { shape: [1, 2] }),
      RangeError,
      'calibrationState.add: temperature is 1.6069380442589903e+60, expected a number in [2^-100, 2^100]',
    ],
  ])('%s', (_, run, Type, message) => {
    expect(run).toThrow(Type);
    expect(run).toThrow(message);
  });

  const ACCURACY = { state: 'accuracyState', options: {}, count: 2, hits: 1 };
  const NLL = { state: 'nllState', options: {}, count: 1, sum: [1, 0] };
  const BINS = {
    state: 'calibrationState',
    options: { bins: 1 },
    count: 0,
    perRow: 0,
    nll: [0, 0],
    brier: [0, 0],
    bins: [[0, 0, [0, 0]]],
  };
  const MASS = { ...BINS, options: { scheme: 'mass' }, bins: { right: [], wrong: [] } };

  test.each<[unknown, typeof Error, string]>([
    [JSON.stringify(NLL), TypeError, 'nllState.from: json is "{'],
    [null, TypeError, 'nllState.from: json is null, expected what nllState gave as JSON, parsed'],
    [ACCURACY, TypeError, 'nllState.from: json.state is "accuracyState", expected "nllState"'],
    [{ ...NLL, options: null }, TypeError, 'nllState.from: options is null, expected an object'],
    [{ ...NLL, options: { k: 1 } }, TypeError, 'nllState.from: unknown option "k"'],
    [{ ...NLL, count: -1 }, RangeError, 'nllState.from: json.count is -1, expected a whole number, 0 or more'],
    [{ ...NLL, count: '1' }, TypeError, 'nllState.from: json.count is "1", expected a whole number, 0 or more'],
    [{ ...NLL, sum: 1 }, TypeError, 'nllState.from: json.sum is 1, expected an array'],
    [{ ...NLL, sum: [1] }, RangeError, 'nllState.from: json.sum has 1 element, expected 2'],
    [
      { ...NLL, sum: [1, null] },
      TypeError,
      'nllState.from: json.sum[1] is null, expected a number, or "NaN", "Infinity"',
    ],
  ])('%j as JSON of an nllState', (json, Type, message) => {
    const run = () => nllState.from(json as StateJson);
    expect(run).toThrow(Type);
    expect(run).toThrow(message);
  });

  test.each<[unknown, typeof Error, string]>([
    [{ ...BINS, bins: [] }, RangeError, 'json.bins has 0 elements, expected 1'],
    [{ ...BINS, bins: [[0, 0]] }, RangeError, 'json.bins[0] has 2 elements, expected 3'],
    [{ ...BINS, bins: [['0', 0, [0, 0]]] }, TypeError, 'json.bins[0][0] is "0", expected a whole number'],
    [{ ...BINS, bins: [[0, 0.5, [0, 0]]] }, RangeError, 'json.bins[0][1] is 0.5, expected a whole number, 0 or more'],
    [{ ...BINS, bins: [[2, 3, [0, 0]]] }, RangeError, 'json.bins[0][1] is 3, expected at most json.bins[0][0], 2'],
    [{ ...BINS, bins: [[0, 0, [0, '1']]] }, TypeError, 'json.bins[0][2][1] is "1", expected a number, or "NaN"'],
    [{ ...BINS, perRow: undefined }, TypeError, 'json.perRow is undefined, expected a whole number, 0 or more'],
    [
      { ...BINS, perRow: 2, options: { bins: 1, classwise: true } },
      TypeError,
      'json.classBins is undefined, expected an array',
    ],
    [{ ...MASS, bins: null }, TypeError, 'json.bins.right is undefined, expected an array'],
    [
      { ...MASS, bins: { right: [], wrong: ['x'] } },
      TypeError,
      'json.bins.wrong[0] is "x", expected a number, or "NaN"',
    ],
  ])('%j as JSON of a calibrationState', (json, Type, message) => {
    const run = () => calibrationState.from(json as StateJson);
    expect(run).toThrow(Type);
    expect(run).toThrow(`calibrationState.from: ${message}`);
  });

  test('more hits than rows as JSON of an accuracyState', () => {
    expect(() => accuracyState.from({ ...ACCURACY, hits: 3 } as StateJson)).toThrow(
      new RangeError('accuracyState.from: json.hits is 3, expected at most json.count, 2'),
    );
  });

  test('revoked proxies, and passes errors of getters through', () => {
    const { proxy, revoke } = Proxy.revocable(ACCURACY, {});
    revoke();
    expect(() => accuracyState.from(proxy)).toThrow(TypeError);
    expect(() => accuracyState.from(proxy)).toThrow('accuracyState.from: json is a revoked proxy');
    const own = new Error('mine');
    const json = {
      ...ACCURACY,
      get hits(): number {
        throw own;
      },
    };
    expect(() => accuracyState.from(json)).toThrow(own);
  });
});

test('many adds leave memory as it was', () => {
  const { accuracyState, calibrationState, tensor, memoryUsage } = createKernels({ backend: 'simd128' });
  const { x, targets } = data(6);
  const resident = tensor(x, [ROWS, N]);
  const states = [accuracyState(), calibrationState({ classwise: true } satisfies CalibrationStateOptions)];
  const usage = memoryUsage();
  const bytes = resident.data.buffer.byteLength;
  for (let i = 0; i < 1000; i++) for (const state of states) (state as EvaluationState<unknown>).add(resident, targets);
  expect(memoryUsage()).toEqual(usage);
  expect(resident.data.buffer.byteLength).toBe(bytes);
  expect(states[1]!.count).toBe(1000 * targets.filter((target) => target >= 0).length);
  expect(JSON.stringify(states[1]).length).toBeLessThan(10_000);
});

test('more bins or rows than there is memory for: an error by name, and nothing is added', () => {
  const { calibrationState, crossEntropyState, logSumExpState } = createKernels({ backend: 'simd128' });
  const state = calibrationState({ classwise: true, bins: 10_000 });
  const says = /^calibrationState\.add: there is no memory for an array of 5000000000 elements$/;
  expect(() => state.add(new Float32Array(500_000), [1], { shape: [1, 500_000] })).toThrow(says);
  expect(state.add([1, 2], [1], { shape: [1, 2] }).count).toBe(1);
  expect(() => logSumExpState({ rows: 2 ** 40 })).toThrow(/^logSumExpState: there is no memory/);
  expect(() => crossEntropyState({ rows: 2 ** 40 })).toThrow(/^crossEntropyState: there is no memory/);
});
