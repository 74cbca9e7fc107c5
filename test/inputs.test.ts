import { describe, expect, test } from 'vitest';
import { Tensor } from '../src/index.js';
import { operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { callsOf, outFor, run, runBy } from './support/operation.js';
import { evaluateElsewhere } from './support/platform.js';

/** Logits and their result, which float32 represents exactly: four equal elements. */
const QUARTER = [0.25, 0.25, 0.25, 0.25];
const HALF = [0.5, 0.5, 0.5, 0.5];
const LOG4 = Math.log(4);

describe.each(sets)('$name', ({ kernels, create }) => {
  const { softmax, logSoftmax, logSumExp, tensor, zeros } = kernels;

  describe('elementwise results', () => {
    test('number[]', () => {
      const y = softmax([7, 7, 7, 7]);
      expect(y).toBeInstanceOf(Float32Array);
      expect([...y]).toEqual(QUARTER);
      expect([...softmax([7, 7, 7, 7], { shape: [2, 2] })]).toEqual(HALF);
      expect(softmax([])).toEqual(new Float32Array(0));
    });

    test('number[] is float32: its numbers are rounded on the way in', () => {
      expect(logSumExp([0.1])).toBe(Math.fround(0.1));
      expect(logSumExp([1e39])).toBe(Infinity);
    });

    test('float arrays', () => {
      const y = softmax(new Float32Array(4));
      expect(y).toBeInstanceOf(Float32Array);
      expect([...y]).toEqual(QUARTER);
      const z = softmax(new Float64Array(4));
      expect(z).toBeInstanceOf(Float64Array);
      expect([...z]).toEqual(QUARTER);
      expect([...logSoftmax(new Float64Array(2))]).toEqual([-Math.LN2, -Math.LN2]);
    });

    test('a view of part of a buffer, or of shared memory', () => {
      const part = new Float32Array(10).fill(3).subarray(3, 7);
      expect([...softmax(part)]).toEqual(QUARTER);
      const shared = new Float64Array(new SharedArrayBuffer(64), 8, 4);
      expect([...softmax(shared)]).toEqual(QUARTER);
      expect(softmax(part, { out: part })).toBe(part);
      expect([...part]).toEqual(QUARTER);
    });

    test('tensor-like with shape or dims', () => {
      const x = { data: new Float32Array(4), shape: [2, 2] };
      const y = softmax(x);
      expect(y.data).toBeInstanceOf(Float32Array);
      expect([...y.data]).toEqual(HALF);
      expect(y.shape).toEqual([2, 2]);
      expect(y.shape).not.toBe(x.shape);
      expect(Object.keys(y)).toEqual(['data', 'shape']);
      const like = softmax({ data: new Float64Array(4), dims: [1, 4] });
      expect(like.data).toBeInstanceOf(Float64Array);
      expect(like).toEqual({ data: Float64Array.from(QUARTER), shape: [1, 4] });
      expect(softmax({ data: [1, 1, 1, 1], shape: [4] })).toEqual({ data: Float32Array.from(QUARTER), shape: [4] });
      expect(softmax(x, { shape: [2, 2] }).shape).toEqual([2, 2]);
    });

    test('tensor-like of the kinds other libraries have', () => {
      const ort = { data: new Float32Array(4), dims: [2, 2], type: 'float32', location: 'cpu', size: 4 };
      for (const location of ['cpu', 'cpu-pinned', 'none']) expect(softmax({ ...ort, location }).shape).toEqual([2, 2]);
      expect(softmax({ ...ort, shape: [4] }).shape).toEqual([4]);
      // The elements are those that the array really holds.
      expect([...softmax({ ...ort, type: 'float16' }).data]).toEqual(HALF);
      const half = { data: Uint16Array.of(0x3c00, 0x3c00), shape: [2], type: 'a tensor', dtype: 'float16' };
      expect([...softmax(half, { out: new Float32Array(2) })]).toEqual([0.5, 0.5]);
      const ndarray = { data: new Float64Array(4), shape: [2, 2], stride: [2, 1], offset: 0 };
      expect([...softmax(ndarray).data]).toEqual(HALF);
      const unit = { data: new Float32Array(4), shape: [1, 4], strides: [99, 1] };
      expect([...softmax(unit).data]).toEqual(QUARTER);
      const empty = { data: new Float32Array(0), shape: [0, 2], strides: [9, 9] };
      expect([...softmax(empty).data]).toEqual([]);
      const shape = new Int32Array([2, 2]) as unknown as number[];
      expect(softmax({ data: new Float32Array(4), shape }).shape).toEqual([2, 2]);
    });

    test('a part of a longer array, where a view says so', () => {
      const data = Float32Array.of(9, 9, 1, 2, 3, 4, 9, 9);
      const out = new Float32Array(4);
      for (const offset of [0, 2, 4]) {
        const view = { data, shape: [2, 2], stride: [2, 1], offset };
        expect(softmax(view)).toEqual({
          data: softmax(data.slice(offset, offset + 4), { shape: [2, 2] }),
          shape: [2, 2],
        });
        expect(softmax(view, { out })).toBe(out);
      }
      expect(softmax({ data, shape: [4], strides: [1], offset: 2 }, { out: data.subarray(2, 6) })).toEqual(
        data.slice(2, 6),
      );
      expect([data[1], data[6]]).toEqual([9, 9]);
      expect(softmax({ data, shape: [0, 2], stride: [2, 1], offset: 8 })).toEqual({
        data: new Float32Array(0),
        shape: [0, 2],
      });
      const targets = { data: Int32Array.of(7, 1, 0), shape: [2], stride: [1], offset: 1 };
      expect(kernels.crossEntropy([1, 2, 3, 4], targets, { shape: [2, 2] })).toBe(
        kernels.crossEntropy([1, 2, 3, 4], [1, 0], { shape: [2, 2] }),
      );
      expect(() => softmax({ data, shape: [2, 2] })).toThrow('x has 8 elements, expected 4 for shape [2, 2]');
    });

    test('Tensor', () => {
      using x = tensor([3, 3, 3, 3], [2, 2]);
      using y = softmax(x);
      expect(y).toBeInstanceOf(Tensor);
      expect(y.shape).toEqual([2, 2]);
      expect(y.dtype).toBe('float32');
      expect([...y.data]).toEqual(HALF);
      using z = softmax(tensor(new Float64Array(4)));
      expect(z.dtype).toBe('float64');
      expect([...softmax(x, { axis: 0 }).data]).toEqual(HALF);
    });

    test('arrays of another realm', () => {
      const foreign = evaluateElsewhere('new Float32Array(4)') as Float32Array;
      expect(foreign).not.toBeInstanceOf(Float32Array);
      const y = softmax(foreign);
      expect(y).toBeInstanceOf(Float32Array);
      expect([...y]).toEqual(QUARTER);
      expect([...softmax(evaluateElsewhere('[1, 1, 1, 1]') as number[])]).toEqual(QUARTER);
      const out = evaluateElsewhere('new Float64Array(4)') as Float64Array;
      expect(softmax(evaluateElsewhere('new Float64Array(4)') as Float64Array, { out })).toBe(out);
      expect([...out]).toEqual(QUARTER);
      const like = evaluateElsewhere('({ data: new Float32Array(4), shape: [2, 2] })') as { data: Float32Array };
      expect([...softmax(like).data]).toEqual(HALF);
      const options = evaluateElsewhere('({ shape: [2, 2], axis: 0 })') as object;
      expect([...softmax([1, 1, 1, 1], options)]).toEqual(HALF);
      using t = tensor(foreign);
      expect([...t.data]).toEqual([0, 0, 0, 0]);
    });
  });

  describe('results with a number for each row', () => {
    test('plain rows give a number', () => {
      expect(logSumExp(new Float64Array(4))).toBe(LOG4);
      expect(logSumExp([0, 0, 0, 0])).toBe(Math.fround(LOG4));
      expect(logSumExp([])).toBe(-Infinity);
      expect(logSumExp(new Float64Array(4), { axis: 0 })).toBe(LOG4);
    });

    test('with shape, an array without the axis', () => {
      expect(logSumExp(new Float64Array(4), { shape: [4] })).toEqual(Float64Array.of(LOG4));
      expect(logSumExp(new Float64Array(8), { shape: [2, 4] })).toEqual(Float64Array.of(LOG4, LOG4));
      expect(logSumExp(new Float64Array(8), { shape: [4, 2], axis: 0 })).toEqual(Float64Array.of(LOG4, LOG4));
      expect(logSumExp([0, 0, 0, 0], { shape: [1, 4] })).toEqual(Float32Array.of(LOG4));
      expect(logSumExp([], { shape: [2, 0] })).toEqual(Float32Array.of(-Infinity, -Infinity));
      expect(logSumExp([], { shape: [0, 2] })).toEqual(new Float32Array(0));
    });

    test('tensor-like and Tensor keep their kind', () => {
      const like = { data: new Float64Array(8), shape: [2, 4] };
      expect(logSumExp(like)).toEqual({ data: Float64Array.of(LOG4, LOG4), shape: [2] });
      expect(logSumExp(like, { keepDims: true })).toEqual({ data: Float64Array.of(LOG4, LOG4), shape: [2, 1] });
      expect(logSumExp({ data: new Float64Array(4), shape: [4] })).toEqual({ data: Float64Array.of(LOG4), shape: [] });
      using x = zeros([4, 2], { dtype: 'float64' });
      using y = logSumExp(x, { axis: 0, keepDims: true });
      expect(y.shape).toEqual([1, 2]);
      expect([...y.data]).toEqual([LOG4, LOG4]);
      using z = logSumExp(zeros([2, 0]));
      expect([...z.data]).toEqual([-Infinity, -Infinity]);
    });
  });

  describe('out', () => {
    test('is the very object returned, whatever the input', () => {
      const out = new Float32Array(4);
      using into = zeros([4]);
      for (const x of [
        [1, 1, 1, 1],
        new Float32Array(4),
        { data: new Float32Array(4), shape: [4] },
        tensor([1, 1, 1, 1]),
      ]) {
        out.fill(0);
        expect(softmax(x, { out })).toBe(out);
        expect([...out]).toEqual(QUARTER);
        expect(softmax(x, { out: into })).toBe(into);
        expect([...into.data]).toEqual(QUARTER);
      }
      const one = new Float64Array(1);
      expect(logSumExp(new Float64Array(4), { out: one })).toBe(one);
      expect(one[0]).toBe(LOG4);
      const single = new Float32Array(1);
      expect(logSumExp([0, 0, 0, 0], { out: single })).toBe(single);
      expect(single[0]).toBe(Math.fround(LOG4));
    });

    test('may have another shape as a tensor', () => {
      using out = zeros([2, 2]);
      expect(softmax([1, 1, 1, 1], { out }).shape).toEqual([2, 2]);
    });
  });

  describe('tensor and zeros', () => {
    test('numbers, nested, arrays, tensor-likes, tensors', () => {
      expect(tensor([1, 2, 3]).shape).toEqual([3]);
      expect(tensor([1, 2, 3, 4], [2, 2]).shape).toEqual([2, 2]);
      const nested = tensor([
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ]);
      expect(nested.shape).toEqual([1, 2, 3]);
      expect([...nested.data]).toEqual([1, 2, 3, 4, 5, 6]);
      expect(tensor([[], []]).shape).toEqual([2, 0]);
      expect(tensor([[1, 2, 3, 4]], [2, 2]).shape).toEqual([2, 2]);
      expect(tensor(new Float64Array(3)).dtype).toBe('float64');
      expect(tensor(new Float64Array(3), undefined, { dtype: 'float32' }).dtype).toBe('float32');
      expect(tensor([0.1], [1], { dtype: 'float64' }).data[0]).toBe(0.1);
      expect(tensor({ data: new Float32Array(6), dims: [2, 3] }).shape).toEqual([2, 3]);
      expect(tensor(nested).shape).toEqual([1, 2, 3]);
      expect(tensor(nested, [6]).shape).toEqual([6]);
      expect(tensor(create().tensor([1, 2])).size).toBe(2);
      expect(tensor([]).size).toBe(0);
    });

    test('nested arrays whose rows are typed', () => {
      const [f32, f64] = [Float32Array.of(1, 2), Float64Array.of(0.1, 4)];
      expect(tensor([f32, f32]).toArray()).toEqual(Float32Array.of(1, 2, 1, 2));
      expect(tensor([f64, f64]).toArray()).toEqual(Float64Array.of(0.1, 4, 0.1, 4));
      expect(tensor([f64], [2], { dtype: 'float32' }).toArray()).toEqual(Float32Array.of(0.1, 4));
      expect(tensor([[f32], [[3, 4]], [f64]]).shape).toEqual([3, 1, 2]);
      expect(tensor([new Float32Array(0), new Float32Array(0)]).shape).toEqual([2, 0]);
      expect(tensor({ data: [f32, f32], shape: [4] }).shape).toEqual([4]);
      const lying = Object.defineProperty(Float32Array.of(5, 6), 'length', { value: 99 });
      expect([...tensor([lying, f32]).data]).toEqual([5, 6, 1, 2]);
      const gone = new Float32Array(2);
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      const wrong: [unknown, string][] = [
        [[f32, new Float32Array(3)], 'tensor: data[1] is Float32Array(3), expected an array of 2'],
        [[[[1, 2]], f32], 'tensor: data[1] is Float32Array(2), expected an array of 1'],
        [[[[1], [2]], f32], 'tensor: data[1][0] is 1, expected an array of 1'],
        [[1, f32], 'tensor: data[1] is Float32Array(2), expected a number'],
        [[f32, 1], 'tensor: data[1] is 1, expected an array of 2'],
        [[f32, gone], 'tensor: data[1] is detached, expected an array whose buffer is alive'],
        [
          [f32, new Int32Array(2)],
          'tensor: data[1] is Int32Array(2), expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a ' +
            'Tensor (convert integers with Float32Array.from)',
        ],
      ];
      for (const [data, message] of wrong) expect(() => tensor(data as number[])).toThrow(message);
    });

    test('zeros are zeros where memory was used before', () => {
      tensor([1, 2, 3, 4]).dispose();
      using x = zeros([2, 2]);
      expect(x.toArray()).toEqual(new Float32Array(4));
      expect(zeros([]).size).toBe(1);
      expect(zeros([3], { dtype: 'float64' }).dtype).toBe('float64');
      expect(zeros([2, 0, 3]).size).toBe(0);
    });

    test('copies', () => {
      const data = Float32Array.of(1, 2);
      using x = tensor(data);
      data[0] = 9;
      expect(x.data[0]).toBe(1);
      const copy = x.toArray();
      x.data[0] = 5;
      expect(copy[0]).toBe(1);
      const target = new Float32Array(2);
      expect(x.copyTo(target)).toBe(target);
      expect([...target]).toEqual([5, 2]);
      expect(() => x.copyTo(new Float32Array(3))).toThrow(
        new RangeError('Tensor.copyTo: array has 3 elements, expected 2'),
      );
      expect(() => x.copyTo(new Float64Array(2))).toThrow(
        new TypeError('Tensor.copyTo: array is Float64Array(2), expected a Float32Array'),
      );
    });
  });

  describe('read once', () => {
    /** Counts the reads of every property. */
    function counted<T extends object>(target: T, reads: Map<PropertyKey, number>): T {
      return new Proxy(target, {
        get(from, key) {
          reads.set(key, (reads.get(key) ?? 0) + 1);
          return Reflect.get(from, key);
        },
      });
    }

    test('options and elements', () => {
      const options = new Map<PropertyKey, number>();
      const shape = new Map<PropertyKey, number>();
      const elements = new Map<PropertyKey, number>();
      const x = counted([1, 1, 1, 1], elements);
      const y = logSumExp(
        x,
        counted(
          {
            shape: counted([2, 2], shape),
            axis: 0,
            keepDims: true,
            temperature: 2,
            weights: undefined,
            mask: undefined,
            out: undefined,
          },
          options,
        ),
      );
      expect(y.length).toBe(2);
      expect(Object.fromEntries(options)).toEqual({
        shape: 1,
        axis: 1,
        keepDims: 1,
        temperature: 1,
        weights: 1,
        mask: 1,
        out: 1,
      });
      expect(Object.fromEntries(shape)).toEqual({ length: 1, 0: 1, 1: 1 });
      expect(Object.fromEntries(elements)).toEqual({ length: 1, 0: 1, 1: 1, 2: 1, 3: 1 });
    });

    test.each(operations)('every option of $name, and the elements of its arguments', (operation) => {
      const { name, options: names } = operation;
      const absent = Object.fromEntries(names.map((option) => [option, undefined]));
      for (const call of callsOf(operation, { dtype: 'float32', shape: [2, 3], axis: 1 })) {
        for (const out of [undefined, outFor(call)]) {
          const reads = new Map<PropertyKey, number>();
          const options = { ...absent, ...call.options, ...(out !== undefined && { out }) };
          runBy(kernels, name, ...Object.values(call.arguments), counted(options, reads));
          expect([...reads.keys()]).toEqual(expect.arrayContaining([...names]));
          expect(new Set(reads.values())).toEqual(new Set([1]));
        }
        for (const [argument, { data, shape, values }] of Object.entries(call.filled)) {
          // As many plain numbers as logits may be class indices that lack the shape.
          if (argument === 'targets' && values === 'probabilities' && name.startsWith('crossEntropy')) continue;
          const reads = new Map<PropertyKey, number>();
          const plain = counted(Array.from<number | bigint, number>(data, Number), reads);
          run(kernels, call, { [argument]: shape.length > 1 ? { data: plain, shape } : plain });
          expect(new Set(reads.values()), argument).toEqual(new Set([1]));
        }
      }
    });

    test('tensor-likes', () => {
      const reads = new Map<PropertyKey, number>();
      softmax(counted({ data: new Float32Array(4), shape: [2, 2] }, reads));
      for (const key of ['data', 'shape']) expect(reads.get(key), key).toBe(1);
    });

    test('nested arrays', () => {
      const reads = new Map<PropertyKey, number>();
      tensor([counted([1, 2], reads), [3, 4]]);
      expect(Object.fromEntries(reads)).toEqual({ length: 1, 0: 1, 1: 1 });
    });

    test('a shape that changes between reads cannot lead out of the data', () => {
      let reads = 0;
      const shape = [2, 2];
      Object.defineProperty(shape, 0, { get: () => (reads++ === 0 ? 2 : 1e6) });
      expect([...softmax([1, 1, 1, 1], { shape })]).toEqual(HALF);
    });
  });

  describe('re-entrancy', () => {
    const other = () => {
      softmax(new Float32Array(100_000), { shape: [100, 1000], axis: 0 });
      logSumExp(new Float64Array(70), { shape: [7, 5, 2], axis: 1 });
      zeros([10]).dispose();
    };

    test('getters in options, shapes and elements may call the library', () => {
      const shape = [2, 2];
      Object.defineProperty(shape, 1, {
        get() {
          other();
          return 2;
        },
      });
      const x = [3, 3, 3, 3];
      Object.defineProperty(x, 2, {
        get() {
          other();
          return 3;
        },
      });
      const options = {
        get shape() {
          other();
          return shape;
        },
        get axis() {
          other();
          return 1;
        },
        get temperature() {
          other();
          return 1;
        },
        get out() {
          other();
          return out;
        },
      };
      const out = new Float32Array(4);
      expect(softmax(x, options)).toBe(out);
      expect([...out]).toEqual(HALF);
    });

    test('growth inside a getter leaves tensors and views intact', () => {
      const own = create();
      const x = own.tensor([1, 1, 1, 1]);
      const view = x.data;
      const y = own.softmax(x, {
        get axis() {
          own.zeros([2 ** 21]);
          return 0;
        },
      });
      expect(view.length).toBe(0);
      expect([...y.data]).toEqual(QUARTER);
    });

    test('exceptions of user code pass through and break nothing', () => {
      const error = new Error('mine');
      const fail = () => {
        throw error;
      };
      const usage = kernels.memoryUsage();
      const shape = [2, 2];
      Object.defineProperty(shape, 1, { get: fail });
      const element = [1, 2, 3, 4];
      Object.defineProperty(element, 3, { get: fail });
      const out = new Float32Array(4).fill(7);
      const calls = [
        () => softmax([1, 2, 3, 4], { shape, out }),
        () => softmax(element, { out }),
        () => softmax([1, 2, 3, 4], Object.defineProperty({ out }, 'temperature', { get: fail, enumerable: true })),
        () => softmax({ data: element, shape: [4] }, { out }),
        () =>
          softmax(Object.defineProperty({ shape: [4] }, 'data', { get: fail }) as unknown as { data: unknown }, {
            out,
          }),
        () => softmax([1, 2, 3, 4], new Proxy({ out }, { ownKeys: fail })),
        () => tensor([[1, 2, 3, 4], element]),
        () => zeros(shape),
      ];
      for (const call of calls) {
        expect(call).toThrow(error);
        expect([...out]).toEqual([7, 7, 7, 7]);
        expect(kernels.memoryUsage()).toEqual(usage);
        expect([...softmax([1, 1, 1, 1])]).toEqual(QUARTER);
      }
    });
  });
});
