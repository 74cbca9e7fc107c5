import { describe, expect, test } from 'vitest';
import { type Kernels, OutOfMemoryError, Tensor } from '../src/index.js';
import { alongAxis, operations } from './operations/index.js';
import { sets, type TestSet } from './support/backends.js';
import {
  ALL_KINDS,
  bytesOf,
  DTYPES,
  type Dtype,
  type Floats,
  innerSizes,
  LARGE,
  newFloats,
  numbers,
  problem,
  sizeOf,
} from './support/cases.js';
import { expectFlatMemory, expectGuarded, expectSame, GUARD } from './support/compare.js';
import { type Call, callsOf, type Operation, outFor, runBy, run as runCall, takes } from './support/operation.js';

const MIB = 2 ** 20;

function run(kernels: Kernels, { name }: Operation, x: unknown, options: object): Floats {
  return runBy(kernels, name, x, options) as Floats;
}

/** The number of elements of a result for x of this shape. */
function resultLength({ out }: Operation, shape: readonly number[], axis: number): number {
  return sizeOf(out === 'rows' ? shape.with(axis, 1) : shape);
}

function memoryBytes(kernels: Kernels): number {
  const probe = kernels.zeros([1]);
  const bytes = probe.data.buffer.byteLength;
  probe.dispose();
  return bytes;
}

/** The float arguments of a call, as views of linear memory. */
function residentOf(kernels: Kernels, call: Call): Record<string, unknown> {
  const given = Object.entries({ ...call.arguments, ...call.options });
  const floats = given.filter(([, value]) => value instanceof Float32Array || value instanceof Float64Array);
  return Object.fromEntries(floats.map(([name, value]) => [name, kernels.tensor(value as Floats).data]));
}

const GUARD_BYTE = 0xa5;
const GUARD_BYTES = 64;

/** A copy of an array in linear memory, surrounded by guards, and a check that these are unchanged. */
function guardedLike(kernels: Kernels, array: Floats): { view: Floats; isIntact(): boolean } {
  const { data } = kernels.zeros([array.byteLength / 4 + (2 * GUARD_BYTES) / 4]);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).fill(GUARD_BYTE);
  const View = array.constructor as Float32ArrayConstructor;
  const view = new View(data.buffer as ArrayBuffer, data.byteOffset + GUARD_BYTES, array.length);
  const isOwn = (at: number) => at >= GUARD_BYTES && at < GUARD_BYTES + array.byteLength;
  return { view, isIntact: () => bytes.every((byte, at) => byte === GUARD_BYTE || isOwn(at)) };
}

/**
 * Makes a call whose floats and results are in linear memory: the result is the same as elsewhere, and no other byte
 * changes.
 */
function expectOwnBytesAlone(kernels: Kernels, call: Call): void {
  const what = `${call.layout.dtype} [${call.layout.shape}] axis ${call.layout.axis}`;
  const staged = outFor(call);
  const expected = runCall(kernels, call, staged === undefined ? {} : { out: staged });
  if (staged === undefined) {
    expect(runCall(kernels, call, residentOf(kernels, call)), what).toEqual(expected);
    return;
  }
  const arrays = (ArrayBuffer.isView(staged) ? [staged] : Object.values(staged as object)) as Floats[];
  const guarded = arrays.map((array) => guardedLike(kernels, array));
  const [values, indices] = guarded.map(({ view }) => view);
  const out = ArrayBuffer.isView(staged) ? values : { values, indices };
  runCall(kernels, call, { ...residentOf(kernels, call), out });
  for (const [i, { view, isIntact }] of guarded.entries()) {
    expectSame(view, arrays[i]!, what);
    expect(isIntact(), what).toBe(true);
  }
}

/** Disposes every tensor of a result. */
function dispose(result: unknown): void {
  if (result instanceof Tensor) result.dispose();
  else if (typeof result === 'object' && !ArrayBuffer.isView(result)) Object.values(result ?? {}).forEach(dispose);
}

describe.each(sets)('$name', (set: TestSet) => {
  describe.each(DTYPES)('%s', (dtype: Dtype) => {
    const shapes: [number[], number][] = [
      ...[1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 23, 24, 47, 48, 49, 50, 51, 255, 257].map((n): [number[], number] => [
        [n],
        0,
      ]),
      ...[2, 3, 4, 5, 15, 16, 17, 33].map((rows): [number[], number] => [[rows, 7], 1]),
      ...[2, 3, 5].map((rows): [number[], number] => [[rows, 50], 1]),
      ...innerSizes(dtype).map((inner): [number[], number] => [[2, 9, inner], 1]),
      [[2, 65, 3], 1],
    ];

    describe.each(alongAxis)('$name', (operation) => {
      const isElementwise = operation.out === 'elements';

      test('reads and writes only its own elements, at every alignment', () => {
        const { kernels } = set;
        const edge = 16;
        for (const [shape, axis] of shapes) {
          const p = problem(dtype, shape, 'within ±30', { axis, seed: sizeOf(shape) });
          const expected = run(kernels, operation, p.x, { shape, axis });
          const length = resultLength(operation, shape, axis);
          const home = kernels.tensor(newFloats(dtype, p.x.length + 2 * edge + 4).fill(NaN));
          const target = kernels.tensor(newFloats(dtype, length + 2 * edge + 4).fill(GUARD));
          for (let offset = edge; offset < edge + 16 / bytesOf(dtype); offset++) {
            const x = home.data.fill(NaN).subarray(offset, offset + p.x.length);
            x.set(p.x);
            const outOffset = edge + ((3 * offset) % 4);
            const out = target.data.fill(GUARD).subarray(outOffset, outOffset + length);
            const what = `[${shape}] axis ${axis} at ${offset}`;
            expect(run(kernels, operation, x, { shape, axis, out }), what).toBe(out);
            expectSame(out, expected, what);
            expectGuarded(target.data, outOffset, length, what);
            expectSame(x, p.x, `${what}: the input`);
            if (isElementwise) {
              run(kernels, operation, x, { shape, axis, out: x });
              expectSame(x, expected, `${what} in place`);
              expect(
                home.data.every((value, i) => Number.isNaN(value) === (i < offset || i >= offset + p.x.length)),
              ).toBe(true);
            }
          }
          home.dispose();
          target.dispose();
        }
      });

      test('is the same for a short row alone and among others', () => {
        for (const kind of ALL_KINDS) {
          for (let n = 1; n <= 50; n++) {
            const options = n % 3 === 0 && takes(operation, 'temperature') ? { temperature: 0.7 } : {};
            const { x } = problem(dtype, [5, n], kind, { seed: n });
            const expected = run(set.kernels, operation, x, { shape: [5, n], ...options });
            for (let row = 0; row < 5; row++) {
              const alone = run(set.kernels, operation, x.slice(row * n, row * n + n), { shape: [1, n], ...options });
              const place = row * alone.length;
              expectSame(alone, expected.slice(place, place + alone.length), `row ${row} of [5, ${n}], ${kind}`);
            }
          }
        }
      });

      test('is the same streamed and resident, out and in place, whole and split', () => {
        const { kernels } = set;
        for (const [shape, axis] of LARGE) {
          const p = problem(dtype, shape, 'within ±79', { axis, seed: 7 });
          const what = `[${shape}] axis ${axis}`;
          const expected = run(kernels, operation, p.x, { shape, axis });
          const resident = kernels.tensor(p.x, shape);
          const result = run(kernels, operation, resident, { axis }) as unknown as Tensor;
          expectSame(result.data, expected, `${what} resident`);
          const out = newFloats(dtype, expected.length);
          run(kernels, operation, resident, { axis, out });
          expectSame(out, expected, `${what} from resident to streamed`);
          run(kernels, operation, p.x, { shape, axis, out: result });
          expectSame(result.data, expected, `${what} from streamed to resident`);
          if (isElementwise) {
            const x = p.x.slice();
            run(kernels, operation, x, { shape, axis, out: x });
            expectSame(x, expected, `${what} in place`);
            run(kernels, operation, resident, { axis, out: resident });
            expectSame(resident.data, expected, `${what} resident in place`);
          }
          resident.dispose();
          result.dispose();
          if (axis === 1) {
            for (const count of [1, 2, 3]) {
              const [outer, ...others] = shape as [number, ...number[]];
              if (count >= outer) continue;
              const part = sizeOf(others) * count;
              const alone = run(kernels, operation, p.x.slice(-part), { shape: [count, ...others], axis });
              expectSame(alone, expected.slice(-alone.length), `${what} the last ${count} alone`);
            }
          }
        }
      });
    });
  });

  test('a streamed array does not grow linear memory by its size', () => {
    const kernels = set.create();
    const before = memoryBytes(kernels);
    const x = numbers('float32', 4 * MIB, 'within ±8', 1);
    kernels.softmax(x, { shape: [x.length / 1024, 1024], out: x as Float32Array });
    kernels.logSumExp(x, { shape: [1024, x.length / 1024], axis: 0 });
    expect(memoryBytes(kernels) - before).toBeLessThan(MIB);
  });

  test('memoryUsage counts what is held', () => {
    const kernels = set.create();
    expect(kernels.memoryUsage()).toEqual({ bytes: 0, tensors: 0 });
    kernels.tensor(numbers('float32', 60, 'within ±8', 1), [3, 20]);
    kernels.zeros([3, 20]);
    expect(kernels.memoryUsage()).toEqual({ bytes: 512, tensors: 2 });
  });

  test.each(operations)('$name: reads and writes only its own elements if all is resident', (operation) => {
    const kernels = set.create();
    // Growth would detach views, so memory grows here to be large enough for the test.
    kernels.zeros([2 * MIB]).dispose();
    for (const dtype of DTYPES) {
      for (const n of [1, 2, 9, 50]) {
        for (const inner of [1, 2, 3, 4, 5, 17]) {
          for (const call of callsOf(operation, { dtype, shape: [3, n, inner], axis: 1 })) {
            expectOwnBytesAlone(kernels, call);
          }
        }
      }
    }
  });

  test.each(operations)('$name: many calls leave memory as it was', (operation) => {
    const kernels = set.create();
    const small = callsOf(operation, { dtype: 'float32', shape: [3, 10], axis: 1 });
    // Blocks of rows, and rows that are larger than a block.
    const wide = [
      [20, 3000],
      [1, 40_000],
    ].flatMap((shape) => callsOf(operation, { dtype: 'float64', shape, axis: 1 }));
    const [first] = operation.arguments;
    const outs = new Map([...small, ...wide].map((call) => [call, outFor(call)]));
    const into = (call: Call) => runCall(kernels, call, operation.out && { out: outs.get(call) });
    const tensors = small.map((call) => kernels.tensor(call.arguments[first] as Floats, [3, 10]));
    expectFlatMemory(kernels, 1000, (i) => {
      for (const call of small) into(call);
      if (i % 10 === 0)
        for (const [j, call] of small.entries()) dispose(runCall(kernels, call, { [first]: tensors[j] }));
      if (i % 999 === 0) for (const call of wide) into(call);
    });
  });

  describe('growth', () => {
    test('keeps tensors and gives new views', () => {
      const kernels = set.create();
      const kept = Array.from({ length: 10 }, (_, i) => kernels.tensor(numbers('float32', 1000 + i, 'within ±8', i)));
      const views = kept.map((t) => t.data);
      expect(kept[0]?.data).toBe(views[0]);
      kernels.zeros([4 * MIB]);
      views.forEach((view, i) => {
        expect(view.length).toBe(0);
        const data = kept[i]?.data as Float32Array;
        expect(data === view).toBe(false);
        expectSame(data, numbers('float32', 1000 + i, 'within ±8', i), `tensor ${i}`);
      });
    });

    test('inside a call is safe for views of our own memory', () => {
      for (const operation of alongAxis) {
        const kernels = set.create();
        const n = 300_000;
        const p = numbers('float32', n, 'within ±8', 5);
        const x = kernels.tensor(p);
        const target = kernels.zeros([n]);
        const before = memoryBytes(kernels);
        const view = x.data;
        const out = target.data;
        const filler = kernels.zeros([Math.floor((before % (64 * MIB)) / 4)]);
        const fresh = x.data;
        const freshOut = target.data;
        expect(view.length).toBe(0);
        expect(out.length).toBe(0);
        // A short inner axis needs scratch of the input's size: memory grows inside the call.
        const size = memoryBytes(kernels);
        const shape = [1, n / 2, 2];
        const wanted = run(set.kernels, operation, p, { shape, axis: 1 });
        const result = freshOut.subarray(0, wanted.length);
        expect(run(kernels, operation, fresh, { shape, axis: 1, out: result })).toBe(result);
        expectSame(target.data.subarray(0, wanted.length), wanted, operation.name);
        if (operation.out === 'elements') {
          run(kernels, operation, x.data, { shape, axis: 1, out: x.data });
          expectSame(x.data, wanted, `${operation.name} in place`);
        }
        expect(memoryBytes(kernels)).toBeGreaterThanOrEqual(size);
        filler.dispose();
      }
    });

    test('inside a call is safe for class indices that view our own memory', () => {
      const kernels = set.create();
      const rows = 500_000;
      const held = kernels.zeros([rows]);
      const targets = new Int32Array(held.data.buffer, held.data.byteOffset, rows);
      const loss = kernels.crossEntropy(new Float32Array(2 * rows), targets, { shape: [rows, 2] });
      expect(loss).toBeCloseTo(Math.LN2, 6);
      expect(targets.length).toBe(0);
    });

    test('inside a call detaches the views that were passed and still computes with them', () => {
      if (set.backend === 'reference') return;
      const kernels = set.create();
      const n = 2 ** 21;
      const x = kernels.tensor(numbers('float32', n, 'within ±8', 3));
      const target = kernels.zeros([n]);
      const [view, out] = [x.data, target.data];
      const expected = set.kernels.softmax(view.slice() as Float32Array, { shape: [1, n / 2, 2], axis: 1 });
      kernels.softmax(view, { shape: [1, n / 2, 2], axis: 1, out });
      expect(view.length).toBe(0);
      expect(out.length).toBe(0);
      expectSame(target.data, expected, 'after growth');
    });

    test('for a mask or weights keeps an out that views our memory', () => {
      // More than the initial size of any memory.
      const n = 2 ** 19;
      const x = numbers('float32', 2 * n, 'within ±8', 3);
      const options = { shape: [2, n], mask: new Uint8Array(n).fill(1).fill(0, 10, 20) };
      const weights = numbers('float32', n, 'within ±8', 4).map(Math.abs);
      const softmax = set.kernels.softmax(x, options);
      const total = set.kernels.logSumExp(x, { ...options, weights });
      const kernels = set.create();
      const large = kernels.zeros([2, n]);
      const before = large.data.buffer;
      kernels.softmax(x, { ...options, out: large.data });
      expect(large.data.buffer).not.toBe(before);
      expectSame(large.data, softmax, 'softmax');
      const another = set.create();
      const small = another.zeros([2]);
      another.logSumExp(x, { ...options, weights, out: small.data });
      expectSame(small.data, total, 'logSumExp');
    });

    test('that fails for a mask frees the result and the mask', () => {
      const n = 2 ** 18;
      const mask = { data: new Uint8Array(n), shape: [n] };
      // From too little memory for the result up to enough for everything.
      const failures = [];
      const fitsInPlace = (kernels: Kernels, x: Tensor) => {
        try {
          return kernels.softmax(x, { mask, out: x }) === x;
        } catch {
          return false;
        }
      };
      for (let pages = 60; pages < 120; pages += 2) {
        const settings = { maxMemory: pages * 2 ** 16 };
        const kernels = set.create(settings);
        const x = kernels.zeros([3, n]);
        try {
          kernels.softmax(x, { mask });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          failures.push(kernels.memoryUsage().tensors);
          const another = set.create(settings);
          expect(fitsInPlace(kernels, x), `${pages} pages`).toBe(fitsInPlace(another, another.zeros([3, n])));
        }
      }
      expect(failures.length).toBeGreaterThan(10);
      expect(failures.length).toBeLessThan(30);
      expect(new Set(failures)).toEqual(new Set([1]));
    });

    test('that fails at the start of a streamed call frees the result', () => {
      // Blocks of columns take memory of their own, which is allocated after all results.
      const n = 6000;
      const options = { axis: 1, reduction: 'none' } as const;
      const targets = new Int32Array(5);
      const runs: Record<string, (kernels: Kernels, x: Tensor) => unknown> = {
        softmax: (k, x) => k.softmax(x, { axis: 1 }),
        logSumExp: (k, x) => k.logSumExp(x, { axis: 1 }),
        topK: (k, x) => k.topK(x, n / 2, { axis: 1 }),
        crossEntropyWithGrad: (k, x) => k.crossEntropyWithGrad(x, targets, options),
        nllLossWithGrad: (k, x) => k.nllLossWithGrad(x, targets, options),
        distillationWithGrad: (k, x) => k.distillationWithGrad(x, x, options),
        'crossEntropyWithGrad, reduced': (k, x) => k.crossEntropyWithGrad(x, targets, { axis: 1 }),
      };
      for (const [name, call] of Object.entries(runs)) {
        const kernels = set.create({ maxMemory: 4 * MIB });
        const x = kernels.zeros([1, n, 5]);
        let failures = 0;
        let isEnough = false;
        // Less and less memory is occupied, until the call has enough.
        for (let taken = 52; !isEnough; taken--) {
          let filler: Tensor | undefined;
          try {
            filler = kernels.zeros([taken * 2 ** 14]);
          } catch {
            continue;
          }
          const usage = kernels.memoryUsage();
          try {
            call(kernels, x);
            isEnough = true;
          } catch (error) {
            expect(error).toBeInstanceOf(OutOfMemoryError);
            expect(kernels.memoryUsage(), name).toEqual(usage);
            failures++;
          }
          filler.dispose();
        }
        expect(failures, name).toBeGreaterThan(2);
      }
    });

    test('inside a call keeps results in linear memory and the bytes around them', () => {
      // Staged arrays: blocks of rows, blocks of columns that fill the staging memory, and some that make memory grow.
      const shapes: [number[], number][] = [
        [[1000, 100], 1],
        [[1, 40, 3260], 1],
        [[1, 300, 434], 1],
        [[1, 4200, 33], 1],
        [[2, 66_000], 1],
        [[1, 25_000, 3], 1],
      ];
      type Call = (kernels: Kernels, x: Float32Array, options: object, targets: Int32Array) => unknown;
      const runs: Record<string, Call> = {
        softmax: (k, x, options) => k.softmax(x, options),
        logSumExp: (k, x, options) => k.logSumExp(x, options),
        argmax: (k, x, options) => k.argmax(x, options),
        crossEntropy: (k, x, options, targets) => k.crossEntropy(x, targets, { ...options, reduction: 'none' }),
        nllLoss: (k, x, options, targets) => k.nllLoss(x, targets, { ...options, reduction: 'none' }),
        distillation: (k, x, options) => k.distillation(x, x, { ...options, reduction: 'none' }),
      };
      for (const [shape, axis] of shapes) {
        const x = numbers('float32', sizeOf(shape), 'within ±8', 3) as Float32Array<ArrayBuffer>;
        const n = shape[axis] as number;
        const targets = Int32Array.from({ length: x.length / n }, (_, i) => i % n);
        for (const [name, call] of Object.entries(runs)) {
          const kernels = set.create();
          const what = `${name} of [${shape}]`;
          const expected = call(set.kernels, x, { shape, axis }, targets) as Floats | Int32Array<ArrayBuffer>;
          const { length } = expected;
          // The memory behind the scratch, and around the result.
          const neighbour = kernels.tensor(new Float32Array(70_000).fill(GUARD));
          const target = kernels.tensor(new Float32Array(length + 8).fill(GUARD));
          const view = () => {
            const { buffer, byteOffset } = target.data;
            const type = name === 'argmax' ? Int32Array : Float32Array;
            return new type(buffer as ArrayBuffer, byteOffset + 16, length);
          };
          call(kernels, x, { shape, axis, out: view() }, targets);
          expectSame(view(), expected, what);
          expectGuarded(target.data, 4, length, what);
          expectGuarded(neighbour.data, 0, 0, what);
        }
      }
    });

    test('tensor() of a view of our own memory', () => {
      const kernels = set.create();
      const x = kernels.tensor(numbers('float64', 200_000, 'within ±8', 3));
      const copies = [x.data, x.data, x.data].map(() => kernels.tensor(x.data.subarray(1, 150_001)));
      for (const copy of copies)
        expectSame(copy.data, numbers('float64', 200_000, 'within ±8', 3).subarray(1, 150_001), 'copy');
    });
  });

  describe('the limit', () => {
    test('is an OutOfMemoryError that loses nothing', () => {
      const kernels = set.create({ maxMemory: 2 * MIB });
      const x = kernels.tensor(numbers('float32', 1000, 'within ±8', 1));
      const usage = kernels.memoryUsage();
      const expected = set.kernels.softmax(x.toArray() as Float32Array);
      const tooMuch: [string, () => unknown][] = [
        ['zeros', () => kernels.zeros([MIB])],
        ['tensor', () => kernels.tensor(new Float32Array(MIB))],
        ['softmax', () => kernels.softmax(new Float32Array(MIB))],
        ['logSumExp', () => kernels.logSumExp(new Float64Array(MIB))],
      ];
      for (const [operation, call] of tooMuch) {
        expect(call).toThrow(OutOfMemoryError);
        expect(call).toThrow(RangeError);
        expect(call).toThrow(
          new RegExp(`^${operation}: \\d+ bytes of linear memory are needed, the limit is 2097152$`),
        );
        expect(kernels.memoryUsage()).toEqual(usage);
        expectSame(kernels.softmax(x.data) as Floats, expected as Floats, operation);
      }
      expect(new OutOfMemoryError('x').name).toBe('OutOfMemoryError');
      expect(memoryBytes(kernels)).toBeLessThanOrEqual(2 * MIB);
    });

    test('leaves out untouched and no result behind', () => {
      const kernels = set.create({ maxMemory: 4 * MIB });
      const n = 2 ** 19;
      const out = new Float32Array(2 * n).fill(GUARD);
      expect(() => kernels.softmax(new Float32Array(2 * n), { out })).toThrow(OutOfMemoryError);
      expect(out.every((value) => value === Math.fround(GUARD))).toBe(true);
      if (set.backend === 'reference') return;
      // The result fits, the scratch for its short inner axis does not.
      const x = kernels.zeros([1, n / 4, 2]);
      const usage = kernels.memoryUsage();
      for (let i = 0; i < 10; i++) {
        expect(() => kernels.softmax(x, { axis: 1 })).toThrow(OutOfMemoryError);
        expect(() => kernels.logSoftmax(x, { axis: 1 })).toThrow(OutOfMemoryError);
        expect(() => kernels.softmaxBackward(x, x, { axis: 1 })).toThrow(OutOfMemoryError);
        expect(kernels.memoryUsage()).toEqual(usage);
      }
      const target = kernels.zeros([1, n / 4, 2]);
      expect(() => kernels.softmax(x, { axis: 1, out: target })).toThrow(OutOfMemoryError);
      expect(() => kernels.softmaxBackward(x, x, { axis: 1, out: target })).toThrow(OutOfMemoryError);
      expect(target.disposed).toBe(false);
      target.dispose();
      kernels.softmax(x, { axis: 2 }).dispose();
      expect(kernels.memoryUsage()).toEqual(usage);
    });

    test('holds even if it is not a whole number of pages', () => {
      const kernels = set.create({ maxMemory: 2 * MIB + 1000 });
      const all: Tensor[] = [];
      expect(() => {
        for (;;) all.push(kernels.zeros([100]));
      }).toThrow(OutOfMemoryError);
      expect(all[0]?.data.buffer.byteLength).toBeLessThanOrEqual(2 * MIB + 1000);
    });

    test('memory that is freed is used again', () => {
      const kernels = set.create({ maxMemory: 4 * MIB });
      for (let i = 0; i < 50; i++) {
        const tensors = [100, 200_000, 300, 100_000].map((size) => kernels.zeros([size + i]));
        for (const k of i % 2 === 0 ? [1, 3, 0, 2] : [2, 1, 0, 3]) tensors[k]?.dispose();
      }
      expect(kernels.memoryUsage()).toEqual({ bytes: 0, tensors: 0 });
      kernels.zeros([700_000]).dispose();
      // The memory of a row that is too long for the staging memory is free again after the call.
      kernels.softmax(new Float32Array(2 ** 18));
      kernels.zeros([700_000]).dispose();
    });
  });

  describe('dispose', () => {
    test('frees at once, twice is harmless', () => {
      const kernels = set.create();
      const x = kernels.tensor([1, 2, 3]);
      const y = kernels.tensor([4, 5]);
      expect(x.disposed).toBe(false);
      x.dispose();
      x.dispose();
      expect(x.disposed).toBe(true);
      expect(kernels.memoryUsage()).toEqual({ bytes: 64, tensors: 1 });
      const z = kernels.tensor([6]);
      x.dispose();
      expect(kernels.memoryUsage().tensors).toBe(2);
      expect([...y.data, ...z.data]).toEqual([4, 5, 6]);
      expect(x.shape).toEqual([3]);
    });

    test('of an empty tensor frees nothing of another', () => {
      const kernels = set.create();
      const empty = kernels.zeros([0]);
      const x = kernels.tensor([1, 2, 3]);
      empty.dispose();
      const y = kernels.tensor([4, 5]);
      expect([...x.data, ...y.data]).toEqual([1, 2, 3, 4, 5]);
    });

    test('makes every use a TypeError', () => {
      const { kernels } = set;
      const x = kernels.tensor([1, 2, 3]);
      x.dispose();
      expect(() => x.data).toThrow(new TypeError('Tensor: the tensor is disposed, expected a tensor that is alive'));
      expect(() => x.toArray()).toThrow(TypeError);
      expect(() => x.copyTo(new Float32Array(3))).toThrow(TypeError);
      expect(() => kernels.softmax(x)).toThrow(
        new TypeError('softmax: x is disposed, expected a tensor that is alive'),
      );
      expect(() => kernels.softmax([1, 2, 3], { out: x })).toThrow(
        new TypeError('softmax: out is disposed, expected a tensor that is alive'),
      );
    });

    test.skipIf(typeof Symbol.dispose !== 'symbol')('using', () => {
      const kernels = set.create();
      {
        using x = kernels.tensor([1, 2, 3]);
        using y = kernels.softmax(x);
        expect(y.size).toBe(3);
        expect(kernels.memoryUsage().tensors).toBe(2);
      }
      expect(kernels.memoryUsage()).toEqual({ bytes: 0, tensors: 0 });
    });

    test('by the caller’s getter while a call reads its options', () => {
      const { kernels } = set;
      const x = kernels.tensor([1, 2, 3]);
      const options = {
        get temperature() {
          x.dispose();
          return 1;
        },
      };
      expect(() => kernels.softmax(x, options)).toThrow('softmax: x is disposed, expected a tensor that is alive');
    });
  });

  test('a set does not share memory with another', () => {
    const [a, b] = [set.create(), set.create()];
    const x = a.tensor([1, 2, 3]);
    const y = b.tensor([4, 5, 6]);
    expect([...x.data]).toEqual([1, 2, 3]);
    expect([...y.data]).toEqual([4, 5, 6]);
    expect(a.memoryUsage().tensors).toBe(1);
  });
});
