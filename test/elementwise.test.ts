// Every elementwise operation × backend × dtype, against the oracle.
import { describe, expect, test } from 'vitest';
import { Tensor } from '../src/index.js';
import { elementwise } from './operations/index.js';
import { sets } from './support/backends.js';
import { ALL_KINDS, bytesOf, DTYPES, type Floats, floatsOf, newFloats, numbers } from './support/cases.js';
import { expectGuarded, expectSame, GUARD } from './support/compare.js';
import { expectAccurateElements, runOf } from './support/elementwise.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';

/** Lengths around multiples of a vector, the limits of the fast path and of its copies, and the size of a block. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 101, 1000, 1023, 1024, 1025, 32_640, 32_641, 100_003];

describe.each(elementwise)('$name', (operation) => {
  const points = operation.fixtures;
  describe('fixtures', () => {
    for (const dtype of DTYPES) {
      const own = points.x.map((x, i) => ({ x, i })).filter(({ x }) => dtype === 'float64' || isFloat32(x));
      const x = floatsOf(
        dtype,
        own.map(({ x: value }) => value),
      );
      const exact = {
        hi: Float64Array.from(own, ({ i }) => points.hi[i] as number),
        lo: Float64Array.from(own, ({ i }) => points.lo[i] as number),
      };
      for (const set of sets) {
        test(`${set.name} ${dtype}: ${own.length} points`, () => {
          expect(own.length).toBeGreaterThan(100);
          expectAccurateElements(set, operation, dtype, x, runOf(set.kernels, operation)(x), exact);
        });
      }
    }
  });

  describe('against the oracle', () => {
    for (const dtype of DTYPES) {
      for (const kind of ALL_KINDS) {
        const x = numbers(dtype, 2000, kind, 7);
        const exact = once(() => operation.exact(oracle.precisionOf(dtype), x));
        for (const set of sets) {
          test(`${set.name} ${dtype}: ${kind}`, () => {
            expectAccurateElements(set, operation, dtype, x, runOf(set.kernels, operation)(x), exact());
          });
        }
      }
    }
    const x = sampledFloat32();
    const exact = once(() => operation.exact('float64', x));
    for (const set of sets) {
      test(`${set.name} float32: a sample of all bit patterns`, () => {
        const worst = expectAccurateElements(set, operation, 'float32', x, runOf(set.kernels, operation)(x), exact());
        expect(worst).toBeGreaterThan(0.4);
      });
    }
  });

  describe('each element is independent of others', () => {
    for (const set of sets) {
      for (const dtype of DTYPES) {
        test(`${set.name} ${dtype}: the same bits at every length, alignment and place`, () => {
          const { kernels } = set;
          const run = runOf(kernels, operation);
          const x = numbers(dtype, LENGTHS.at(-1) as number, 'within ±30', 3);
          const whole = run(x);
          for (const length of LENGTHS) {
            const expected = whole.subarray(0, length);
            const part = x.slice(0, length);
            expectSame(run(part), expected, `${length}`);
            expectSame(run(x.subarray(0, length)), expected, `${length}, a view`);
            expectSame(run(part, { out: newFloats(dtype, length) }), expected, `${length}, out`);
            expectSame(run(part, { out: part }), expected, `${length}, in place`);
            const resident = kernels.tensor(x.slice(0, length));
            expectSame(run(resident, { out: newFloats(dtype, length) }), expected, `${length}, resident`);
            run(resident, { out: resident });
            expectSame(resident.data, expected, `${length}, resident in place`);
            resident.dispose();
          }
        });

        test(`${set.name} ${dtype}: reads and writes only its own elements`, () => {
          const { kernels } = set;
          const run = runOf(kernels, operation);
          const edge = 16 / bytesOf(dtype);
          for (const length of LENGTHS.filter((n) => n < 1000)) {
            for (let offset = 0; offset < edge; offset++) {
              const [start, end] = [edge + offset, edge + offset + length];
              const source = kernels.tensor(newFloats(dtype, length + 3 * edge).fill(NaN));
              const target = kernels.tensor(newFloats(dtype, length + 3 * edge).fill(GUARD));
              const x = numbers(dtype, length, 'within ±8', length);
              (source.data as Floats).set(x, start);
              run(source.data.subarray(start, end), { out: target.data.subarray(start, end) });
              expectSame(target.data.subarray(start, end), run(x), `${length} at ${offset}`);
              expectGuarded(target.data, start, length, `${length} at ${offset}`);
              source.dispose();
              target.dispose();
            }
          }
        });
      }

      test(`${set.name}: the result has the kind of the input`, () => {
        const { kernels } = set;
        const run = kernels[operation.name as 'sigmoid'];
        const data = Float32Array.of(-1, 0, 1, 2, -30, 30);
        const y = run(data);
        expect(y).toBeInstanceOf(Float32Array);
        expect(run([...data])).toEqual(y);
        expect(run(Float64Array.from(data))).toBeInstanceOf(Float64Array);
        expect(run({ data, dims: [2, 3] })).toEqual({ data: y, shape: [2, 3] });
        expect(run({ data: [...data], shape: [3, 1, 2] })).toEqual({ data: y, shape: [3, 1, 2] });
        expect(run({ data: Float64Array.of(1), shape: [] }).shape).toEqual([]);
        expect(run([])).toEqual(new Float32Array(0));
        expect(run({ data: [], shape: [2, 0] })).toEqual({ data: new Float32Array(0), shape: [2, 0] });
        const x = kernels.tensor(data, [2, 3]);
        const result = run(x);
        expect(result).toBeInstanceOf(Tensor);
        expect(result.shape).toEqual([2, 3]);
        expectSame(result.data, y, 'Tensor');
        const out = new Float32Array(6);
        expect(run({ data, shape: [6] }, { out })).toBe(out);
        expectSame(out, y, 'out');
        expect(run(data, { out: result })).toBe(result);
        for (const tensor of [x, result]) tensor.dispose();
      });
    }
  });

  describe('NaN of any bits gives NaN', () => {
    for (const { name, kernels } of sets) {
      test(name, () => {
        const patterns = Uint32Array.from({ length: 4000 }, (_, i) => 0x7f800001 + i * 2097 + (i % 2) * 0x80000000);
        const x32 = new Float32Array(patterns.buffer);
        expect(x32.every(Number.isNaN)).toBe(true);
        expect(runOf(kernels, operation)(x32).every(Number.isNaN)).toBe(true);
        const words = BigUint64Array.from(
          patterns,
          (pattern) => (BigInt(pattern | 0x7ff00000) << 32n) & (2n ** 64n - 1n),
        );
        const x64 = new Float64Array(words.buffer);
        expect(x64.every(Number.isNaN)).toBe(true);
        expect(runOf(kernels, operation)(x64).every(Number.isNaN)).toBe(true);
      });
    }
  });
});

function isFloat32(x: number): boolean {
  return Object.is(Math.fround(x), x);
}

/** Every 30011th bit pattern that is a number. */
function sampledFloat32(): Floats {
  const bits = Uint32Array.from({ length: Math.floor(2 ** 32 / 30_011) }, (_, i) => i * 30_011);
  return new Float32Array(bits.buffer).filter((x) => !Number.isNaN(x));
}
