import { describe, expect, test } from 'vitest';
import { createKernels, type Kernels } from '../src/index.js';
import { sets } from './support/backends.js';
import { DTYPES, type Dtype, LARGE, newFloats, numbers, type Problem, sizeOf } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';
import { RANKING_PROBLEMS, rowsOf } from './support/ranking.js';

/** toRows goes over the problems in the order of the results. */
function exactArgmax(p: Problem): Int32Array {
  return Int32Array.from(rowsOf(p), (row) => oracle.ranking(row)[0] as number);
}

function indicesOf(kernels: Kernels, { x, shape, axis }: Problem): Int32Array {
  return kernels.argmax(x, { shape, axis });
}

for (const [name, make] of Object.entries(RANKING_PROBLEMS)) {
  describe(name, () => {
    for (const dtype of DTYPES) {
      const problems = once(() => make(dtype).map((p) => ({ p, exact: exactArgmax(p) })));
      for (const set of sets) {
        test(`${set.name} ${dtype}`, () => {
          for (const { p, exact } of problems()) expectSame(indicesOf(set.kernels, p), exact, p.what);
        });
      }
    }
  });
}

describe.each(sets)('$name', ({ kernels }) => {
  const x = Float32Array.of(1, 2, 3, 1, 5, 1);

  test('results have the kind of the input', () => {
    const { argmax, tensor } = kernels;
    expect(argmax([1, 3, 2])).toBe(1);
    expect(argmax(Float64Array.of(1, 3, 2))).toBe(1);
    expect(argmax(x, { shape: [2, 3] })).toEqual(Int32Array.of(2, 1));
    expect(argmax(x, { shape: [6] })).toEqual(Int32Array.of(4));
    expect(argmax(x, { shape: [2, 3], axis: -2 })).toEqual(Int32Array.of(0, 1, 0));
    expect(argmax({ data: x, dims: [2, 3] })).toEqual({ data: Int32Array.of(2, 1), shape: [2] });
    expect(argmax({ data: x, shape: [6] })).toEqual({ data: Int32Array.of(4), shape: [] });
    using resident = tensor(x, [2, 3]);
    expect(argmax(resident, { axis: 0 })).toEqual({ data: Int32Array.of(0, 1, 0), shape: [3] });
    const out = new Int32Array(2);
    for (const input of [x, Array.from(x), { data: x, shape: [2, 3] }, resident]) {
      out.fill(-1);
      expect(argmax(input, { shape: [2, 3], out })).toBe(out);
      expect([...out]).toEqual([2, 1]);
    }
  });

  test('no rows give no indices', () => {
    expect(kernels.argmax([], { shape: [0, 3] })).toEqual(new Int32Array(0));
    expect(kernels.argmax([], { shape: [0, 3], out: new Int32Array(0) })).toEqual(new Int32Array(0));
    expect(kernels.argmax([], { shape: [0, 0] })).toEqual(new Int32Array(0));
    expect(kernels.argmax({ data: new Float64Array(0), shape: [2, 3, 0] }, { axis: 1 })).toEqual({
      data: new Int32Array(0),
      shape: [2, 0],
    });
  });

  test.each(DTYPES)('reads and writes only its own elements, at every alignment: %s', (dtype: Dtype) => {
    for (const [shape, axis] of [
      [[7], 0],
      [[5, 7], 1],
      [[17, 3], 1],
      [[3, 51], 1],
      [[2, 9, 3], 1],
      [[2, 9, 5], 1],
      [[9, 17], 0],
    ] as const) {
      const size = sizeOf(shape);
      const values = numbers(dtype, size, 'within ±30', size);
      const expected = kernels.argmax(values, { shape, axis });
      using home = kernels.tensor(newFloats(dtype, size + 20).fill(NaN));
      using target = kernels.zeros([expected.length + 40]);
      for (let offset = 4; offset < 8; offset++) {
        const input = home.data.fill(NaN).subarray(offset, offset + size);
        input.set(values);
        const indices = new Int32Array(target.data.buffer, target.data.byteOffset, target.size).fill(-7);
        const out = indices.subarray(3 * offset, 3 * offset + expected.length);
        expect(kernels.argmax(input, { shape, axis, out })).toBe(out);
        expectSame(out, expected, `[${shape}] at ${offset}`);
        expect(indices.every((index, i) => (index !== -7) === (i >= 3 * offset && i < 3 * offset + out.length))).toBe(
          true,
        );
        expectSame(input, values, 'the input');
      }
    }
  });

  test.each(DTYPES)('the same streamed and resident: %s', (dtype: Dtype) => {
    for (const [shape, axis] of LARGE) {
      const values = numbers(dtype, sizeOf(shape), 'few values', 3);
      const expected = kernels.argmax(values, { shape, axis });
      using resident = kernels.tensor(values, [...shape]);
      expectSame(kernels.argmax(resident, { axis }).data, expected, `[${shape}]`);
      using target = kernels.zeros([expected.length]);
      // Made again each time, because growth in a call detaches the views of memory.
      const view = () => new Int32Array(target.data.buffer, target.data.byteOffset, target.size);
      kernels.argmax(values, { shape, axis, out: view() });
      expectSame(view(), expected, `[${shape}] into linear memory`);
      kernels.argmax(resident, { axis, out: view().fill(-1) });
      expectSame(view(), expected, `[${shape}] within linear memory`);
    }
  });
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];

describeErrors([
  {
    message: 'argmax: x has 0 elements along the axis, expected at least 1',
    call: (k) => k.argmax([]),
  },
  {
    message: 'argmax: x has 0 elements along the axis, expected at least 1',
    call: (k) => k.argmax([], { shape: [3, 0], out: new Int32Array(3) }),
  },
  {
    message: 'argmax: unknown option "dim", the name is axis here',
    type: TypeError,
    call: (k) => k.argmax(X, { shape, dim: 0 } as never),
  },
  {
    message: 'argmax: unknown option "temperature", expected one of shape, axis, keepDims, mask, out',
    type: TypeError,
    call: (k) => k.argmax(X, { shape, temperature: 2 } as never),
  },
  {
    message: 'argmax: out is Float32Array(6), expected an Int32Array',
    type: TypeError,
    call: (k, out) => k.argmax(X, { shape, out: out as never }),
  },
  {
    message: 'argmax: out has 3 elements, expected 2',
    call: (k) => k.argmax(X, { shape, out: new Int32Array(3) }),
  },
  {
    message: 'argmax: out is Int32Array(2), expected a range apart from x',
    call: (k, out) => k.argmax(out, { shape, out: new Int32Array(out.buffer, 4, 2) }),
  },
  {
    message: 'argmax: out is Int32Array(1), expected a range apart from x',
    call: (k) => {
      const { data } = k.zeros([4]);
      return k.argmax(data, { shape: [4], out: new Int32Array(data.buffer, data.byteOffset, 1) });
    },
  },
  {
    message: 'argmax: axis is 2, expected a whole number in [-2, 2)',
    call: (k) => k.argmax(X, { shape, axis: 2 }),
  },
  {
    message: 'argmax: x is a tensor of another set of kernels, expected one of the same set',
    type: TypeError,
    call: (k) => k.argmax(createKernels({ backend: 'reference' }).zeros([4])),
  },
]);

test('a detached out is refused', () => {
  const out = new Int32Array(0);
  structuredClone(out.buffer, { transfer: [out.buffer] });
  for (const { kernels } of sets) {
    expect(() => kernels.argmax([], { shape: [0, 3], out })).toThrow(
      new TypeError('argmax: out is detached, expected an array whose buffer is alive'),
    );
  }
});
