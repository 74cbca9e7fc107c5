import { describe, expect, test } from 'vitest';
import { createKernels, type Kernels, OutOfMemoryError } from '../src/index.js';
import { sets } from './support/backends.js';
import {
  bytesOf,
  DTYPES,
  type Dtype,
  type Floats,
  floatsOf,
  newFloats,
  numbers,
  type Problem,
  problem,
  sizeOf,
} from './support/cases.js';
import { expectFlatMemory, expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';
import { RANKING_PROBLEMS, rowsOf } from './support/ranking.js';

interface Ranked {
  readonly values: Floats;
  readonly indices: Int32Array;
}

/** Each row with its whole ranking, which serves every k. */
type RankedRows = readonly { row: Floats; order: readonly number[] }[];

function rank(p: Problem): RankedRows {
  return rowsOf(p).map((row) => ({ row, order: oracle.ranking(row) }));
}

const known = new WeakMap<RankedRows, Map<number, Ranked>>();

/** Computed once for all backends. */
function exactTopK(p: Problem, rows: RankedRows, k: number): Ranked {
  const results = known.get(rows) ?? new Map<number, Ranked>();
  known.set(rows, results);
  const found = results.get(k) ?? firstOf(p, rows, k);
  results.set(k, found);
  return found;
}

function firstOf({ dtype, shape, axis }: Problem, rows: RankedRows, k: number): Ranked {
  const resultShape = shape.with(axis, k);
  const [values, indices] = [new Float64Array(rows.length * k), new Float64Array(rows.length * k)];
  for (const [r, { row, order }] of rows.entries()) {
    for (let i = 0; i < k; i++) {
      indices[r * k + i] = order[i] as number;
      values[r * k + i] = row[order[i] as number] as number;
    }
  }
  return {
    values: floatsOf(dtype, oracle.fromRows(values, resultShape, axis)),
    indices: Int32Array.from(oracle.fromRows(indices, resultShape, axis)),
  };
}

function compute(kernels: Kernels, { x, shape, axis }: Problem, k: number): Ranked {
  return kernels.topK(x, k, { shape, axis }) as Ranked;
}

function expectRanked(actual: Ranked, expected: Ranked, what: string): void {
  expectSame(actual.indices, expected.indices, `${what} indices`);
  expectSame(actual.values, expected.values, `${what} values`);
}

/** Values of k for a row of n: both ends, and both sides of the limit from which a buffer no longer holds the row. */
function countsOf(n: number): number[] {
  const fits = Math.ceil((n - 32) / 4);
  const ends = [1, 50, fits - 1, fits, n];
  // For long rows, other values would take long and test nothing more.
  const all = n > 10_000 ? ends : [...ends, 2, 5, n >> 1, n - 1];
  return [...new Set(all)].filter((k) => k >= 1 && k <= n);
}

for (const [name, make] of Object.entries(RANKING_PROBLEMS)) {
  describe(name, () => {
    for (const dtype of DTYPES) {
      const problems = once(() => make(dtype).map((p) => ({ p, rows: rank(p) })));
      for (const set of sets) {
        test(`${set.name} ${dtype}`, () => {
          for (const { p, rows } of problems()) {
            for (const k of countsOf(p.shape.at(p.axis) as number)) {
              expectRanked(compute(set.kernels, p, k), exactTopK(p, rows, k), `${p.what}, k ${k}`);
            }
          }
        });
      }
    }
  });
}

describe('rows whose buffer fills again and again', () => {
  for (const dtype of DTYPES) {
    const problems = once(() => {
      const rising = floatsOf(
        dtype,
        Array.from({ length: 5000 }, (_, i) => i),
      );
      const saw = rising.map((_, i) => (i % 100) + i / 5000);
      const organPipe = rising.map((_, i) => Math.min(i, 5000 - i));
      return [rising, saw, organPipe, rising.map(() => 3)].map((x) => {
        const p: Problem = { what: `${dtype} [5000]`, dtype, shape: [5000], axis: 0, temperature: 1, x };
        return { p, rows: rank(p) };
      });
    });
    for (const set of sets) {
      test(`${set.name} ${dtype}`, () => {
        for (const { p, rows } of problems()) {
          for (const k of [1, 7, 100, 1000, 5000]) {
            expectRanked(compute(set.kernels, p, k), exactTopK(p, rows, k), `${p.what}, k ${k}`);
          }
        }
      });
    }
  }
});

test('values are those of the row, with the sign of zero', () => {
  for (const { kernels } of sets) {
    expect([...kernels.topK([-0, 0, -1], 2).values]).toEqual([-0, 0]);
    expect([...kernels.topK([0, -0, -1], 2).values]).toEqual([0, -0]);
  }
});

describe.each(sets)('$name', ({ kernels, create }) => {
  const x = Float32Array.of(1, 2, 3, 1, 5, 1);
  const values = Float32Array.of(3, 2, 5, 1);
  const indices = Int32Array.of(2, 1, 1, 0);

  test('results are in the kind of the input', () => {
    const { topK, tensor } = kernels;
    expect(topK([1, 3, 2], 2)).toEqual({ values: Float32Array.of(3, 2), indices: Int32Array.of(1, 2) });
    expect(topK(Float64Array.of(1, 3, 2), 1)).toEqual({ values: Float64Array.of(3), indices: Int32Array.of(1) });
    expect(topK(x, 2, { shape: [2, 3] })).toEqual({ values, indices });
    expect(topK(x, 1, { shape: [2, 3], axis: -2 })).toEqual({
      values: Float32Array.of(1, 5, 3),
      indices: Int32Array.of(0, 1, 0),
    });
    expect(topK({ data: x, dims: [2, 3] }, 2)).toEqual({
      values: { data: values, shape: [2, 2] },
      indices: { data: indices, shape: [2, 2] },
    });
    using resident = tensor(x, [2, 3]);
    const ranked = topK(resident, 2);
    using inTensor = ranked.values;
    expect(inTensor.shape).toEqual([2, 2]);
    expectSame(inTensor.data, values, 'values');
    expect(ranked.indices).toEqual({ data: indices, shape: [2, 2] });
  });

  test('out is the very object returned, whatever the input', () => {
    const { topK, tensor, zeros } = kernels;
    using resident = tensor(x, [2, 3]);
    using into = zeros([4]);
    for (const input of [x, Array.from(x), { data: x, shape: [2, 3] }, resident]) {
      const out = { values: new Float32Array(4), indices: new Int32Array(4) };
      expect(topK(input, 2, { shape: [2, 3], out })).toBe(out);
      expect(out).toEqual({ values, indices });
      const other = { values: into, indices: new Int32Array(4) };
      expect(topK(input, 2, { shape: [2, 3], out: other })).toBe(other);
      expectSame(into.data, values, 'values');
      expect(other.indices).toEqual(indices);
    }
  });

  test('no rows give nothing', () => {
    expect(kernels.topK([], 2, { shape: [0, 3] })).toEqual({ values: new Float32Array(0), indices: new Int32Array(0) });
    expect(kernels.topK({ data: new Float64Array(0), shape: [2, 3, 0] }, 2, { axis: 1 })).toEqual({
      values: { data: new Float64Array(0), shape: [2, 2, 0] },
      indices: { data: new Int32Array(0), shape: [2, 2, 0] },
    });
  });

  test.each(DTYPES)('a whole ranking may go where x lies: %s', (dtype: Dtype) => {
    for (const [shape, axis] of [
      [[50], 0],
      [[300, 70], 1],
      [[7, 20], 0],
      [[4, 30, 3], 1],
      [[2, 40, 21], 1],
      [[3, 3000, 40], 1],
    ] as const) {
      const p = problem(dtype, shape, 'few values', { axis, seed: 5 });
      const k = shape[axis] as number;
      const expected = compute(kernels, p, k);
      const given = new Int32Array(p.x.length);
      const array = p.x.slice();
      kernels.topK(array, k, { shape, axis, out: { values: array, indices: given } });
      expectRanked({ values: array, indices: given }, expected, `[${shape}] array`);
      using tensor = kernels.tensor(p.x, [...shape]);
      kernels.topK(tensor, k, { axis, out: { values: tensor, indices: given.fill(-1) } });
      expectRanked({ values: tensor.data as Floats, indices: given }, expected, `[${shape}] tensor`);
    }
  });

  test.each(DTYPES)('reads and writes nothing but its own, at every alignment: %s', (dtype: Dtype) => {
    for (const [shape, axis, k] of [
      [[7], 0, 3],
      [[5, 70], 1, 4],
      [[3, 300], 1, 20],
      [[2, 9, 3], 1, 2],
      [[2, 9, 5], 1, 9],
      [[90, 17], 0, 3],
    ] as const) {
      const size = sizeOf(shape);
      const source = numbers(dtype, size, 'within ±30', size);
      const expected = kernels.topK(source, k, { shape, axis });
      const count = expected.indices.length;
      using home = kernels.tensor(newFloats(dtype, size + 20).fill(NaN));
      using target = kernels.tensor(newFloats(dtype, count + 20));
      using places = kernels.zeros([count + 20]);
      for (let offset = 4; offset < 4 + 16 / bytesOf(dtype); offset++) {
        const input = home.data.fill(NaN).subarray(offset, offset + size);
        input.set(source);
        const whole = target.data.fill(12345);
        const all = new Int32Array(places.data.buffer, places.data.byteOffset, places.size).fill(-7);
        const [start, end] = [offset + 1, offset + 1 + count];
        const out = { values: whole.subarray(start, end), indices: all.subarray(start, end) };
        kernels.topK(input, k, { shape, axis, out });
        expectRanked(out as Ranked, expected as Ranked, `[${shape}] at ${offset}`);
        const outside = (i: number) => i < start || i >= end;
        expect(whole.every((value, i) => (value === 12345) === outside(i))).toBe(true);
        expect(all.every((index, i) => (index === -7) === outside(i))).toBe(true);
        expectSame(input, source, 'the input');
      }
    }
  });

  test.each(DTYPES)('the same streamed and resident: %s', (dtype: Dtype) => {
    for (const [shape, axis, k] of [
      [[70, 1000], 1, 10],
      [[2, 70_000], 1, 30_000],
      [[7001, 10], 1, 3],
      [[40, 50, 17], 1, 2],
      [[2, 1500, 40], 1, 5],
      [[5, 3000, 3], 1, 1],
      [[5, 3000, 3], 1, 2000],
      [[100, 900], 0, 100],
    ] as const) {
      const p = problem(dtype, shape, 'few values', { axis, seed: 3 });
      const expected = compute(kernels, p, k);
      using resident = kernels.tensor(p.x, [...shape]);
      const result = kernels.topK(resident, k, { axis });
      using inTensor = result.values;
      expectRanked({ values: inTensor.data as Floats, indices: result.indices.data }, expected, `[${shape}]`);
      const out = {
        values: newFloats(dtype, expected.values.length),
        indices: new Int32Array(expected.indices.length),
      };
      kernels.topK(resident, k, { axis, out });
      expectRanked(out, expected, `[${shape}] from linear memory`);
      using target = kernels.zeros([expected.indices.length]);
      const view = () => new Int32Array(target.data.buffer, target.data.byteOffset, target.size);
      kernels.topK(p.x, k, { shape, axis, out: { values: inTensor, indices: view() } });
      expectRanked({ values: inTensor.data as Floats, indices: view() }, expected, `[${shape}] into linear memory`);
    }
  });

  test('memory is flat over many calls', () => {
    const own = create();
    const long = numbers('float32', 300_000, 'within ±8', 1);
    const all = { values: new Float32Array(300_000), indices: new Int32Array(300_000) };
    const out = { values: new Float32Array(4), indices: new Int32Array(4) };
    expectFlatMemory(own, 100, (i) => {
      own.topK(x, 2, { shape: [2, 3], out });
      if (i % 99 === 0) own.topK(long, 300_000, { out: all });
    });
  });

  test('a call that memory does not suffice for leaves nothing behind', () => {
    const own = create({ maxMemory: 2 ** 21 });
    using tensor = own.zeros([100_000]);
    const usage = own.memoryUsage();
    expect(() => own.topK(tensor, 100_000)).toThrow(OutOfMemoryError);
    expect(() => own.topK(tensor, 90_000)).toThrow(OutOfMemoryError);
    expect(own.memoryUsage()).toEqual(usage);
    expect(own.topK(tensor, 1).indices.data[0]).toBe(0);
  });
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];
const outOf = (values: unknown, indices: unknown) => ({ values, indices }) as never;

describeErrors([
  ...[0, 4, 1.5, NaN].map((k) => ({
    message: `topK: k is ${k}, expected a whole number in [1, 3]`,
    call: (kernels: Kernels) => kernels.topK(X, k, { shape }),
  })),
  {
    message: 'topK: k is "2", expected a whole number',
    type: TypeError,
    call: (k) => k.topK(X, '2' as never, { shape }),
  },
  {
    message: 'topK: x has 0 elements along the axis, expected at least 1',
    call: (k) => k.topK([], 1),
  },
  {
    message: 'topK: unknown option "dim", the name is axis here',
    type: TypeError,
    call: (k) => k.topK(X, 1, { shape, dim: 0 } as never),
  },
  {
    message: 'topK: out is 3, expected { values, indices }',
    type: TypeError,
    call: (k) => k.topK(X, 1, { shape, out: 3 as never }),
  },
  {
    message: 'topK: out.values is undefined, expected a Float32Array or a Tensor',
    type: TypeError,
    call: (k) => k.topK(X, 1, { shape, out: outOf(undefined, new Int32Array(2)) }),
  },
  {
    message: 'topK: out.indices is undefined, expected an Int32Array',
    type: TypeError,
    call: (k, out) => k.topK(X, 3, { shape, out: outOf(out, undefined) }),
  },
  {
    message: 'topK: out.values has 6 elements, expected 4',
    call: (k, out) => k.topK(X, 2, { shape, out: outOf(out, new Int32Array(4)) }),
  },
  {
    message: 'topK: out.indices has 4 elements, expected 6',
    call: (k, out) => k.topK(X, 3, { shape, out: outOf(out, new Int32Array(4)) }),
  },
  {
    message: 'topK: out.values is Float32Array(2), expected the very range of x or one apart from it',
    call: (k, out) => k.topK(out, 1, { shape, out: outOf(out.subarray(2, 4), new Int32Array(2)) }),
  },
  {
    message: 'topK: out.indices is Int32Array(6), expected a range apart from x',
    call: (k, out) => k.topK(out, 3, { shape, out: outOf(new Float32Array(6), new Int32Array(out.buffer)) }),
  },
  {
    message: 'topK: out.indices is Int32Array(6), expected a range apart from out.values',
    call: (k, out) => k.topK(X, 3, { shape, out: outOf(out, new Int32Array(out.buffer)) }),
  },
  {
    message: 'topK: x is a tensor of another set of kernels, expected one of the same set',
    type: TypeError,
    call: (k) => k.topK(createKernels({ backend: 'reference' }).zeros([4]), 1),
  },
]);

/**
 * A row for which every pivot of assembly/rows/candidates.ts is nearly the first of its range: McIlroy, A killer
 * adversary for quicksort, 1999, against the same selection. Elements are given their places as they are compared.
 */
function killerRow(n: number, k: number): Float32Array {
  const places = new Int32Array(n).fill(n);
  let given = 0;
  let candidate = -1;
  const isBefore = (a: number, b: number) => {
    if (a === b) return false;
    if (places[a] === n && places[b] === n) places[a === candidate ? a : b] = given++;
    if (places[a] === n) candidate = a;
    else if (places[b] === n) candidate = b;
    return places[a]! < places[b]!;
  };
  const order = Int32Array.from(places, (_, i) => i);
  const partition = (low: number, high: number, random: number) => {
    const pivot = order[low + Number((BigInt(random) * BigInt(high - low)) >> 32n)]!;
    for (let i = low - 1, j = high + 1; ; ) {
      do i++;
      while (isBefore(order[i]!, pivot));
      do j--;
      while (isBefore(pivot, order[j]!));
      if (i >= j) return j;
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
  };
  for (let low = 0, high = n - 1, random = 1; low < high; ) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const middle = partition(low, high, random);
    if (k - 1 <= middle) high = middle;
    else low = middle + 1;
  }
  return Float32Array.from(places, (place) => -place);
}

test.each(sets)('$name: a row made against its pivots', ({ kernels }) => {
  const n = 3000;
  for (const k of [n / 2, n / 3, n - 1]) {
    for (const x of [killerRow(n, k), Float64Array.from(killerRow(n, k))]) {
      const order = Array.from(x, (_, i) => i).sort((a, b) => x[b]! - x[a]!);
      const { values, indices } = kernels.topK(x as Float32Array, k);
      expect([...indices]).toEqual(order.slice(0, k));
      expect([...values]).toEqual(order.slice(0, k).map((i) => x[i]));
      // A nucleus of equal weights ends where this many are kept.
      const flat = x.map((value) => value / 1e9);
      const draws = [0, 0.5, 0.999].map((u) => kernels.sample(flat as Float32Array, { topP: k / n, random: () => u }));
      for (const draw of draws) expect(order.indexOf(draw)).toBeLessThanOrEqual(k);
    }
  }
});
