// Masks of the operations whose kernels know none: argmax, topK, accuracy, logProbs, crossEntropy. The kept elements of
// a row are ranked, or computed, as if the others were not there.
import { describe, expect, test } from 'vitest';
import type { Kernels, Tensor } from '../src/index.js';
import { crossEntropy } from './operations/crossEntropy.js';
import { sets } from './support/backends.js';
import {
  DTYPES,
  type Dtype,
  type Floats,
  floatsOf,
  newFloats,
  type Problem,
  problem,
  randomOf,
  sizeOf,
} from './support/cases.js';
import { expectSame } from './support/compare.js';
import { keptOf } from './support/expected.js';
import { expectAccurateLoss, type LossProblem } from './support/losses.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';
import { rowsOf } from './support/ranking.js';

type Case = Problem & {
  readonly mask: { readonly data: Uint8Array; readonly shape: readonly number[] };
  /** A target for each row, -100 for ignored ones; the mask leaves some of them out. */
  readonly targets: Int32Array;
  /** The expected result of every set. */
  readonly expected: () => Expected;
};

/** Index of each row's result. */
interface Expected {
  readonly argmax: number[];
  readonly topK: readonly { readonly k: number; readonly values: Floats; readonly indices: Int32Array }[];
  readonly accuracy: readonly { readonly k: number; readonly share: number }[];
  /**
   * The same logits without a mask, what is not kept being −∞; the targets that are not; elements without a gradient.
   */
  readonly plain: { readonly x: Floats; readonly isOut: readonly boolean[]; readonly isFlat: Uint8Array };
}

/**
 * Shapes with axes, and the shapes of masks over them: as large as x, a row for all, a flag for each row, one column.
 */
const LAYOUTS: readonly (readonly [shape: readonly number[], axis: number, masks: readonly (readonly number[])[]])[] = [
  ...[1, 2, 3, 5, 8, 23, 47, 49, 130, 1001].map((n) => [[7, n], 1, [[7, n], [n], [7, 1], [1]]] as const),
  ...[2, 3, 4, 5, 17, 40].map(
    (inner) =>
      [
        [3, 9, inner],
        1,
        [
          [3, 9, inner],
          [9, 1],
          [9, inner],
          [3, 1, inner],
        ],
      ] as const,
  ),
  [
    [5, 60, 3],
    0,
    [
      [5, 60, 3],
      [5, 1, 1],
      [60, 3],
    ],
  ],
  [
    [70, 2, 3],
    0,
    [
      [70, 2, 3],
      [70, 1, 1],
    ],
  ],
  [
    [3, 4, 50],
    2,
    [
      [3, 4, 50],
      [3, 1, 50],
      [4, 1],
    ],
  ],
  // Blocks of rows, and of the columns of one slice.
  [[130, 1000], 1, [[130, 1000], [1000]]],
  [
    [2, 90, 800],
    1,
    [
      [2, 90, 800],
      [90, 1],
    ],
  ],
];

/** Few distinct values, so that there are ties, also at −∞; arbitrary values where nothing is kept. */
function make(dtype: Dtype, shape: readonly number[], axis: number, own: readonly number[], seed: number): Case {
  const random = randomOf(seed + sizeOf(shape) + sizeOf(own));
  const drawn = problem(dtype, shape, seed % 2 === 0 ? 'few values' : 'within ±8', { axis, seed });
  const share = [0.5, 0.9, 0.1, 0][seed % 4] as number;
  const mask = { data: Uint8Array.from({ length: sizeOf(own) }, () => (random() < share ? 3 : 0)), shape: own };
  const kept = keptOf({ ...drawn, mask });
  const x = drawn.x.map((value, i) => {
    if (kept[i] === 0) return [NaN, Infinity, -Infinity, 3e38][i % 4] as number;
    return random() < 0.3 ? -Infinity : value;
  });
  const n = shape[axis] as number;
  const targets = Int32Array.from({ length: sizeOf(shape) / n }, () =>
    random() < 0.2 ? -100 : Math.floor(random() * n),
  );
  const masked = { ...drawn, what: `${drawn.what}, mask [${own}], ${share} kept`, x, mask, targets };
  return { ...masked, expected: once(() => expectedOf(masked)) };
}

function expectedOf(c: Omit<Case, 'expected'>): Expected {
  const { shape, axis, targets } = c;
  const n = shape[axis] as number;
  const kept = keptOf(c);
  const keptRows = rowsOf({ ...c, x: floatsOf('float64', kept), dtype: 'float64' });
  const rows = rowsOf(c);
  const rankings = rows.map((row, r) => oracle.ranking(row).filter((i) => keptRows[r]![i] !== 0));
  const middle = Math.ceil(n / 2);
  const isOut = Array.from(targets, (target, r) => target >= 0 && keptRows[r]![target] === 0);
  const x = c.x.map((value, i) => (kept[i] === 0 ? -Infinity : value));
  const isEmpty = rowsOf({ ...c, x }).map((row, r) => isOut[r] && row.every((value) => value === -Infinity));
  const flatRows = keptRows.map((row, r) => Array.from(row, (isKept) => Number(isKept === 0 || isEmpty[r])));
  const counted = targets.filter((target) => target >= 0).length;
  const ranks = rankings.map((ranking, r) => ranking.indexOf(targets[r] as number));
  return {
    argmax: rankings.map(([first = -1]) => first),
    topK: [...new Set([1, middle, n > 100 ? 7 : n])].map((k) => {
      const indices = rankings.flatMap((ranking) => Array.from({ length: k }, (_, i) => ranking[i] ?? -1));
      const values = indices.map((i, at) => (i < 0 ? -Infinity : (rows[Math.floor(at / k)]![i] as number)));
      const place = (ofRows: number[]) => oracle.fromRows(ofRows, shape.with(axis, k), axis);
      return { k, values: floatsOf(c.dtype, place(values)), indices: Int32Array.from(place(indices)) };
    }),
    accuracy: [...new Set([1, middle, n])].map((k) => {
      return { k, share: ranks.filter((rank) => rank >= 0 && rank < k).length / counted };
    }),
    plain: { x, isOut, isFlat: Uint8Array.from(oracle.fromRows(flatRows.flat(), shape, axis)) },
  };
}

const casesOf = Object.fromEntries(
  DTYPES.map((dtype) => [
    dtype,
    once(() =>
      LAYOUTS.flatMap(([shape, axis, masks]) =>
        masks.flatMap((own, i) => [i, i + 1].map((seed) => make(dtype, shape, axis, own, seed))),
      ),
    ),
  ]),
) as Record<Dtype, () => Case[]>;

/** Calls with x, and with x in linear memory. */
function forEachInput(kernels: Kernels, c: Case, call: (x: Floats | Tensor) => void): void {
  call(c.x);
  using resident = kernels.tensor(c.x, [...c.shape]);
  call(resident);
}

describe.each(sets)('$name', ({ kernels }) => {
  for (const dtype of DTYPES) {
    const cases = casesOf[dtype];

    test(`${dtype}: argmax`, () => {
      for (const c of cases()) {
        const { argmax } = c.expected();
        forEachInput(kernels, c, (x) => {
          const out = new Int32Array(argmax.length);
          kernels.argmax(x, { shape: c.shape, axis: c.axis, mask: c.mask, out });
          expectSame(out, argmax, c.what);
        });
      }
    });

    test(`${dtype}: topK`, () => {
      for (const c of cases()) {
        for (const { k, values, indices } of c.expected().topK) {
          forEachInput(kernels, c, (x) => {
            const out = { values: newFloats(dtype, values.length), indices: new Int32Array(indices.length) };
            kernels.topK(x, k, { shape: c.shape, axis: c.axis, mask: c.mask, out });
            expectSame(out.values, values, `${c.what}, k ${k}`);
            expectSame(out.indices, indices, `${c.what}, k ${k}, indices`);
          });
        }
      }
    });

    test(`${dtype}: topK into x itself`, () => {
      for (const c of cases().slice(0, 30)) {
        const n = c.shape[c.axis] as number;
        const options = { shape: c.shape, axis: c.axis, mask: c.mask };
        const { values, indices } = kernels.topK(c.x, n, options);
        using x = kernels.tensor(c.x, [...c.shape]);
        const out = { values: x, indices: new Int32Array(indices.length) };
        kernels.topK(x, n, { ...options, out });
        expectSame(x.data, values, c.what);
        expectSame(out.indices, indices, c.what);
      }
    });

    test(`${dtype}: accuracy`, () => {
      for (const c of cases()) {
        for (const { k, share } of c.expected().accuracy) {
          forEachInput(kernels, c, (x) => {
            const given = kernels.accuracy(x, c.targets, { shape: c.shape, axis: c.axis, mask: c.mask, k });
            expect(given, `${c.what}, k ${k}`).toBe(share);
          });
        }
      }
    });

    // A class that is not kept is one with a logit of −∞, which the tests of these operations cover; but a target that
    // is not kept has no probability even where nothing else is above −∞, and what is not kept has no gradient.
    test(`${dtype}: logProbs and crossEntropy are those of logits of -∞`, () => {
      for (const c of cases()) {
        const { shape, axis, mask, targets } = c;
        const { x, isOut, isFlat } = c.expected().plain;
        const plain = kernels.logProbs(x, targets, { shape, axis }) as Floats;
        const expected = plain.map((value, r) => (isOut[r] ? -Infinity : value));
        forEachInput(kernels, c, (given) => {
          const out = newFloats(dtype, expected.length);
          expect(kernels.logProbs(given, targets, { shape, axis, mask, out })).toBe(out);
          expectSame(out, expected, c.what);
        });
        const weight = floatsOf(
          dtype,
          Array.from({ length: shape[axis] as number }, (_, i) => 0.5 + (i % 3)),
        );
        for (const w of [undefined, weight]) {
          const options = { shape, axis, weight: w, reduction: 'none' } as const;
          const alone = kernels.crossEntropyWithGrad(x, targets, options);
          const all = kernels.crossEntropyWithGrad(c.x, targets, { ...options, mask });
          const losses = alone.loss.map((loss, r) => (isOut[r] ? Infinity : loss));
          expectSame(all.loss, losses, `${c.what}, losses`);
          const slopes = (alone.grad as Floats).map((slope, i) => (isFlat[i] ? 0 : slope));
          expectSame(all.grad as Floats, slopes, c.what);
          const sum = kernels.crossEntropy(c.x, targets, { ...options, mask, reduction: 'sum' });
          const others = targets.map((target, r) => (isOut[r] ? -100 : target));
          const expectedSum = kernels.crossEntropy(x, others, { ...options, reduction: 'sum' });
          expect(sum, c.what).toBe(isOut.includes(true) ? expectedSum + Infinity : expectedSum);
        }
      }
    });
  }

  test('a masked-out target has gradient 0, and the kept classes have theirs', () => {
    const x = Float64Array.of(1, 2, 9, NaN);
    const mask = [true, true, false, false];
    const p = 1 / (1 + Math.E);
    for (const [labelSmoothing, expected] of [
      [0, [p, 1 - p]],
      [0.5, [p - 0.25, 1 - p - 0.25]],
      [1, [p - 0.5, 1 - p - 0.5]],
    ] as const) {
      const { loss, grad } = kernels.crossEntropyWithGrad(x, 3, { mask, labelSmoothing });
      if (labelSmoothing < 1) expect(loss).toBe(Infinity);
      else expect(loss).toBeCloseTo(Math.log(1 + Math.E) - 0.5, 14);
      expect(grad[0]).toBeCloseTo(expected[0], 14);
      expect(grad[1]).toBeCloseTo(expected[1], 14);
      expect(grad.slice(2)).toEqual(Float64Array.of(0, 0));
    }
    // A row that holds only the smallest number, or NaN, is not empty.
    const lowest = Float64Array.of(-Number.MAX_VALUE, 0);
    const only = { loss: Infinity, grad: Float64Array.of(1, 0) };
    expect(kernels.crossEntropyWithGrad(lowest, 1, { mask: [true, false] })).toEqual(only);
    expect(kernels.crossEntropy(Float64Array.of(NaN, 0), 1, { mask: [true, false] })).toBe(NaN);
    const nothing = kernels.crossEntropyWithGrad(x, 3, { mask: [false], labelSmoothing: 0.5 });
    expect(nothing).toEqual({ loss: Infinity, grad: new Float64Array(4) });
    // With smoothing 1 the target does not count. A weight of 0 acts as without a mask where the logit is −∞.
    expect(kernels.crossEntropy(x, 3, { mask: [false], labelSmoothing: 1 })).toBe(0);
    const options = { weight: [1, 0], reduction: 'sum' } as const;
    const without = kernels.crossEntropy(Float64Array.of(1, -Infinity), 1, options);
    expect(kernels.crossEntropy(Float64Array.of(1, 2), 1, { ...options, mask: [false] })).toBe(without);
  });

  test('a weight of NaN does not count where the class is not kept', () => {
    for (const dtype of DTYPES) {
      for (const n of [5, 60]) {
        const x = newFloats(dtype, 2 * n).map((_, i) => i % 3);
        const mask = Array.from({ length: n }, (_, c) => c < n - 1);
        const probabilities = newFloats(dtype, 2 * n).map((_, i) => (i % n < n - 1 ? 1 / n : 0));
        for (const labelSmoothing of [0, 0.25, 1]) {
          // With smoothing 1 not even the target's own weight counts.
          const last = labelSmoothing === 1 ? n - 1 : 0;
          for (const targets of [probabilities, [1, last]]) {
            const run = (weight: number) =>
              kernels.crossEntropyWithGrad(x, targets, {
                shape: [2, n],
                mask,
                labelSmoothing,
                reduction: 'none',
                weight: mask.map((kept) => (kept ? 2 : weight)),
              });
            const { loss, grad } = run(NaN);
            const expected = run(1);
            expect([...loss, ...grad]).not.toContain(NaN);
            expect(loss).toEqual(expected.loss);
            expect(grad).toEqual(expected.grad);
          }
        }
      }
    }
  });

  test('class probabilities', () => {
    const { crossEntropyWithGrad } = kernels;
    const x = Float64Array.of(1, 2, NaN, 3, 1, 5);
    const probabilities = Float64Array.of(0.25, 0.75, 0, 0.5, 0.25, 0.25);
    const mask = { data: [true, true, false], shape: [3] };
    const options = { shape: [2, 3], reduction: 'none' } as const;
    const { loss, grad } = crossEntropyWithGrad(x, probabilities, { ...options, mask });
    const alone = crossEntropyWithGrad(Float64Array.of(1, 2), Float64Array.of(0.25, 0.75), {
      shape: [1, 2],
      reduction: 'none',
    });
    expect(loss[0]).toBeCloseTo(alone.loss[0] as number, 14);
    expect(loss[1]).toBe(Infinity);
    expect(grad[0]).toBeCloseTo(alone.grad[0] as number, 14);
    expect(grad[1]).toBeCloseTo(alone.grad[1] as number, 14);
    expect([grad[2], grad[5]].map(Math.abs as (value?: number) => number)).toEqual([0, 0]);
  });

  test('class probabilities of a row that keeps nothing, followed by other blocks', () => {
    const n = 40_000;
    const x = new Float64Array(2 * n);
    const probabilities = x.map((_, i) => Number(i % n === 0));
    const options = { shape: [2, n], mask: { data: [false, true], shape: [2, 1] }, reduction: 'none' } as const;
    const losses = kernels.crossEntropy(x, probabilities, options);
    expect(losses[0]).toBe(Infinity);
    expect(losses[1]).toBeCloseTo(Math.log(n), 12);
  });

  test('class probabilities of a row that keeps nothing: 0 where all are 0, else ∞', () => {
    for (const dtype of DTYPES) {
      for (const axis of [0, 1]) {
        for (const labelSmoothing of [0, 0.25]) {
          const lay = (rows: readonly (readonly number[])[]) =>
            newFloats(dtype, 6).map((_, i) =>
              axis === 1 ? rows[Math.floor(i / 2)]![i % 2]! : rows[i % 3]![Math.floor(i / 3)]!,
            );
          const shape = axis === 1 ? [3, 2] : [2, 3];
          const x = lay([
            [1, 2],
            [3, NaN],
            [5, 6],
          ]);
          const kept = lay([
            [1, 1],
            [0, 0],
            [0, 0],
          ]);
          const probabilities = lay([
            [0.25, 0.75],
            [0, 0],
            [0, 1],
          ]);
          const mask = { data: Uint8Array.from(kept), shape };
          const options = { shape, axis, mask, labelSmoothing };
          const { loss, grad } = kernels.crossEntropyWithGrad(x, probabilities, { ...options, reduction: 'none' });
          const alone = kernels.crossEntropy(
            newFloats(dtype, 2).map((_, i) => i + 1),
            newFloats(dtype, 2).map((_, i) => 0.25 + i / 2),
            {
              shape: [1, 2],
              labelSmoothing,
            },
          );
          expect([...loss]).toEqual([expect.closeTo(alone, 5), 0, Infinity]);
          expect([...grad].filter((_, i) => kept[i] === 0).map(Math.abs)).toEqual([0, 0, 0, 0]);
          expect(kernels.crossEntropy(x, probabilities, { ...options, reduction: 'sum' })).toBe(Infinity);
          const without = lay([
            [0.25, 0.75],
            [0, 0],
            [0, 0],
          ]);
          expect(kernels.crossEntropy(x, without, { ...options, reduction: 'sum' })).toBeCloseTo(alone, 5);
          // A weight of 0 is as where a logit is −∞ beside others that are kept.
          for (const reduction of ['none', 'sum'] as const) {
            const weighted = { ...options, reduction, weight: [1, 0] };
            const losses = kernels.crossEntropy(x, probabilities, weighted);
            expect(typeof losses === 'number' ? losses : losses[2]).toBeNaN();
          }
        }
      }
    }
  });

  test('padded classes: the others are computed as if there were no padding', () => {
    for (const dtype of DTYPES) {
      for (const [n, padded] of [
        [5, 8],
        [50, 64],
        [1000, 1024],
      ] as const) {
        const p = crossEntropy.make(dtype, [6, n], 1, 'mean', { variant: 0 });
        const x = newFloats(dtype, 6 * padded).fill(NaN);
        for (let row = 0; row < 6; row++) x.set(p.first.subarray(row * n, row * n + n), row * padded);
        const mask = Array.from({ length: padded }, (_, c) => c < n);
        // Within the bounds, compared with the problem without padding.
        const padding = {
          ...kernels,
          crossEntropy: (_: Floats, targets: Int32Array, options: object) =>
            kernels.crossEntropy(x, targets, { ...options, shape: [6, padded], mask }),
          crossEntropyWithGrad: (_: Floats, targets: Int32Array, options: object) => {
            const { loss, grad } = kernels.crossEntropyWithGrad(x, targets, { ...options, shape: [6, padded], mask });
            return { loss, grad: grad.filter((__, i) => i % padded < n) };
          },
        } as unknown as Kernels;
        const set = sets.find((other) => other.kernels === kernels)!;
        expectAccurateLoss({ ...set, kernels: padding }, crossEntropy, p as LossProblem);
      }
    }
  });

  test('keepDims keeps the axis of tensors', () => {
    using x = kernels.tensor([1, 5, 3, 4], [2, 2]);
    expect(kernels.argmax(x, { keepDims: true })).toEqual({ data: Int32Array.of(1, 1), shape: [2, 1] });
    expect(kernels.argmax(x, { axis: 0, keepDims: true })).toEqual({ data: Int32Array.of(1, 0), shape: [1, 2] });
    expect(kernels.argmax([1, 5], { keepDims: true })).toBe(1);
  });

  test('label smoothing spreads over the kept classes, as if there were no others', () => {
    const shape = [2, 3, 4];
    const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(5 * i));
    const mask = { data: [true, false, true], shape: [3, 1] };
    const targets = [0, 2, 2, 0, 0, 0, 2, 2];
    const closedUp = x.filter((_, i) => Math.floor(i / 4) % 3 !== 1);
    const options = { axis: 1, labelSmoothing: 0.25, reduction: 'none' } as const;
    const masked = kernels.crossEntropyWithGrad(x, targets, { ...options, shape, mask });
    const alone = kernels.crossEntropyWithGrad(
      closedUp,
      targets.map((target) => target / 2),
      { ...options, shape: [2, 2, 4] },
    );
    masked.loss.forEach((loss, row) => void expect(loss).toBeCloseTo(alone.loss[row] as number, 6));
    const kept = masked.grad.filter((_, i) => Math.floor(i / 4) % 3 !== 1);
    kept.forEach((slope, i) => void expect(slope).toBeCloseTo(alone.grad[i] as number, 6));
  });
});
