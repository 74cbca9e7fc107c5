// Shapes with a size of 0: calls allocate no memory and run no loop, however long the other axes are.
import { describe, expect, test } from 'vitest';
import { type Kernels, OutOfMemoryError, type Tensor } from '../src/index.js';
import { operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { type Call, callsOf, outFor, reducesRows, run, runBy, takes } from './support/operation.js';

const FAR = 2 ** 31;
/** Shapes without rows. Without its 0, the last one would have more rows than numbers can count. */
const WITHOUT_ROWS: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[0, FAR], -1],
  [[0, FAR], 1],
  [[FAR * 4, 0], 0],
  [[0, FAR, 2], 1],
  [[FAR, FAR, 0], 1],
  [[0, FAR, FAR], 1],
  [[...new Array<number>(25).fill(2 ** 50), 0], 0],
];
/** Shapes with rows without elements: each has a result in a reduction. */
const WITHOUT_CLASSES: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[FAR * 4, 0], -1],
  [[0, FAR], 0],
  [[FAR, 0, FAR], 1],
  [[...new Array<number>(25).fill(2 ** 50), 0], -1],
];

const none = () => new Float32Array(0);

/** A call on two rows of three elements, from which the empty ones are made. */
const FILLED = { dtype: 'float32', shape: [2, 3], axis: -1 } as const;

/** The call on an empty shape: every operand gets that shape, or the part of it that it takes. */
function empty(call: Call, shape: readonly number[], axis: number): Call {
  const { operation, filled } = call;
  const emptied = Object.entries(filled).map(([name, { size, values }]) => {
    const data = values === 'floats' || values === 'probabilities' ? none() : new Int32Array(0);
    if (size === 'broadcast') return [name, { data, shape }];
    // Weights for each class would be as many as the axis is long.
    if (size === 'class') return [name, takes(operation, 'axis') ? undefined : { data, shape }];
    return [name, data];
  });
  const all: Record<string, unknown> = { shape, axis, k: 1, causal: false, ...Object.fromEntries(emptied) };
  const choose = (given: object) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, name in all ? all[name] : value]));
  const [first] = operation.arguments;
  const own = { ...call, arguments: choose(call.arguments), options: choose(call.options) };
  // Operations without a shape among their options take it with the data.
  if (!takes(operation, 'shape')) own.arguments = { ...own.arguments, [first]: { data: none(), shape } };
  return own;
}

/** Expects arrays to be empty, sums to be 0 and means of no elements to be NaN. */
function expectNothing(result: unknown): void {
  if (typeof result === 'number') expect(Number.isNaN(result) || result === 0).toBe(true);
  else if (ArrayBuffer.isView(result)) expect((result as Float32Array).length).toBe(0);
  else
    for (const value of Object.values(result as object))
      if (ArrayBuffer.isView(value)) expect(value.byteLength).toBe(0);
}

describe.each(sets)('$name', ({ kernels, create }) => {
  for (const operation of operations) {
    const { name } = operation;
    const calls = callsOf(operation, FILLED);

    test(`${name}: no rows`, () => {
      for (const [shape, axis] of WITHOUT_ROWS) {
        for (const call of calls) {
          const own = empty(call, shape, axis);
          expectNothing(run(kernels, own));
          if (takes(operation, 'reduction')) {
            for (const reduction of ['mean', 'sum']) {
              expectNothing(run(kernels, own, { reduction, ...(takes(operation, 'gradOutput') && { gradOutput: 2 }) }));
            }
          }
          const out = outFor(call);
          if (ArrayBuffer.isView(out)) {
            const given = (out as Float32Array).slice(0, 0);
            const result = run(kernels, own, { out: given }) as { grad?: unknown };
            expect(result.grad ?? result).toBe(given);
          }
        }
      }
    });

    if (operation.needsElements) continue;
    test(`${name}: rows without classes`, () => {
      for (const [shape, axis] of WITHOUT_CLASSES) {
        for (const call of calls) {
          const own = empty(call, shape, axis);
          if (!reducesRows(operation)) {
            expectNothing(run(kernels, own));
            continue;
          }
          // There is a result for each row: more than fit into linear memory.
          const sizes = takes(operation, 'gradOutput') ? { gradOutput: undefined } : {};
          expect(() => run(kernels, own, sizes)).toThrow(OutOfMemoryError);
          expect(() => run(kernels, own, sizes)).toThrow(
            new RegExp(`^${name}: (?:[\\d.e+]+|Infinity) bytes are needed for the result, the limit is \\d+$`),
          );
        }
      }
    });
  }

  test('rows without classes: class probabilities, and losses that are reduced', () => {
    const options = { shape: [FAR * 4, 0] };
    for (const reduction of ['mean', 'sum'] as const) {
      expect(kernels.crossEntropy(none(), none(), { ...options, reduction })).toBe(0);
      expect(kernels.distillation(none(), none(), { ...options, reduction })).toBe(0);
    }
    expect(kernels.crossEntropyWithGrad(none(), none(), options)).toEqual({ loss: 0, grad: none() });
    expect(() => kernels.crossEntropy(none(), none(), { ...options, reduction: 'none' })).toThrow(OutOfMemoryError);
    expect(kernels.klDiv(none(), none(), { ...options, reduction: 'batchMean' })).toBe(0);
  });

  test('rows without classes have a result each, if memory can hold them', () => {
    expect(kernels.logSumExp([], { shape: [3, 0] })).toEqual(new Float32Array(3).fill(-Infinity));
    expect(kernels.logSumExp([], { shape: [3, 0], weights: [] })).toEqual(new Float32Array(3).fill(-Infinity));
    const out = new Float64Array(3);
    expect(kernels.logSumExp(new Float64Array(0), { shape: [0, 3], axis: 0, out })).toBe(out);
    expect(out).toEqual(new Float64Array(3).fill(-Infinity));
    using x = kernels.zeros([2, 0, 2]);
    using y = kernels.logSumExp(x, { axis: 1 });
    expect([...y.data]).toEqual(new Array(4).fill(-Infinity));
    kernels.zeros([4]).data.fill(7);
    const { loss, grad } = kernels.distillationWithGrad(x, x, { axis: 1, reduction: 'none' });
    expect([...(loss as unknown as Tensor).data]).toEqual([0, 0, 0, 0]);
    expect(grad.shape).toEqual([2, 0, 2]);
    const losses = new Float32Array(3).fill(7);
    expect(kernels.distillation([], [], { shape: [3, 0], reduction: 'none', out: losses })).toBe(losses);
    expect([...losses]).toEqual([0, 0, 0]);
    expect(kernels.crossEntropy([], none(), { shape: [3, 0], reduction: 'none' })).toEqual(new Float32Array(3));
    expect(kernels.logProbs([], [-100, -100], { shape: [2, 0] })).toEqual(new Float32Array(2));
    expect(() => kernels.crossEntropy([], [0, -100], { shape: [2, 0] })).toThrow('crossEntropy: targets[0] is 0');
  });

  test('tensors', () => {
    using rows = kernels.zeros([FAR * 4, 0]);
    expect(() => kernels.logSumExp(rows)).toThrow(OutOfMemoryError);
    for (const [shape] of [...WITHOUT_ROWS, ...WITHOUT_CLASSES]) {
      for (const x of [kernels.zeros(shape), kernels.tensor([], shape), kernels.tensor({ data: [], shape })]) {
        expect(x.shape).toEqual(shape);
        expect(x.size).toBe(0);
        const y = kernels.softmax(x);
        expect(y.shape).toEqual(shape);
        expect(kernels.sigmoid(x).size).toBe(0);
        y.dispose();
        x.dispose();
      }
    }
  });

  test('calls take no linear memory', () => {
    const own = create({ maxMemory: 2 ** 20 });
    const take = (operation: keyof Kernels, ...given: unknown[]) => runBy(own, operation, ...given);
    const bytes = () => own.zeros([1]).data.buffer.byteLength;
    const before = bytes();
    const weight = new Float32Array(2 ** 18);
    const shape = [0, weight.length];
    take('crossEntropyWithGrad', none(), new Int32Array(0), { shape, weight });
    take('nllLossWithGrad', none(), new Int32Array(0), { shape, weight });
    take('bceWithLogits', none(), none(), { shape, weight });
    take('logSumExp', none(), { shape, weights: { data: weight, shape: [weight.length] } });
    take('softmax', none(), { shape, mask: { data: new Uint8Array(weight.length), shape: [weight.length] } });
    take('distillation', none(), none(), { shape });
    expect(bytes()).toBe(before);
  });
});
