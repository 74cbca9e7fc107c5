import { describe, expect, test } from 'vitest';
import { narrow, widen } from '../src/half.js';
import { alongAxis, backward, elementwise, losses } from './operations/index.js';
import type { AlongAxis } from './support/alongAxis.js';
import { setOf, type TestSet } from './support/backends.js';
import type { Backward } from './support/backward.js';
import { DTYPES, type Dtype, type Floats, newFloats, numbers, problem } from './support/cases.js';
import { runOf } from './support/elementwise.js';
import { type LossOperation, lossOf, lossWithGrad } from './support/losses.js';
import { runBy, takes } from './support/operation.js';

/** 53 bits of a hash of the elements' bits, where all NaNs count as the same: FNV-1a on two lanes. */
function hashOf(hash: [number, number], values: Floats): void {
  const canonical = values.map((value) => (Number.isNaN(value) ? NaN : value));
  const words = new Uint32Array(canonical.buffer);
  const isNaN64 = (i: number) => values.BYTES_PER_ELEMENT === 8 && Number.isNaN(values[i >> 1]);
  for (let i = 0; i < words.length; i++) {
    const element = values.BYTES_PER_ELEMENT === 4 ? Number.isNaN(values[i]) : isNaN64(i);
    const word = element ? 0x7fc00000 : (words[i] as number);
    hash[0] = Math.imul(hash[0] ^ word, 0x01000193) >>> 0;
    hash[1] = Math.imul(hash[1] ^ ((word << 13) | (word >>> 19)), 0x85ebca6b) >>> 0;
    hash[1] = (hash[1] ^ (hash[0] >>> 15)) >>> 0;
  }
}

/** Shapes by the form that computes them, with the axis. */
const FORMS: Record<string, [number[], number][]> = {
  rows: [
    [[3, 1000], 1],
    [[2, 50_257], 1],
    [[5, 301], 1],
  ],
  'blocks of short rows': [
    [[1000, 10], 1],
    [[19, 23], 1],
    [[6, 47], 1],
  ],
  'blocks of columns': [
    [[300, 17], 0],
    [[2, 1000, 5], 1],
    [[3, 40, 300], 1],
  ],
  'a short inner axis': [
    [[8, 1000, 2], 1],
    [[3, 77, 3], 1],
  ],
};

const KINDS = ['within ±8', 'within ±79', 'around 1000', 'within ±1e4', 'some -∞'] as const;

/** The hash of all results of an operation on all shapes of a form, computed in one of two ways. */
function hashForm(
  { kernels }: TestSet,
  operation: AlongAxis | Backward,
  dtype: Dtype,
  form: string,
  resident: boolean,
): string {
  const hash: [number, number] = [0x811c9dc5, 0x9747b28c];
  for (const [shape, axis] of FORMS[form] ?? []) {
    for (const kind of KINDS) {
      for (const temperature of takes(operation, 'temperature') ? [1, 0.7] : [1]) {
        const { x } = problem(dtype, shape, kind, { axis, temperature, seed: 11 });
        const options = { shape, axis, ...(temperature !== 1 && { temperature }) };
        // A backward operation takes the result of its forward operation.
        const given =
          operation.kind === 'backward'
            ? [kernels[operation.forward](x, options), numbers(dtype, x.length, 'within ±8', 12)]
            : [x];
        const run = (...all: unknown[]) => runBy(kernels, operation.name, ...all) as Floats;
        if (resident) {
          const tensors = given.map((values) => kernels.tensor(values, shape));
          const out = newFloats(dtype, operation.out === 'rows' ? x.length / (shape[axis] as number) : x.length);
          hashOf(hash, run(...tensors, { ...options, out }));
          for (const tensor of tensors) tensor.dispose();
        } else hashOf(hash, run(...given, options));
      }
    }
  }
  return hexOf(hash);
}

function hexOf(hash: [number, number]): string {
  return hash.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** The hash of masked results and, if the operation has that option, of causal ones, on all forms. */
function hashMasked({ kernels }: TestSet, operation: AlongAxis, dtype: Dtype): string {
  const hash: [number, number] = [0x811c9dc5, 0x9747b28c];
  for (const [shape, axis] of Object.values(FORMS).flat()) {
    const p = problem(dtype, shape, 'within ±30', { axis, seed: 12 });
    const mask = Uint8Array.from(p.x, (value, i) => (i % 50 < 20 || value > 3 ? 1 : 0));
    const run = (x: unknown, options: object) => runBy(kernels, operation.name, x, options) as Floats;
    hashOf(hash, run(p.x, { shape, axis, mask }));
    if (takes(operation, 'causal') && axis === shape.length - 1) hashOf(hash, run(p.x, { shape, causal: true }));
    if (takes(operation, 'weights')) hashOf(hash, run(p.x, { shape, axis, weights: p.x.map(Math.abs) }));
  }
  return hash.map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** The hash of results on all forms for float16 input; results of the same shape are float16 too. */
function hashHalf({ kernels }: TestSet, operation: AlongAxis): string {
  const hash: [number, number] = [0x811c9dc5, 0x9747b28c];
  for (const [dims, axis] of Object.values(FORMS).flat()) {
    const { x } = problem('float32', dims, 'within ±8', { axis, seed: 13 });
    const data = Uint16Array.from(x, (value) => narrow('float16', value));
    const y = runBy(kernels, operation.name, { data, dims, type: 'float16' }, { axis }) as {
      data: Floats | Uint16Array;
    };
    hashOf(hash, y.data instanceof Uint16Array ? Float32Array.from(y.data, (bits) => widen('float16', bits)) : y.data);
  }
  return hexOf(hash);
}

/** The hash of losses and gradients on all forms, row by row and as a mean. */
function hashLosses({ kernels }: TestSet, loss: LossOperation, dtype: Dtype): string {
  const hash: [number, number] = [0x811c9dc5, 0x9747b28c];
  for (const [shape, axis] of Object.values(FORMS).flat()) {
    for (const reduction of ['none', 'mean']) {
      for (const variant of loss.typical) {
        const p = loss.make(dtype, shape, axis, reduction, { variant });
        const found = lossOf(kernels, loss, p) as number | Floats;
        hashOf(hash, typeof found === 'number' ? Float64Array.of(found) : found);
        hashOf(hash, lossWithGrad(kernels, loss, p).grad);
      }
    }
  }
  return hexOf(hash);
}

describe('simd128 gives the same bits everywhere', () => {
  const set = setOf('simd128');
  for (const operation of [...alongAxis, ...backward]) {
    test(operation.name, () => {
      const hashes: Record<string, string> = {};
      for (const dtype of DTYPES) {
        for (const form of Object.keys(FORMS)) {
          const streamed = hashForm(set, operation, dtype, form, false);
          expect(hashForm(set, operation, dtype, form, true), `${dtype}, ${form}: resident`).toBe(streamed);
          hashes[`${dtype}, ${form}`] = streamed;
        }
      }
      expect(hashes).toMatchSnapshot();
    });
  }

  for (const operation of alongAxis) {
    test(`${operation.name}, float16`, () => {
      expect(hashHalf(set, operation)).toMatchSnapshot();
    });
  }

  for (const operation of alongAxis.filter((each) => takes(each, 'mask'))) {
    test(`${operation.name}, masked`, () => {
      expect(DTYPES.map((dtype) => hashMasked(set, operation, dtype))).toMatchSnapshot();
    });
  }

  for (const operation of elementwise) {
    test(operation.name, () => {
      const hashes = DTYPES.map((dtype) => {
        const hash: [number, number] = [0x811c9dc5, 0x9747b28c];
        for (const kind of KINDS) {
          hashOf(hash, runOf(set.kernels, operation)(problem(dtype, [5003], kind, { seed: 11 }).x));
        }
        return [dtype, hexOf(hash)];
      });
      expect(Object.fromEntries(hashes)).toMatchSnapshot();
    });
  }

  for (const loss of losses) {
    test(`${loss.name} and its gradient`, () => {
      expect(DTYPES.map((dtype) => hashLosses(set, loss, dtype))).toMatchSnapshot();
    });
  }

  test.each(losses.map(({ name }) => name))('and so does its debug build: %s', (name) => {
    const loss = losses.find((each) => each.name === name) as LossOperation;
    for (const dtype of DTYPES) expect(hashLosses(setOf('debug'), loss, dtype)).toBe(hashLosses(set, loss, dtype));
  });

  // It keeps the globals of assembly/simd/registers.ts, which are local variables in the shipped modules.
  test.each([...alongAxis, ...backward].map(({ name }) => name))('and so does its debug build: %s', (name) => {
    const operation = [...alongAxis, ...backward].find((each) => each.name === name) as AlongAxis;
    for (const dtype of DTYPES) {
      for (const form of Object.keys(FORMS)) {
        const shipped = hashForm(set, operation, dtype, form, false);
        expect(hashForm(setOf('debug'), operation, dtype, form, false), `${dtype}, ${form}`).toBe(shipped);
      }
    }
  });
});

test('the hash tells one bit apart, and no NaN from another', () => {
  const of = (...values: number[]) => {
    const hash: [number, number] = [1, 2];
    hashOf(hash, Float64Array.from(values));
    return hash.join();
  };
  expect(of(1, 2)).not.toBe(of(1, 2 + 2 ** -51));
  expect(of(0)).not.toBe(of(-0));
  expect(of(1, 2)).not.toBe(of(2, 1));
  const bits = new Float64Array(new BigUint64Array([0xfff8000000000001n]).buffer);
  expect(of(bits[0] as number)).toBe(of(NaN));
});
