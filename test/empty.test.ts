// Shapes with a 0: no memory and no loop is needed for them, however long the other axes are.
import { describe, expect, test } from 'vitest';
import { type Kernels, OutOfMemoryError, type Tensor } from '../src/index.js';
import { sets } from './support/backends.js';
import { type Call, callOf, callsOf, callWith } from './support/calls.js';

const FAR = 2 ** 31;
/** No elements and no rows; the last has more rows than there are numbers, were it not for the 0. */
const WITHOUT_ROWS: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[0, FAR], -1],
  [[0, FAR], 1],
  [[FAR * 4, 0], 0],
  [[0, FAR, 2], 1],
  [[FAR, FAR, 0], 1],
  [[0, FAR, FAR], 1],
  [[...new Array<number>(25).fill(2 ** 50), 0], 0],
];
/** Rows without elements: those of a reduction each have a result. */
const WITHOUT_CLASSES: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[FAR * 4, 0], -1],
  [[0, FAR], 0],
  [[FAR, 0, FAR], 1],
  [[...new Array<number>(25).fill(2 ** 50), 0], -1],
];

const none = () => new Float32Array(0);

/** The call on nothing: every operand has the shape, or as much of it as it takes. */
function empty({ operation, arguments: given, options }: Call, shape: readonly number[], axis: number): Call {
  const classIndices = { targets: new Int32Array(0), ignoreIndex: -100 };
  const nothing: Record<string, unknown> = {
    x: none(),
    y: none(),
    dy: none(),
    logP: none(),
    k: 1,
    logits: none(),
    logProbs: none(),
    studentLogits: none(),
    teacherLogits: none(),
    targets: 'ignoreIndex' in options ? classIndices.targets : none(),
    mask: { data: new Uint8Array(0), shape },
    weights: { data: none(), shape },
    gradOutput: none(),
    shape,
    axis,
    causal: false,
  };
  // One weight for each class would be as many as the axis is long.
  if ('axis' in options) nothing.weight = undefined;
  else Object.assign(nothing, { weight: { data: none(), shape }, posWeight: { data: none(), shape } });
  const choose = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, name in nothing ? nothing[name] : value]));
  if (Object.keys(options).length > 0) return { operation, arguments: choose(given), options: choose(options) };
  // Operations on elements take the shape with the data.
  return { operation, arguments: { x: { data: none(), shape } }, options };
}

/** Results that are arrays have nothing in them, sums are 0 and means of nothing NaN. */
function expectNothing(result: unknown): void {
  if (typeof result === 'number') expect(Number.isNaN(result) || result === 0).toBe(true);
  else if (ArrayBuffer.isView(result)) expect((result as Float32Array).length).toBe(0);
  else
    for (const value of Object.values(result as object))
      if (ArrayBuffer.isView(value)) expect(value.byteLength).toBe(0);
}

/** What reduces rows to one result each. */
const REDUCTIONS = new Set(['logSumExp', 'distillation', 'distillationWithGrad']);
/** What needs an element in each row, or a target for it. */
const NEEDS_CLASSES = /^(?:argmax|topK|accuracy|logProbs|crossEntropy|nllLoss)/;

describe.each(sets)('$name', ({ kernels, create }) => {
  for (const call of callsOf()) {
    test(`${call.operation}: no rows`, () => {
      for (const [shape, axis] of WITHOUT_ROWS) {
        const own = empty(call, shape, axis);
        expectNothing(callWith(kernels, own));
        if ('reduction' in own.options) {
          for (const reduction of ['mean', 'sum']) {
            const scale = 'gradOutput' in own.options ? { gradOutput: 2 } : {};
            expectNothing(callWith(kernels, own, { reduction, ...scale }));
          }
        }
        const out = call.out?.();
        if (ArrayBuffer.isView(out)) {
          const given = (out as Float32Array).slice(0, 0);
          const result = callWith(kernels, own, { out: given }) as { grad?: unknown };
          expect(result.grad ?? result).toBe(given);
        }
      }
    });

    if (NEEDS_CLASSES.test(call.operation)) continue;
    test(`${call.operation}: rows without classes`, () => {
      for (const [shape, axis] of WITHOUT_CLASSES) {
        const own = empty(call, shape, axis);
        if (!REDUCTIONS.has(call.operation)) {
          expectNothing(callWith(kernels, own));
          continue;
        }
        // As many results as there are rows: more than linear memory may hold.
        const sizes = 'gradOutput' in own.options ? { gradOutput: undefined } : {};
        expect(() => callWith(kernels, own, sizes)).toThrow(OutOfMemoryError);
        expect(() => callWith(kernels, own, sizes)).toThrow(
          new RegExp(`^${call.operation}: (?:[\\d.e+]+|Infinity) bytes are needed for the result, the limit is \\d+$`),
        );
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

  test('rows without classes that memory holds have a result each', () => {
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

  test('take no linear memory', () => {
    const own = create({ maxMemory: 2 ** 20 });
    const run = (operation: keyof Kernels, ...given: unknown[]) => callOf(own, operation, ...given);
    const bytes = () => own.zeros([1]).data.buffer.byteLength;
    const before = bytes();
    const weight = new Float32Array(2 ** 18);
    const shape = [0, weight.length];
    run('crossEntropyWithGrad', none(), new Int32Array(0), { shape, weight });
    run('nllLossWithGrad', none(), new Int32Array(0), { shape, weight });
    run('bceWithLogits', none(), none(), { shape, weight });
    run('logSumExp', none(), { shape, weights: { data: weight, shape: [weight.length] } });
    run('softmax', none(), { shape, mask: { data: new Uint8Array(weight.length), shape: [weight.length] } });
    run('distillation', none(), none(), { shape });
    expect(bytes()).toBe(before);
  });
});
