// Callers that pass strange values: revoked proxies, arrays that contain themselves, a polluted Object.prototype.
import { afterEach, describe, expect, test } from 'vitest';
import { createKernels, init, type Kernels, OutOfMemoryError, reliabilityDiagram } from '../src/index.js';
import { operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { type Call, callsOf, outFor, run, runBy, titleOf } from './support/operation.js';

/** The sizes of the logits. */
const SHAPE = [2, 3];

/** Every way to call every operation. */
function allCalls(): Call[] {
  return operations.flatMap((operation) => callsOf(operation, { dtype: 'float32', shape: SHAPE, axis: -1 }));
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** A proxy that is revoked while this property is read, which still returns the target's value. */
function revokedAt<T extends object>(target: T, key: string): T {
  const { proxy, revoke } = Proxy.revocable(target, {
    get(from, name) {
      if (name === key) revoke();
      return Reflect.get(from, name);
    },
  });
  return proxy;
}

/** The error that a call throws. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectTypeError(run: () => unknown, start: string): void {
  const thrown = thrownBy(run) as Error | undefined;
  expect(thrown?.constructor, `${start}: ${thrown}`).toBe(TypeError);
  expect(thrown?.message.slice(0, start.length)).toBe(start);
}

describe.each(sets)('$name', ({ name: set, kernels, create }) => {
  describe('a revoked proxy', () => {
    for (const call of allCalls()) {
      test(`${titleOf(call)}: revoked in place of every argument and option`, () => {
        const operation = call.operation.name;
        const outs = call.operation.out === undefined ? [] : ['out'];
        for (const name of [...Object.keys(call.arguments), ...Object.keys(call.options), ...outs]) {
          for (const target of [[1, 2], {}]) {
            const given = { [name]: revoked(target) };
            expectTypeError(() => run(kernels, call, given), `${operation}: ${name} is a revoked proxy, expected `);
          }
        }
        for (const target of [{}, []]) {
          const given = [...Object.values(call.arguments), revoked(target)];
          const message = `${operation}: options is a revoked proxy, expected an object`;
          expectTypeError(() => runBy(kernels, operation, ...given), message);
        }
      });
    }

    test('in place of parts of arguments', () => {
      const bad = revoked([]) as never;
      const { tensor, zeros, topK, softmax, crossEntropy } = kernels;
      const indices = new Int32Array(1);
      expectTypeError(
        () => topK([1, 2], 1, { out: { values: bad, indices } }),
        'topK: out.values is a revoked proxy, ',
      );
      expectTypeError(
        () => topK([1, 2], 1, { out: { values: new Float32Array(1), indices: bad } }),
        'topK: out.indices is a revoked proxy, ',
      );
      expectTypeError(() => softmax({ data: bad, shape: [2] }), 'softmax: x.data is a revoked proxy, ');
      expectTypeError(() => softmax({ data: [1, 2], shape: bad }), 'softmax: x.shape is a revoked proxy, ');
      expectTypeError(() => softmax([1, 2], { mask: { data: bad, shape: [2] } }), 'softmax: mask is a revoked proxy, ');
      expectTypeError(() => crossEntropy([1], { data: bad, shape: [] }), 'crossEntropy: targets.data is a revoked ');
      expectTypeError(() => softmax([bad]), 'softmax: x[0] is a revoked proxy, expected a number');
      expectTypeError(() => tensor(bad), 'tensor: data is a revoked proxy, expected ');
      expectTypeError(() => tensor([[1, 2], bad]), 'tensor: data[1] is a revoked proxy, expected ');
      expectTypeError(() => tensor({ data: bad, shape: [1] }), 'tensor: data.data is a revoked proxy, expected ');
      expectTypeError(() => tensor([1], bad), 'tensor: shape is a revoked proxy, expected ');
      expectTypeError(() => tensor([1], [1], bad), 'tensor: options is a revoked proxy, expected ');
      expectTypeError(() => zeros([1], { dtype: bad }), 'zeros: dtype is a revoked proxy, expected ');
      expectTypeError(() => zeros(bad), 'zeros: shape is a revoked proxy, expected ');
      using x = zeros([1]);
      expectTypeError(() => x.copyTo(bad), 'Tensor.copyTo: array is a revoked proxy, expected ');
    });

    test('that is revoked during the call', () => {
      const six = () => [1, 2, 3, 1, 5, 1];
      for (const call of allCalls()) {
        for (const [name, value] of Object.entries({ ...call.arguments, ...call.options })) {
          if (typeof value !== 'object') continue;
          const plain = name === 'mask' ? [1, 0, 1, 0, 1, 1] : name === 'shape' ? SHAPE : six();
          const start = `${call.operation.name}: ${name} is a revoked proxy, expected `;
          expectTypeError(() => run(kernels, call, { [name]: revokedAt(plain, '0') }), start);
          if (name === 'shape') continue;
          const like = revokedAt({ data: value, shape: SHAPE }, 'shape');
          expectTypeError(() => run(kernels, call, { [name]: like }), start);
        }
      }
      expectTypeError(
        () => kernels.topK([1, 2], 1, { out: revokedAt({ values: [], indices: [] }, 'values') as never }),
        'topK: out is a revoked proxy, expected { values, indices }',
      );
      expectTypeError(() => kernels.tensor([[1, 2], revokedAt([3, 4], '0')]), 'tensor: data[1] is a revoked proxy, ');
    });
  });

  test('exceptions of the caller pass through as they are', () => {
    const theirs = revoked([]) as readonly number[];
    class Mine extends TypeError {}
    for (const throws of [
      () => {
        throw new Mine('mine');
      },
      // The engine's own error, about a proxy that is not an argument of the call.
      () => theirs.length,
    ]) {
      const expected = thrownBy(throws) as Error;
      for (const call of allCalls()) {
        for (const [name, value] of Object.entries({ ...call.arguments, ...call.options })) {
          if (typeof value !== 'object') continue;
          const given = name === 'shape' ? [2, 3] : { data: value, shape: SHAPE };
          Object.defineProperty(given, name === 'shape' ? 0 : 'data', { get: throws });
          const thrown = thrownBy(() => run(kernels, call, { [name]: given })) as Error;
          expect(thrown.constructor).toBe(expected.constructor);
          expect(thrown.message).toBe(expected.message);
        }
      }
    }
  });

  test('lengths that no array has', () => {
    const long = (length: unknown) =>
      new Proxy([1, 2], { get: (from, key) => (key === 'length' ? length : Reflect.get(from, key)) });
    for (const length of [-1, 1.5, 2 ** 32, Number.NaN, Infinity, undefined, null, {}, '2']) {
      for (const call of allCalls()) {
        for (const [name, value] of Object.entries({ ...call.arguments, ...call.options })) {
          if (typeof value !== 'object') continue;
          const start = `${call.operation.name}: ${name}.length is `;
          expectTypeError(() => run(kernels, call, { [name]: long(length) }), start);
        }
      }
      expectTypeError(() => kernels.tensor(long(length) as number[]), 'tensor: data.length is ');
    }
  });

  describe('nested arrays', () => {
    test('that contain themselves, or are too deep for any stack', () => {
      const message = (name: string) => `tensor: ${name} is nested more than 64 deep, expected at most 64 axes`;
      const own: unknown[] = [1];
      own[0] = own;
      const twice: unknown[] = [];
      twice.push(twice, twice);
      let deep: unknown = 1;
      for (let i = 0; i < 100_000; i++) deep = [deep];
      for (const data of [own, twice, deep] as never[]) {
        expect(() => kernels.tensor(data)).toThrow(new RangeError(message('data')));
        expect(() => kernels.tensor({ data, shape: [1] })).toThrow(new RangeError(message('data.data')));
      }
      expect(() => kernels.softmax([own as never])).toThrow('softmax: x[0] is an array of 1, expected a number');
    });

    test('of the largest depth', () => {
      let deep: unknown = [1, 2];
      for (let i = 1; i < 64; i++) deep = [deep];
      using x = kernels.tensor(deep as number[]);
      expect(x.shape).toEqual([...new Array(63).fill(1), 2]);
      expect([...x.data]).toEqual([1, 2]);
    });

    test('of few arrays, but more elements than fit into memory', () => {
      let many: unknown = [1, 1];
      for (let i = 1; i < 60; i++) many = [many, many];
      expect(() => kernels.tensor(many as number[])).toThrow(OutOfMemoryError);
      expect(() => kernels.tensor(many as number[])).toThrow(/^tensor: \d+ bytes of linear memory are needed, /);
      const small = create({ maxMemory: 2 ** 20 });
      const row = new Array(2 ** 10).fill(1);
      expect(() => small.tensor(new Array(2 ** 10).fill(row))).toThrow(OutOfMemoryError);
      expect(small.memoryUsage().tensors).toBe(0);
    });

    test('in a tensor-like that contains itself', () => {
      const like = { shape: [1], data: undefined as unknown };
      like.data = like;
      const message = 'tensor: data.data is an object, expected numbers (nested arrays too) or a float array';
      expect(() => kernels.tensor(like)).toThrow(new TypeError(message));
    });
  });

  // Options are read in TypeScript, which is the same for all sets.
  describe.runIf(set === 'debug')('Object.prototype', () => {
    const NAMES = new Set([
      ...allCalls().flatMap(({ options }) => Object.keys(options)),
      ...[
        'rows',
        'state',
        'options',
        'count',
        'sums',
        'out',
        'values',
        'indices',
        'dtype',
        'backend',
        'module',
        'maxMemory',
        'width',
        'height',
        'title',
      ],
      ...['data', 'dims', 'type', 'dataSync', 'location', 'stride', 'strides', 'offset', 'name of theirs'],
    ]);
    const polluted = new Set<string>();

    function pollute(name: string, value: unknown, enumerable: boolean): void {
      Object.defineProperty(Object.prototype, name, { value, enumerable, configurable: true, writable: true });
      polluted.add(name);
    }

    function clean(): void {
      for (const name of polluted) Reflect.deleteProperty(Object.prototype, name);
      polluted.clear();
    }

    afterEach(clean);

    // The calls are made before anything is polluted.
    const all = allCalls();
    const firsts = operations.map((operation) => all.find((call) => call.operation === operation) as Call);

    /** Every function, called with all options, with some and with none. */
    function results(own: Kernels): unknown[] {
      const like = { data: Float32Array.of(1, 2, 3, 1, 5, 1), shape: SHAPE };
      const some = (call: Call, ...options: object[]) => {
        const first = Object.keys(call.arguments)[0] as string;
        return runBy(own, call.operation.name, ...Object.values({ ...call.arguments, [first]: like }), ...options);
      };
      using x = own.zeros(SHAPE);
      return [
        ...all.map((call) => run(own, call)),
        // Without a seed, each call would draw differently.
        ...all.filter(({ operation }) => operation.name !== 'sample').map((call) => some(call)),
        ...firsts.map((call) => some(call, call.operation.name === 'sample' ? { seed: 1 } : {})),
        ...all
          .filter(({ operation }) => Object.hasOwn(operation, 'out'))
          .map((call) => run(own, call, { out: outFor(call) })),
        own.sigmoid([1], {}),
        own.argmax([3, 4]),
        own.argmax([3, 4], {}),
        own.softmax([1, 2]),
        own.softmax([1, 2], {}),
        own.topK([3, 4], 1),
        own.softmax(x, {}).shape,
        own.logSumExpState({}).add([1, 2], {}).add([3]).value,
        own.logSumExpState.from(own.logSumExpState({ rows: 2 }).add(like).toJSON()).value,
        own
          .crossEntropyState({ rows: 2 })
          .add(like, { targets: [0, 1], offset: 0 })
          .gradient(like, { offset: 0 }),
        own.tensor([1, 2]).shape,
        own.tensor(like, undefined, {}).dtype,
        own.zeros([2]).dtype,
        own.backendInfo(),
        reliabilityDiagram(own.calibrationError([0, 1], [0, 1], { from: 'probabilities' }), {}),
      ];
    }

    test('with additional properties changes nothing', () => {
      const expected = results(kernels);
      for (const name of NAMES) {
        for (const value of [12345.678, null]) {
          for (const enumerable of [true, false]) {
            let actual: unknown;
            let error: unknown;
            pollute(name, value, enumerable);
            try {
              actual = results(kernels);
            } catch (caught) {
              error = caught;
            }
            clean();
            expect(error, `${name} = ${value}`).toBe(undefined);
            expect(actual, `${name} = ${value}`).toEqual(expected);
          }
        }
      }
    });

    test('with additional properties does not change which names are unknown', () => {
      const message = 'softmax: unknown option "dim", the name is axis here';
      const options = { dim: 1 };
      pollute('dim', 0, true);
      expect([...kernels.softmax([1, 1], {})]).toEqual([0.5, 0.5]);
      expect(() => kernels.softmax([1, 1], options as object)).toThrow(new TypeError(message));
    });

    test('is the only prototype whose properties are ignored', () => {
      class Options {
        get shape() {
          return [2, 2];
        }
      }
      Object.defineProperty(Options.prototype, 'shape', { enumerable: true });
      const defaults = Object.freeze({ shape: [2, 2], axis: 0 });
      const bare = Object.assign(Object.create(null), defaults);
      const run = () => {
        const x = [1, 1, 1, 1];
        const given: object[] = [new Options(), Object.create(defaults), bare, Object.create(bare)];
        return given.map((options) => [...kernels.softmax(x, options)]);
      };
      const halves = new Array(4).fill([0.5, 0.5, 0.5, 0.5]);
      expect(run()).toEqual(halves);
      pollute('shape', [4], true);
      const again = run();
      clean();
      expect(again).toEqual(halves);
      expect(() => kernels.softmax([1], Object.create({ dim: 1 }))).toThrow('softmax: unknown option "dim"');
    });
  });
});

describe('settings', () => {
  test('revoked, or of a polluted Object.prototype', async () => {
    const bad = revoked({}) as never;
    const start = (operation: string, name: string) => `${operation}: ${name} is a revoked proxy, expected `;
    for (const name of ['backend', 'module', 'maxMemory']) {
      expectTypeError(() => createKernels({ [name]: bad }), start('createKernels', name));
      await expect(init({ [name]: bad })).rejects.toThrow(start('init', name));
    }
    expectTypeError(() => createKernels(bad), start('createKernels', 'options'));
    for (const name of ['backend', 'module', 'maxMemory']) {
      for (const enumerable of [true, false]) {
        Object.defineProperty(Object.prototype, name, { value: 'x', enumerable, configurable: true, writable: true });
        const thrown = thrownBy(() => [createKernels(), createKernels({}), createKernels({ backend: 'reference' })]);
        const made = await init().catch((error: unknown) => error);
        Reflect.deleteProperty(Object.prototype, name);
        expect(thrown).toBe(undefined);
        expect(made).toHaveProperty('tried');
      }
    }
  });

  test('a module is recognized by what it is, not by its properties', () => {
    const message = 'createKernels: module is an object, expected a WebAssembly.Module';
    for (const module of [
      { [Symbol.toStringTag]: 'WebAssembly.Module' },
      Object.create(WebAssembly.Module.prototype),
    ]) {
      expect(() => createKernels({ module })).toThrow(new TypeError(message));
    }
  });
});
