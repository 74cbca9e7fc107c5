import { describe, expect, test } from 'vitest';
import { narrow, widen } from '../src/half.js';
import type { Kernels } from '../src/index.js';
import { operations } from './operations/index.js';
import { buildNames, sets, type TestSet } from './support/backends.js';
import { randomOf } from './support/cases.js';
import { any } from './support/failures.js';
import { isNan, openHalves } from './support/halves.js';
import { type Call, callsOf, outFor, run, takes, titleOf } from './support/operation.js';

/**
 * Results for 16-bit floats are those for the same values in float32, rounded once. So bounds, special rows and
 * whatever else is tested for float32 hold for them too.
 */

type Half = 'float16' | 'bfloat16';
const HALVES: readonly Half[] = ['float16', 'bfloat16'];

const Float16 = (globalThis as { Float16Array?: Float32ArrayConstructor }).Float16Array;

/** Converts with a loop, because TypedArray.from takes several times as long. */
function bitsOf(half: Half, values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = narrow(half, values[i]!);
  return bits;
}

function floatsOf(half: Half, bits: Uint16Array): Float32Array {
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < floats.length; i++) floats[i] = widen(half, bits[i]!);
  return floats;
}

type Layout = readonly [shape: number[], axis: number];

/** A shape for every form. */
const LAYOUTS: readonly Layout[] = [
  [[3, 7], 1],
  [[4, 3, 2], 1],
  [[2, 6, 40], 1],
  [[5, 61], 1],
];

/** Shapes that take several blocks of rows or of columns, and one with a row that is too large for a block. */
const LARGE: readonly Layout[] = [
  [[100, 700], 1],
  [[2, 50, 700], 1],
  [[1, 70_000], 1],
];
const LARGE_OPERATIONS = ['softmax', 'topK', 'crossEntropyWithGrad', 'sample', 'bceWithLogitsWithGrad'];

interface Halved {
  /** The call with floats that are exact in 16 bits. */
  readonly wide: Record<string, unknown>;
  /** The same floats in 16 bits. */
  readonly half: Record<string, unknown>;
}

/** Floats of a call in two forms: as `store` keeps bits, and as float32 of the same values in a like form. */
function halve(
  { filled }: Call,
  half: Half,
  store: (bits: Uint16Array, shape: readonly number[], name: string) => unknown,
): Halved {
  const both: Halved = { wide: {}, half: {} };
  for (const [name, { data, shape }] of Object.entries(filled)) {
    if (!(data instanceof Float32Array)) continue;
    const bits = bitsOf(half, data);
    both.wide[name] = { data: floatsOf(half, bits), shape };
    both.half[name] = store(bits, shape, name);
  }
  return both;
}

const said = (half: Half) => (bits: Uint16Array, shape: readonly number[]) => ({ data: bits, dims: shape, type: half });

/** Compares the results of both calls, and returns which of them were in 16 bits. */
function expectRounded(actual: unknown, expected: unknown, half: Half, path = ''): string[] {
  if (typeof expected !== 'object' || expected === null) {
    expect(actual, path).toBe(expected);
    return [];
  }
  if (ArrayBuffer.isView(expected)) {
    const isHalf = actual instanceof Uint16Array;
    const got = isHalf ? floatsOf(half, actual) : actual;
    const wanted = isHalf ? floatsOf(half, bitsOf(half, expected as Float32Array)) : expected;
    expectBytes(got, wanted, path);
    return isHalf ? [path] : [];
  }
  const [got, wanted] = [actual, expected].map((value) => value as Record<string, unknown>);
  const found = Object.keys(wanted!).flatMap((key) => expectRounded(got![key], wanted![key], half, `${path}.${key}`));
  if (found.includes(`${path}.data`)) expect(got!.dtype, path).toBe(half);
  return found;
}

/** Results of which there are as many as x has elements, and those that topK takes out of x: in 16 bits, no others. */
function inHalf({ operation }: Call): string[] {
  if (operation.out === 'ranking') return ['.values.data'];
  if (operation.name.endsWith('WithGrad'))
    return operation.losses === 'elements' ? ['.loss.data', '.grad.data'] : ['.grad.data'];
  return operation.out === 'elements' || operation.losses === 'elements' ? ['.data'] : [];
}

function callsIn(layouts: typeof LAYOUTS, names?: readonly string[]): Call[] {
  return operations
    .filter(({ name }) => names === undefined || names.includes(name))
    .flatMap((operation) => layouts.flatMap(([shape, axis]) => callsOf(operation, { dtype: 'float32', shape, axis })));
}

/** Converts in pieces that fit into the memory of the conversions. */
function blocksOf(floats: Float32Array): Float32Array[] {
  return Array.from({ length: 4 }, (_, i) => floats.subarray((i * floats.length) / 4, ((i + 1) * floats.length) / 4));
}

function expectBytes(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [actual, expected].map((value) => {
    const { buffer, byteOffset, byteLength } = value as Float32Array;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  expect(Buffer.compare(got!, wanted!), what).toBe(0);
}

/** Makes a call with both types, and compares the results. */
function checkCall(kernels: Kernels, call: Call, half: Half): void {
  const both = halve(call, half, said(half));
  const expected = run(kernels, call, both.wide);
  const found = expectRounded(run(kernels, call, both.half), expected, half);
  if (typeof expected !== 'object') return;
  const isNumber = typeof (expected as { loss?: unknown }).loss === 'number';
  const wanted = inHalf(call).filter((path) => path !== '.loss.data' || !isNumber);
  expect(found, titleOf(call)).toEqual(wanted);
}

describe.each(buildNames)('conversions of %s', (build) => {
  const halves = openHalves(build);
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

  test.each(HALVES)('every %s as float32, and back', (half) => {
    const floats = halves.widen(half, all).slice();
    // NaNs may have other bits.
    const canonical = (value: number) => (Number.isNaN(value) ? NaN : value);
    expectBytes(floats.map(canonical), floatsOf(half, all).map(canonical), half);
    const back = halves.narrow(half, floats);
    const wrong = all.filter((bits, i) => (isNan(half, bits) ? !isNan(half, back[i] as number) : back[i] !== bits));
    expect([...wrong]).toEqual([]);
  });

  test.each(HALVES)('float32 as %s: halfway between neighbours, beside that, and anywhere', (half) => {
    const random = randomOf(3);
    const neighbours = floatsOf(
      half,
      all.filter((bits) => !isNan(half, bits) && !isNan(half, bits + 1)),
    );
    const halfways = [...floatsOf(half, all)].flatMap((value, bits) => {
      const middle = Math.fround((value + widen(half, bits + 1)) / 2);
      return [middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23)];
    });
    const anywhere = new Float32Array(Uint32Array.from({ length: 50_000 }, () => random() * 2 ** 32).buffer);
    for (const floats of [neighbours, ...blocksOf(Float32Array.from(halfways)), anywhere]) {
      const bits = halves.narrow(half, floats);
      floats.forEach((value, i) => {
        const got = bits[i] as number;
        if (Number.isNaN(value) ? !isNan(half, got) : got !== narrow(half, value)) expect.fail(`${value}: ${got}`);
      });
    }
  });

  test.each(HALVES)('a number of another kind anywhere among many of %s', (half) => {
    const others = [-0.5, -0, 0, 2 ** -20, -(2 ** -20), 65519, 65520, 70_000, Infinity, -Infinity, NaN];
    for (const at of [0, 7, 8, 511, 512, 1023, 1024, 1029]) {
      for (const other of others) {
        const floats = Float32Array.from({ length: 1030 }, (_, i) => (i === at ? other : (i + 1) / 2000));
        const rounded = floatsOf(half, bitsOf(half, floats));
        expect([...floatsOf(half, halves.narrow(half, floats))], `${other} at ${at}`).toEqual([...rounded]);
        expect([...halves.widen(half, bitsOf(half, floats))], `${other} at ${at}`).toEqual([...rounded]);
      }
    }
  });

  test.each(HALVES)('any number of %s, and nothing past them', (half) => {
    // From 1, from 0 and from -0, which subnormal numbers follow.
    for (const first of [0x3c00, 0, 0x8000]) {
      for (let count = 0; count < 40; count++) {
        const bits = all.subarray(first, first + count);
        expect([...halves.widen(half, bits)]).toEqual([...floatsOf(half, bits)]);
        expect([...halves.narrow(half, floatsOf(half, bits))]).toEqual([...bits]);
      }
    }
  });
});

test('TypeScript converts as Float16Array does', { skip: Float16 === undefined }, () => {
  const holder = new Float16!(1);
  const bits = new Uint16Array(holder.buffer);
  const random = randomOf(5);
  for (let i = 0; i < 2 ** 16; i++) {
    bits[0] = i;
    expect(Object.is(widen('float16', i), holder[0])).toBe(true);
    const value = (random() - 0.5) * 2 ** (40 * random() - 22);
    holder[0] = value;
    if (narrow('float16', value) !== bits[0]) expect.fail(`${value}`);
  }
});

describe.each(sets)('$name', (set: TestSet) => {
  const { kernels } = set;

  for (const half of HALVES) {
    test.each(operations.map((operation) => [operation.name, operation] as const))(`${half}: %s`, (_, operation) => {
      for (const [shape, axis] of LAYOUTS) {
        for (const call of callsOf(operation, { dtype: 'float32', shape, axis })) checkCall(kernels, call, half);
      }
    });
  }

  test('block by block', () => {
    for (const call of callsIn(LARGE, LARGE_OPERATIONS)) checkCall(kernels, call, 'float16');
  });

  test('tensors of float16 hold half the bytes, and results are such tensors', () => {
    for (const call of callsIn(LAYOUTS)) {
      const both = halve(call, 'float16', said('float16'));
      const [first] = call.operation.arguments;
      const like = both.half[first] as { data: Uint16Array };
      if (like === undefined) continue;
      using x = kernels.tensor(both.half[first] as never);
      expect(x.dtype).toBe('float16');
      const streamed = run(kernels, call, both.half) as Record<string, unknown>;
      const resident = run(kernels, call, { ...both.half, [first]: x });
      expectSameBits(resident, streamed);
    }
  });

  test.runIf(Float16 !== undefined)('Float16Array is taken and returned, also in place', () => {
    for (const call of callsIn(LAYOUTS)) {
      const [first] = call.operation.arguments;
      const both = halve(call, 'float16', (bits, shape, name) => {
        const data = new Float16!(bits.buffer as ArrayBuffer);
        return name === first ? data : { data, shape };
      });
      const x = both.half[first] as Float32Array;
      if (x === undefined) continue;
      const like = halve(call, 'float16', said('float16')).half;
      const expected = run(kernels, call, like);
      const result = run(kernels, call, both.half);
      expectSameBits(result, expected);
      if (call.operation.out !== 'elements' || !takes(call.operation, 'out')) continue;
      const inPlace = run(kernels, call, { ...both.half, out: x });
      expectSameBits(inPlace, expected);
      const holder = inPlace === x ? x : (inPlace as { grad: unknown }).grad;
      expect(holder).toBe(x);
    }
  });

  test('out may be a tensor-like that says so, float32, or a tensor', () => {
    for (const call of callsIn(LAYOUTS)) {
      if (call.operation.out !== 'elements') continue;
      const { half, wide } = halve(call, 'float16', said('float16'));
      const size = (outFor(call) as Float32Array).length;
      const exact = new Float32Array(size);
      run(kernels, call, { ...wide, out: exact });
      const bits = new Uint16Array(size);
      const out = { data: bits, dims: [size], type: 'float16' };
      const floats = new Float32Array(size);
      const result = run(kernels, call, { ...half, out });
      expect(call.operation.name.endsWith('WithGrad') ? (result as { grad: unknown }).grad : result).toBe(out);
      run(kernels, call, { ...half, out: floats });
      expect(floatsOf('float16', bits), titleOf(call)).toEqual(floatsOf('float16', bitsOf('float16', exact)));
      expect(floats, titleOf(call)).toEqual(exact);
      using resident = kernels.zeros([size], { dtype: 'float16' });
      run(kernels, call, { ...half, out: resident });
      expect([...resident]).toEqual([...floatsOf('float16', bits)]);
    }
  });

  test('out of another format, or of data that do not fit its shape, is refused', () => {
    const x = { data: new Uint16Array(6), dims: [2, 3], type: 'float16' as const };
    const data = new Uint16Array(6);
    const other = { data, dims: [2, 3], type: 'bfloat16' as const };
    const long = { data, dims: [2, 4], type: 'float16' as const };
    expect(() => kernels.softmax(x, { out: any(other) })).toThrow(/^softmax: out is .*, expected .*type: 'float16' }/);
    expect(() => kernels.softmax(x, { out: long })).toThrow(
      new RangeError('softmax: out has 6 elements, expected 8 for shape [2, 4]'),
    );
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('a gradient is accumulated and rounded once', () => {
    const x = bitsOf('float16', Float32Array.of(1, 2, 3, 0.5, -1, 4));
    const logits = { data: x, dims: [2, 3], type: 'float16' as const };
    const { grad } = kernels.crossEntropyWithGrad({ data: floatsOf('float16', x), shape: [2, 3] }, [0, 2]);
    const before = bitsOf('float16', Float32Array.of(0.1, -5, 2 ** -24, 1000, 0, 0.3));
    const after = floatsOf('float16', before).map((value, i) => value + (grad.data[i] as number));
    const out = { data: before.slice(), dims: [2, 3], type: 'float16' as const };
    kernels.crossEntropyWithGrad(logits, [0, 2], { out, accumulate: true });
    expect([...out.data]).toEqual([...bitsOf('float16', after)]);
    using tensor = kernels.tensor({ data: before, dims: [6], type: 'float16' });
    kernels.crossEntropyWithGrad(logits, [0, 2], { out: tensor, accumulate: true });
    expect([...tensor]).toEqual([...floatsOf('float16', out.data)]);
  });

  test('float16 beside other floats, in targets, gradients and weights', () => {
    const y = bitsOf('float16', Float32Array.of(0.25, 0.75, 0.5, 0.5));
    const like = { data: y, dims: [2, 2], type: 'float16' as const };
    const wide = { data: floatsOf('float16', y), shape: [2, 2] };
    const dy = Float32Array.of(1, 2, 3, 4);
    expectRounded(kernels.softmaxBackward(like, dy), kernels.softmaxBackward(wide, dy), 'float16');
    expect(kernels.softmaxBackward(dy, like, { shape: [2, 2] })).toEqual(
      kernels.softmaxBackward(dy, wide, { shape: [2, 2] }),
    );
    expect(kernels.crossEntropy(wide, like)).toBe(kernels.crossEntropy(wide, wide));
    expect(kernels.bceWithLogits(wide, like)).toBe(kernels.bceWithLogits(wide, wide));
    expect(kernels.klDiv(wide, like)).toBe(kernels.klDiv(wide, wide));
    for (const x of [dy, Float64Array.from(dy)]) {
      const of = (weights: typeof like | typeof wide) => kernels.logSumExp(x, { shape: [2, 2], weights });
      expect(of(like)).toEqual(of(wide));
    }
  });

  test('states take chunks of it', () => {
    const x = bitsOf('float16', Float32Array.of(1, 2, 3, 0.5, -1, 4));
    const like = { data: x, dims: [2, 3], type: 'float16' as const };
    const wide = { data: floatsOf('float16', x), shape: [2, 3] };
    const sums = (chunk: typeof like | typeof wide) => kernels.logSumExpState({ rows: 2 }).add(chunk).value;
    expect(sums(like)).toEqual(sums(wide));
    const targets = [0, 2];
    const state = (chunk: typeof like | typeof wide) =>
      kernels.crossEntropyState({ rows: 2 }).add(chunk, { offset: 0, targets });
    expect(state(like).value).toBe(state(wide).value);
    const gradient = state(like).gradient(like, { offset: 0 });
    expectRounded(gradient, state(wide).gradient(wide, { offset: 0 }), 'float16');
    const out = { data: new Uint16Array(6), dims: [6], type: 'float16' as const };
    expect(state(like).gradient(like, { offset: 0, out })).toBe(out);
    expect(out.data).toEqual(gradient.data);
  });

  test('one number for each row of a calibration, and a view that growth moves while it is read', () => {
    const bits = bitsOf('float16', Float32Array.of(1, -2, 0.5));
    const targets = [1, 0, 0];
    const like = { data: bits, shape: [3], type: 'float16' as const };
    expect(kernels.calibrationError(like, targets)).toEqual(
      kernels.calibrationError(floatsOf('float16', bits), targets),
    );
    const own = set.create();
    const { data } = own.tensor(like);
    const options = {
      get presence() {
        own.zeros([2 ** 21]);
        return 1;
      },
    };
    const { data: result } = own.penalize({ data, shape: [3], type: 'float16' }, [0], options);
    expect([...own.tensor({ data: result, shape: [3], type: 'float16' })]).toEqual([0, -2, 0.5]);
  });

  test('overlaps are found by bytes', () => {
    const buffer = new ArrayBuffer(64);
    const x = new Uint16Array(buffer, 0, 8);
    const like = { data: x, dims: [8], type: 'float16' as const };
    expect(() => kernels.softmax(like, { out: new Float32Array(buffer, 0, 8) })).toThrow('expected the very range');
    expect(() => kernels.softmax(like, { out: { ...like, data: new Uint16Array(buffer, 2, 8) } })).toThrow(
      'very range',
    );
    expect(() => kernels.softmax(like, { out: new Float32Array(buffer, 16, 8) })).not.toThrow();
    expect(kernels.softmax(like, { out: like })).toBe(like);
    expect(Math.abs(floatsOf('float16', x).reduce((a, b) => a + b) - 1)).toBeLessThan(2e-3);
  });
});

function expectSameBits(actual: unknown, expected: unknown): void {
  if (typeof expected !== 'object' || expected === null) {
    expect(actual).toBe(expected);
    return;
  }
  if (ArrayBuffer.isView(expected)) {
    expectBytes(actual, expected, '');
    return;
  }
  const wanted = expected as Record<string, unknown>;
  const got = actual as Record<string, unknown>;
  for (const key of Object.keys(wanted)) {
    if (key === 'shape' || key === 'dtype') continue;
    // What was flat is flat again, where what it is compared with had a shape.
    expectSameBits(ArrayBuffer.isView(actual) || typeof actual === 'number' ? actual : got[key], wanted[key]);
  }
}
