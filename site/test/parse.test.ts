import { describe, expect, test } from 'vitest';
import { isNpy, parseNpy, parseText } from '../lib/parse.js';
import { npy } from './npy.js';

const bytes = (file: Buffer): ArrayBuffer => new Uint8Array(file).buffer;

describe('text', () => {
  test.each([
    ['[1, 2.5]', [1, 2.5], [2]],
    [' [[1, 2], [3, 4], [5, 6]]\n', [1, 2, 3, 4, 5, 6], [3, 2]],
    ['[[[1, 2]], [[3, 4]]]', [1, 2, 3, 4], [2, 1, 2]],
    ['1,2,3', [1, 2, 3], [3]],
    ['1\n2\n3\n', [1, 2, 3], [3]],
    ['1, 2\r\n\r\n3;4e-1', [1, 2, 3, 0.4], [2, 2]],
    ['nan\t-inf  Infinity', [Number.NaN, -Infinity, Infinity], [3]],
  ])('%j', (text, data, shape) => {
    const read = parseText(text);
    expect(Array.from(read.data)).toEqual(data);
    expect(read.shape).toEqual(shape);
  });

  test.each([
    ['', 'There are no numbers.'],
    ['1, 2\n3', 'Line 2 has 1 numbers, expected 2, as in the first line.'],
    ['1, 2\n3, four', "Line 2 has 'four', expected a number."],
    ['1,,2', "Line 1 has '', expected a number."],
    ['[[1, 2], [3]]', 'tensor: '],
    ['["a"]', 'tensor: '],
  ])('%j is refused', (text, message) => {
    expect(() => parseText(text)).toThrow(message);
  });
});

describe('.npy', () => {
  test.each([
    ['<f4', Float32Array.of(1, 2, 3, -4.5, 5, 6)],
    ['<f8', Float64Array.of(1, 2, 3, -4.5, 5, 6)],
  ])('%s', (descr, data) => {
    const file = bytes(npy(descr, '(2, 3)', data));
    expect(isNpy(file)).toBe(true);
    expect(parseNpy(file)).toEqual({ data, shape: [2, 3] });
    expect(parseNpy(bytes(npy(descr, '(6,)', data))).shape).toEqual([6]);
  });

  test('what cannot be read is refused', () => {
    const data = Float32Array.of(1, 2);
    expect(isNpy(bytes(Buffer.from('1, 2')))).toBe(false);
    expect(() => parseNpy(bytes(npy('<f2', '(2,)', data)))).toThrow("dtype '<f2', expected '<f4' or '<f8'");
    expect(() => parseNpy(bytes(npy('<f4', '(1, 2)', data, true)))).toThrow('Fortran order');
    expect(() => parseNpy(bytes(npy('<f4', '(3,)', data)))).toThrow('has 8 bytes of elements, expected 12');
  });
});
