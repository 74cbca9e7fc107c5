import { describe, expect, test } from 'vitest';
import type { Kernels } from '../src/index.js';
import { bceWithLogits } from './operations/bceWithLogits.js';
import { setOf, sets } from './support/backends.js';
import { floatsOf, numbers, sizeOf } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { lossWithGrad } from './support/losses.js';

describe('known values', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: t = 0, x = -15 is 3.06e-7`, () => {
      expect(kernels.bceWithLogits([-15], [0])).toBeCloseTo(3.059022e-7, 12);
      expect(kernels.bceWithLogits([15], [1])).toBe(kernels.bceWithLogits([-15], [0]));
    });

    test(`${name}: accurate up to the largest numbers`, () => {
      const x = [0, 40, -40, 87, -87, 88, 104, -104, 1e4, -1e4, 3e38, -3e38];
      const { loss, grad } = kernels.bceWithLogitsWithGrad(x, new Float32Array(x.length), { reduction: 'none' });
      x.forEach((value, i) => {
        const softplus = Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));
        const sigmoid = value < 0 ? Math.exp(value) / (1 + Math.exp(value)) : 1 / (1 + Math.exp(-value));
        expect(Math.abs((loss[i] as number) - softplus)).toBeLessThanOrEqual(3e-7 * softplus + 2 ** -126);
        expect(Math.abs((grad[i] as number) - sigmoid)).toBeLessThanOrEqual(4e-7 * sigmoid + 2 ** -126);
      });
    });

    test(`${name}: an infinite logit gives ∞ where it is wrong, and NaN where it is right`, () => {
      for (const kind of [Float32Array, Float64Array]) {
        const x = kind.of(Infinity, -Infinity, Infinity, -Infinity);
        const { loss, grad } = kernels.bceWithLogitsWithGrad(x, kind.of(0, 1, 1, 0), { reduction: 'none' });
        expect(loss).toEqual(kind.of(Infinity, Infinity, NaN, NaN));
        expect(grad).toEqual(kind.of(1, -1, 0, 0));
      }
    });

    test(`${name}: the sum and the mean of an infinite loss, or of more than the largest number, are ∞`, () => {
      for (const kind of [Float32Array, Float64Array]) {
        for (const n of [1, 5, 40, 600]) {
          for (const at of [0, n - 1]) {
            const x = new kind(n).fill(1);
            x[at] = Infinity;
            expect(kernels.bceWithLogits(x, new kind(n), { reduction: 'sum' }), `${n}, ${at}`).toBe(Infinity);
            expect(kernels.bceWithLogits(x, new kind(n)), `${n}, ${at}`).toBe(Infinity);
          }
        }
      }
      const large = new Float64Array(40).fill(1e308);
      expect(kernels.bceWithLogits(large, new Float64Array(40), { reduction: 'sum' })).toBe(Infinity);
    });
  }
});

describe('labels', () => {
  const x = numbers('float32', 12, 'within ±8', 3);
  const labels = [1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0];
  for (const { name, kernels } of sets) {
    test(`${name}: as integers of every width, booleans and numbers`, () => {
      for (const logits of [x, Float64Array.from(x)]) {
        const floats = floatsOf(logits instanceof Float32Array ? 'float32' : 'float64', labels);
        const expected = kernels.bceWithLogitsWithGrad(logits, floats, { shape: [4, 3] });
        const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
        const big = BigInt64Array.from([1, ...labels], BigInt);
        const others = [labels, labels.map(Boolean), big.slice(1), big.subarray(1)];
        const shaped = { data: Int8Array.from(labels), shape: [4, 3] };
        for (const targets of [...kinds.map((kind) => kind.from(labels)), ...others, shaped]) {
          expect(kernels.bceWithLogitsWithGrad(logits, targets, { shape: [4, 3] })).toEqual(expected);
        }
      }
    });

    test(`${name}: through blocks`, () => {
      const logits = numbers('float64', 100_001, 'within ±8', 5);
      const targets = Uint8Array.from(logits, (_, i) => Number(i % 3 === 0));
      const expected = kernels.bceWithLogits(logits, Float64Array.from(targets));
      expect(kernels.bceWithLogits(logits, targets)).toBe(expected);
      expect(kernels.bceWithLogits(logits, BigUint64Array.from(targets, BigInt))).toBe(expected);
    });
  }

  // Labels are checked in TypeScript, which is the same for all sets.
  test('an invalid one is found in every place, with every width and alignment', () => {
    const { kernels } = setOf('debug');
    for (const kind of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]) {
      for (const strays of [2, 3, 128, 255, -1, 256, 257, 2 ** 15, 2 ** 16, 2 ** 16 + 1, 2 ** 31]) {
        if (kind.of(strays)[0] === 0 || kind.of(strays)[0] === 1) continue;
        for (const start of [0, 1, 2, 3]) {
          for (const n of [1, 2, 3, 4, 5, 8, 9]) {
            for (let at = 0; at < n; at++) {
              const targets = new kind(start + n + 3)
                .fill(7)
                .subarray(start, start + n)
                .fill(1);
              const logits = new Float32Array(n);
              expect(() => kernels.bceWithLogits(logits, targets)).not.toThrow();
              targets[at] = strays;
              const message = `bceWithLogits: targets[${at}] is ${targets[at]}, expected 0 or 1`;
              expect(() => kernels.bceWithLogits(logits, targets)).toThrow(new RangeError(message));
            }
          }
        }
      }
    }
    for (const stray of [2n, -1n, 2n ** 32n, 2n ** 32n + 1n, -(2n ** 63n)]) {
      const targets = BigInt64Array.of(1n, 0n, stray, 1n).subarray(1);
      const message = `bceWithLogits: targets[1] is ${stray}n, expected 0 or 1`;
      expect(() => kernels.bceWithLogits([1, 2, 3], targets)).toThrow(new RangeError(message));
    }
  });
});

describe('weights are broadcast', () => {
  const shape = [7, 50, 60];
  const own = [[60], [1], [50, 60], [50, 1], [7, 1, 1], [7, 1, 60], [1, 50, 60], [7, 50, 60], [1, 1, 1], []];
  for (const { name, kernels } of sets) {
    for (const dtype of ['float32', 'float64'] as const) {
      test(`${name} ${dtype}: as if each element had its own`, () => {
        const p = bceWithLogits.make(dtype, shape, 2, 'none', { variant: 0 });
        const gradOutput = numbers(dtype, p.first.length, 'within ±8', 9);
        for (const sizes of own) {
          const weight = numbers(dtype, sizeOf(sizes), 'within ±8', 3).map(Math.abs);
          const posWeight = numbers(dtype, 60, 'within ±8', 4).map(Math.abs);
          const spread = p.first.map((_, i) => weight[indexOf(i, sizes, shape)] as number);
          const given = { weight: { data: weight, shape: sizes }, posWeight, gradOutput };
          const whole = { weight: spread, posWeight: p.first.map((_, i) => posWeight[i % 60] as number), gradOutput };
          const actual = lossWithGrad(kernels, bceWithLogits, p, given);
          const expected = lossWithGrad(kernels, bceWithLogits, p, whole);
          expectSame(actual.loss as Float32Array, expected.loss as Float32Array, `[${sizes}]`);
          expectSame(actual.grad, expected.grad, `[${sizes}]`);
          const mean = { ...given, reduction: 'mean', gradOutput: 1 };
          const wholeMean = { ...whole, reduction: 'mean', gradOutput: 1 };
          const value = lossWithGrad(kernels, bceWithLogits, p, mean).loss;
          expect(value).toBe(lossWithGrad(kernels, bceWithLogits, p, wholeMean).loss);
        }
        const single = lossWithGrad(kernels, bceWithLogits, p, { weight: [2], gradOutput });
        const shaped = { weight: { data: Float32Array.of(2), shape: [1] }, gradOutput };
        expectSame(single.grad, lossWithGrad(kernels, bceWithLogits, p, shaped).grad, 'one number');
      });
    }
  }
});

/** The element of a broadcast operand that belongs to an element of the whole shape. */
function indexOf(i: number, own: readonly number[], shape: readonly number[]): number {
  let index = 0;
  let step = 1;
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = own[axis + own.length - shape.length] ?? 1;
    index += size === 1 ? 0 : (rest % (shape[axis] as number)) * step;
    rest = Math.floor(rest / (shape[axis] as number));
    step *= size;
  }
  return index;
}

const X = [1, 2, 3, 4, 5, 6];
const T = [0, 1, 0, 1, 0, 1];
const shape = [2, 3];

describeErrors([
  {
    message: 'bceWithLogitsWithGrad: targets has 5 elements, expected 6, as logits',
    call: (k, out) => k.bceWithLogitsWithGrad(X, T.slice(1), { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: targets has shape [3, 2], expected [2, 3], as logits',
    call: (k, out) => k.bceWithLogitsWithGrad(X, { data: Int8Array.from(T), shape: [3, 2] }, { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: targets[3] is 2, expected 0 or 1',
    call: (k, out) => k.bceWithLogitsWithGrad(X, Int32Array.of(0, 1, 0, 2, 0, 1), { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: targets[5] is -1n, expected 0 or 1',
    call: (k, out) => k.bceWithLogitsWithGrad(X, BigInt64Array.of(0n, 1n, 0n, 1n, 0n, -1n), { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: targets[1] is "1", expected a number, true or false',
    type: TypeError,
    call: (k, out) => k.bceWithLogitsWithGrad(X, [0, '1', 0, 1, 0, 1] as never, { shape, out }),
  },
  {
    message:
      'bceWithLogitsWithGrad: targets is 1, expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor',
    type: TypeError,
    call: (k, out) => k.bceWithLogitsWithGrad(X, 1 as never, { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: targets is float64, expected float32, as logits',
    type: TypeError,
    call: (k, out) => k.bceWithLogitsWithGrad(X, Float64Array.from(T), { shape, out }),
  },
  {
    message: 'bceWithLogitsWithGrad: weight has 2 elements, expected 1, 3 (the last axis) or 6',
    call: (k, out) => k.bceWithLogitsWithGrad(X, T, { shape, out, weight: [1, 2] }),
  },
  ...[[6], [1, 6], [6, 1]].map((shape) => ({
    message: 'bceWithLogitsWithGrad: weight has 2 elements, expected 1 or 6',
    call: (k: Kernels, out: unknown) =>
      k.bceWithLogitsWithGrad(X, T, { shape, out: out as Float32Array, weight: [1, 2] }),
  })),
  {
    message: 'bceWithLogits: weight has 2 elements, expected 1',
    call: (k) => k.bceWithLogits([1], [1], { weight: [1, 2] }),
  },
  {
    message: 'bceWithLogitsWithGrad: posWeight has shape [3, 1], expected one that broadcasts to [2, 3]',
    call: (k, out) =>
      k.bceWithLogitsWithGrad(X, T, { shape, out, posWeight: { data: new Float32Array(3), shape: [3, 1] } }),
  },
  {
    message: 'bceWithLogitsWithGrad: gradOutput has 2 elements, expected 6, one for each element',
    call: (k, out) => k.bceWithLogitsWithGrad(X, T, { shape, out, gradOutput: [1, 2], reduction: 'none' }),
  },
  {
    message: 'bceWithLogits: unknown option "pos_weight", the name is posWeight here',
    type: TypeError,
    call: (k) => k.bceWithLogits(X, T, { shape, pos_weight: [1, 2, 3] } as never),
  },
  {
    message: 'bceWithLogitsWithGrad: out is Float32Array(3), expected a range apart from targets',
    call: (k, out) => {
      const bits = out.slice();
      const targets = new Int32Array(out.buffer, 0, 3).fill(0);
      try {
        return k.bceWithLogitsWithGrad([1, 2, 3], targets, { out: out.subarray(1, 4) as Float32Array });
      } finally {
        out.set(bits);
      }
    },
  },
]);
