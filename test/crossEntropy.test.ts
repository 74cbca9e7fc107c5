import { describe, expect, test } from 'vitest';
import { createKernels, OutOfMemoryError } from '../src/index.js';
import { crossEntropy } from './operations/crossEntropy.js';
import { sets } from './support/backends.js';
import { SMALLEST_NORMAL, sureGradientBounds } from './support/bounds.js';
import { DTYPES, type Dtype, type Floats, floatsOf, newFloats, numbers, randomOf } from './support/cases.js';
import { expectSame } from './support/compare.js';
import { describeErrors } from './support/failures.js';
import { expectWithin } from './support/losses.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';

/** The table of numerics.md. */
describe('golden values', () => {
  const x = Float64Array.of(1, 2, 3, 1, 5, 1, 0, 0, 9);
  const weight = Float64Array.of(1, 2, 4);
  const indices = [0, 1, 2];
  const ignored = [0, -100, 2];
  const labelSmoothing = 0.1;
  const oneHot = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const soft = Float64Array.of(0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0, 0.5, 0.5);
  const golden = [
    ['plain', indices, {}, 0.8146096844],
    ['ign', ignored, {}, 1.2039263768],
    ['w', indices, { weight }, 0.3543636744],
    ['w, ign', ignored, { weight }, 0.4817186242],
    ['ε', indices, { labelSmoothing }, 1.07016524],
    ['ε, ign', ignored, { labelSmoothing }, 1.4539263768],
    ['ε, w', indices, { labelSmoothing, weight }, 0.5765787516],
    ['ε, w, ign', ignored, { labelSmoothing, weight }, 0.659246557],
    ['one-hot probabilities, w', oneHot, { weight }, 0.8268485735],
    ['T', soft, {}, 2.4479430178],
    ['T, w', soft, { weight }, 4.4958998479],
    ['T, w, ε', soft, { weight, labelSmoothing }, 4.6474965672],
  ] as const;
  for (const { name, kernels } of sets) {
    for (const [what, targets, options, expected] of golden) {
      test(`${name} ${what}`, () => {
        expect(kernels.crossEntropy(x, targets, { shape: [3, 3], ...options })).toBeCloseTo(expected, 9);
      });
    }
    test(`${name} ε, w, ign, none`, () => {
      const options = { shape: [3, 3], weight, labelSmoothing, reduction: 'none' } as const;
      const losses = kernels.crossEntropy(x, ignored, options);
      [2.3952867597, 0, 0.9009460251].forEach((expected, i) => {
        expect(losses[i]).toBeCloseTo(expected, 9);
      });
    });
  }
});

describe('losses that are almost 0', () => {
  for (const { name, kernels } of sets) {
    test(`${name}: accurate to the last digits`, () => {
      for (const n of [2, 10, 100, 3000]) {
        // log1p((n − 1) e^−d)
        const x = new Float64Array(n).fill(-28.5 - Math.log(n - 1));
        x[n >> 1] = 0;
        const exact = oracle.crossEntropy('double-double', x, n, { indices: [n >> 1] }).loss;
        expect(exact.hi[0]).toBeLessThan(4.3e-13);
        const loss = kernels.crossEntropy(x, n >> 1);
        expect(oracle.relativeError(loss, exact, 0)).toBeLessThan(5 * 2 ** -52);
        const y = new Float32Array(n).fill(-20 - Math.log(n - 1));
        y[n >> 1] = 0;
        const small = oracle.crossEntropy('float64', y, n, { indices: [n >> 1] }).loss;
        expect(oracle.relativeError(kernels.crossEntropy(y, n >> 1), small, 0)).toBeLessThan(5 * 2 ** -23);
      }
    });

    test(`${name}: shifting a row changes nothing`, () => {
      const x = numbers('float64', 100, 'few values', 3);
      const shifted = x.map((value) => value + 64);
      expect(kernels.crossEntropy(shifted, 5)).toBeCloseTo(kernels.crossEntropy(x, 5), 14);
    });
  }
});

/**
 * Distances of a target above log Σ e^x of the others: p − 1 has lost all digits there, but 1 − p is a normal number.
 */
const MARGINS: Record<Dtype, number> = { float32: 40, float64: 700 };

interface SureRows {
  readonly logits: Floats;
  readonly n: number;
  readonly targets: Int32Array;
  readonly temperature: number;
  readonly weight: Floats | undefined;
  readonly labelSmoothing: number;
}

/** Rows that are more or less certain of their targets: near and distant values, where one or many others count. */
function sureRows(dtype: Dtype, n: number, random: () => number): SureRows {
  const rows = Math.ceil(400 / n) + 4;
  const temperature = [1, 1, 0.7, 2.9][Math.floor(4 * random())] as number;
  const logits = newFloats(dtype, rows * n);
  const targets = new Int32Array(rows);
  for (let r = 0; r < rows; r++) {
    const offset = [0, 0, 50, 300, -300, 1000][Math.floor(6 * random())] as number;
    const spread = [0, 0.5, 5, 20][Math.floor(4 * random())] as number;
    const target = Math.floor(n * random());
    const row = logits.subarray(r * n, r * n + n);
    let others = 0;
    for (let c = 0; c < n; c++) {
      const value = offset + spread * (random() - 0.5);
      row[c] = value * temperature;
      if (c !== target) others += Math.exp(value - offset);
    }
    const margin = 1 + (MARGINS[dtype] - 1) * random() * random();
    row[target] = (offset + Math.log(others) + margin) * temperature;
    targets[r] = target;
  }
  const weight =
    random() < 0.5
      ? undefined
      : floatsOf(
          dtype,
          Array.from({ length: n }, () => 0.1 + random()),
        );
  return { logits, n, targets, temperature, weight, labelSmoothing: [0, 0, 0.1, 1e-6][Math.floor(4 * random())] ?? 0 };
}

/** The exact gradients at the targets, and the scales of which their bounds are multiples. */
function atSureTargets({ logits, n, targets, ...options }: SureRows, precision: oracle.Precision): oracle.Scaled {
  const { temperature, weight, labelSmoothing } = options;
  const { grad } = oracle.crossEntropy(precision, logits, n, { indices: targets }, { ...options, reduction: 'sum' });
  const places = Array.from(targets, (target, r) => r * n + target);
  const scale = Float64Array.from(places, (place, r) => {
    const row = logits.subarray(r * n, r * n + n);
    let others = 0;
    let spread = 0;
    for (let c = 0; c < n; c++) {
      spread += (labelSmoothing / n) * (weight?.[c] ?? 1);
      if (r * n + c !== place) others += Math.exp(((row[c] as number) - (logits[place] as number)) / temperature);
    }
    const w = weight?.[targets[r] as number] ?? 1;
    const own = ((1 - labelSmoothing) * w * others) / (1 + others);
    return (own + spread / (1 + others) + (labelSmoothing / n) * w) / temperature;
  });
  const at = (values: Float64Array) => Float64Array.from(places, (place) => values[place] as number);
  return { hi: at(grad.hi), lo: at(grad.lo), scale };
}

describe('the gradient at a target with a probability near 1', () => {
  for (const dtype of DTYPES) {
    const problems = once(() => {
      const random = randomOf(20);
      return [2, 3, 10, 17, 24, 47, 48, 64, 300].flatMap((n) =>
        Array.from({ length: 4 }, () => {
          const rows = sureRows(dtype, n, random);
          return { rows, exact: atSureTargets(rows, oracle.precisionOf(dtype)) };
        }),
      );
    });

    for (const set of sets) {
      test(`${set.name} ${dtype}: is accurate relative to itself`, () => {
        for (const { rows, exact } of problems()) {
          const { logits, n, targets, ...options } = rows;
          const count = targets.length;
          const bound = sureGradientBounds[dtype][set.backend];
          const run = (x: Floats, shape: number[], axis: number) =>
            set.kernels.crossEntropyWithGrad(x, targets, { ...options, shape, axis, reduction: 'sum' }).grad;
          const what = `[${count}, ${n}], T ${options.temperature}, ε ${options.labelSmoothing}`;
          const check = (grad: ArrayLike<number>, how: string) => {
            const own = Float64Array.from(targets, (target, r) => grad[r * n + target] as number);
            expectWithin(`${what}, ${how}`, dtype, own, exact, exact.scale, bound);
          };
          check(run(logits, [count, n], 1), 'rows');
          const columns = floatsOf(dtype, oracle.fromRows(logits, [n, count], 0));
          check(oracle.toRows(run(columns, [n, count], 0), [n, count], 0), 'columns');
        }
      });
    }
  }

  test.each(sets)('$name: float32, computed by hand', ({ kernels }) => {
    // 9 e^-(12.6 + log 9) is 3.372e-6 in float32 logits; p - 1 would be a multiple of 6e-8.
    const { grad } = kernels.crossEntropyWithGrad([12.6 + Math.log(9), 0, 0, 0, 0, 0, 0, 0, 0, 0], 0);
    expect(grad[0]).toBeCloseTo(-3.3720024e-6, 12);
  });

  test.each(sets)('$name: one-hot probabilities hold the bound of all probabilities', ({ kernels, backend }) => {
    for (const dtype of DTYPES) {
      for (const n of [10, 60]) {
        const logits = newFloats(dtype, 40 * n);
        const oneHot = newFloats(dtype, 40 * n);
        for (let r = 0; r < 40; r++) {
          logits[r * n + (r % n)] = r + 1;
          oneHot[r * n + (r % n)] = 1;
        }
        const exact = oracle.crossEntropy(oracle.precisionOf(dtype), logits, n, { probabilities: oneHot });
        const { grad } = kernels.crossEntropyWithGrad(logits, oneHot, { shape: [40, n] });
        const bound = crossEntropy.units.grad[dtype][backend];
        expectWithin(`one-hot, ${dtype}, ${n} classes`, dtype, grad, exact.grad, exact.grad.scale, bound);
      }
    }
  });
});

// Found by test:hunt: the roundings of products and logarithms all have the same direction.
test.each(sets)('$name: probabilities and weights whose roundings add up', ({ kernels }) => {
  // biome-ignore format: numbers
  const x = Float64Array.of(29589102746.83403, 29576234184.171486, 29556183259.669518, 29585739442.929184, 29518838052.701256, 29556183259.669518, 29569245812.098534, 29531912317.712822, 29586000247.39177, 29592946980.12628, 29527580363.649086, 29556183259.669518, 29556186215.287846, 29576057658.864265, 29556183259.669518, 29567967048.191444, 29550974744.803116, 29608506081.783638, 29618835370.303833, 29614215979.439743, 29556186215.287846, 29583013077.80857, 29594042218.165718, 29542463647.466072, 29548429259.4516, 29585739442.929184, 29573359303.74469);
  // biome-ignore format: numbers
  const targets = Float64Array.of(4.322605881462176e-7, 0.00008593663115086695, 0.551270022759299, 1.666556580390523e-8, 1.2895295655175869e-8, 2.9223389712569404e-7, 1.2969020278313581e-8, 0.000015204240771641586, 2.398627711116351e-9, 0.001095399205715113, 5.420056262436696e-9, 4.32260588145953e-7, 0.12782012697466283, 0.008202747322880188, 1.6665565803289597e-8, 0.350213941903461, 0.0026139520839104555, 0.0000015601214886911093, 0.01500711523213978, 0.000011039661786667273, 0.000009425787266588228, 0.0023805784862470556, 0.0716905856136621, 2.7549700004909793e-9, 9.95683554601534e-7, 0.00029891422637429453, 0.002120742004547814);
  // biome-ignore format: numbers
  const weight = Float64Array.of(0.2710211426347642, 0.0009765624999999931, 0.0009765624999999993, 0.09546867407705499, 0.0009765625, 0.0009765624999999998, 0.0009765624999999996, 0.0009765624999999909, 0.001699584613108419);
  const options = { shape: [9, 3], axis: 0, temperature: 39460858.82465892, labelSmoothing: 0.1, weight };
  const loss = kernels.crossEntropy(x, targets, options);
  // Computed with mpmath.
  const exact = 0.12584959710936183;
  expect(Math.abs(loss - exact)).toBeLessThan(2 * 2 ** -52 * exact);
});

test.each(sets)('$name: logits as far apart as possible, at the largest temperature', ({ kernels }) => {
  for (const [dtype, most, temperature] of [
    ['float32', 3e38, 2 ** 100],
    ['float64', 1.7e308, 2 ** 900],
  ] as const) {
    const exact = 2 * (most / temperature);
    for (const n of [2, 10, 60]) {
      const x = newFloats(dtype, n).fill(most).fill(-most, 1, 2);
      expect(kernels.crossEntropy(x, 1, { temperature }) / exact, `${dtype}, ${n}`).toBeCloseTo(1, 6);
      expect(-kernels.logProbs(x, 1, { temperature }) / exact, `${dtype}, ${n}`).toBeCloseTo(1, 6);
    }
  }
});

test.each(sets)('$name: logits as far apart as possible, and a small target probability', ({ kernels }) => {
  for (const [dtype, most] of [
    ['float32', 3e38],
    ['float64', 1.7e308],
  ] as const) {
    for (const n of [2, 10, 60]) {
      const x = newFloats(dtype, n).fill(most).fill(-most, 1, 2);
      const targets = newFloats(dtype, n).fill(0.75, 0, 1).fill(0.25, 1, 2);
      expect(kernels.crossEntropy(x, targets) / (most / 2), `${dtype}, ${n}`).toBeCloseTo(1, 6);
      expect(kernels.crossEntropy(x, 0, { labelSmoothing: 0.5 }) / (most / n), `${dtype}, ${n}`).toBeCloseTo(1, 6);
    }
  }
});

describe('losses below the normal numbers', () => {
  for (const dtype of DTYPES) {
    test.each(sets)(`$name ${dtype}: are off by no more than the smallest one, and never below 0`, ({ kernels }) => {
      const [first, last] = dtype === 'float32' ? [80, 112] : [700, 752];
      let subnormal = 0;
      for (let margin = first; margin < last; margin += 0.37) {
        for (const n of [2, 10, 60]) {
          for (const offset of [0, -margin / 2, 500]) {
            const x = newFloats(dtype, n).fill(offset);
            x[n - 1] = offset + margin;
            const { loss, grad } = kernels.crossEntropyWithGrad(x, n - 1);
            const exact = oracle.crossEntropy(oracle.precisionOf(dtype), x, n, { indices: [n - 1] });
            const what = `${dtype}, ${n} classes, ${margin} apart`;
            expectWithin(`${what}: loss`, dtype, [loss], exact.loss, exact.loss.scale, n);
            expectWithin(`${what}: gradient`, dtype, grad, exact.grad, exact.grad.scale, n);
            expect(loss, what).toBeGreaterThanOrEqual(0);
            expect(-(grad[n - 1] as number), what).toBeGreaterThanOrEqual(0);
            if ((exact.loss.hi[0] as number) < SMALLEST_NORMAL[dtype]) subnormal++;
          }
        }
        const element = kernels.bceWithLogits(floatsOf(dtype, [margin, -margin]), floatsOf(dtype, [1, 0]));
        expect(element).toBeGreaterThanOrEqual(0);
        expect(element).toBeLessThanOrEqual(Math.exp(-margin) * (1 + 2 ** -20) + SMALLEST_NORMAL[dtype]);
      }
      expect(subnormal).toBeGreaterThan(100);
    });
  }
});

describe('targets', () => {
  const x = numbers('float32', 30, 'within ±8', 1);
  const shape = [5, 6];
  const indices = [3, 0, 5, 2, 1];
  for (const { name, kernels } of sets) {
    test(`${name}: integers of every width`, () => {
      const expected = kernels.crossEntropy(x, indices, { shape });
      const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
      for (const kind of kinds) expect(kernels.crossEntropy(x, kind.from(indices), { shape })).toBe(expected);
      for (const kind of [BigInt64Array, BigUint64Array]) {
        const targets = kind.from(indices.map(BigInt));
        expect(kernels.crossEntropy(x, targets, { shape })).toBe(expected);
        expect(kernels.crossEntropy(x, { data: targets, dims: [5] }, { shape })).toBe(expected);
      }
    });

    test(`${name}: one number for a single row`, () => {
      const loss = kernels.crossEntropy([2, 1, 0.1], 0);
      expect(loss).toBeCloseTo(0.417, 3);
      expect(kernels.crossEntropy([2, 1, 0.1], [0])).toBe(loss);
      expect(kernels.crossEntropy([2, 1, 0.1], 0, { reduction: 'none' })).toBeCloseTo(0.417, 3);
    });

    test(`${name}: one-hot probabilities are indices`, () => {
      const oneHot = new Float32Array(30);
      indices.forEach((t, row) => {
        oneHot[row * 6 + t] = 1;
      });
      const index = kernels.crossEntropyWithGrad(x, indices, { shape, reduction: 'none' });
      const like = { data: oneHot, shape };
      const tensor = kernels.tensor(oneHot, shape);
      for (const targets of [oneHot, like, tensor]) {
        const hot = kernels.crossEntropyWithGrad(x, targets, { shape, reduction: 'none' });
        hot.loss.forEach((loss, i) => {
          expect(loss).toBeCloseTo(index.loss[i] as number, 5);
        });
        hot.grad.forEach((g, i) => {
          expect(g).toBeCloseTo(index.grad[i] as number, 6);
        });
      }
      tensor.dispose();
    });

    test(`${name}: a weight of plain numbers has the dtype of the logits`, () => {
      const logits = Float64Array.of(1, 2, 3);
      const plain = kernels.crossEntropy(logits, 1, { weight: [0.1, 0.2, 0.3], reduction: 'sum' });
      expect(plain).toBe(kernels.crossEntropy(logits, 1, { weight: Float64Array.of(0.1, 0.2, 0.3), reduction: 'sum' }));
    });

    test(`${name}: -∞ beside a probability of 0 counts 0`, () => {
      const loss = kernels.crossEntropy(Float64Array.of(1, -Infinity, 2), Float64Array.of(0.5, 0, 0.5));
      expect(loss).toBeCloseTo(Math.log(1 + Math.E) - 0.5, 12);
      expect(kernels.crossEntropy([1, -Infinity, 2], 1)).toBe(Infinity);
    });

    test(`${name}: label smoothing 1 leaves the target no share of its own`, () => {
      for (const dtype of DTYPES) {
        for (const n of [4, 60]) {
          const row = newFloats(dtype, n).map((_, c) => c % 3);
          const options = { labelSmoothing: 1 } as const;
          const even = newFloats(dtype, n).fill(1 / n);
          expect(kernels.crossEntropy(row, 1, options)).toBeCloseTo(kernels.crossEntropy(row, even), 5);
          row[2] = -Infinity;
          const weight = newFloats(dtype, n).fill(1);
          for (const target of [1, 2]) {
            for (const reduction of ['mean', 'sum'] as const) {
              const { loss, grad } = kernels.crossEntropyWithGrad(row, target, { ...options, reduction });
              expect(loss).toBe(Infinity);
              expect(grad[2]).toBeCloseTo(-1 / n, 6);
              expect(kernels.crossEntropy(row, target, { labelSmoothing: 0.5, reduction })).toBe(Infinity);
            }
            weight[2] = 0;
            expect(kernels.crossEntropy(row, target, { ...options, weight, reduction: 'sum' })).toBeNaN();
          }
        }
      }
    });

    test(`${name}: 64-bit integers are ignored like others`, () => {
      const loss = kernels.crossEntropy([0, 0, 0, 0], BigInt64Array.of(1n, -100n), { shape: [2, 2] });
      expect(loss).toBeCloseTo(Math.LN2, 6);
    });

    test(`${name}: class indices that leave hardly any room for staging`, () => {
      for (const rows of [8192, 8300, 9000]) {
        const loss = kernels.crossEntropy(new Float32Array(2 * rows).fill(1), new Int32Array(rows), {
          shape: [rows, 2],
        });
        expect(loss).toBeCloseTo(Math.LN2, 6);
      }
    });

    test(`${name}: an ignored row has no weight, whatever is next to the weights`, () => {
      // A transposed block that exactly fills the scratch.
      kernels.logSoftmax(new Float32Array(4096 * 16).fill(3), { shape: [1, 4096, 16], axis: 1 });
      const loss = kernels.crossEntropy([0, 0, 0, 0], [0, -100], { shape: [2, 2], weight: [2, 1] });
      expect(loss).toBeCloseTo(Math.LN2, 6);
    });

    test(`${name}: a mean over weights whose sum overflows is 0`, () => {
      const weight = Float64Array.of(1e308, 1);
      expect(kernels.crossEntropy(Float64Array.of(5, 0, 5, 0), [0, 0], { shape: [2, 2], weight })).toBe(0);
    });

    test(`${name}: a mean over weights whose sum is 0 is NaN, and so is its gradient, as in torch`, () => {
      const logits = [0, 1, 2, 0, 1, 2];
      const nothing = { shape: [2, 3], weight: [0, 1, -1] } as const;
      for (const labelSmoothing of [0, 0.25, 1]) {
        for (const targets of [
          [0, 0],
          [1, 2],
        ]) {
          const options = { ...nothing, labelSmoothing };
          const { loss, grad } = kernels.crossEntropyWithGrad(logits, targets, options);
          expect([loss, ...grad]).toEqual(Array(7).fill(NaN));
          expect(kernels.crossEntropy(logits, targets, options)).toBeNaN();
          // Without a sum to divide by, the same weights are ordinary ones.
          expect(kernels.crossEntropy(logits, targets, { ...options, reduction: 'sum' })).not.toBeNaN();
        }
      }
      const { loss, grad } = kernels.nllLossWithGrad(logits, [1, 2], nothing);
      expect([loss, ...grad]).toEqual([NaN, 0, NaN, 0, 0, 0, NaN]);
    });

    test(`${name}: a weight of NaN counts only for classes that have a share`, () => {
      for (const dtype of DTYPES) {
        for (const n of [4, 7, 60]) {
          const row = newFloats(dtype, n).map((_, c) => c % 3);
          const logits = floatsOf(dtype, [...row, ...row]);
          const weight = newFloats(dtype, n).fill(1);
          const shape = [2, n];
          // Class probabilities: the last class has one in the second row alone.
          const even = newFloats(dtype, 2 * n).fill(1 / n);
          even[n - 1] = 0;
          const run = (targets: typeof even | number[], options: object) =>
            kernels.crossEntropyWithGrad(logits, targets, { shape, weight, reduction: 'none', ...options });
          const expected = run(even, {});
          const smooth = run([-100, 0], { labelSmoothing: 0.25 });
          const alone = run([0, 0], {});
          weight[n - 1] = NaN;
          const found = run(even, {});
          expect(found.loss[0]).toBe(expected.loss[0]);
          expect(found.grad.slice(0, n)).toEqual(expected.grad.slice(0, n));
          expect([found.loss[1], ...found.grad.slice(n)]).toEqual(Array(n + 1).fill(NaN));
          expect(run([0, 0], {})).toEqual(alone);
          // Label smoothing gives a share to every class, but no row that is ignored has any.
          const smoothed = run([-100, 0], { labelSmoothing: 0.25 });
          expect([smoothed.loss[0], ...smoothed.grad.slice(0, n)]).toEqual([
            smooth.loss[0],
            ...smooth.grad.slice(0, n),
          ]);
          expect([smoothed.loss[1], ...smoothed.grad.slice(n)]).toEqual(Array(n + 1).fill(NaN));
        }
      }
    });

    test(`${name}: every row ignored`, () => {
      const all = { shape: [2, 3], ignoreIndex: 1 } as const;
      const grad = new Float32Array(6).fill(7);
      expect(kernels.crossEntropyWithGrad([1, 2, 3, 4, 5, 6], [1, 1], { ...all, out: grad }).loss).toBeNaN();
      expectSame(grad, newFloats('float32', 6), 'gradient');
      expect(kernels.crossEntropy([1, 2, 3, 4, 5, 6], [1, 1], { ...all, reduction: 'sum' })).toBe(0);
    });
  }
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];
const targets = [0, 1];

describeErrors([
  {
    message: 'crossEntropyWithGrad: targets[1] is 3, expected an integer in [0, 3) or ignoreIndex (-100)',
    call: (k, out) => k.crossEntropyWithGrad(X, [0, 3], { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets[0] is -1, expected an integer in [0, 3) or ignoreIndex (7)',
    call: (k, out) => k.crossEntropyWithGrad(X, Int8Array.of(-1, 0), { shape, out, ignoreIndex: 7 }),
  },
  {
    message: 'crossEntropyWithGrad: targets[1] is 0.5, expected an integer in [0, 3) or ignoreIndex (-100)',
    call: (k, out) => k.crossEntropyWithGrad(X, [0, 0.5], { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets[1] is NaN, expected an integer in [0, 3) or ignoreIndex (-100)',
    call: (k, out) => k.crossEntropyWithGrad(X, [0, NaN], { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets[0] is 4294967296n, expected an integer in [0, 3) or ignoreIndex (-100)',
    call: (k, out) => k.crossEntropyWithGrad(X, BigInt64Array.of(2n ** 32n, 0n), { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets has 3 elements, expected 2, one for each row',
    call: (k, out) => k.crossEntropyWithGrad(X, [0, 1, 2], { shape, out }),
  },
  {
    message:
      'crossEntropyWithGrad: targets has as many numbers as the logits, expected 2 class indices, or class ' +
      'probabilities as a Float32Array or Float64Array',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, X, { shape, out }),
  },
  {
    message:
      'crossEntropyWithGrad: targets has as many numbers as the logits, expected 2 class indices, or class ' +
      'probabilities as a Float32Array or Float64Array',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, Int32Array.of(1, 0, 0, 0, 1, 0), { shape, out }),
  },
  {
    message:
      'crossEntropyWithGrad: targets[0] is an array of 3, expected an integer (nested probabilities: tensor() takes ' +
      'them)',
    type: TypeError,
    call: (k, out) =>
      k.crossEntropyWithGrad(
        X,
        [
          [1, 0, 0],
          [0, 1, 0],
        ] as never,
        { shape, out },
      ),
  },
  {
    message:
      'crossEntropyWithGrad: targets has as many numbers as the logits, expected 1 class index, or class ' +
      'probabilities as a Float32Array or Float64Array',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, X, { out }),
  },
  {
    message: 'crossEntropyWithGrad: targets[1] is "1", expected an integer',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, [0, '1'] as never, { shape, out }),
  },
  {
    message:
      'crossEntropyWithGrad: targets is "cat", expected class indices (integers) or class probabilities (floats)',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, 'cat' as never, { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets is float64, expected float32, as logits',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, new Float64Array(6), { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets has shape [3, 2], expected [2, 3], as logits',
    call: (k, out) => k.crossEntropyWithGrad(X, { data: new Float32Array(6), shape: [3, 2] }, { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: targets has shape [1, 2], expected [2], the shape without its axis',
    call: (k, out) => k.crossEntropyWithGrad(X, { data: Int32Array.of(0, 1), shape: [1, 2] }, { shape, out }),
  },
  {
    message: 'crossEntropyWithGrad: weight has 2 elements, expected 3, one for each class',
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, weight: [1, 2] }),
  },
  {
    message: 'crossEntropyWithGrad: labelSmoothing is 1.5, expected a number in [0, 1]',
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, labelSmoothing: 1.5 }),
  },
  {
    message: 'crossEntropyWithGrad: labelSmoothing is "no", expected a number in [0, 1]',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, labelSmoothing: 'no' as never }),
  },
  {
    message:
      'crossEntropyWithGrad: temperature is 0, expected a number in [2^-100, 2^100] (for 0 take argmax, or sample)',
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, temperature: 0 }),
  },
  {
    message: 'crossEntropyWithGrad: ignoreIndex is 0.5, expected an integer',
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, ignoreIndex: 0.5 }),
  },
  {
    message: 'crossEntropyWithGrad: ignoreIndex is given, expected none with class probabilities as targets',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, new Float32Array(6), { shape, out, ignoreIndex: 0 }),
  },
  {
    message: 'crossEntropyWithGrad: reduction is "avg", expected one of "mean", "sum", "none"',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, reduction: 'avg' as never }),
  },
  {
    message: 'crossEntropyWithGrad: gradOutput is an array of 2, expected a number for reduction "mean"',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, gradOutput: [1, 2] }),
  },
  {
    message: 'crossEntropyWithGrad: gradOutput has 3 elements, expected 2, one for each row',
    call: (k, out) => k.crossEntropyWithGrad(X, targets, { shape, out, gradOutput: [1, 2, 3], reduction: 'none' }),
  },
  {
    message: 'crossEntropyWithGrad: out has 6 elements, expected 3',
    call: (k, out) => k.crossEntropyWithGrad([1, 2, 3], 0, { out }),
  },
  {
    message: 'crossEntropyWithGrad: out is Float32Array(6), expected a Float64Array or a Tensor',
    type: TypeError,
    call: (k, out) => k.crossEntropyWithGrad(new Float64Array(6), targets, { shape, out }),
  },
  {
    message: 'crossEntropy: out is given, expected none for reduction "mean", which gives a number',
    type: TypeError,
    call: (k, out) => k.crossEntropy(X, targets, { shape, out: out.subarray(0, 2) as Float32Array }),
  },
  {
    message: 'crossEntropy: unknown option "label_smoothing", the name is labelSmoothing here',
    type: TypeError,
    call: (k) => k.crossEntropy(X, targets, { shape, label_smoothing: 0.1 } as never),
  },
  {
    message: 'crossEntropy: unknown option "ignore_index", the name is ignoreIndex here',
    type: TypeError,
    call: (k) => k.crossEntropy(X, targets, { shape, ignore_index: 1 } as never),
  },
  {
    message: 'crossEntropyWithGrad: out is Float32Array(3), expected the very range of logits or one apart from it',
    call: (k, out) =>
      k.crossEntropyWithGrad(out.subarray(0, 3) as Float32Array, 1, { out: out.subarray(2, 5) as Float32Array }),
  },
]);

// Two transposed blocks of this many classes do not fit into the fixed kernel scratch.
describe.each(sets)('$name: many classes along an axis that is not the last', ({ kernels }) => {
  const [outer, n, inner] = [1, 3000, 5];
  const random = randomOf(3);
  const x = Float32Array.from({ length: outer * n * inner }, () => 8 * random() - 4);
  const soft = Float32Array.from(x, () => random() / n);
  const indices = Int32Array.from({ length: outer * inner }, () => Math.floor(n * random()));
  const mask = Uint8Array.from(x, (_, i) => Number(random() < 0.9 || indices.includes(Math.floor(i / inner) % n)));
  /** [outer, n, inner] as [outer, inner, n]. */
  const transposed = <A extends Float32Array | Uint8Array>(array: A): A =>
    array.map((_, i) => {
      const row = Math.floor(i / n);
      return array[(Math.floor(row / inner) * n + (i % n)) * inner + (row % inner)]!;
    }) as A;

  const weight = Float32Array.from({ length: n }, () => 0.5 + random());

  test.each([
    ['class probabilities and weights', soft, { weight }],
    ['a mask and smoothing', indices, { labelSmoothing: 0.1, mask: { data: mask, shape: [outer, n, inner] } }],
  ] as const)('%s', (_, targets, options) => {
    // The input is in linear memory, so that it is not split into smaller blocks.
    const logits = kernels.tensor(x, [outer, n, inner]);
    const tensor = targets instanceof Float32Array ? kernels.tensor(targets, [outer, n, inner]) : undefined;
    const { loss, grad } = kernels.crossEntropyWithGrad(logits, tensor ?? indices, { axis: 1, ...options });
    const slopes = grad.toArray() as Float32Array;
    for (const each of [logits, tensor, grad]) each?.dispose();
    const last = {
      ...options,
      ...('mask' in options ? { mask: { data: transposed(mask), shape: [outer, inner, n] } } : {}),
    };
    const given = targets instanceof Float32Array ? transposed(targets) : targets;
    const expected = kernels.crossEntropyWithGrad(transposed(x), given, { shape: [outer, inner, n], ...last });
    expect(loss).toBeCloseTo(expected.loss, 5);
    transposed(slopes).forEach((slope, i) => {
      if (Math.abs(slope - expected.grad[i]!) > 1e-6) expect.fail(`${i}: ${slope}, expected ${expected.grad[i]}`);
    });
  });
});

test.each(['simd128', 'reference'] as const)('%s: results are freed when memory runs out', (backend) => {
  const kernels = createKernels({ backend, maxMemory: 2 ** 21 });
  const logits = kernels.zeros([400, 600]);
  const before = kernels.memoryUsage();
  const targets = new Int32Array(400);
  expect(() => kernels.crossEntropyWithGrad(logits, targets, { reduction: 'none' })).toThrow(OutOfMemoryError);
  expect(kernels.memoryUsage()).toEqual(before);
});

// With a gradOutput this large, the smallest exponentials of a row out of range are subnormal even times its factor.
test.each(sets)(
  '$name: the gradient of a row does not depend on its neighbours, however small and large the factors',
  ({ kernels }) => {
    const rows = 16;
    for (const n of [2, 3, 10, 40, 60]) {
      for (const scale of [2 ** -40, 2 ** 28, 2 ** 32]) {
        const x = Float32Array.from({ length: rows * n }, (_, i) => 90 * Math.sin(i * i));
        const gradOutput = Float32Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? 1 : scale));
        const gradientOf = (first: number, end: number) =>
          kernels.crossEntropyWithGrad(x.subarray(first * n, end * n), new Int32Array(end - first), {
            shape: [end - first, n],
            reduction: 'none',
            gradOutput: gradOutput.subarray(first, end),
          }).grad;
        const all = gradientOf(0, rows);
        for (let row = 0; row < rows; row++) {
          expectSame(all.subarray(row * n, (row + 1) * n), gradientOf(row, row + 1), `${scale}, row ${row} of ${n}`);
        }
      }
    }
  },
);

// Factors this small make exponentials subnormal, which are cleared: NaN must not be taken for one.
test.each(sets)('$name: the gradient of a row with NaN or ∞ is NaN, however small the factors', ({ kernels }) => {
  for (const stray of [Number.NaN, Infinity]) {
    for (const n of [2, 3, 10, 100]) {
      const x = Float32Array.from({ length: n }, (_, i) => (i === 1 ? stray : Math.sin(i)));
      const probabilities = new Float32Array(n).fill(1 / n);
      for (const gradOutput of [1, 1e-9, 1e-12, 1e-30]) {
        const gradients = [
          kernels.crossEntropyWithGrad(x, [0], { gradOutput }).grad,
          kernels.crossEntropyWithGrad(x, probabilities, { gradOutput }).grad,
          kernels.distillationWithGrad(x, probabilities, { gradOutput }).grad,
          kernels.distillationWithGrad(probabilities, x, { gradOutput }).grad,
        ];
        for (const grad of gradients)
          expect(grad.every(Number.isNaN), `${stray} of ${n}, ${gradOutput}: ${grad}`).toBe(true);
      }
    }
  }
});
