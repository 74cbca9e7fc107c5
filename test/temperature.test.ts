/** Every operation that takes a temperature, over the whole range of temperatures. */

import { expect, test } from 'vitest';
import { alongAxis, backward, losses } from './operations/index.js';
import { logSoftmax } from './operations/logSoftmax.js';
import { compute } from './support/alongAxis.js';
import { setOf, sets, type TestSet } from './support/backends.js';
import * as backwards from './support/backward.js';
import { DTYPES, type Dtype, type Floats, newFloats, type Problem, randomOf, sizeOf } from './support/cases.js';
import { complaintOf, expectAccurate } from './support/compare.js';
import { expectedOf } from './support/expected.js';
import { expectAccurateLoss, randomIndices } from './support/losses.js';
import { once } from './support/once.js';
import { takes } from './support/operation.js';
import * as oracle from './support/oracle.js';

/** The largest temperature, and the reciprocal of the smallest. */
const END: Record<Dtype, number> = { float32: 2 ** 100, float64: 2 ** 900 };
const LARGEST: Record<Dtype, number> = { float32: 3.4e38, float64: 1.79e308 };

type Draw = (random: () => number, temperature: number, dtype: Dtype) => number;

/** Kinds of logits, some scaled with the temperature and some not. Each takes another path through the kernels. */
const DRAWS: Readonly<Record<string, Draw>> = {
  'x/T within ±8': (random, t) => (16 * random() - 8) * t,
  'x/T within ±30': (random, t) => (60 * random() - 30) * t,
  'x/T within ±62': (random, t) => (124 * random() - 62) * t,
  'x/T within ±250': (random, t) => (500 * random() - 250) * t,
  'x/T within ±1e4': (random, t) => (2e4 * random() - 1e4) * t,
  'x/T around 600': (random, t) => (560 + 80 * random()) * t,
  'x/T around -2000': (random, t) => (-2000 + 50 * random()) * t,
  // Where kernels change how they compute e^(x/T).
  'x/T near ±64': (random, t) => (random() < 0.5 ? -64 : 64) * (0.95 + 0.1 * random()) * t,
  'x/T near ±512': (random, t) => (random() < 0.5 ? -512 : 512) * (0.95 + 0.1 * random()) * t,
  'few x/T': (random, t) => Math.floor(4 * random() - 2) * t,
  'one x/T far above': (random, t) => (random() < 0.1 ? 300 : 10 * random() - 5) * t,
  'x within ±8': (random) => 16 * random() - 8,
  'x subnormal': (random, _, dtype) => (random() - 0.5) * (dtype === 'float32' ? 1e-40 : 1e-310),
  // Where that can be, not x/T too: of infinite ones not even the oracle makes a finite sum.
  'x huge': (random, t, dtype) => (2 * random() - 1) * LARGEST[dtype] * Math.min(1, t / 4),
};
const HOLES: Readonly<Record<string, Draw>> = {
  'some -∞': (random, t) => (random() < 0.3 ? -Infinity : 10 * random() - 5) * t,
  'a few finite': (random, t) => (random() < 0.9 ? -Infinity : 160 * random() - 80) * t,
};

/** Layouts: long rows, short rows together and alone, and columns that fill a transposed block and leave a tail. */
const LAYOUTS: Record<Dtype, readonly (readonly [shape: readonly number[], axis: number])[]> = {
  float32: [
    [[5, 49], 1],
    [[7, 5], 1],
    [[1, 11], 1],
    [[5, 17], 0],
  ],
  float64: [
    [[2, 25], 1],
    [[3, 5], 1],
    [[3, 9], 0],
  ],
};

interface Sample {
  readonly what: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly axis: number;
  readonly temperature: number;
  /** Makes the random numbers of each sample different. */
  readonly seed: number;
}

/**
 * Every power of two and, of float64 around 1 only, what is just beside it on both sides, where a kernel may change its
 * form, and what is in between; with one layout and one kind of logits after the other.
 */
function samples(dtype: Dtype): Sample[] {
  const end = END[dtype];
  const step = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
  const result: Sample[] = [];
  const layouts = LAYOUTS[dtype];
  let seed = 0;
  const add = (temperature: number) => {
    if (temperature < 1 / end || temperature > end) return;
    seed++;
    const [shape, axis] = layouts[(seed + (seed >> 2)) % layouts.length] as (typeof layouts)[number];
    const what = `${dtype} [${shape}], axis ${axis}, temperature ${temperature}, seed ${seed}`;
    result.push({ what, dtype, shape, axis, temperature, seed });
  };
  const random = randomOf(1);
  for (let power = 1 / end; power <= end; power *= 2) {
    add(power);
    if (dtype === 'float64' && !(power >= 2 ** -32 && power <= 2 ** 32)) continue;
    for (const factor of [1 - step, 1 + step, 1 + random()]) add(power * factor);
  }
  return result;
}

/** Logits for a sample: a kind for each row, or one for all columns, so that whole blocks are in one form. */
function logits(
  { dtype, shape, axis, temperature, seed }: Sample,
  draws: Readonly<Record<string, Draw>>,
  which = 0,
): Floats {
  const n = shape[axis] as number;
  const random = randomOf(2 * seed + which);
  const all = Object.values(draws);
  return newFloats(dtype, sizeOf(shape)).map((_, i) => {
    const row = axis === 0 ? 0 : Math.floor(i / n);
    return (all[(row + seed) % all.length] as Draw)(random, temperature, dtype);
  });
}

type Check = (set: TestSet) => void;

const samplesOf = { float32: once(() => samples('float32')), float64: once(() => samples('float64')) };

/** One test for each set and dtype. Samples and their exact results are computed once for all sets. */
function sweep(name: string, checkOf: (sample: Sample) => Check): void {
  for (const dtype of DTYPES) {
    const checks = once(() => samplesOf[dtype]().map(checkOf));
    for (const set of sets) {
      test(`${name}, ${set.name} ${dtype}`, () => {
        for (const check of checks()) check(set);
      });
    }
  }
}

const problems = new Map<Sample, Problem>();

/** A problem whose logits may be -∞, every other one with a mask. */
function problemOf(sample: Sample): Problem {
  let problem = problems.get(sample);
  if (problem === undefined) {
    problem = { ...sample, x: logits(sample, { ...DRAWS, ...HOLES }) };
    if (sample.seed % 2 === 0) problem = masked(problem, sample.seed >> 1);
    problems.set(sample, problem);
  }
  return problem;
}

/** Masks with gaps, masks that begin late or end early, and masks that keep nothing. */
function masked(p: Problem, seed: number): Problem {
  const random = randomOf(seed);
  const n = p.shape[p.axis] as number;
  const mask = Uint8Array.from(p.x, (_, i) => {
    const [row, at] = p.axis === 0 ? [i % 17, Math.floor(i / 17)] : [Math.floor(i / n), i % n];
    return Number([random() < 0.7, at > n / 4, at < n / 2, at === 1, false][(row + seed) % 5]);
  });
  return { ...p, what: `${p.what}, masked`, mask };
}

for (const operation of alongAxis.filter((each) => takes(each, 'temperature'))) {
  sweep(operation.name, (sample) => {
    const p = takes(operation, 'mask') ? problemOf(sample) : { ...problemOf(sample), mask: undefined };
    return (set) => {
      const y = compute(set, operation, p);
      expectAccurate(operation, set.backend, p, y);
      if (operation.isProbability) expectOrdered(p, y);
    };
  });
}

/** A larger element has a larger probability, up to one unit in the last place, and equal elements have equal ones. */
function expectOrdered({ what, dtype, shape, axis, x, mask }: Problem, y: ArrayLike<number>): void {
  const ulp = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
  const n = shape[axis] as number;
  const [logits, results] = [oracle.toRows(x, shape, axis), oracle.toRows(y, shape, axis)];
  const kept = mask && oracle.toRows(mask as Uint8Array, shape, axis);
  for (let start = 0; start < y.length; start += n) {
    const order = Array.from({ length: n }, (_, i) => start + i).filter((i) => kept?.[i] !== 0);
    order.sort((a, b) => (logits[a] as number) - (logits[b] as number));
    for (let i = 1; i < order.length; i++) {
      const [a, b] = [order[i - 1] as number, order[i] as number];
      const [below, above] = [results[a] as number, results[b] as number];
      const isEqual = logits[a] === logits[b];
      if (isEqual ? !Object.is(below, above) : above < below * (1 - ulp)) {
        expect.fail(`${what}: ${logits[a]} has ${below}, ${logits[b]} has ${above}`);
      }
    }
  }
}

sweep('logProbs', (sample) => {
  const p = { ...problemOf(sample), mask: undefined };
  const { shape, axis, temperature } = p;
  const n = shape[axis] as number;
  const inner = axis === 0 ? (shape[1] as number) : 1;
  const targets = randomIndices(p.x.length / n, n, sample.seed);
  return (set) => {
    const actual = set.kernels.logProbs(p.x, targets, { shape, axis, temperature });
    const expected = expectedOf(logSoftmax, p);
    targets.forEach((target, row) => {
      const element = (row - (row % inner)) * n + target * inner + (row % inner);
      const complaint = complaintOf(logSoftmax, set.backend, p.dtype, actual[row] as number, expected, element);
      if (complaint !== undefined) expect.fail(`${p.what}: row ${row} ${complaint}`);
    });
  };
});

for (const operation of losses.filter((each) => takes(each, 'temperature'))) {
  const { choices, make, name } = operation;
  sweep(`${name} and its gradient`, (sample) => {
    const { dtype, shape, axis, temperature, seed } = sample;
    const variant = choices[(seed >> 4) % choices.length];
    const draw = (which: number) => logits(sample, DRAWS, which);
    const made = make(dtype, shape, axis, 'none', { variant, temperature, draw });
    const p = { ...made, what: `${sample.what}, variant ${variant}` };
    return (set) => expectAccurateLoss(set, operation, p);
  });
}

for (const operation of backward) {
  sweep(operation.name, (sample) => {
    const { dtype, shape, temperature, seed } = sample;
    // The forward results at temperature 1 suffice, because these logits already contain the temperature.
    const x = logits({ ...sample, temperature: 1 }, DRAWS);
    const given = setOf('reference').kernels[operation.forward](x, { shape, axis: sample.axis }) as Floats;
    const random = randomOf(seed);
    const size = [1, 1e4, 1e-4, temperature][seed % 4] as number;
    const dy = newFloats(dtype, sizeOf(shape)).map(() => size * (16 * random() - 8));
    const p = backwards.withExact(operation, { ...sample, given, dy });
    return (set) => backwards.expectAccurate(set, operation, p);
  });
}

test('a temperature as small as the differences', () => {
  for (const { kernels } of sets) {
    const [a, b, c] = kernels.softmax([0, 1e-7, 2e-7], { temperature: 1e-7 });
    expect(a).toBeCloseTo(0.09003057, 7);
    expect(b).toBeCloseTo(0.24472847, 7);
    expect(c).toBeCloseTo(0.66524096, 7);
  }
});
