import fc from 'fast-check';
import { describe, test } from 'vitest';
import { alongAxis } from './operations/index.js';
import { softmax as softmaxRecord } from './operations/softmax.js';
import { compute } from './support/alongAxis.js';
import { sets } from './support/backends.js';
import { limitOf, SMALLEST_STEP, SUM_BOUND } from './support/bounds.js';
import { DTYPES, type Dtype, type Floats, floatsOf, newFloats, type Problem, sizeOf } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { expectedOf } from './support/expected.js';
import { takes } from './support/operation.js';

const EPSILON: Record<Dtype, number> = { float32: 2 ** -23, float64: 2 ** -52 };

/** A row of numbers of a dtype, most of them of similar magnitude. */
function rows(dtype: Dtype, largest = 60): fc.Arbitrary<Floats> {
  const noNaN = { noNaN: true, noDefaultInfinity: true };
  const limit = Math.fround(largest);
  const element =
    dtype === 'float32'
      ? fc.float({ ...noNaN, min: -limit, max: limit })
      : fc.double({ ...noNaN, min: -limit, max: limit });
  const many = fc.array(element, { minLength: 1, maxLength: 130 });
  const long = fc
    .tuple(fc.array(element, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 600 }))
    .map(([values, n]) => Array.from({ length: n }, (_, i) => values[i % values.length] as number));
  return fc.oneof(many, long).map((values) => floatsOf(dtype, values));
}

/** A row, and which of its elements are kept. */
const masked = (dtype: Dtype) =>
  rows(dtype).chain((x) =>
    fc.tuple(fc.constant(x), fc.array(fc.boolean(), { minLength: x.length, maxLength: x.length })),
  );

/** The row with NaN or infinity in place of elements that the mask does not keep. */
const spoiled = (x: Floats, mask: readonly boolean[]): Floats =>
  x.map((value, i) => (mask[i] ? value : ([NaN, Infinity, -Infinity][i % 3] as number)));

const check = <T extends unknown[]>(property: fc.IProperty<T>) => fc.assert(property, { seed: 42, numRuns: 150 });

describe.each(sets)('$name', ({ kernels, backend }) => {
  const { softmax, logSoftmax, logSumExp } = kernels;

  describe.each(DTYPES)('%s', (dtype) => {
    const epsilon = EPSILON[dtype];

    test('softmax sums to 1 and lies in [0, 1]', () => {
      check(
        fc.property(rows(dtype), (x) => {
          const y = softmax(x);
          const sum = Array.from(y).reduce((a, b) => a + b, 0);
          return Math.abs(sum - 1) <= (dtype === 'float32' ? SUM_BOUND : 1e-13) && y.every((p) => p >= 0 && p <= 1);
        }),
      );
    });

    test('an exact shift changes results only within the bounds', () => {
      // Multiples of 1/64 below 64, shifted by a multiple of 64: exact in both dtypes.
      const grid = fc.array(fc.integer({ min: -4095, max: 4095 }), { minLength: 1, maxLength: 100 });
      check(
        fc.property(grid, fc.integer({ min: -60, max: 60 }), (values, k) => {
          const x = floatsOf(
            dtype,
            values.map((value) => value / 64),
          );
          const shifted = x.map((value) => value + 64 * k);
          const max = Math.max(...x);
          const [a, b] = [logSoftmax(x), logSoftmax(shifted)];
          const [p, q] = [softmax(x), softmax(shifted)];
          return x.every((value, i) => {
            const distance = max - value;
            const facts = {
              scale: distance,
              largest: 1e9,
              temperature: 1,
              n: x.length,
              magnitude: p[i] as number,
            };
            const scale = Math.max(distance, Math.log(x.length));
            const sameLog = Math.abs((a[i] as number) - (b[i] as number)) <= 2 * 5 * epsilon * scale + epsilon ** 3;
            const limit = 2.1 * limitOf(softmaxRecord.bounds, dtype, backend, facts) + 2 ** -148;
            return sameLog && Math.abs((p[i] as number) - (q[i] as number)) <= limit;
          });
        }),
      );
    });

    test('logSumExp lies between the maximum and the maximum plus log n', () => {
      check(
        fc.property(rows(dtype, 1e5), (x) => {
          const max = Math.max(...x);
          const value = logSumExp(x);
          const slack = 8 * epsilon * Math.max(Math.abs(max), Math.log(x.length));
          return value >= max - slack && value <= max + Math.log(x.length) + slack;
        }),
      );
    });

    test('logSoftmax is x less logSumExp', () => {
      check(
        fc.property(rows(dtype), (x) => {
          const [y, total] = [logSoftmax(x), logSumExp(x)];
          return x.every(
            (value, i) => Math.abs((y[i] as number) - (value - total)) <= 16 * epsilon * (128 + Math.abs(total)),
          );
        }),
      );
    });

    describe('ranking', () => {
      /** A row in which equals are likely, a k and a target. */
      const ranked = fc
        .array(fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(NaN, Infinity, -Infinity, -0, 0.5)), {
          minLength: 1,
          maxLength: 200,
        })
        .chain((values) =>
          fc.tuple(
            fc.constant(floatsOf(dtype, values)),
            fc.integer({ min: 1, max: values.length }),
            fc.integer({ min: 0, max: values.length - 1 }),
          ),
        );

      test('topK begins as a whole ranking does, and with argmax', () => {
        check(
          fc.property(ranked, ([x, k]) => {
            const all = kernels.topK(x, x.length);
            const some = kernels.topK(x, k);
            expectSame(some.indices, all.indices.subarray(0, k), 'indices');
            expectSame(some.values, all.values.subarray(0, k), 'values');
            return all.indices[0] === kernels.argmax(x) && new Set(all.indices).size === x.length;
          }),
        );
      });

      test('accuracy is whether topK holds the target, and never falls with k', () => {
        check(
          fc.property(ranked, ([x, k, target]) => {
            const right = kernels.accuracy(x, target, { k });
            const holds = kernels.topK(x, k).indices.includes(target);
            return right === Number(holds) && (k === x.length || kernels.accuracy(x, target, { k: k + 1 }) >= right);
          }),
        );
      });

      test('accuracy of a batch is the mean of its rows', () => {
        check(
          fc.property(ranked, fc.integer({ min: 1, max: 40 }), ([x, k, target], rows) => {
            const n = x.length;
            const batch = floatsOf(dtype, Array(rows * n).fill(0)).map((_, i) => x[(i * 7) % n] as number);
            const targets = Int32Array.from({ length: rows }, (_, row) => (target + row) % n);
            const alone = targets.reduce(
              (sum, t, row) => sum + kernels.accuracy(batch.subarray(row * n, row * n + n), t, { k }),
              0,
            );
            return kernels.accuracy(batch, targets, { shape: [rows, n], k }) === alone / rows;
          }),
        );
      });

      test('logProbs are the negative of crossEntropy', () => {
        check(
          fc.property(rows(dtype, 1e3), fc.integer({ min: 0, max: 1000 }), (x, at) => {
            const loss = kernels.crossEntropy(x, at % x.length, { reduction: 'none', temperature: 1.5 });
            return Object.is(kernels.logProbs(x, at % x.length, { temperature: 1.5 }), 0 - loss);
          }),
        );
      });
    });

    describe('masks', () => {
      const within = (a: number, b: number, limit: number) => Object.is(a, b) || Math.abs(a - b) <= limit;

      test('weights of 0 and 1 are a mask', () => {
        check(
          fc.property(masked(dtype), ([x, mask]) => {
            const weights = floatsOf(dtype, mask.map(Number));
            const [weighted, kept] = [logSumExp(spoiled(x, mask), { weights }), logSumExp(x, { mask })];
            return within(weighted, kept, 16 * epsilon * (60 + Math.log(x.length)));
          }),
        );
      });

      test('weights multiply the exponentials', () => {
        const pair = fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 0, max: 100 }));
        check(
          fc.property(fc.array(pair, { minLength: 1, maxLength: 12 }), (pairs) => {
            const x = floatsOf(
              dtype,
              pairs.map(([value]) => value / 4),
            );
            const weights = floatsOf(
              dtype,
              pairs.map(([, weight]) => weight / 8),
            );
            const sum = Array.from(x).reduce((total, value, i) => total + (weights[i] as number) * Math.exp(value), 0);
            return within(logSumExp(x, { weights }), Math.log(sum), 8 * epsilon * 16);
          }),
        );
      });
    });
  });
});

/** What holds for every operation along an axis, whatever its formula. */
describe.each(sets)('$name', (set) => {
  describe.each(DTYPES)('%s', (dtype) => {
    describe.each(alongAxis)('$name', (operation) => {
      const isElementwise = operation.out === 'elements';
      const options = (shape: readonly number[], more: Partial<Problem> = {}): Problem => ({
        ...{ what: '', dtype, shape, axis: -1, temperature: 1, x: newFloats(dtype, sizeOf(shape)) },
        ...more,
      });
      const run = (p: Problem) => Array.from(compute(set, operation, p));
      /** Twice the bound of an element of the result: the most by which two results for the same row may differ. */
      const areNear = (p: Problem, a: readonly number[], b: readonly number[]) => {
        const { facts } = expectedOf(operation, p);
        return a.every((value, i) => {
          const limit = limitOf(operation.bounds, dtype, set.backend, facts(i)) + SMALLEST_STEP[dtype];
          return Object.is(value, b[i]) || Math.abs(value - (b[i] as number)) <= 2.1 * limit;
        });
      };

      test('a row has the same result alone and among others', () => {
        check(
          fc.property(rows(dtype), rows(dtype, 1e4), fc.integer({ min: 1, max: 20 }), (x, other, count) => {
            const n = x.length;
            const place = count >> 1;
            const batch = newFloats(dtype, n * (count + 1)).map((_, i) => other[i % other.length] as number);
            batch.set(x, n * place);
            const alone = run(options([1, n], { x }));
            const among = run(options([count + 1, n], { x: batch }));
            expectSame(among.slice(place * alone.length, (place + 1) * alone.length), alone, operation.name);
          }),
        );
      });

      test('the axis may be anywhere', () => {
        const sizes = fc.tuple(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 60 }),
          fc.integer({ min: 1, max: 19 }),
        );
        check(
          fc.property(sizes, rows(dtype), ([outer, n, inner], values) => {
            const x = newFloats(dtype, outer * n * inner).map(
              (_, i) => (values[(i * 7) % values.length] as number) + (i % 3),
            );
            const y = run(options([outer, n, inner], { x, axis: 1 }));
            const [o, k] = [outer - 1, inner >> 1];
            const row = options([n], { x: newFloats(dtype, n).map((_, j) => x[(o * n + j) * inner + k] as number) });
            const own = isElementwise
              ? Array.from({ length: n }, (_, j) => y[(o * n + j) * inner + k] as number)
              : [y[o * inner + k] as number];
            return areNear(row, run(row), own);
          }),
        );
      });

      test('permuted elements have permuted results', () => {
        check(
          fc.property(rows(dtype), fc.integer({ min: 0, max: 1000 }), (x, k) => {
            const n = x.length;
            const moved = options([n], { x: x.map((_, i) => x[(i + k) % n] as number) });
            const y = run(options([n], { x }));
            return areNear(moved, run(moved), isElementwise ? y.map((_, i) => y[(i + k) % n] as number) : y);
          }),
        );
      });

      test.runIf(isElementwise)('equal elements have equal results', () => {
        check(
          fc.property(rows(dtype), (x) => {
            const y = run(options([x.length], { x }));
            const seen = new Map<number, number>();
            return x.every((value, i) => {
              const first = seen.get(value) ?? i;
              seen.set(value, first);
              return y[i] === y[first];
            });
          }),
        );
      });

      test.runIf(takes(operation, 'temperature'))('a temperature divides', () => {
        check(
          fc.property(rows(dtype), fc.integer({ min: -4, max: 4 }), (x, k) => {
            // A power of two divides exactly.
            const temperature = 2 ** k;
            const warm = options([x.length], { x, temperature });
            return areNear(warm, run(warm), run(options([x.length], { x: x.map((value) => value / temperature) })));
          }),
        );
      });

      describe.runIf(takes(operation, 'mask'))('masks', () => {
        test('kept elements have the results of a row without the others', () => {
          check(
            fc.property(masked(dtype), ([x, mask]) => {
              const kept = x.filter((_, i) => mask[i]);
              if (kept.length === 0) return true;
              const alone = options([kept.length], { x: kept });
              const y = run(options([x.length], { x: spoiled(x, mask), mask }));
              if (!isElementwise) return areNear(alone, run(alone), y);
              const outside = expectedOf(operation, options([x.length], { x, mask })).hi;
              const isLeftOut = mask.every((keeps, i) => keeps || Object.is(y[i], outside[i]));
              return (
                isLeftOut &&
                areNear(
                  alone,
                  run(alone),
                  y.filter((_, i) => mask[i]),
                )
              );
            }),
          );
        });

        test('a mask that keeps all gives the same bits as no mask', () => {
          // Between 1 and a vector's lanes the inner axis is moved only where there is no mask.
          check(
            fc.property(rows(dtype, 1e4), fc.constantFrom(1, 4, 5, 16, 19), (values, inner) => {
              const n = values.length;
              const x = newFloats(dtype, n * inner).map((_, i) => values[(i * 7) % n] as number);
              const plain = options([n, inner], { x, axis: 0 });
              const mask = { data: new Uint8Array(n).fill(1), shape: [n, 1] };
              expectSame(run({ ...plain, mask }), run(plain), operation.name);
            }),
          );
        });
      });

      test.runIf(takes(operation, 'causal'))(
        'causal is the mask below the diagonal that ends in the last corner',
        () => {
          const sizes = fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }));
          check(
            fc.property(sizes, rows(dtype), ([queries, keys], values) => {
              const shape = [2, queries, keys];
              const x = newFloats(dtype, sizeOf(shape)).map((_, i) => values[(i * 7) % values.length] as number);
              const data = Uint8Array.from({ length: queries * keys }, (_, i) =>
                i % keys <= Math.floor(i / keys) + keys - queries ? 1 : 0,
              );
              const mask = { data, shape: [queries, keys] };
              expectSame(run(options(shape, { x, causal: true })), run(options(shape, { x, mask })), operation.name);
            }),
          );
        },
      );
    });
  });
});
