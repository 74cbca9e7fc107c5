import { describe, expect, test } from 'vitest';
import { type Kernels, Tensor } from '../src/index.js';
import { operations } from './operations/index.js';
import { logSigmoid } from './operations/logSigmoid.js';
import { softmax } from './operations/softmax.js';
import { sets, type TestSet } from './support/backends.js';
import { GUARD } from './support/compare.js';
import { callsOf, outFor } from './support/operation.js';

/**
 * Callers whose own code runs while a call reads its arguments, and does anything to those that were read before;
 * and typed arrays that misrepresent themselves. A call gives the right result or an error of ours, and changes nothing
 * but its result.
 */

type Numbers = Float32Array | Uint8Array | Int32Array;
type Operation = Exclude<keyof Kernels, 'zeros' | 'backendInfo' | 'memoryUsage'>;

/** A call: its positional arguments by name, and its options. Its typed arrays are attacked. */
interface Call {
  readonly operation: Operation;
  readonly positional: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
}

const ROWS = 3;
const N = 5;
const SHAPE = [ROWS, N];

function floats(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.abs(Math.sin(7 * i + seed)));
}

/** Every way to call every operation, and some calls that are too large for the fast path. */
function calls(): Call[] {
  const small = operations.flatMap((operation) => callsOf(operation, { dtype: 'float32', shape: SHAPE, axis: 1 }));
  const large = [softmax, logSigmoid].flatMap((operation) => {
    return callsOf(operation, { dtype: 'float32', shape: [2, 600], axis: 1 });
  });
  return [
    ...[...small, ...large].map((call): Call => {
      const { operation, filled, arguments: positional } = call;
      // Operands that broadcast are attacked as arrays of their own.
      const flat = Object.entries(call.options).filter(([name]) => filled[name]?.size !== 'broadcast');
      const out = outFor(call);
      const options = { ...Object.fromEntries(flat), ...(out !== undefined && { out }) };
      return { operation: operation.name, positional, options };
    }),
    { operation: 'tensor', positional: { data: floats(ROWS * N), shape: SHAPE }, options: { dtype: 'float32' } },
  ];
}

/** Where the elements of an argument are. */
type Form = 'array' | 'tracking' | 'tensor' | 'view' | 'part';

/** An argument of a call, with what can be done to it. */
interface Held {
  readonly value: unknown;
  /** Its current elements, even if growth has moved them. */
  read(): number[];
  readonly tensor?: Tensor;
  readonly buffer?: ArrayBuffer;
}

type TypedConstructor = new (buffer: ArrayBufferLike, offset?: number, length?: number) => Numbers;

type Resizable = ArrayBuffer & { resize(bytes: number): void };

function resizable(bytes: number): Resizable {
  const Type = ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable;
  return new Type(bytes, { maxByteLength: bytes });
}

/** The elements of an array, even if it misrepresents itself. */
function elementsOf(array: ArrayLike<number>, length: number): number[] {
  return Array.from({ length }, (_, i) => array[i] as number);
}

function hold(kernels: Kernels, form: Form, numbers: Numbers, tensorShape: number[]): Held {
  const Type = numbers.constructor as TypedConstructor;
  const { length, byteLength } = numbers;
  if (form === 'array') {
    const array = numbers.slice();
    return { value: array, read: () => elementsOf(array, length), buffer: array.buffer };
  }
  if (form === 'tracking') {
    const buffer = resizable(2 * byteLength);
    buffer.resize(byteLength);
    const array = new Type(buffer);
    array.set(numbers);
    return { value: array, read: () => elementsOf(array, length), buffer };
  }
  const before = form === 'part' ? 4 : 0;
  const tensor = kernels.zeros(form === 'tensor' ? tensorShape : [before + Math.ceil(byteLength / 4) + before]);
  const view = () => new Type(tensor.data.buffer, tensor.data.byteOffset + 4 * before, length);
  view().set(numbers);
  const read = () => [...view()];
  if (form === 'tensor') return { value: tensor, read, tensor };
  const isData = form === 'view' && numbers instanceof Float32Array;
  return { value: isData ? tensor.data : view(), read, tensor };
}

/** The names of the typed arrays among the arguments of a call; those of an object are nested. */
function victims({ positional, options }: Call): string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries({ ...positional, ...options })) {
    if (ArrayBuffer.isView(value)) names.push(name);
    else if (name === 'out') names.push('out.values', 'out.indices');
  }
  return names;
}

/** The typed array of that name. */
function numbersOf({ positional, options }: Call, name: string): Numbers {
  const found = name.split('.').reduce<unknown>((from, key) => (from as Record<string, unknown>)[key], {
    ...positional,
    ...options,
  });
  return found as Numbers;
}

/** The call with another value in place of a typed array. */
function replace({ operation, positional, options }: Call, name: string, value: unknown): Call {
  const [key, nested] = name.split('.') as [string, string | undefined];
  const swap = (from: Readonly<Record<string, unknown>>) => {
    if (!(key in from)) return from;
    return { ...from, [key]: nested === undefined ? value : { ...(from[key] as object), [nested]: value } };
  };
  return { operation, positional: swap(positional), options: swap(options) };
}

function run(kernels: Kernels, { operation, positional, options }: Call): unknown {
  const operate = kernels[operation] as (...given: unknown[]) => unknown;
  return operate(...Object.values(positional), options);
}

/** A result in a comparable form: `out` is read where it is, and tensors that the call made are disposed. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) {
    const data = [...value.toArray()];
    value.dispose();
    return { data, shape: value.shape };
  }
  if (ArrayBuffer.isView(value)) return [...(value as Float32Array)];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** The result without `out`, and the content of `out`. */
function outcome(call: Call, name: string, held: Held | undefined, result: unknown): unknown {
  const { out } = call.options;
  if (out === undefined) return plain(result);
  const others = result === out ? {} : { loss: plain((result as { loss?: unknown }).loss) };
  if (held !== undefined && name.startsWith('out')) {
    const nested = name.split('.')[1];
    if (nested === undefined) return { ...others, out: held.read() };
    const [other] = Object.keys(out as object).filter((key) => key !== nested) as [string];
    return { [nested]: held.read(), [other]: plain((out as Record<string, unknown>)[other]) };
  }
  return ArrayBuffer.isView(out) ? { ...others, out: plain(out) } : plain(out);
}

/** What the call gives without interference. */
function expectedOf(kernels: Kernels, call: Call, name: string, form: Form): unknown {
  const held = hold(kernels, form, numbersOf(call, name), shapeOf(numbersOf(call, name), call));
  const calm = replace(call, name, held.value);
  const found = outcome(calm, name, held, run(kernels, calm));
  held.tensor?.dispose();
  return found;
}

/** The shape of a tensor with these numbers: that of the call if it has as many elements. */
function shapeOf({ length }: Numbers, { options }: Call): number[] {
  const shape = (options.shape ?? SHAPE) as number[];
  return length === shape[0]! * shape[1]! ? shape : [length];
}

/**
 * Ways to run code in the middle of a call, after the first look at its arguments: in every getter of an option, in the
 * elements of shape, in those of plain numbers and in the getters of a tensor-like object.
 */
function* interruptions(call: Call, name: string, act: () => void): Generator<[how: string, call: Call]> {
  const [key] = name.split('.') as [string];
  const { operation, positional, options } = call;
  let acted = false;
  const once = () => {
    if (acted) return;
    acted = true;
    act();
  };
  const getter = <T extends object>(target: T, property: PropertyKey, value: unknown): T =>
    Object.defineProperty(target, property, {
      get: () => {
        once();
        return value;
      },
      enumerable: true,
      configurable: true,
    });
  for (const [option, value] of Object.entries(options)) {
    acted = false;
    if (option === key) {
      if (name === 'out.values') {
        const out = getter({ ...(value as object) }, 'indices', (value as { indices: unknown }).indices);
        yield ['getter of out.indices', { ...call, options: { ...options, out } }];
      }
      continue;
    }
    yield [`getter of ${option}`, { ...call, options: getter({ ...options }, option, value) }];
    acted = false;
    if (option === 'shape') {
      const elements = getter([...(value as number[])], 0, (value as number[])[0]);
      yield ['element of shape', { ...call, options: { ...options, shape: elements } }];
    } else if (value instanceof Float32Array && option !== 'out') {
      yield [`element of ${option}`, { ...call, options: { ...options, [option]: getter([...value], 1, value[1]) } }];
    }
  }
  const keys = new Proxy(options, {
    ownKeys: (target) => {
      once();
      return Reflect.ownKeys(target);
    },
  });
  acted = false;
  if (key in positional) yield ['keys of the options', { ...call, options: keys }];
  const names = Object.keys(positional);
  for (const [argument, value] of Object.entries(positional)) {
    if (!(key in positional) || names.indexOf(argument) <= names.indexOf(key)) continue;
    if (!(value instanceof Float32Array)) continue;
    acted = false;
    const data = [...value];
    const isTargets = argument === 'targets' && operation.startsWith('crossEntropy');
    if (!isTargets)
      yield [
        `element of ${argument}`,
        { ...call, positional: { ...positional, [argument]: getter(data, 2, value[2]) } },
      ];
    acted = false;
    const like = getter({ shape: SHAPE }, 'data', value);
    yield [`data of ${argument}`, { ...call, positional: { ...positional, [argument]: like } }];
  }
  if (operation === 'tensor') {
    acted = false;
    const elements = getter([...SHAPE], 1, N);
    yield ['element of shape', { ...call, positional: { ...positional, shape: elements } }];
  }
}

/** Tensors on both sides of all memory that a call uses. */
function guarded(kernels: Kernels): { check(what: string): void; dispose(): void } {
  const guards = [1, 16, 64].map((size) => {
    const tensor = kernels.zeros([size]);
    tensor.data.fill(GUARD);
    return tensor;
  });
  return {
    check(what) {
      for (const guard of guards) {
        if (guard.toArray().some((value) => value !== Math.fround(GUARD))) expect.fail(`${what}: a tensor was changed`);
      }
    },
    dispose() {
      for (const guard of guards) guard.dispose();
    },
  };
}

/** The outcome of a call: its result, or the error. */
function attempt(kernels: Kernels, call: Call): { result?: unknown; error?: Error } {
  try {
    return { result: run(kernels, call) };
  } catch (error) {
    return { error: error as Error };
  }
}

// This tests TypeScript, which is the same for all sets: two suffice, one of them with the kernels' assertions.
const hostileSets = sets.filter(({ name }) => name === 'reference' || name === 'debug');
const isFloats = (numbers: Numbers) => numbers instanceof Float32Array;
const named = (call: Call) => `${call.operation}(${Object.keys({ ...call.positional, ...call.options }).join(', ')})`;
/** Every argument of every operation that may be attacked, by operation. */
const cases = calls().map((call) => ({ what: named(call), attacked: victims(call).map((name) => ({ call, name })) }));
type Attacked = (typeof cases)[number]['attacked'][number];

/** A test for each operation, with all its arguments that may be attacked. */
function testArguments(title: string, check: (each: Attacked) => void): void {
  test.each(cases)(`${title}: $what`, ({ attacked }) => {
    attacked.forEach(check);
  });
}

describe.each(hostileSets)('$name', (set: TestSet) => {
  const { kernels } = set;

  /** Runs every interruption of a call, and checks what must hold for any outcome. */
  function interrupt(
    { call, name }: Attacked,
    form: Form,
    act: (held: Held, kernels: Kernels) => (() => void) | undefined,
    judge: (found: { result?: unknown; error?: Error }, expected: unknown, what: string, read: () => unknown) => void,
    setFor = () => kernels,
  ): void {
    const numbers = numbersOf(call, name);
    const expected = expectedOf(kernels, call, name, form);
    const count = [...interruptions(call, name, () => undefined)].length;
    for (let i = 0; i < count; i++) {
      const own = setFor();
      const usage = own.memoryUsage();
      const first = guarded(own);
      const held = hold(own, form, numbers, shapeOf(numbers, call));
      const second = guarded(own);
      let undo: (() => void) | undefined;
      let acted = false;
      const fresh = structuredClone(call);
      const all = interruptions(replace(fresh, name, held.value), name, () => {
        acted = true;
        undo = act(held, own);
      });
      for (let skipped = 0; skipped < i; skipped++) all.next();
      const [how, hostile] = all.next().value as [string, Call];
      const what = `${name}, ${form}: ${how}`;
      const found = attempt(own, hostile);
      if (!acted) expect.fail(`${what} did not run`);
      judge(found, expected, what, () => outcome(hostile, name, held, found.result));
      if (found.error !== undefined) expectOurs(found.error, call.operation, what);
      first.check(what);
      second.check(what);
      undo?.();
      first.dispose();
      second.dispose();
      held.tensor?.dispose();
      if (found.result instanceof Tensor) found.result.dispose();
      expect(own.memoryUsage(), what).toEqual(usage);
    }
  }

  function expectOurs(error: Error, operation: string, what: string): void {
    const isKnown = error.constructor === TypeError || error.constructor === RangeError;
    if (!isKnown || !error.message.startsWith(`${operation}: `)) expect.fail(`${what}: ${error}`);
  }

  describe('code of the caller in the middle of a call', () => {
    testArguments('that detaches an argument', (each) => {
      const act = ({ buffer }: Held) => {
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
        return undefined;
      };
      interrupt(each, 'array', act, ({ error }, _, what) => {
        const argument = `${each.call.operation}: ${each.name}`;
        expect(error?.message, what).toBe(`${argument} is detached, expected an array whose buffer is alive`);
      });
    });

    testArguments('that resizes an argument', (each) => {
      const { length, BYTES_PER_ELEMENT } = numbersOf(each.call, each.name);
      for (const size of [length - 1, length + 1]) {
        const act = ({ buffer }: Held) => {
          (buffer as Resizable).resize(size * BYTES_PER_ELEMENT);
          return undefined;
        };
        interrupt(each, 'tracking', act, ({ error }, _, what) => {
          expect(error, what).toBeInstanceOf(RangeError);
          expect(error?.message, what).toContain(`${each.call.operation}: ${each.name} has ${size} elements, expected`);
        });
      }
    });

    testArguments('that disposes an argument', (each) => {
      if (!isFloats(numbersOf(each.call, each.name))) return;
      const act = ({ tensor }: Held) => {
        tensor?.dispose();
        return undefined;
      };
      interrupt(each, 'tensor', act, ({ error }, _, what) => {
        const argument = `${each.call.operation}: ${each.name}`;
        expect(error?.message, what).toBe(`${argument} is disposed, expected a tensor that is alive`);
      });
    });

    testArguments('that disposes the tensor under an argument and takes its place', (each) => {
      if (!isReadFirst(each)) return;
      const act = ({ tensor }: Held, own: Kernels) => {
        const { size } = tensor as Tensor;
        tensor?.dispose();
        const other = own.zeros([size]);
        other.data.fill(GUARD);
        return () => {
          expect([...other.data].every((value) => value === Math.fround(GUARD))).toBe(true);
          other.dispose();
        };
      };
      for (const form of ['view', 'part'] as const) {
        interrupt(each, form, act, ({ error, result }, expected, what, read) => {
          // Integers and masks in linear memory are copied when they are read.
          if (!isFloats(numbersOf(each.call, each.name)) && !each.name.startsWith('out')) {
            expect(result, what).toBeDefined();
            expect(read(), what).toEqual(expected);
            return;
          }
          const argument = `${each.call.operation}: ${each.name}`;
          expect(error?.message, what).toBe(`${argument} views a tensor that is disposed, expected one that is alive`);
        });
      }
    });

    testArguments('that makes the memory grow under an argument', (each) => {
      if (!isReadFirst(each)) return;
      // The reference copies its memory when that grows, by a quarter: a set shared by all tests would copy many
      // megabytes.
      const shared = set.name === 'reference' ? undefined : set.create();
      const act = (_: Held, own: Kernels) => {
        const made = [own.zeros([1])];
        const { buffer } = made[0]!.data;
        while (made.at(-1)!.data.buffer === buffer) made.push(own.zeros([2 ** 18]));
        return () => {
          for (const tensor of made) tensor.dispose();
        };
      };
      interrupt(
        each,
        'part',
        act,
        ({ error }, expected, what, read) => {
          expect(error, what).toBeUndefined();
          expect(read(), what).toEqual(expected);
        },
        () => shared ?? set.create(),
      );
    });

    testArguments('that calls the library', (each) => {
      const act = (_: Held, own: Kernels) => {
        own.softmax(new Float32Array(4000), { shape: [10, 4, 100], axis: 1 });
        own.softmax(new Float32Array(7), { temperature: 3 });
        own.crossEntropyWithGrad(floats(6), [0, 1], { shape: [2, 3], weight: [1, 2, 3] });
        own.logSumExp(new Float64Array(70), { shape: [7, 5, 2], axis: 1, mask: new Uint8Array(2).fill(1) });
        own.topK(floats(9), 2);
        own.zeros([10]).dispose();
        return undefined;
      };
      for (const form of ['array', 'view'] as const) {
        interrupt(each, form, act, ({ error }, expected, what, read) => {
          expect(error, what).toBeUndefined();
          expect(read(), what).toEqual(expected);
        });
      }
    });
  });
});

/** Arguments that also take typed arrays of another kind. */
const DISGUISES: Record<string, (array: Numbers, memory: ArrayBufferLike) => unknown> = {
  'properties that lie': (array, buffer) => {
    const lies = {
      length: 1e6,
      byteLength: 4e6,
      byteOffset: 2 ** 19,
      buffer,
      BYTES_PER_ELEMENT: 1,
      constructor: Float64Array,
    };
    for (const [name, value] of Object.entries(lies)) Object.defineProperty(array, name, { value });
    return array;
  },
  'a length that is too short': (array) => Object.defineProperty(array, 'length', { value: 2 }),
  'properties that throw': (array) => {
    for (const name of PROPERTIES) {
      Object.defineProperty(array, name, {
        get: () => {
          throw new Error(`${String(name)} of the array itself was read`);
        },
      });
    }
    return array;
  },
  'the prototype of another type': (array) => Object.setPrototypeOf(array, BigInt64Array.prototype),
  'no prototype': (array) => Object.setPrototypeOf(array, null),
};

/** The prototype from which all typed arrays inherit. */
const PROPERTIES = new Set(
  [Uint8Array.prototype, Object.getPrototypeOf(Uint8Array.prototype) as object].flatMap(Reflect.ownKeys),
);

describe.each(hostileSets)('$name', ({ kernels }: TestSet) => {
  const memory = kernels.zeros([0]).data.buffer;

  describe.each(Object.entries(DISGUISES))('a typed array with %s', (_, disguise) => {
    testArguments('is taken for what it is', ({ call, name }) => {
      for (const form of ['array', 'part'] as const) {
        const expected = expectedOf(kernels, call, name, form);
        const guards = guarded(kernels);
        const held = hold(kernels, form, numbersOf(call, name), []);
        const value = held.value as Numbers;
        const given = replace(structuredClone(call), name, disguise(value, memory));
        const found = outcome(given, name, held, run(kernels, given));
        expect(found, `${name}, ${form}`).toEqual(expected);
        guards.check(form);
        guards.dispose();
        held.tensor?.dispose();
      }
    });
  });

  testArguments('an array with the prototype of another type stays within its memory', ({ call, name }) => {
    for (const { prototype } of [Float32Array, Float64Array]) {
      for (const form of ['array', 'part', 'view'] as const) {
        const guards = guarded(kernels);
        const usage = kernels.memoryUsage();
        const numbers = numbersOf(call, name);
        for (const own of [numbers, new BigInt64Array(numbers.length) as unknown as Numbers]) {
          const held = hold(kernels, form, own, []);
          const given = replace(structuredClone(call), name, Object.setPrototypeOf(held.value, prototype));
          const { result } = attempt(kernels, given);
          plain(result);
          guards.check(`${name}, ${form}`);
          held.tensor?.dispose();
        }
        expect(kernels.memoryUsage()).toEqual(usage);
        guards.dispose();
      }
    }
  });

  test('float64 that claims to be float32 does not write more than an out of float32 holds', () => {
    const out = kernels.zeros([8, 8]);
    const guards = guarded(kernels);
    const x = Object.setPrototypeOf(new Float64Array(64), Float32Array.prototype);
    expect(() => kernels.softmax(x, { shape: [8, 8], axis: 0, out: out.data })).toThrow(TypeError);
    guards.check('softmax');
    guards.dispose();
    out.dispose();
  });

  testArguments('an array that is out of the bounds of its buffer', ({ call, name }) => {
    const numbers = numbersOf(call, name);
    const Type = numbers.constructor as TypedConstructor;
    const bytes = numbers.byteLength;
    for (const length of [numbers.length, undefined]) {
      const buffer = resizable(8 + bytes);
      const array = new Type(buffer, 8, length);
      buffer.resize(4);
      const { error } = attempt(kernels, replace(structuredClone(call), name, array));
      const expected = 'expected an array whose buffer is alive';
      expect(error).toEqual(new TypeError(`${call.operation}: ${name} is detached, ${expected}`));
    }
  });

  const lengths: unknown[] = [-1, 1.5, NaN, '2', 2 ** 32, 2 ** 53, {}, undefined];

  test.each(calls().map((call) => ({ call, what: named(call) })))('shapes that are proxies: $what', ({ call }) => {
    const place = 'shape' in call.options ? 'options' : 'positional';
    if (!('shape' in call[place])) return;
    const usual = call[place].shape as number[];
    const given = (shape: unknown): Call => ({
      ...structuredClone(call),
      [place]: { ...structuredClone(call)[place], shape },
    });
    const expected = plain(run(kernels, structuredClone(call)));
    const reads = new Map<PropertyKey, number>();
    const fickle = new Proxy(usual, {
      get(target, key) {
        const count = (reads.get(key) ?? 0) + 1;
        reads.set(key, count);
        return count === 1 ? Reflect.get(target, key) : 1e6;
      },
    });
    expect(plain(run(kernels, given(fickle)))).toEqual(expected);
    for (const length of lengths) {
      const odd = new Proxy(usual, { get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)) });
      const { error } = attempt(kernels, given(odd));
      expect(error?.message).toMatch(new RegExp(`^${call.operation}: shape.length is .*, expected a whole number`));
    }
    const lying = Object.defineProperty(Int32Array.from(usual), 'length', { value: 3 });
    expect(plain(run(kernels, given(lying)))).toEqual(expected);
  });

  testArguments('plain numbers with an odd length', ({ call, name }) => {
    if (name.startsWith('out')) return;
    for (const length of lengths) {
      const odd = new Proxy([...numbersOf(call, name)], {
        get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)),
      });
      const { error } = attempt(kernels, replace(structuredClone(call), name, odd));
      expect(error?.message).toMatch(new RegExp(`^${call.operation}: ${name}.length is .*, expected a whole number`));
    }
  });

  describe('a tensor', () => {
    const { tensor, zeros, softmax, logSumExp, topK, crossEntropyWithGrad } = kernels;

    test('has a shape that callers cannot change', () => {
      const shape = [2, 3];
      const like = { data: new Float32Array(6), shape: [3, 2] };
      using a = zeros(shape);
      using b = tensor([1, 2, 3, 4, 5, 6], shape);
      using c = tensor(like);
      shape[0] = 50;
      like.shape[0] = 50;
      expect([a.shape, b.shape, c.shape]).toEqual([
        [2, 3],
        [2, 3],
        [3, 2],
      ]);
      using y = softmax(b, { shape: [2, 3] });
      using lse = logSumExp(b, { axis: 0, keepDims: true });
      using best = topK(b, 2).values;
      using grad = crossEntropyWithGrad(b, [0, 1]).grad;
      for (const made of [a, b, c, y, lse, best, grad]) {
        expect(Object.isFrozen(made.shape)).toBe(true);
        expect(made.shape).toBe(made.shape);
        expect(() => {
          (made.shape as number[])[0] = 50;
        }).toThrow(TypeError);
      }
    });

    test('cannot be made to reach beyond its memory', () => {
      using x = tensor([1, 2, 3, 4], [2, 2]);
      const guards = guarded(kernels);
      const changes = { shape: [50, 2], size: 100, dtype: 'float64', data: memory, disposed: true };
      for (const [name, value] of Object.entries(changes)) {
        expect(() => Object.assign(x, { [name]: value }), name).toThrow(TypeError);
        expect(x).toMatchObject({ shape: [2, 2], size: 4, dtype: 'float32' });
      }
      const { toArray } = Tensor.prototype;
      const deceptions = [
        ...Object.entries({ ...changes, address: 0, runtime: {} }).map(([name, value]) => {
          return () => Object.defineProperty(x, name, { value, configurable: true });
        }),
        () => Object.setPrototypeOf(x, { shape: [50, 2], size: 100 }),
      ];
      const expected = softmax([1, 2, 3, 4], { shape: [2, 2] });
      for (const deceive of deceptions) {
        deceive();
        using y = softmax(x);
        using out = zeros([2, 2]);
        Object.defineProperty(out, 'size', { value: 100 });
        softmax(x, { out });
        using copy = tensor(x);
        expect([toArray.call(y), toArray.call(out)]).toEqual([expected, expected]);
        expect(copy.toArray()).toEqual(new Float32Array([1, 2, 3, 4]));
        guards.check('deceived');
      }
      Object.setPrototypeOf(x, Tensor.prototype);
      guards.dispose();
    });

    test('is neither an object that inherits from one nor a proxy of one', () => {
      using x = tensor([1, 2, 3, 4], [2, 2]);
      for (const other of [new Proxy(x, {}), Object.create(x) as Tensor]) {
        expect(() => softmax(other)).toThrow(
          new TypeError('softmax: x is a proxy of a tensor, expected the tensor itself'),
        );
        expect(() => tensor(other)).toThrow(
          new TypeError('tensor: data is a proxy of a tensor, expected the tensor itself'),
        );
        for (const use of [() => other.data, () => other.toArray(), () => other.disposed, () => other.dispose()]) {
          expect(use).toThrow(new TypeError('Tensor: this is a proxy of a tensor, expected the tensor itself'));
        }
      }
    });

    test('copies correctly if its view or the target is disguised', () => {
      for (const [how, disguise] of Object.entries(DISGUISES)) {
        using x = tensor([1, 2, 3, 4]);
        disguise(x.data as Float32Array, memory);
        expect(elementsOf(x.toArray(), 5), how).toEqual([1, 2, 3, 4, undefined]);
        using copy = tensor(x);
        expect([...copy.toArray()]).toEqual([1, 2, 3, 4]);
        const target = new Float32Array(4);
        const given = disguise(target, memory) as Float32Array;
        expect(x.copyTo(given)).toBe(given);
        expect(elementsOf(target, 4), how).toEqual([1, 2, 3, 4]);
      }
      using x = tensor([1, 2]);
      const buffer = resizable(16);
      const array = new Float32Array(buffer, 8, 2);
      buffer.resize(8);
      expect(() => x.copyTo(array)).toThrow(
        new TypeError('Tensor.copyTo: array is detached, expected an array whose buffer is alive'),
      );
      expect(() => x.copyTo(zeros([2]) as never)).toThrow(
        new TypeError('Tensor.copyTo: array is an object, expected a Float32Array'),
      );
    });
  });
});

/** All but a mask and what is in `out`: those are read after some of the options that could interrupt. */
function isReadFirst({ call, name }: { call: Call; name: string }): boolean {
  return name in call.positional || name === 'out';
}
