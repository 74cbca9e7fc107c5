// Losses on tensors take a fast path without operands and blocks. It must give the same results as the slow path, which
// a call takes if its options give the tensor's own shape.
import { describe, expect, test } from 'vitest';
import type { Kernels, Tensor } from '../src/index.js';
import { sets } from './support/backends.js';

type Loss = 'crossEntropy' | 'nllLoss' | 'bceWithLogits' | 'klDiv' | 'distillation';

const LOSSES: readonly Loss[] = ['crossEntropy', 'nllLoss', 'bceWithLogits', 'klDiv', 'distillation'];
/** Numbers of rows on both sides of the most whose class indices the fast path takes. */
const SHAPES = [
  [1, 10],
  [32, 10],
  [7, 100],
  [1024, 3],
  [1025, 3],
  [2, 3, 5],
  [4, 1],
];
const BY_LOSS: Readonly<Record<Loss, readonly object[]>> = {
  crossEntropy: [{ temperature: 2 }, { labelSmoothing: 0.1 }, { ignoreIndex: 0 }, { axis: -1 }],
  nllLoss: [{ ignoreIndex: 0 }],
  bceWithLogits: [],
  klDiv: [{ logTarget: true }, { reduction: 'batchMean' }],
  distillation: [{ temperature: 2 }, { reduction: 'batchMean' }],
};
const OPTIONS = [{}, { reduction: 'sum' }, { reduction: 'mean' }, { reduction: undefined }];

type Run = (x: unknown, targets: unknown, options: object) => unknown;

/** A loss on random numbers: its arguments, and the `out` of its gradient. */
function setUp(kernels: Kernels, loss: Loss, shape: readonly number[], dtype: 'float32' | 'float64') {
  const size = shape.reduce((a, b) => a * b);
  const n = shape.at(-1)!;
  const numbers = (seed: number) => Array.from({ length: size }, (_, i) => Math.abs(Math.sin(7 * i + seed)));
  const x = kernels.tensor(numbers(1), shape, { dtype });
  const takesClasses = loss === 'crossEntropy' || loss === 'nllLoss';
  const targets = takesClasses
    ? Int32Array.from({ length: size / n }, (_, i) => (5 * i) % n)
    : kernels.tensor(numbers(2), shape, { dtype });
  const out = kernels.zeros(shape, { dtype });
  return {
    x,
    targets,
    /** Class indices of a type that the loop of nllLoss does not take. */
    plain: takesClasses ? Array.from(targets) : targets,
    out,
    dispose() {
      for (const each of [x, targets, out]) (each as Partial<Tensor>).dispose?.();
    },
  };
}

describe.each(sets)('$name', ({ name, kernels }) => {
  const runs = (loss: Loss) => ({
    value: kernels[loss] as Run,
    withGrad: kernels[`${loss}WithGrad`] as Run,
  });

  test.each(LOSSES)('%s: the same bits as the slow path', (loss) => {
    const { value, withGrad } = runs(loss);
    for (const dtype of ['float32', 'float64'] as const) {
      for (const shape of SHAPES) {
        const { x, targets, plain, out, dispose } = setUp(kernels, loss, shape, dtype);
        for (const options of [...OPTIONS, ...BY_LOSS[loss]]) {
          const what = `${dtype} [${shape}] ${JSON.stringify(options)}`;
          const loss = value(x, targets, { ...options, shape });
          expect(value(x, targets, options), what).toBe(loss);
          expect(value(x, plain, options), what).toBe(loss);
          const given = { gradOutput: 0.5, ...options };
          const other = kernels.zeros(shape, { dtype });
          const expected = withGrad(x, targets, { ...given, shape, out: other }) as { loss: number };
          const found = withGrad(x, targets, { ...given, out }) as { loss: number; grad: unknown };
          expect(found.loss, what).toBe(expected.loss);
          expect(found.grad, what).toBe(out);
          const bits = other.toArray();
          expect(
            out.toArray().every((value: number, i: number) => Object.is(value, bits[i])),
            what,
          ).toBe(true);
          other.dispose();
        }
        const inPlace = withGrad(x, targets, { out: x }) as { grad: unknown };
        expect(inPlace.grad).toBe(x);
        dispose();
      }
    }
  });

  test.each(LOSSES)('%s: an argument that is disposed by an option is an error', (loss) => {
    const { withGrad } = runs(loss);
    for (const victim of ['x', 'targets', 'out'] as const) {
      const held = setUp(kernels, loss, [2, 5], 'float32');
      const tensor = held[victim];
      const { x, targets, out } = held;
      const options = {
        out,
        get reduction() {
          if (!(tensor instanceof Int32Array)) tensor.dispose();
          return 'sum';
        },
      };
      if (tensor instanceof Int32Array) expect(() => withGrad(x, targets, options)).not.toThrow();
      else expect(() => withGrad(x, targets, options)).toThrow('is disposed, expected a tensor that is alive');
      held.dispose();
    }
  });

  test.each(LOSSES)('%s: memory that grows while options are read changes nothing', (loss) => {
    const { withGrad } = runs(loss);
    const { x, targets, out, dispose } = setUp(kernels, loss, [2, 5], 'float32');
    const expected = withGrad(x, targets, { out, reduction: 'sum' }) as { loss: number };
    const grad = out.toArray();
    const made: Tensor[] = [];
    const options = {
      out,
      get reduction() {
        const { buffer } = x.data;
        while (x.data.buffer === buffer) made.push(kernels.zeros([2 ** 16]));
        return 'sum';
      },
    };
    const found = withGrad(x, targets, options) as { loss: number; grad: unknown };
    expect(found.loss, name).toBe(expected.loss);
    expect(found.grad).toBe(out);
    expect(out.toArray()).toEqual(grad);
    for (const tensor of made) tensor.dispose();
    dispose();
  });

  test.each(LOSSES)('%s: invalid arguments give the error of the slow path', (loss) => {
    const { value, withGrad } = runs(loss);
    const { x, targets, out, dispose } = setUp(kernels, loss, [2, 5], 'float32');
    const small = kernels.zeros([2, 4]);
    const start = out.toArray();
    for (const [options, message] of [
      [{ out: small }, `${loss}WithGrad: out has 8 elements, expected 10`],
      [{ out, reduction: 'average' }, `${loss}WithGrad: reduction is "average", expected one of `],
      [{ out, gradOutput: [1, 2] }, `${loss}WithGrad: gradOutput is an array of 2, expected a number for reduction `],
      [{ out, accumulate: 1 }, `${loss}WithGrad: accumulate is 1, expected true or false`],
    ] as const) {
      expect(() => withGrad(x, targets, options)).toThrow(message);
    }
    expect(() => value(x, targets, { out })).toThrow(`${loss}: out is given, expected none for reduction `);
    expect(out.toArray()).toEqual(start);
    small.dispose();
    dispose();
  });

  test.each(['crossEntropy', 'nllLoss'] as const)('%s: out over the class indices is refused', (loss) => {
    const out = new Float32Array(10);
    const targets = new Int32Array(out.buffer, 0, 2);
    expect(() => runs(loss).withGrad(new Float32Array(10), targets, { shape: [2, 5], out })).toThrow(
      `${loss}WithGrad: out is Float32Array(10), expected a range apart from targets`,
    );
  });

  test.each(['crossEntropy', 'nllLoss'] as const)('%s: checks class indices before anything is written', (loss) => {
    const { x, out, dispose } = setUp(kernels, loss, [2, 5], 'float32');
    const start = out.toArray();
    expect(() => runs(loss).withGrad(x, Int32Array.of(1, 5), { out })).toThrow(
      `${loss}WithGrad: targets[1] is 5, expected an integer in [0, 5) or ignoreIndex (-100)`,
    );
    expect(out.toArray()).toEqual(start);
    dispose();
  });
});
