/**
 * Results over the arguments: every operation that takes `out` × every argument as `out`, the very range and a part of
 * it. The result is the very one of a call with `out` apart, or the call is refused and not a byte is written.
 */

import { describe, expect, test } from 'vitest';
import * as sources from '../src/generated/kernels.js';
import type { Kernels, Tensor } from '../src/index.js';
import type { KernelSource, WasmFunction } from '../src/wasm/kernel.js';
import { debugModule, sets, type TestSet } from './support/backends.js';
import { DTYPES, type Dtype, type Floats, newFloats, numbers, randomOf, sizeOf } from './support/cases.js';

type Elements = Floats | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

/**
 * What happens where `out` is the very range of an argument: it may be, it is refused, or, of integers, either: what is
 * copied before anything is written does no harm. A part of a range of floats is refused always.
 */
type Rule = 'may' | 'refused' | 'either';

interface Argument {
  readonly values: Elements;
  readonly shape: readonly number[];
  readonly rule: Rule;
}

type Arguments = Readonly<Record<string, Argument>>;

/** An array or, of floats, a Tensor. */
type Given = Elements | Tensor;

interface Case {
  readonly operation: string;
  readonly arguments: Arguments;
  /** Elements of `out`; Int32 where they are indices. */
  readonly size: number;
  readonly isInteger?: boolean;
  /** The name of `out` in errors. */
  readonly out?: string;
  /** What the caller gets beside `out`. */
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

function casesOf(dtype: Dtype, shape: readonly number[], axis: number): Case[] {
  const size = sizeOf(shape);
  const n = shape[axis] as number;
  const rows = size / n;
  const reduced = shape.map((length, i) => (i === axis ? 1 : length));
  let seed = size;
  const floats = (own: readonly number[], rule: Rule): Argument => {
    seed++;
    return { values: numbers(dtype, sizeOf(own), 'within ±8', seed), shape: own, rule };
  };
  const positive = (own: readonly number[]): Argument => {
    const { values } = floats(own, 'refused');
    return { values: (values as Floats).map((value) => Math.abs(value) / 8), shape: own, rule: 'refused' };
  };
  /** As wide as the floats, so that they can be in the very same place. */
  const integers = (own: readonly number[], below: number): Argument => {
    const random = randomOf(seed++);
    const values = Array.from({ length: sizeOf(own) }, () => Math.floor(below * random()));
    const array = dtype === 'float32' ? Int32Array.from(values) : BigInt64Array.from(values, BigInt);
    return { values: array, shape: own, rule: 'either' };
  };
  const all: Case[] = [];
  /** A case whose first arguments are `names`, and the others options. */
  const add = (operation: string, names: readonly string[], own: Arguments, length: number, extra: object = {}) => {
    const isElementWise = /^(?:bce|kl)/.test(operation);
    const isShapeless = /^(?:sigmoid|logSigmoid)/.test(operation);
    const place = isShapeless ? {} : isElementWise ? { shape } : { shape, axis };
    const call: Case['call'] = (kernels, given, out) => {
      const options: Record<string, unknown> = { ...place, ...extra, out };
      for (const [name, values] of Object.entries(given)) {
        const isBroadcast = name === 'mask' || name === 'weights';
        const like = isBroadcast && ArrayBuffer.isView(values) ? { data: values, shape: own[name]?.shape } : values;
        if (!names.includes(name)) options[name] = like;
      }
      const run = (kernels as unknown as Record<string, (...all: unknown[]) => unknown>)[operation];
      return run?.(...names.map((name) => given[name]), options);
    };
    all.push({ operation, arguments: own, size: length, call });
  };

  for (const operation of ['softmax', 'logSoftmax']) {
    add(operation, ['x'], { x: floats(shape, 'may') }, size, { temperature: 0.5 });
    add(operation, ['x'], { x: floats(shape, 'may'), mask: integers(shape, 2) }, size);
  }
  add('logSumExp', ['x'], { x: floats(shape, 'may') }, rows);
  const weights = () => ({ weights: floats(reduced, 'refused') });
  add('logSumExp', ['x'], { x: floats(shape, 'may'), mask: integers(reduced, 2) }, rows);
  add('logSumExp', ['x'], { x: floats(shape, 'may'), ...weights(), mask: integers(shape, 2) }, rows);
  for (const operation of ['sigmoid', 'logSigmoid']) add(operation, ['x'], { x: floats(shape, 'may') }, size);
  add('softmaxBackward', ['y', 'dy'], { y: floats(shape, 'may'), dy: floats(shape, 'may') }, size);
  add('logSoftmaxBackward', ['logP', 'dy'], { logP: floats(shape, 'may'), dy: floats(shape, 'may') }, size);

  const losses: [string, string, string, () => Arguments, object?][] = [];
  const weight = () => floats([n], 'refused');
  losses.push(['crossEntropy', 'logits', 'targets', () => ({ targets: integers([rows], n), weight: weight() })]);
  losses.push([
    'crossEntropy',
    'logits',
    'targets',
    () => ({ targets: positive(shape), weight: weight() }),
    { labelSmoothing: 0.1 },
  ]);
  losses.push(['nllLoss', 'logProbs', 'targets', () => ({ targets: integers([rows], n), weight: weight() })]);
  losses.push(['distillation', 'studentLogits', 'teacherLogits', () => ({ teacherLogits: floats(shape, 'refused') })]);
  const own = () => ({ weight: floats(shape, 'refused'), posWeight: positive(shape) });
  losses.push(['bceWithLogits', 'logits', 'targets', () => ({ targets: positive(shape), ...own() })]);
  losses.push(['bceWithLogits', 'logits', 'targets', () => ({ targets: integers(shape, 2) })]);
  losses.push(['klDiv', 'logProbs', 'targets', () => ({ targets: positive(shape) })]);
  losses.push(['klDiv', 'logProbs', 'targets', () => ({ targets: floats(shape, 'refused') }), { logTarget: true }]);
  for (const [operation, first, second, others, extra] of losses) {
    const isElementWise = operation === 'bceWithLogits' || operation === 'klDiv';
    const options = { reduction: 'none', ...extra };
    const count = isElementWise ? size : rows;
    add(operation, [first, second], { [first]: floats(shape, 'may'), ...others() }, count, options);
    const upstream = floats([count], 'refused');
    const withGrad = { [first]: floats(shape, 'may'), ...others(), gradOutput: upstream };
    add(`${operation}WithGrad`, [first, second], withGrad, size, options);
  }

  const x = () => floats(shape, 'refused');
  all.push({
    operation: 'argmax',
    arguments: { x: x() },
    size: rows,
    isInteger: true,
    call: (k, { x }, out) => k.argmax(x as Floats, { shape, axis, out: out as Int32Array }),
  });
  for (const k of new Set([n, Math.min(2, n)])) {
    const indices = () => new Int32Array(rows * k);
    all.push({
      operation: 'topK',
      arguments: { x: floats(shape, 'may') },
      size: rows * k,
      out: 'out.values',
      call: (kernels, { x }, values) => {
        const out = { values: values as Floats, indices: indices() };
        kernels.topK(x as Floats, k, { shape, axis, out });
        return out.indices;
      },
    });
    all.push({
      operation: 'topK',
      arguments: { x: x(), values: floats([rows * k], 'refused') },
      size: rows * k,
      isInteger: true,
      out: 'out.indices',
      call: (kernels, { x, values }, out) => {
        kernels.topK(x as Floats, k, { shape, axis, out: { values: values as Floats, indices: out as Int32Array } });
      },
    });
  }
  return all;
}

test('every operation that takes out is here', () => {
  const withoutOut = ['accuracy', 'backendInfo', 'inspectLogits', 'logProbs', 'memoryUsage', 'tensor', 'zeros'];
  const here = new Set(casesOf('float32', [2, 3], 1).map(({ operation }) => operation));
  for (const { kernels } of sets) {
    expect([...here, ...withoutOut].sort()).toEqual(Object.keys(kernels).sort());
  }
});

/** Bytes in which arguments and results lie; linear memory may move in a call. */
interface Pool {
  readonly bytes: () => Uint8Array<ArrayBuffer>;
}

const POOL_BYTES = 12_288;
/** Where the argument lies that `out` is laid over; the others, 64 bytes apart, begin at OTHERS. */
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

/** An array like the model, in the pool. */
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

/** Where `out` lies, how far from the beginning of the argument, and what is to happen. */
type Placement = readonly [name: string, shift: number, rule: Rule];

function placements(victim: Argument, out: Elements): Placement[] {
  const { byteLength: own } = victim.values;
  const { byteLength: length, BYTES_PER_ELEMENT: step } = out;
  const part = victim.rule === 'either' ? 'either' : 'refused';
  const all: Placement[] = [
    ['one element on', step, part],
    ['one element back', -step, part],
    ['over the last element', own - step, part],
    ['over the first element', step - length, part],
  ];
  const inside = all.filter(([, shift]) => shift !== 0 && shift < own && -shift < length);
  const start: Placement = own === length ? ['the very range', 0, victim.rule] : ['from the same start', 0, part];
  return [start, ...inside, ['right behind', own, 'may'], ['right before', -length, 'may']];
}

/** What a call gives beside `out`: losses, or indices. */
function besideOf(given: unknown): Elements | undefined {
  const beside = (given as { loss?: Floats } | undefined)?.loss ?? given;
  return beside instanceof Int32Array || beside !== given ? (beside as Elements) : undefined;
}

function isRefusal(error: unknown, { operation, out = 'out' }: Case): boolean {
  if (!(error instanceof RangeError) || !error.message.startsWith(`${operation}: ${out} is `)) return false;
  return /, expected (the very range of|a range apart from) /.test(error.message);
}

/** Every argument of a case in turn under its result. */
function expectSafe(set: TestSet, dtype: Dtype, c: Case, pools: Readonly<Record<string, Pool>>, form: string): void {
  const apart: Record<string, Elements> = {};
  for (const [name, { values }] of Object.entries(c.arguments)) apart[name] = values.slice() as Elements;
  const expected: Elements = c.isInteger ? new Int32Array(c.size) : newFloats(dtype, c.size);
  const beside = besideOf(c.call(set.kernels, apart, expected));

  for (const [victimName, victim] of Object.entries(c.arguments)) {
    const all: readonly Placement[] = placements(victim, expected);
    for (const [home, pool] of Object.entries(pools)) {
      for (const [placement, shift, rule] of all) {
        const what = `${c.operation} of ${dtype} ${form} in ${home}, out ${placement} of ${victimName}`;
        pool.bytes().fill(0x3c);
        const given: Record<string, Elements> = {};
        let at = OTHERS;
        for (const [name, { values }] of Object.entries(c.arguments)) {
          const isVictim = name === victimName;
          given[name] = place(pool, values, isVictim ? VICTIM : at);
          if (!isVictim) at += ((values.byteLength + 63) & ~63) + 64;
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
          if (rule === 'refused') expect.fail(`${what}: not refused`);
          const written = viewAt(pool, expected, VICTIM + shift);
          if (!areSame(written, expected)) expect.fail(`${what}: another result`);
          if (beside !== undefined && !areSame(besideOf(result) as Elements, beside)) {
            expect.fail(`${what}: another loss, or other indices`);
          }
        } else {
          if (rule === 'may') throw error;
          if (!isRefusal(error, c)) throw error;
          if (!areSame(pool.bytes(), before)) expect.fail(`${what}: refused, but something was written`);
        }
      }
    }
    if (!c.isInteger && victim.values.length === c.size && victim.values instanceof expected.constructor) {
      expectSafeTensor(set, dtype, c, victimName, expected as Floats, `${c.operation} of ${dtype} ${form}`);
    }
  }
}

/** The result in a tensor that is an argument, or of which one is a view. */
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
    for (const [name, { values, shape }] of Object.entries(c.arguments)) {
      if (!(values instanceof Float32Array || values instanceof Float64Array)) {
        given[name] = values.slice() as Elements;
        continue;
      }
      const tensor = kernels.tensor(values, [...shape], { dtype });
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
    const wanted = error === undefined ? expected : (victim.values as Floats);
    if (error === undefined && victim.rule === 'refused') expect.fail(`${what}, ${victimName} ${kind}: not refused`);
    if (error !== undefined && (victim.rule === 'may' || !isRefusal(error, c))) throw error;
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

  test.each(DTYPES)('%s: out over any argument gives the same, or is refused', (dtype) => {
    const pools = poolsOf(set.kernels);
    for (const [shape, axis] of FORMS) {
      for (const c of casesOf(dtype, shape, axis)) expectSafe(set, dtype, c, pools, `[${shape}], axis ${axis}`);
    }
  });
});

/** The addresses that a kernel is called with, each with room for what lies there. */
const PLACES = ['a', 'b', 'c', 'd', 'e', 'f', 'buffer', 'sum', 'scratch'] as const;
type Places = Record<(typeof PLACES)[number], number>;
const ROOM = 8192;

/** [3, 50], [3, 7] or [2, 5, 17], and 40 elements where nothing goes along an axis. */
const SIZES: readonly (readonly [outer: number, n: number, inner: number])[] = [
  [3, 50, 1],
  [3, 7, 1],
  [2, 5, 17],
];
const COUNT = 40;

type Sizes = (typeof SIZES)[number];

interface Contract {
  /** The operands for the kernel. */
  readonly operands: (at: Places, ...sizes: Sizes) => Record<string, number>;
  /** What must not overlap in part: the second is moved onto the first, one element on. */
  readonly apart: readonly string[];
  /** What may be the very same place. */
  readonly same: readonly string[];
}

const mapped: Contract = {
  operands: ({ a, b, scratch }, outer, n, inner) => ({ x: a, y: b, outer, n, inner, temperature: 1, scratch, mask: 0 }),
  apart: ['ab'],
  same: ['ab'],
};
const reduced: Contract = { ...mapped, same: [] };
const paired: Contract = {
  operands: ({ a, b, c, scratch }, outer, n, inner) => {
    return { y: a, dx: b, dy: c, outer, n, inner, temperature: 1, scratch };
  },
  apart: ['ab', 'cb'],
  same: ['ab', 'cb'],
};
const element: Contract = {
  operands: ({ a, b, scratch }) => ({ x: a, y: b, count: COUNT, scratch }),
  apart: ['ab'],
  same: ['ab'],
};
/** a is x, b the targets, c the losses, d the gradient, e the weights and f the scales. */
const classes: Contract = {
  operands: ({ a, b, c, d, e, f, sum, scratch }, outer, n, inner) => {
    const results = { losses: c, gradient: d, scale: 1, gradOutput: f, sum };
    return { x: a, targets: b, ...results, outer, n, inner, temperature: 1, weight: e, smoothing: 0.1, scratch };
  },
  apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'ec', 'ed', 'fc', 'fd'],
  same: ['ad'],
};
const elementLoss: Contract = {
  operands: ({ a, b, c, d, e, f, sum, scratch }) => {
    const results = { losses: c, gradient: d, scale: 1, gradOutput: e, sum };
    return { x: a, targets: b, ...results, count: COUNT, weight: f, posWeight: f, scratch };
  },
  apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'ec', 'ed'],
  same: ['ac', 'ad', 'bc', 'bd', 'ec', 'ed'],
};

const CONTRACTS: Record<string, Contract> = {
  softmax: mapped,
  logSoftmax: mapped,
  logSumExp: reduced,
  // The record of no weights at all, at c.
  weightedLogSumExp: {
    ...reduced,
    operands: ({ a, b, c, scratch }, outer, n, inner) => {
      return { x: a, y: b, outer, n, inner, temperature: 1, scratch, mask: 0, weights: c };
    },
  },
  sigmoid: element,
  logSigmoid: element,
  softmaxBackward: paired,
  logSoftmaxBackward: paired,
  crossEntropy: classes,
  softCrossEntropy: classes,
  nllLoss: { ...classes, same: [] },
  logProbs: {
    operands: ({ a, b, c, scratch }, outer, n, inner) => {
      return { x: a, targets: b, losses: c, outer, n, inner, temperature: 1, scratch };
    },
    apart: ['ac', 'bc'],
    same: [],
  },
  klDiv: elementLoss,
  logKlDiv: elementLoss,
  bceWithLogits: { ...elementLoss, apart: [...elementLoss.apart, 'fc', 'fd'] },
  distillation: {
    operands: ({ a, b, c, d, f, sum, scratch, buffer }, outer, n, inner) => {
      const results = { losses: c, gradient: d, scale: 1, gradOutput: f, sum };
      return { student: a, teacher: b, ...results, outer, n, inner, temperature: 1, scratch, buffer };
    },
    apart: ['ac', 'ad', 'bc', 'bd', 'cd', 'fc', 'fd'],
    same: ['ad', 'bd'],
  },
  argmax: {
    operands: ({ a, b, scratch }, outer, n, inner) => ({ x: a, y: b, outer, n, inner, scratch }),
    apart: ['ab'],
    same: [],
  },
  topK: {
    operands: ({ a, b, c, buffer, scratch }, outer, n, inner) => {
      return { x: a, values: b, indices: c, outer, n, inner, k: n, buffer, capacity: n, scratch };
    },
    apart: ['ab', 'ac', 'bc'],
    same: ['ab'],
  },
  accuracy: {
    operands: ({ a, b, c, scratch }, outer, n, inner) => ({
      x: a,
      targets: b,
      outer,
      n,
      inner,
      k: 1,
      hits: c,
      scratch,
    }),
    apart: ['ac', 'bc'],
    same: [],
  },
  transpose: { operands: ({ a, b }) => ({ a, b }), apart: ['ab'], same: [] },
};

/** Kernels by name; the one without operands of its own names is called as the run does. */
const SOURCES: Record<string, Pick<KernelSource<never>, 'call'>> = {
  transpose: { call: (kernel: WasmFunction, { a, b }: Places) => kernel(a, b, 4, 3, 5) },
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
  // Behind the constants and the messages.
  const start = 65_536;
  const places = () => Object.fromEntries(PLACES.map((name, i) => [name, start + i * ROOM])) as Places;

  test('has a contract for every kernel', () => {
    expect(new Set(kernels.map((name) => name.replace(/_f\d+$/, '')))).toEqual(new Set(Object.keys(CONTRACTS)));
  });

  test.each(kernels)('%s: overlap in part is caught, and nothing else', (name) => {
    const kernel = name.replace(/_f\d+$/, '');
    const { operands, apart, same } = CONTRACTS[kernel] as Contract;
    const { call } = SOURCES[kernel] as KernelSource<Record<string, number>>;
    const step = name.endsWith('64') ? 8 : 4;
    for (const sizes of SIZES) {
      const run = (at: Places) => {
        new Uint8Array(memory.buffer, start).fill(0);
        call(exports[name] as WasmFunction, operands(at, ...sizes));
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
});
