// Every backward operation × backend × dtype, against the oracle.
import { describe, expect, test } from 'vitest';
import type { Kernels, Tensor } from '../src/index.js';
import { backward } from './operations/index.js';
import { sets, type TestSet } from './support/backends.js';
import {
  type Backward,
  type BackwardProblem,
  type Choice,
  compute,
  expectAccurate,
  type Forward,
  make,
  runOf,
  withExact,
} from './support/backward.js';
import {
  DTYPES,
  type Dtype,
  everyAxis,
  type Floats,
  floatsOf,
  HALF_ULP,
  halves,
  innerSizes,
  type Kind,
  lanesOf,
  lengths,
  newFloats,
  numbers,
  ROW_COUNTS,
  sizeOf,
} from './support/cases.js';
import { expectSame, GUARD } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { expectWithin } from './support/losses.js';
import { once } from './support/once.js';

/** One test for each set and dtype; exact results are computed once for all sets. */
function testAccuracy(operation: Backward, name: string, of: (dtype: Dtype) => BackwardProblem[]): void {
  for (const dtype of DTYPES) {
    const problems = once(() => of(dtype));
    for (const set of sets) {
      test(`${set.name} ${dtype}: ${name}`, () => {
        for (const p of problems()) expectAccurate(set, operation, p);
      });
    }
  }
}

/** Shapes by the form that computes them, small and too large for one block, with the axis. */
const FORMS: readonly [shape: number[], axis: number][] = [
  [[3, 100], 1],
  [[50, 1000], 1],
  [[2, 30_003], 1],
  [[5, 7], 1],
  [[5001, 10], 1],
  [[4, 5, 17], 1],
  [[2, 600, 40], 1],
  [[100, 300], 0],
  [[4, 50, 2], 1],
  [[5, 5000, 3], 1],
  [[1, 20_000, 2], 1],
];

const LOGIT_KINDS: readonly Kind[] = [
  'within ±30',
  'within ±79',
  'few values',
  'all equal',
  'some -∞',
  'one far above',
];
const GRADIENT_KINDS: readonly Kind[] = ['within ±1e4', 'few values', 'all equal', 'long runs of equals', 'around 600'];

describe.each(backward)('$name', (operation) => {
  const { forward } = operation;
  const problemOf = (dtype: Dtype, shape: readonly number[], choice?: Choice) => make(operation, dtype, shape, choice);

  describe('fixtures', () => {
    for (const c of operation.fixtures) {
      const exact = () => ({ ...c.dx, scale: Float64Array.from(c.scale) });
      const [given, dy] = [floatsOf(c.dtype, c.y ?? c.logP ?? []), floatsOf(c.dtype, c.dy)];
      for (const set of sets) {
        test(`${set.name} ${c.name}`, () => expectAccurate(set, operation, { ...c, what: c.name, given, dy, exact }));
      }
    }
  });

  describe('rows of every length', () => {
    for (const temperature of [1, 2.5, 0.3]) {
      testAccuracy(operation, `temperature ${temperature}`, (dtype) =>
        lengths(dtype).map((n) => problemOf(dtype, [3, n], { temperature })),
      );
    }
    for (const rows of ROW_COUNTS) {
      testAccuracy(operation, `${rows} rows`, (dtype) =>
        [1, 2, 3, 8, 23, 24, 47, 48, 100].map((n) => problemOf(dtype, [rows, n])),
      );
    }
  });

  describe('kinds of numbers', () => {
    for (const kind of LOGIT_KINDS) {
      testAccuracy(operation, `logits ${kind}`, (dtype) =>
        [2, 10, 47, 48, 300, 3000].map((n) => problemOf(dtype, [2, n], { kind })),
      );
    }
    for (const gradient of GRADIENT_KINDS) {
      testAccuracy(operation, `dy ${gradient}`, (dtype) =>
        [2, 10, 15, 17, 47, 48, 300, 3000].flatMap((n) => [
          problemOf(dtype, [2, n], { gradient }),
          problemOf(dtype, [2, n], { gradient, kind: 'all equal' }),
        ]),
      );
    }
  });

  describe('axes', () => {
    testAccuracy(operation, 'of every rank', (dtype) =>
      everyAxis().map(({ shape, axis }) => problemOf(dtype, shape, { axis, temperature: 0.7 })),
    );
    testAccuracy(operation, 'with others behind them', (dtype) =>
      innerSizes(dtype).flatMap((inner) => [1, 9, 65].map((n) => problemOf(dtype, [3, n, inner], { axis: 1 }))),
    );
  });

  describe('long rows', () => {
    testAccuracy(operation, '50257', (dtype) => [problemOf(dtype, [2, 50_257])]);
    testAccuracy(operation, 'of equals', (dtype) => [
      problemOf(dtype, [300_000], { kind: 'all equal', gradient: 'all equal' }),
      problemOf(dtype, [50_000, 4], { axis: 0, kind: 'all equal', gradient: 'all equal' }),
    ]);
  });

  // A sum that rounds all of them away, in the same direction, misses the bound.
  describe('a large term, and half units in its last place', () => {
    for (const sign of [1, -1]) {
      testAccuracy(operation, sign > 0 ? 'added' : 'subtracted', (dtype) =>
        [3, 7, 15, 16, 31].flatMap((vectors) =>
          Array.from({ length: 30 }, (_, i) => withHalves(operation, dtype, vectors, sign, i)),
        ),
      );
    }
  });

  describe('temperatures at the ends of their range', () => {
    testAccuracy(operation, 'all', (dtype) => {
      const end = dtype === 'float32' ? 100 : 900;
      return [2 ** -end, 2 ** -30, 2 ** 30, 2 ** end].flatMap((temperature) =>
        [3, 60].map((n) => {
          const given = make(operation, dtype, [2, n]).given;
          const dy = numbers(dtype, 2 * n, 'within ±8', n);
          const what = `${dtype} [2, ${n}], T ${temperature}`;
          return withExact(operation, { what, dtype, shape: [2, n], axis: 1, temperature, given, dy });
        }),
      );
    });
  });

  describe('results', () => {
    const large = {
      float32: once(() => FORMS.map(([shape, axis]) => problemOf('float32', shape, { axis }))),
      float64: once(() => FORMS.map(([shape, axis]) => problemOf('float64', shape, { axis }))),
    };
    for (const set of sets) {
      for (const dtype of DTYPES) {
        test(`${set.name} ${dtype}: the same apart, in place of either argument, streamed and resident`, () => {
          for (const p of large[dtype]()) expectSameEverywhere(set, operation, p);
        });

        test(`${set.name} ${dtype}: writes nothing around them, and ignores what is around the arguments`, () => {
          for (const shape of [
            [1, 1],
            [3, 3],
            [5, 7],
            [2, 51],
            [3, 2, 5],
            [3, 50, 3],
          ]) {
            const p = problemOf(dtype, shape, { axis: 1 });
            const expected = compute(set, operation, p);
            for (const offset of [1, 2, 3, 5]) {
              const [given, dy] = [surrounded(p.given, offset, NaN), surrounded(p.dy, offset, NaN)];
              const out = surrounded(newFloats(dtype, expected.length), offset, GUARD);
              compute(set, operation, { ...p, given: given.inside, dy: dy.inside }, { out: out.inside });
              expectSame(out.inside, expected, p.what);
              expectSame(out.whole, surrounded(expected, offset, GUARD).whole, `${p.what}: around it`);
            }
          }
        });

        test(`${set.name} ${dtype}: a row is the same alone and among others`, () => {
          for (const n of [1, 5, 23, 47, 48, 301]) {
            const p = problemOf(dtype, [19, n]);
            const all = compute(set, operation, p);
            for (const row of [0, 7, 18]) {
              const part = (values: Floats) => values.slice(row * n, row * n + n);
              const alone = compute(set, operation, { ...p, shape: [n], given: part(p.given), dy: part(p.dy) });
              expectSame(alone, part(all), `${p.what}, row ${row}`);
            }
          }
        });

        test(`${set.name} ${dtype}: the gradients of a row cancel`, () => {
          for (const n of [2, 10, 47, 48, 1000]) {
            const p = problemOf(dtype, [n]);
            const sum = Array.from(compute(set, operation, p)).reduce((a, b) => a + b, 0);
            const magnitude = p.exact().scale.reduce((a, b) => a + b, 0);
            expect(Math.abs(sum)).toBeLessThanOrEqual((dtype === 'float32' ? 2 ** -21 : 2 ** -50) * magnitude);
          }
        });
      }

      test(`${set.name}: have the kind of the first argument`, () => {
        const { tensor } = set.kernels;
        const run = runOf(set.kernels, operation);
        const p = problemOf('float32', [3, 5]);
        const expected = compute(set, operation, p);
        expect(expected).toBeInstanceOf(Float32Array);
        const [given, dy] = [Array.from(p.given), Array.from(p.dy)];
        expectSame(run(given, dy, { shape: [3, 5] }) as Floats, expected, 'number[]');
        const like = run({ data: p.given, dims: [3, 5] }, dy);
        expect(like).toEqual({ data: expected, shape: [3, 5] });
        using x = tensor(p.given, [3, 5]);
        using y = run(x, { data: p.dy, shape: [3, 5] }) as Tensor;
        expect(y.shape).toEqual([3, 5]);
        expectSame(y.data, expected, 'Tensor');
        expectSame(run(p.given, tensor(p.dy, [3, 5]), { shape: [3, 5] }) as Floats, expected, 'dy a Tensor');
        // Plain numbers take the dtype of the other argument.
        const wide = (upstream: object) => run(Float64Array.of(0.25, 0.75), upstream) as Floats;
        const exact = wide(Float64Array.of(0.1, 0.7));
        expectSame(wide([0.1, 0.7]), exact, 'plain numbers');
        expectSame(wide({ data: [0.1, 0.7], shape: [2] }), exact, 'a tensor-like of them');
      });
    }
  });

  describe('gradient', () => {
    for (const set of sets) {
      test(`${set.name}: against differences of ${forward}`, () => {
        for (const [shape, axis] of [
          [[5], 0],
          [[3, 30], 1],
          [[4, 6, 3], 1],
        ] as const) {
          for (const temperature of [1, 2.5]) expectGradient(set.kernels, operation, shape, axis, temperature);
        }
      });
    }
  });

  describe('no elements', () => {
    for (const set of sets) {
      test(set.name, () => {
        for (const shape of [[0], [3, 0], [0, 3], [2, 0, 3]]) {
          for (const axis of shape.keys()) {
            expect(compute(set, operation, problemOf('float32', shape, { axis }))).toEqual(new Float32Array(0));
          }
        }
      });
    }
  });

  describeFailures(operation);
});

/** A row whose first lane adds up a number near 1, which differs with i, and half units in its last place. */
function withHalves(operation: Backward, dtype: Dtype, vectors: number, sign: number, i: number): BackwardProblem {
  // The first term's product is rounded too.
  const p = (1 + i * 2 ** -13) / 64;
  const [probability, factor] = operation.forward === 'softmax' ? [p, 1 / (64 * p)] : [Math.log(p), 1];
  const dy = floatsOf(
    dtype,
    halves(lanesOf(dtype), vectors, true).map((count) => sign * count * factor * HALF_ULP[dtype]),
  );
  dy[0] = 1 + i * 2 ** -11;
  const given = newFloats(dtype, dy.length).fill(probability);
  const temperature = [0.794, 0.931, 1][i % 3] as number;
  const what = `${dtype}, ${vectors} vectors, ${sign} × halves beside ${dy[0]}, p ${p}, T ${temperature}`;
  return withExact(operation, { what, dtype, shape: [dy.length], axis: 0, temperature, given, dy });
}

/** The same numbers in the middle of a buffer, `offset` elements from its start. */
function surrounded(values: Floats, offset: number, by: number): { inside: Floats; whole: Floats } {
  const whole = floatsOf(values.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64', Array(values.length + 10).fill(by));
  const inside = whole.subarray(offset, offset + values.length);
  inside.set(values);
  return { inside, whole };
}

/** Expects the same bits wherever arguments and result are in memory. */
function expectSameEverywhere(set: TestSet, operation: Backward, p: BackwardProblem): void {
  const { kernels } = set;
  const { axis, temperature } = p;
  const shape = [...p.shape];
  const expected = compute(set, operation, p);
  const exact = p.exact();
  expectWithin(p.what, p.dtype, expected, exact, exact.scale, operation.units[p.dtype][set.backend]);
  const [given, dy] = [p.given.slice(), p.dy.slice()];
  expect(compute(set, operation, { ...p, dy }, { out: dy })).toBe(dy);
  expectSame(dy, expected, `${p.what}: over dy`);
  expect(compute(set, operation, { ...p, given }, { out: given })).toBe(given);
  expectSame(given, expected, `${p.what}: over the first argument`);

  using x = kernels.tensor(p.given, shape);
  using gradient = kernels.tensor(p.dy, shape);
  using out = kernels.zeros(shape, { dtype: p.dtype });
  const run = (a: unknown, b: unknown, to: unknown) =>
    runOf(kernels, operation)(a, b, { shape, axis, temperature, out: to });
  run(x, gradient, out);
  expectSame(out.data, expected, `${p.what}: resident`);
  const streamed = newFloats(p.dtype, expected.length);
  run(x, p.dy, streamed);
  expectSame(streamed, expected, `${p.what}: the first argument resident`);
  run(p.given, gradient, gradient);
  expectSame(gradient.data, expected, `${p.what}: over a resident dy`);
  gradient.data.set(p.dy);
  run(x, gradient, gradient.data);
  expectSame(gradient.data, expected, `${p.what}: over a view of a resident dy`);
  run(x, p.dy, x);
  expectSame(x.data, expected, `${p.what}: over a resident first argument`);
}

/** Compares dx with central differences of Σ dy · forward(x). */
function expectGradient(
  kernels: Kernels,
  operation: Backward,
  shape: readonly number[],
  axis: number,
  temperature: number,
): void {
  const options = { shape, axis, temperature };
  const forward = kernels[operation.forward] as Forward;
  const x = numbers('float64', sizeOf(shape), 'few values', 3).map((v, i) => v + 0.01 * i);
  const dy = numbers('float64', x.length, 'within ±8', 5);
  const total = (logits: Floats) =>
    Array.from(forward(logits, options)).reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
  const dx = runOf(kernels, operation)(forward(x, options), dy, options) as Floats;
  const step = 1e-5;
  for (let i = 0; i < x.length; i++) {
    const moved = (by: number) => total(x.map((v, j) => (j === i ? v + by : v)));
    const difference = (moved(step) - moved(-step)) / (2 * step);
    expect(Math.abs(difference - (dx[i] as number)), `[${shape}] T ${temperature}, dx[${i}]`).toBeLessThan(1e-7);
  }
}

function describeFailures(operation: Backward): void {
  const [argument] = operation.arguments;
  const shape = [2, 3];
  const X = [0.1, 0.2, 0.7, 0.3, 0.3, 0.4];
  const run = (kernels: Kernels) => runOf(kernels, operation);
  const overlapping = () => new Float32Array(8).fill(1);
  describeErrors([
    {
      message: `${operation.name}: dy has 5 elements, expected 6, as ${argument}`,
      call: (k, out) => run(k)(X, X.slice(1), { shape, out }),
    },
    {
      message: `${operation.name}: dy has shape [3, 2], expected [2, 3], as ${argument}`,
      call: (k, out) => run(k)(X, { data: X, shape: [3, 2] }, { shape, out }),
    },
    {
      message: `${operation.name}: dy is float64, expected float32, as ${argument}`,
      type: TypeError,
      call: (k, out) => run(k)(X, new Float64Array(6), { shape, out }),
    },
    {
      message: `${operation.name}: ${argument} is Int32Array(6), expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor (convert integers with Float32Array.from)`,
      type: TypeError,
      call: (k, out) => run(k)(new Int32Array(6), X, { shape, out }),
    },
    {
      message: `${operation.name}: dy is undefined, expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor`,
      type: TypeError,
      call: (k, out) => run(k)(X, undefined, { shape, out }),
    },
    {
      message: `${operation.name}: ${argument} has 6 elements, expected 4 for shape [2, 2]`,
      call: (k, out) => run(k)(X, X, { shape: [2, 2], out }),
    },
    {
      message: `${operation.name}: axis is 2, expected a whole number in [-2, 2)`,
      call: (k, out) => run(k)(X, X, { shape, axis: 2, out }),
    },
    {
      message: `${operation.name}: temperature is 0, expected a number in [2^-100, 2^100] (for 0 take argmax, or sample)`,
      call: (k, out) => run(k)(X, X, { shape, temperature: 0, out }),
    },
    {
      message: `${operation.name}: unknown option "dim", the name is axis here`,
      type: TypeError,
      call: (k, out) => run(k)(X, X, { shape, dim: 1, out }),
    },
    {
      message: `${operation.name}: out has 5 elements, expected 6`,
      call: (k) => run(k)(X, X, { shape, out: new Float32Array(5) }),
    },
    {
      message: `${operation.name}: out is Float64Array(6), expected a Float32Array or a Tensor`,
      type: TypeError,
      call: (k) => run(k)(X, X, { shape, out: new Float64Array(6) }),
    },
    {
      message: `${operation.name}: out is Float32Array(6), expected the very range of ${argument} or one apart from it`,
      call: (k) => {
        const buffer = overlapping();
        return run(k)(buffer.subarray(0, 6), X, { shape, out: buffer.subarray(1, 7) });
      },
    },
    {
      message: `${operation.name}: out is Float32Array(6), expected the very range of dy or one apart from it`,
      call: (k) => {
        const buffer = overlapping();
        return run(k)(X, buffer.subarray(2, 8), { shape, out: buffer.subarray(0, 6) });
      },
    },
  ]);
}
