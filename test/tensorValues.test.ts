import { deepStrictEqual, notDeepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Tensor } from '../src/index.js';
import { sets } from './support/backends.js';

describe.each(sets)('a tensor as a value, $name', ({ kernels: { tensor, zeros, memoryUsage } }) => {
  const different: [string, () => [Tensor, Tensor]][] = [
    ['elements', () => [tensor([1, 2, 3]), tensor([1, 2, 4])]],
    ['shape', () => [tensor([1, 2, 3, 4], [2, 2]), tensor([1, 2, 3, 4])]],
    ['dtype', () => [tensor([1, 2]), tensor([1, 2], [2], { dtype: 'float64' })]],
    ['number of elements', () => [zeros([2]), zeros([3])]],
    ['NaN', () => [tensor([Number.NaN]), tensor([1])]],
  ];

  test.each(different)('%s tells tensors apart', (_, make) => {
    const [a, b] = make();
    expect(a).not.toEqual(b);
    expect(a).not.toStrictEqual(b);
    notDeepStrictEqual(a, b);
  });

  test('equal tensors are equal', () => {
    const make = () => tensor([1, Number.NaN, 3, 4], [2, 2]);
    expect(make()).toEqual(make());
    expect(make()).toStrictEqual(make());
    deepStrictEqual(make(), make());
  });

  test('a disposed one is not equal to a live one', () => {
    const [a, b] = [tensor([1]), tensor([1])];
    a.dispose();
    notDeepStrictEqual(a, b);
    expect(a.contents).toBeUndefined();
  });

  test('contents are live: right after the memory has grown', () => {
    const x = tensor([1, 2]);
    using large = zeros([2 ** 20]);
    expect(x.contents).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
    expect(large.size).toBe(2 ** 20);
  });

  test('JSON has its numbers and nothing else', () => {
    const x = tensor([1, 2.5, -3, 4], [2, 2]);
    expect(JSON.stringify(x)).toBe('{"dtype":"float32","shape":[2,2],"data":[1,2.5,-3,4]}');
    expect(tensor(JSON.parse(JSON.stringify(x)))).toEqual(x);
    const long = tensor(Float32Array.from({ length: 1000 }, (_, i) => i));
    expect(tensor(JSON.parse(JSON.stringify(long)))).toEqual(long);
    x.dispose();
    expect(() => JSON.stringify(x)).toThrow('is disposed');
  });

  test('console.log shows what it is', () => {
    const x = tensor([[1, 2.1, 3]], [1, 3]);
    expect(inspect(x)).toBe('Tensor float32 [1, 3] [ 1, 2.1, 3 ]');
    expect(inspect({ x }, { depth: 0 })).toBe('{ x: Tensor float32 [1, 3] [ 1, 2.1, 3 ] }');
    expect(String(zeros([2, 1000], { dtype: 'float64' }))).toBe('Tensor float64 [2, 1000] [ 0, 0, 0, 0, 0, 0, … ]');
    expect(String(tensor(new Float64Array([0.1, 1 / 3])))).toBe('Tensor float64 [2] [ 0.1, 0.3333333333333333 ]');
    expect(String(tensor([1234567, 0.1]))).toBe('Tensor float32 [2] [ 1234567, 0.1 ]');
    expect(String(tensor([65504, 0.1], [2], { dtype: 'float16' }))).toBe('Tensor float16 [2] [ 65504, 0.099976 ]');
    expect(String(zeros([6]))).toBe('Tensor float32 [6] [ 0, 0, 0, 0, 0, 0 ]');
    x.dispose();
    expect(inspect(x)).toBe('Tensor float32 [1, 3] (disposed)');
  });

  test('its elements can be iterated over', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect([...x]).toEqual([1, 2, 3, 4]);
    expect(Math.max(...x)).toBe(4);
    x.dispose();
    expect(() => [...x]).toThrow('is disposed');
  });

  test('the constructor cannot be called', () => {
    const before = memoryUsage();
    const Constructor = Tensor as unknown as new (...given: unknown[]) => Tensor;
    expect(() => new Constructor()).toThrow(/^Tensor: the constructor was called, expected tensor\(\) or zeros\(\)/);
    expect(() => new Constructor({}, {}, 0, [1], 1, 'float32')).toThrow(TypeError);
    expect(memoryUsage()).toEqual(before);
  });
});
