// Short typed arrays take a fast path without operands and blocks. It must give the same results as the slow path,
// which tensor-like objects take.
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../src/index.js';
import { sets } from './support/backends.js';

type Floats = Float32Array | Float64Array;
type Call = (...given: readonly unknown[]) => unknown;

const TYPES = [Float32Array, Float64Array] as const;
/** Lengths on both sides of the limits up to which a loop copies, and an array counts as short. */
const SHAPES = [[1], [5], [8], [3, 3], [2, 16], [33], [4, 1], [2, 3, 5], [2, 512], [1025]];

const numbers = (Type: (typeof TYPES)[number], size: number, seed: number): Floats =>
  new Type(Array.from({ length: size }, (_, i) => Math.abs(Math.sin(7 * i + seed))));

interface Case {
  readonly name: string;
  /** Arguments beside x: as many floats as x, or a class index for each row. */
  readonly others: 'none' | 'floats' | 'classes';
  readonly options: readonly object[];
  /** The elements of `out`: as many as in x, one for each row, or none. */
  readonly out: 'elements' | 'rows' | 'none';
}

const MAPS = [{}, { temperature: 2 }, { axis: -1 }];
const LOSSES = [{}, { reduction: 'sum' }, { gradOutput: 0.5 }];
const CASES: readonly Case[] = [
  { name: 'softmax', others: 'none', options: MAPS, out: 'elements' },
  { name: 'logSoftmax', others: 'none', options: MAPS, out: 'elements' },
  { name: 'sigmoid', others: 'none', options: [{}], out: 'elements' },
  { name: 'logSigmoid', others: 'none', options: [{}], out: 'elements' },
  { name: 'logSumExp', others: 'none', options: MAPS, out: 'rows' },
  { name: 'entropy', others: 'none', options: MAPS, out: 'rows' },
  { name: 'softmaxBackward', others: 'floats', options: MAPS, out: 'elements' },
  { name: 'logSoftmaxBackward', others: 'floats', options: MAPS, out: 'elements' },
  { name: 'crossEntropyWithGrad', others: 'classes', options: [...LOSSES, { labelSmoothing: 0.1 }], out: 'elements' },
  { name: 'nllLossWithGrad', others: 'classes', options: [...LOSSES, { ignoreIndex: 0 }], out: 'elements' },
  { name: 'bceWithLogitsWithGrad', others: 'floats', options: LOSSES, out: 'elements' },
  { name: 'klDivWithGrad', others: 'floats', options: [...LOSSES, { reduction: 'batchMean' }], out: 'elements' },
  { name: 'distillationWithGrad', others: 'floats', options: [...LOSSES, { temperature: 2 }], out: 'elements' },
  { name: 'crossEntropy', others: 'classes', options: [{}, { reduction: 'sum' }], out: 'none' },
  { name: 'bceWithLogits', others: 'floats', options: [{}, { reduction: 'sum' }], out: 'none' },
];

/** The numbers of a result in a form for toEqual: of an array, of data and shape, or of a loss and its gradient. */
function plain(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result;
  if (ArrayBuffer.isView(result)) return Array.from(result as Floats);
  if ('grad' in result) return { loss: (result as unknown as { loss: unknown }).loss, grad: plain(result.grad) };
  return plain((result as { data: unknown }).data);
}

describe.each(sets)('$name', ({ kernels }) => {
  const functionOf = (name: string) => kernels[name as keyof Kernels] as unknown as Call;

  test.each(CASES)('$name: the same bits as the slow path', ({ name, others, options, out }) => {
    const run = functionOf(name);
    for (const Type of TYPES) {
      for (const shape of SHAPES) {
        const size = shape.reduce((a, b) => a * b);
        const n = shape.at(-1)!;
        const x = numbers(Type, size, 1);
        const y = numbers(Type, size, 2);
        const classes = Int32Array.from({ length: size / n }, (_, i) => (5 * i) % n);
        const given = { none: [], floats: [y], classes: [classes] }[others];
        const like = { none: [], floats: [{ data: y, shape }], classes: [classes] }[others];
        for (const each of options) {
          const what = `${Type.name} [${shape}] ${JSON.stringify(each)}`;
          const expected = plain(run({ data: x, shape }, ...like, each));
          expect(plain(run(x, ...given, { ...each, shape })), what).toEqual(expected);
          if (out === 'none') continue;
          const place = new Type(out === 'rows' ? size / n : size);
          const found = run(x, ...given, { ...each, shape, out: place });
          expect(plain(found), what).toEqual(expected);
          expect((found as { grad?: unknown }).grad ?? found, what).toBe(place);
          if (out === 'rows') continue;
          const same = x.slice();
          expect(plain(run(same, ...given, { ...each, shape, out: same })), what).toEqual(expected);
        }
      }
    }
  });

  test.each(CASES.filter(({ out }) => out === 'elements'))('$name: out that overlaps an argument', (each) => {
    const { name, others } = each;
    const run = functionOf(name);
    const buffer = new ArrayBuffer(64);
    const x = new Float32Array(buffer, 0, 4);
    const expected = /out is Float32Array\(4\), expected (the very range of|a range apart from)/;
    const second = { none: [], floats: [new Float32Array(4)], classes: [0] }[others];
    expect(() => run(x, ...second, { out: new Float32Array(buffer, 4, 4) })).toThrow(expected);
    expect(() => run(x, ...second, { out: new Float32Array(buffer, 16, 4) })).not.toThrow();
    if (others === 'none') return;
    const over = { floats: new Float32Array(buffer, 32, 4), classes: new Int32Array(buffer, 32, 1) }[others];
    const out = new Float32Array(buffer, 32, 4);
    const isAllowed = name.endsWith('Backward');
    if (isAllowed) expect(() => run(x, over, { out })).not.toThrow();
    else expect(() => run(x, over, { out })).toThrow(expected);
    expect(() => run(x, over, { out: new Float32Array(buffer, 28, 4) })).toThrow(expected);
  });

  test('out of another dtype is an error', () => {
    expect(() => kernels.softmax(new Float32Array(4), { out: new Float64Array(4) as never })).toThrow(
      'softmax: out is Float64Array(4), expected a Float32Array or a Tensor',
    );
    expect(() => kernels.logSumExp([1, 2], { out: new Float64Array(1) as never })).toThrow(
      'logSumExp: out is Float64Array(1), expected a Float32Array or a Tensor',
    );
  });

  test('arrays and tensors in the same call', () => {
    const x = numbers(Float32Array, 6, 1);
    const y = numbers(Float32Array, 6, 2);
    const tensor = kernels.tensor(x, [2, 3]);
    const upstream = kernels.tensor(y, [2, 3]);
    const out = kernels.zeros([2, 3]);
    const expected = plain(kernels.softmax(x, { shape: [2, 3] }));
    expect(Array.from(kernels.softmax(x, { shape: [2, 3], out }).toArray())).toEqual(expected);
    expect(plain(kernels.softmax(tensor, { out: new Float32Array(6) }))).toEqual(expected);
    const dx = plain(kernels.softmaxBackward(x, y, { shape: [2, 3] }));
    expect(plain(kernels.softmaxBackward(x, upstream, { shape: [2, 3] }))).toEqual(dx);
    const gradient = kernels.softmaxBackward(tensor, y);
    expect(Array.from(gradient.toArray())).toEqual(dx);
    for (const each of [tensor, upstream, out, gradient]) each.dispose();
  });
});
