/**
 * Results that overlap arguments: every operation that takes `out` × every argument, with `out` in exactly its range
 * and in a part of it. The call gives the same result as without overlap, or it is refused and does not write a byte.
 */

import { describe, expect, test } from 'vitest';
import * as sources from '../src/generated/kernels.js';
import { HEADER_BYTES } from '../src/generated/layout.js';
import type { Kernels, Tensor } from '../src/index.js';
import type { KernelSource, WasmFunction } from '../src/wasm/kernel.js';
import { operations } from './operations/index.js';
import { debugModule, setOf, sets, type TestSet } from './support/backends.js';
import { DTYPES, type Dtype, type Floats, newFloats, numbers, sizeOf } from './support/cases.js';
import { CONTRACTS_OF_PARTS, type Contract, PLACES, type Places, SIZES } from './support/contracts.js';
import { type Call, callsOf, type Filled, outLength, run } from './support/operation.js';

type Elements = Filled['data'];

/** An argument, and what may happen when `out` overlaps it: see Operand. */
type Argument = Pick<Filled, 'data' | 'shape' | 'overlap'>;

/** An array; for floats also a Tensor. */
type Given = Elements | Tensor;

interface Case {
  readonly operation: string;
  readonly arguments: Readonly<Record<string, Argument>>;
  /** The number of elements of `out`, which is an Int32Array for indices. */
  readonly size: number;
  readonly isInteger?: boolean;
  /** The name of `out` in errors. */
  readonly out?: string;
  /** What the call returns in addition to `out`. */
  readonly call: (kernels: Kernels, given: Readonly<Record<string, Given>>, out: Given) => unknown;
}

/** A shape and an axis for every form; the last one has results of reductions as large as the argument. */
const FORMS: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[2, 50], 1],
  [[5, 7], 1],
  [[2, 5, 17], 1],
  [[1, 50, 3], 1],
  [[6, 1], 1],
];

/** Every call that takes `out`. Integers are as wide as floats, so that they can have exactly the same range. */
function casesOf(dtype: Dtype, shape: readonly number[], axis: number): Case[] {
  const layout = { dtype, shape, axis };
  return operations
    .filter(({ out }) => out !== undefined)
    .flatMap((operation) => callsOf(operation, layout, { seed: sizeOf(shape), integers: 'as wide as the floats' }))
    .flatMap((call) => (call.operation.out === 'ranking' ? rankingCases(call) : [caseOf(call)]));
}

/** Replacements for a call's arguments. An operand that broadcasts gets a shape, unless it is a tensor. */
function replacing({ filled }: Call, given: Readonly<Record<string, Given>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, data]) => {
      const { size, shape } = filled[name] as Filled;
      return [name, size === 'broadcast' && ArrayBuffer.isView(data) ? { data, shape } : data];
    }),
  );
}

function caseOf(call: Call): Case {
  const { operation, filled } = call;
  return {
    operation: operation.name,
    arguments: filled,
    size: outLength(call),
    isInteger: operation.out === 'row indices',
    call: (kernels, given, out) => run(kernels, call, { ...replacing(call, given), out }),
  };
}

/** Operations with two results: each may overlap x, and the indices may overlap the values. */
function rankingCases(call: Call): Case[] {
  const { operation, filled, layout } = call;
  const size = outLength(call);
  const x = filled.x as Filled;
  const rank = (kernels: Kernels, given: Given, out: object) => run(kernels, call, { x: given, out });
  return [
    {
      operation: operation.name,
      arguments: filled,
      size,
      out: 'out.values',
      call: (kernels, given, values) => {
        const indices = new Int32Array(size);
        rank(kernels, given.x as Given, { values, indices });
        return indices;
      },
    },
    {
      operation: operation.name,
      arguments: {
        x: { ...x, overlap: 'none' },
        values: { data: numbers(layout.dtype, size, 'within ±8', 9), shape: [size], overlap: 'none' },
      },
      size,
      isInteger: true,
      out: 'out.indices',
      call: (kernels, given, indices) => {
        rank(kernels, given.x as Given, { values: given.values, indices });
      },
    },
  ];
}

/** The buffer of arguments and results. It is looked up again each time, because linear memory may grow in a call. */
interface Pool {
  readonly bytes: () => Uint8Array<ArrayBuffer>;
}

const POOL_BYTES = 12_288;
/** The offset of the argument that `out` overlaps. The other arguments begin at OTHERS, 64 bytes apart. */
const VICTIM = 1536;
const OTHERS = 4608;

function poolsOf(kernels: Kernels): Record<string, Pool> {
  const buffer = new ArrayBuffer(POOL_BYTES);
  const resident = kernels.zeros([POOL_BYTES / 8], { dtype: 'float64' });
  const view = () => {
    const { data } = resident;
    return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, POOL_BYTES);
  };
  return { 'typed arrays': { bytes: () => new Uint8Array(buffer) }, 'linear memory': { bytes: view } };
}

/** An array of the same type and length as the model, in the pool. */
function viewAt<A extends Elements>(pool: Pool, model: A, at: number): A {
  const { buffer, byteOffset } = pool.bytes();
  const kind = model.constructor as new (buffer: ArrayBuffer, byteOffset: number, length: number) => A;
  return new kind(buffer, byteOffset + at, model.length);
}

function place(pool: Pool, model: Elements, at: number): Elements {
  const view = viewAt(pool, model, at);
  view.set(model as never);
  return view;
}

function wordsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength / 4);
}

function areSame(a: Elements | Uint8Array, b: Elements | Uint8Array): boolean {
  const [words, others] = [wordsOf(a), wordsOf(b)];
  for (let i = 0; i < words.length; i++) if (words[i] !== others[i]) return false;
  return words.length === others.length;
}

/** The offset of `out` from the argument's start, and the expected outcome: 'same' means that it is allowed. */
type Placement = readonly [name: string, shift: number, rule: Argument['overlap']];

function placements(victim: Argument, out: Elements): Placement[] {
  const { byteLength: own } = victim.data;
  const { byteLength: length, BYTES_PER_ELEMENT: step } = out;
  const part = victim.overlap === 'copied' ? 'copied' : 'none';
  const all: Placement[] = [
    ['one element on', step, part],
    ['one element back', -step, part],
    ['over the last element', own - step, part],
    ['over the first element', step - length, part],
  ];
  const inside = all.filter(([, shift]) => shift !== 0 && shift < own && -shift < length);
  const start: Placement = own === length ? ['the very range', 0, victim.overlap] : ['from the same start', 0, part];
  return [start, ...inside, ['right behind', own, 'same'], ['right before', -length, 'same']];
}

/** What a call returns in addition to `out`: losses or indices. */
function othersOf(given: unknown): Elements | undefined {
  const others = (given as { loss?: Floats } | undefined)?.loss ?? given;
  return others instanceof Int32Array || others !== given ? (others as Elements) : undefined;
}

function isRefusal(error: unknown, { operation, out = 'out' }: Case): boolean {
  if (!(error instanceof RangeError) || !error.message.startsWith(`${operation}: ${out} is `)) return false;
  return /, expected (the very range of|a range apart from) /.test(error.message);
}

/** Lays the result of a case over each of its arguments in turn. */
function expectSafe(set: TestSet, dtype: Dtype, c: Case, pools: Readonly<Record<string, Pool>>, form: string): void {
  const apart: Record<string, Elements> = {};
  for (const [name, { data }] of Object.entries(c.arguments)) apart[name] = data.slice() as Elements;
  const expected: Elements = c.isInteger ? new Int32Array(c.size) : newFloats(dtype, c.size);
  const others = othersOf(c.call(set.kernels, apart, expected));

  for (const [victimName, victim] of Object.entries(c.arguments)) {
    const all: readonly Placement[] = placements(victim, expected);
    for (const [home, pool] of Object.entries(pools)) {
      for (const [placement, shift, rule] of all) {
        const what = `${c.operation} of ${dtype} ${form} in ${home}, out ${placement} of ${victimName}`;
        pool.bytes().fill(0x3c);
        const given: Record<string, Elements> = {};
        let at = OTHERS;
        for (const [name, { data }] of Object.entries(c.arguments)) {
          const isVictim = name === victimName;
          given[name] = place(pool, data, isVictim ? VICTIM : at);
          if (!isVictim) at += ((data.byteLength + 63) & ~63) + 64;
        }
        const out = viewAt(pool, expected, VICTIM + shift);
        const before = pool.bytes().slice();
        let error: unknown;
        let result: unknown;
        try {
          result = c.call(set.kernels, given, out);
        } catch (thrown) {
          error = thrown;
        }
        if (error === undefined) {
          if (rule === 'none') expect.fail(`${what}: not refused`);
          const written = viewAt(pool, expected, VICTIM + shift);
          if (!areSame(written, expected)) expect.fail(`${what}: another result`);
          if (others !== undefined && !areSame(othersOf(result) as Elements, others)) {
            expect.fail(`${what}: another loss, or other indices`);
          }
        } else {
          if (rule === 'same') throw error;
          if (!isRefusal(error, c)) throw error;
          if (!areSame(pool.bytes(), before)) expect.fail(`${what}: refused, but something was written`);
        }
      }
    }
    if (!c.isInteger && victim.data.length === c.size && victim.data instanceof expected.constructor) {
      expectSafeTensor(set, dtype, c, victimName, expected as Floats, `${c.operation} of ${dtype} ${form}`);
    }
  }
}

/** The result in a tensor that is an argument, or whose memory an argument views. */
function expectSafeTensor(
  { kernels }: TestSet,
  dtype: Dtype,
  c: Case,
  victimName: string,
  expected: Floats,
  what: string,
): void {
  const victim = c.arguments[victimName] as Argument;
  for (const kind of ['a tensor', 'a view of a tensor']) {
    const tensors: Tensor[] = [];
    const given: Record<string, Given> = {};
    for (const [name, { data, shape }] of Object.entries(c.arguments)) {
      if (!(data instanceof Float32Array || data instanceof Float64Array)) {
        given[name] = data.slice() as Elements;
        continue;
      }
      const tensor = kernels.tensor(data, [...shape], { dtype });
      tensors.push(tensor);
      given[name] = tensor;
    }
    const out = given[victimName] as Tensor;
    if (kind !== 'a tensor') given[victimName] = out.data as Floats;
    let error: unknown;
    try {
      c.call(kernels, given, out);
    } catch (thrown) {
      error = thrown;
    }
    const wanted = error === undefined ? expected : (victim.data as Floats);
    if (error === undefined && victim.overlap === 'none') expect.fail(`${what}, ${victimName} ${kind}: not refused`);
    if (error !== undefined && (victim.overlap === 'same' || !isRefusal(error, c))) throw error;
    if (!areSame(out.data as Floats, wanted)) expect.fail(`${what}, ${victimName} ${kind}: wrong`);
    for (const tensor of tensors) tensor.dispose();
  }
}

describe.each(sets)('$name', (set) => {
  test.each(DTYPES)('%s: one array for two arguments and out', (dtype) => {
    const { kernels } = set;
    for (const shape of [
      [2, 50],
      [5, 7],
    ]) {
      const x = numbers(dtype, sizeOf(shape), 'within ±8', 1);
      const tensor = () => kernels.tensor(x, shape, { dtype });
      for (const operation of ['softmaxBackward', 'logSoftmaxBackward'] as const) {
        using own = tensor();
        kernels[operation](own, own, { out: own });
        expect(own.toArray()).toEqual(kernels[operation](x, x, { shape }));
      }
      for (const operation of ['crossEntropyWithGrad', 'klDivWithGrad', 'distillationWithGrad'] as const) {
        using own = tensor();
        const run = kernels[operation] as (x: Tensor, targets: Tensor, options: object) => unknown;
        expect(() => run(own, own, { out: own })).toThrow(RangeError);
        expect(own.toArray()).toEqual(x);
      }
    }
  });

  test.each(DTYPES)('%s: out that overlaps any argument gives the same result, or is refused', (dtype) => {
    const pools = poolsOf(set.kernels);
    for (const [shape, axis] of FORMS) {
      for (const c of casesOf(dtype, shape, axis)) expectSafe(set, dtype, c, pools, `[${shape}], axis ${axis}`);
    }
  });
});

const REFUSAL = /^\w+: out(?:\.\w+)? is (?:Float32|Int32)Array\(\d+\), expected .* apart from/;

function errorOf(call: () => unknown): Error | undefined {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
}

// Overlaps are found in TypeScript, which is the same for all sets.
describe('out at every offset around an argument', () => {
  const { kernels } = setOf('debug');
  const [ROOM, START] = [64, 20];
  // Also with more results than an argument has elements: one row for each element.
  const cases = [...casesOf('float32', [3, 4], 1), ...casesOf('float32', [3, 1], 1)].flatMap((c) =>
    Object.entries(c.arguments)
      .filter(([, { overlap }]) => overlap !== 'copied')
      .map(([name, argument]) => [`${c.operation}, ${name}, ${c.out ?? 'out'}`, c, name, argument] as const),
  );
  test.each(cases)('%s', (what, c, name, argument) => {
    using resident = kernels.zeros([ROOM]);
    const { length } = argument.data;
    const others = Object.fromEntries(
      Object.entries(c.arguments).map(([other, { data }]) => [other, data.slice() as Elements]),
    );
    for (const home of [resident.data as Float32Array<ArrayBuffer>, new Float32Array(ROOM)]) {
      for (let at = 0; at + c.size <= ROOM; at++) {
        const before = home.fill(0.25).slice();
        const view = home.subarray(at, at + c.size);
        const out = c.isInteger ? new Int32Array(view.buffer, view.byteOffset, view.length) : view;
        const error = errorOf(() => c.call(kernels, { ...others, [name]: home.subarray(START, START + length) }, out));
        const isApart = at >= START + length || at + c.size <= START;
        const isSame = at === START && length === c.size && argument.overlap === 'same';
        if (isApart || isSame) {
          if (error !== undefined) expect.fail(`${what} at ${at}: ${error}`);
        } else {
          if (!REFUSAL.test(error?.message ?? '')) expect.fail(`${what} at ${at}: ${error ?? 'not refused'}`);
          if (!areSame(home, before)) expect.fail(`${what} at ${at}: refused, but something was written`);
        }
      }
    }
  });
});

/** How to call each kernel, as the records describe it. */
const CONTRACTS: Readonly<Record<string, Contract>> = Object.assign(
  { ...CONTRACTS_OF_PARTS },
  ...operations.map(({ contracts }) => contracts),
);

/** Operands that throw when a missing one is read, which would otherwise be taken for 0. */
function complete(kernel: string, operands: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return new Proxy(operands, {
    get: (all, operand: string) => {
      if (operand in all) return all[operand];
      throw new Error(`contracts.${kernel} has no operand ${operand}`);
    },
  });
}

/** Kernels by name; the one without operands of its own names is called as the run does. */
const SOURCES: Readonly<Record<string, Pick<KernelSource<never>, 'call'>>> = {
  transpose: { call: (kernel: WasmFunction, { x, y }: { x: number; y: number }) => kernel(x, y, 4, 3, 5) },
  ...Object.fromEntries(Object.values(sources).map((source) => [source.name, source])),
};

describe('the debug build', () => {
  const memory = new WebAssembly.Memory({ initial: 8 });
  const abort = (message: number) => {
    const length = new Uint32Array(memory.buffer)[message / 4 - 1] as number;
    throw new Error(String.fromCharCode(...new Uint16Array(memory.buffer, message, length / 2)));
  };
  const exports = new WebAssembly.Instance(debugModule, { env: { memory, abort } }).exports as Record<
    string,
    WasmFunction
  >;
  const kernels = Object.keys(exports).filter((name) => /_f(32|64)$/.test(name));
  // Memory behind the module's constants and error messages.
  const start = 65_536;
  const places = () => Object.fromEntries(PLACES.map((name, i) => [name, start + i * 8192])) as Places;

  test('has a contract for every kernel', () => {
    const names = new Set(kernels.map((name) => name.replace(/_f\d+$/, '')));
    expect([...names].sort(), 'contracts of the records').toEqual(Object.keys(CONTRACTS).sort());
  });

  test.each(kernels)('%s: only partial overlap is caught', (name) => {
    const kernel = name.replace(/_f\d+$/, '');
    const { operands, apart, same } = CONTRACTS[kernel] as Contract;
    const { call } = SOURCES[kernel] as KernelSource<Readonly<Record<string, number>>>;
    const step = name.endsWith('64') ? 8 : 4;
    for (const sizes of SIZES) {
      const run = (at: Places) => {
        new Uint8Array(memory.buffer, start).fill(0);
        call(exports[name] as WasmFunction, complete(kernel, operands(at, ...sizes)));
      };
      run(places());
      for (const [onto, moved] of same as Iterable<[keyof Places, keyof Places]>) {
        const at = places();
        at[moved] = at[onto];
        run(at);
      }
      for (const [onto, moved] of apart as Iterable<[keyof Places, keyof Places]>) {
        const at = places();
        at[moved] = at[onto] + step;
        expect(() => run(at), `${moved} over ${onto}`).toThrow('operands overlap');
      }
    }
  });

  test.each(kernels)('%s: an operand in the scratch is caught', (name) => {
    const kernel = name.replace(/_f\d+$/, '');
    const { operands, unchecked = [] } = CONTRACTS[kernel] as Contract;
    const { call } = SOURCES[kernel] as KernelSource<Readonly<Record<string, number>>>;
    for (const sizes of SIZES) {
      const run = (compute: WasmFunction, at: Places) => call(compute, complete(kernel, operands(at, ...sizes)));
      const given = new Set<number>();
      run((...values) => {
        for (const value of values) given.add(value);
        return 0;
      }, places());
      const inUse = PLACES.filter((place) => given.has(places()[place]) && !unchecked.includes(place));
      if (!inUse.includes('scratch')) continue;
      // Where there are rows, transposed blocks or else a row lie behind the header.
      const offsets = 'inner' in operands(places(), ...sizes) ? [0, HEADER_BYTES] : [0];
      for (const place of inUse.filter((one) => one !== 'scratch')) {
        for (const offset of offsets) {
          const at = places();
          at.scratch = at[place] - offset;
          const overlapping = () => run(exports[name] as WasmFunction, at);
          expect(overlapping, `${place} at ${offset} of the scratch`).toThrow('an operand overlaps with the scratch');
        }
      }
    }
  });
});
