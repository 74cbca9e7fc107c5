// What holds for every loss, whatever its formula: where results go, how they scale, and that splitting into blocks
// does not change them.
import { describe, expect, test } from 'vitest';
import type { Kernels, Tensor } from '../src/index.js';
import { losses as operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { bytesOf, DTYPES, type Dtype, type Floats, floatsOf, newFloats, numbers, sizeOf } from './support/cases.js';
import { expectGuarded, expectSame, GUARD } from './support/compare.js';
import { type LossOperation, type LossProblem, lossOf, lossWithGrad, numbersOf } from './support/losses.js';
import { once } from './support/once.js';

/** Lengths with whole vectors and tails, every form, and transposed blocks that are not full. */
const GUARDED: readonly [shape: number[], axis: number][] = [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 23, 24, 25, 47, 48, 49, 257].map((n): [number[], number] => [[n], 0]),
  ...[2, 3, 15, 16, 17].map((rows): [number[], number] => [[rows, 7], 1]),
  ...[2, 3].map((rows): [number[], number] => [[rows, 50], 1]),
  ...[2, 3, 5, 17].map((inner): [number[], number] => [[2, 9, inner], 1]),
  [[2, 65, 3], 1],
];
const EDGE = 16;

describe.each(operations)('$name', (operation) => {
  // Options are read in the same way wherever operands are: every other variant, and the last, have all of them.
  const guarded = operation.choices.filter((_, i, all) => i % 2 === 0 || i === all.length - 1);

  for (const set of sets) {
    // Operands are in linear memory surrounded by NaN, results by guards.
    test.each(DTYPES)(`${set.name} %s: reads and writes only its own elements, at every alignment`, (dtype) => {
      for (const [shape, axis] of GUARDED) {
        for (const variant of guarded) {
          for (const reduction of ['mean', 'none']) {
            expectGuardedLoss(set.kernels, operation, operation.make(dtype, shape, axis, reduction, { variant }));
          }
        }
      }
    });
  }
});

const TYPICAL = operations.flatMap((operation) =>
  operation.typical.map((variant) => ({ name: operation.name, operation, variant })),
);

describe.each(TYPICAL)('$name, variant $variant', ({ operation, variant }) => {
  const { losses } = operation;
  const make = (dtype: Dtype, shape: readonly number[], axis: number, reduction: string) =>
    operation.make(dtype, shape, axis, reduction, { variant });
  const large = {
    float32: once(() => largeProblems('float32')),
    float64: once(() => largeProblems('float64')),
  };
  function largeProblems(dtype: Dtype): LossProblem[] {
    return operation.large.flatMap(([shape, axis]) => ['mean', 'none'].map((r) => make(dtype, shape, axis, r)));
  }

  for (const set of sets) {
    for (const dtype of DTYPES) {
      const { kernels } = set;
      /** The large problems with their results without further options. */
      const streamed = once(() => large[dtype]().map((p) => ({ p, ...lossWithGrad(kernels, operation, p) })));

      test(`${set.name} ${dtype}: out takes the gradient, and may be the first argument`, () => {
        for (const [shape, axis] of [
          [[5, 7], 1],
          [[3, 60], 1],
          [[2, 6, 5], 1],
          [[3, 5, 2], 1],
        ] as const) {
          for (const reduction of ['mean', 'sum', 'none']) {
            const p = make(dtype, shape, axis, reduction);
            const { loss, grad } = lossWithGrad(kernels, operation, p);
            const out = newFloats(dtype, p.first.length).fill(GUARD);
            const given = lossWithGrad(kernels, operation, p, { out });
            expect(given.grad).toBe(out);
            expectSame(out, grad, `${p.what} out`);
            expectSame(numbersOf(given.loss), numbersOf(loss), `${p.what} out`);
            const first = p.first.slice();
            const inPlace = lossWithGrad(kernels, operation, p, { out: first }, first);
            expect(inPlace.grad).toBe(first);
            expectSame(first, grad, `${p.what} in place`);
            expectSame(numbersOf(inPlace.loss), numbersOf(loss), `${p.what} in place`);
            if (reduction !== 'none') continue;
            const losses = newFloats(dtype, (loss as Floats).length).fill(GUARD);
            expect(lossOf(kernels, operation, p, { out: losses })).toBe(losses);
            expectSame(losses, loss as Floats, `${p.what} losses`);
          }
        }
      });

      test(`${set.name} ${dtype}: gradOutput scales the gradient, not the loss`, () => {
        for (const [shape, axis] of [
          [[5, 7], 1],
          [[3, 60], 1],
          [[4, 6, 5], 1],
        ] as const) {
          for (const reduction of ['mean', 'sum', 'none']) {
            const p = make(dtype, shape, axis, reduction);
            const { loss, grad } = lossWithGrad(kernels, operation, p, { gradOutput: 1 });
            const scaled = lossWithGrad(kernels, operation, p, { gradOutput: -4 });
            expectSame(numbersOf(scaled.loss), numbersOf(loss), p.what);
            expectSame(withoutSignOfZero(scaled.grad), withoutSignOfZero(grad.map((g) => -4 * g)), p.what);
          }
          const p = make(dtype, shape, axis, 'none');
          const { loss, grad } = lossWithGrad(kernels, operation, p, { gradOutput: 1 });
          const powers = Float64Array.from({ length: (loss as Floats).length }, (_, i) => 2 ** ((i % 5) - 2));
          const expected = grad.map((g, i) => g * (powers[rowOf(operation, shape, axis, i)] as number));
          for (const gradOutput of [floatsOf(dtype, powers), Array.from(powers), powers, Float32Array.from(powers)]) {
            expectSame(lossWithGrad(kernels, operation, p, { gradOutput }).grad, expected, p.what);
          }
        }
      });

      test(`${set.name} ${dtype}: accumulate adds the gradient to out, wherever that is`, () => {
        const small = (
          [
            [[5, 7], 1],
            [[3, 60], 1],
            [[2, 6, 5], 1],
            [[3, 5, 2], 1],
            [[40, 6, 70], 0],
          ] as const
        ).flatMap(([shape, axis]) => ['mean', 'sum', 'none'].map((reduction) => make(dtype, shape, axis, reduction)));
        const plain = small.map((p) => ({ p, ...lossWithGrad(kernels, operation, p) }));
        for (const { p, loss, grad } of [...plain, ...streamed()]) {
          const start = numbers(dtype, p.first.length, 'within ±8', 5);
          // The sum of two floats is rounded to the nearest, as when it is stored in the array.
          const sums = start.map((value, i) => value + (grad[i] as number));
          const out = start.slice();
          const given = lossWithGrad(kernels, operation, p, { accumulate: true, out });
          expect(given.grad).toBe(out);
          expectSame(out, sums, p.what);
          expectSame(numbersOf(given.loss), numbersOf(loss), p.what);
          using target = kernels.tensor(start, [...p.shape]);
          using x = kernels.tensor(p.first, [...p.shape]);
          lossWithGrad(kernels, operation, p, { accumulate: true, shape: undefined, out: target }, x);
          expectSame(target.data, sums, `${p.what}, resident`);
        }
      });

      test(`${set.name} ${dtype}: the same streamed and resident`, () => {
        for (const { p, loss: streamedLoss, grad: streamedGrad } of streamed()) {
          const x = kernels.tensor(p.first, [...p.shape]);
          const resident = lossWithGrad(kernels, operation, p, { shape: undefined }, x);
          const grad = resident.grad as unknown as Tensor;
          expectSame(grad.data, streamedGrad, `${p.what} gradient`);
          const kept = resident.loss as number | Tensor;
          const loss = typeof kept === 'number' ? [kept] : kept.toArray();
          expectSame(loss, numbersOf(streamedLoss), `${p.what} loss`);
          expectSame(numbersOf(lossOf(kernels, operation, p)), loss, `${p.what} loss alone`);
          lossWithGrad(kernels, operation, p, { shape: undefined, out: x }, x);
          expectSame(x.data, streamedGrad, `${p.what} in place`);
          for (const tensor of [x, grad, kept]) if (typeof tensor !== 'number') tensor.dispose();
        }
      });
    }

    test(`${set.name}: out may be a view of linear memory, which grows in the call`, () => {
      const p = make('float32', [100_000, 2], 1, 'none');
      const into = (kernels: Kernels, withGrad: boolean, out: Floats) =>
        withGrad ? lossWithGrad(kernels, operation, p, { out }) : lossOf(kernels, operation, p, { out });
      for (const withGrad of [true, false]) {
        const size = withGrad || losses === 'elements' ? 200_000 : 100_000;
        const expected = newFloats('float32', size);
        into(set.kernels, withGrad, expected);
        const fresh = set.create();
        const target = fresh.zeros([size]);
        into(fresh, withGrad, target.data as Floats);
        expectSame(target.data, expected, `${p.what}, ${withGrad ? 'gradient' : 'losses'}`);
      }
    });

    test(`${set.name}: accumulate needs an out that is no argument`, () => {
      const { kernels } = set;
      const p = make('float32', [3, 5], 1, 'mean');
      const name = `${operation.name}WithGrad`;
      expect(() => lossWithGrad(kernels, operation, p, { accumulate: true })).toThrow(
        new TypeError(`${name}: accumulate is true, expected out, which the gradient is added to`),
      );
      const first = p.first.slice();
      expect(() => lossWithGrad(kernels, operation, p, { accumulate: true, out: first }, first)).toThrow(
        new RangeError(`${name}: out is Float32Array(15), expected a range apart from ${operation.arguments[0]}`),
      );
      expectSame(first, p.first, 'nothing is written');
    });

    test(`${set.name}: results have the kind of the first argument`, () => {
      const { kernels } = set;
      const p = make('float32', [3, 5], 1, 'none');
      const { loss, grad } = lossWithGrad(kernels, operation, p);
      expect(loss).toBeInstanceOf(Float32Array);
      expect(grad).toBeInstanceOf(Float32Array);
      const lossShape = losses === 'elements' ? [3, 5] : [3];
      const like = { data: p.first, dims: [3, 5] };
      const results = lossWithGrad(kernels, operation, p, { shape: undefined }, like);
      expect(results).toEqual({ loss: { data: loss, shape: lossShape }, grad: { data: grad, shape: [3, 5] } });
      // Each result has its own copy of the shape, which the caller may change.
      const { loss: lossLike, grad: gradLike } = results as unknown as Record<string, { shape: number[] }>;
      lossLike?.shape.reverse();
      expect(gradLike?.shape).toEqual([3, 5]);
      const x = kernels.tensor(p.first, [3, 5]);
      const tensors = lossWithGrad(kernels, operation, p, { shape: undefined }, x) as unknown as Record<string, Tensor>;
      expect(tensors.loss?.shape).toEqual(lossShape);
      expectSame(tensors.loss?.data as Floats, loss as Floats, 'loss');
      expect(tensors.grad?.shape).toEqual([3, 5]);
      expectSame(tensors.grad?.data as Floats, grad, 'gradient');
      const mean = make('float32', [3, 5], 1, 'mean');
      expect(typeof lossOf(kernels, operation, mean, { shape: undefined }, x)).toBe('number');
      for (const tensor of [x, tensors.loss, tensors.grad]) tensor?.dispose();
    });
  }
});

function expectGuardedLoss(kernels: Kernels, operation: LossOperation, p: LossProblem): void {
  const { dtype, first, second } = p;
  const { length } = first;
  const expected = lossWithGrad(kernels, operation, p);
  const losses = numbersOf(expected.loss);
  const room = (size: number) => kernels.tensor(newFloats(dtype, size + 2 * EDGE + 4));
  const [home, other, target, lossTarget] = [room(length), room(length), room(length), room(losses.length)];
  for (let offset = EDGE; offset < EDGE + 16 / bytesOf(dtype); offset++) {
    const what = `${p.what} at ${offset}`;
    const place = (from: Tensor, values: Floats) => {
      const view = (from.data as Floats).fill(NaN).subarray(offset, offset + length);
      view.set(values);
      return view;
    };
    const x = place(home, first);
    const placedProblem = second instanceof first.constructor ? { ...p, second: place(other, second as Floats) } : p;
    const start = EDGE + ((3 * offset) % 4);
    const out = (target.data as Floats).fill(GUARD).subarray(start, start + length);
    const given = lossWithGrad(kernels, operation, placedProblem, { out }, x);
    expectSame(given.grad, expected.grad, what);
    expectSame(numbersOf(given.loss), losses, what);
    expectGuarded(target.data, start, length, `${what}: gradient`);
    if (p.options.reduction === 'none') {
      const own = (lossTarget.data as Floats).fill(GUARD).subarray(start, start + losses.length);
      lossOf(kernels, operation, placedProblem, { out: own }, x);
      expectSame(own, losses, what);
      expectGuarded(lossTarget.data, start, losses.length, `${what}: losses`);
    }
    expectSame(x, first, `${what}: the first argument`);
  }
  for (const tensor of [home, other, target, lossTarget]) tensor.dispose();
}

function withoutSignOfZero(values: Floats): Floats {
  return values.map((value) => value + 0);
}

/** The loss to which an element belongs. */
function rowOf(operation: LossOperation, shape: readonly number[], axis: number, element: number): number {
  if (operation.losses === 'elements') return element;
  const n = shape[axis] as number;
  const inner = sizeOf(shape.slice(axis + 1));
  return Math.floor(element / (n * inner)) * inner + (element % inner);
}
