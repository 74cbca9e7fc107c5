// exp, log, log1p, sigmoid and logSigmoid alone, within the bounds that their comments claim: on mpmath's values,
// a sample of all float32 and many float64. test/exhaustive goes over every float32.
import { beforeAll, describe, expect, test } from 'vitest';
import { logSigmoid } from './operations/logSigmoid.js';
import { sigmoid } from './operations/sigmoid.js';
import { missing } from './support/backends.js';
import { type ElementaryName, elementaryBounds, SMALLEST_NORMAL } from './support/bounds.js';
import { bytesOf, DTYPES, type Dtype, type Floats, floatsOf, newFloats, randomOf } from './support/cases.js';
import { type Elementary, INPUTS, openElementary, RESULTS } from './support/elementary.js';
import { ulpOf } from './support/elementwise.js';
import * as fixtures from './support/fixtures.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';

interface Function {
  readonly points: fixtures.Points;
  /** The range in which the claim holds. */
  readonly domain: (x: number, dtype: Dtype) => boolean;
  /** Makes a number of any magnitude from two random numbers in [0, 1). */
  readonly spread: (u: number, v: number) => number;
}

const anywhere = () => true;
const wide = (u: number) => (2 * u - 1) * 708;

const FUNCTIONS: Record<ElementaryName, Function> = {
  exp: { points: fixtures.expPoints, domain: anywhere, spread: wide },
  log: {
    points: fixtures.logPoints,
    domain: (x) => x > 0,
    spread: (u, v) => (1 + v) * 2 ** Math.floor((2 * u - 1) * 1022),
  },
  log1p: {
    points: fixtures.log1pPoints,
    domain: (x, dtype) => x >= 0 && x <= (dtype === 'float32' ? 2 ** 126 : 2 ** 1022),
    spread: (u, v) => (1 + v) * 2 ** Math.floor((2 * u - 1) * 1021),
  },
  sigmoid: { points: sigmoid.fixtures, domain: anywhere, spread: wide },
  logSigmoid: { points: logSigmoid.fixtures, domain: anywhere, spread: wide },
};

/** The float64 numbers that are tried; half of them are where the function is hardest to compute. */
const COUNT = 40_000;

/** Numbers near 1 and near 0, where logarithms lose digits, as well as of all sizes. */
function float64Inputs({ spread, domain }: Function): Floats {
  const random = randomOf(11);
  const draws = [
    () => spread(random(), random()),
    () => 1 + (random() - 0.5) / 2,
    () => 4 * (random() - 0.5),
    () => 80 * (random() - 0.5),
  ];
  const x = Array.from({ length: COUNT }, (_, i) => draws[i % draws.length]!());
  return floatsOf(
    'float64',
    x.filter((value) => domain(value, 'float64')),
  );
}

/** Every 16007th bit pattern, and every one in a stretch around 1, where a logarithm is near 0. */
function float32Inputs({ domain }: Function): Floats {
  const sample = Uint32Array.from({ length: Math.floor(2 ** 32 / 16_007) }, (_, i) => i * 16_007);
  const around = Uint32Array.from({ length: 2 ** 17 }, (_, i) => 0x3f800000 - 2 ** 16 + i);
  const all = [...new Float32Array(sample.buffer), ...new Float32Array(around.buffer)];
  return floatsOf(
    'float32',
    all.filter((x) => domain(x, 'float32')),
  );
}

function apply(elementary: Elementary, name: ElementaryName, dtype: Dtype, x: Floats): Floats {
  const count = Math.ceil(x.length / 4) * 4;
  const Type = dtype === 'float32' ? Float32Array : Float64Array;
  const inputs = new Type(elementary.x, INPUTS, count).fill(0);
  const y = newFloats(dtype, x.length);
  inputs.set(x);
  elementary.run(name, bytesOf(dtype), count);
  y.set(new Type(elementary.x, RESULTS, x.length));
  return y;
}

/** The largest error where the result is normal, in ULP; what is not a finite number must be exactly so. */
function worstOf(name: ElementaryName, dtype: Dtype, x: Floats, y: Floats, exact: oracle.Exact): [number, string] {
  let worst = 0;
  let where = '';
  const largest = dtype === 'float32' ? 2 ** 128 * (1 - 2 ** -25) : Number.MAX_VALUE;
  for (let i = 0; i < x.length; i++) {
    const [value, hi, lo] = [y[i] as number, exact.hi[i] as number, exact.lo[i] as number];
    const magnitude = Math.abs(hi);
    if (!Number.isFinite(hi) || magnitude > largest) {
      if (!Object.is(value, Number.isNaN(hi) ? hi : Math.sign(hi) * Infinity)) return [Infinity, `${name}(${x[i]})`];
    } else if (magnitude < SMALLEST_NORMAL[dtype]) {
      if (!(Math.abs(value - hi) <= SMALLEST_NORMAL[dtype])) return [Infinity, `${name}(${x[i]})`];
    } else {
      const error = Math.abs(value - hi - lo) / ulpOf(dtype, magnitude);
      if (error <= worst) continue;
      worst = error;
      where = `${name}(${x[i]}) is ${value}, expected ${hi}`;
    }
  }
  return [worst, where];
}

const isMissing = missing.some(({ name }) => name === 'relaxed-simd');

describe.each(isMissing ? (['simd128'] as const) : (['simd128', 'relaxed-simd'] as const))('%s', (build) => {
  let elementary: Elementary;
  beforeAll(() => {
    elementary = openElementary(build);
  });

  for (const name of Object.keys(FUNCTIONS) as ElementaryName[]) {
    test(`${name} float64: mpmath's values`, () => {
      const { points, domain } = FUNCTIONS[name];
      const chosen = points.x.map((_, i) => i).filter((i) => domain(points.x[i] as number, 'float64'));
      expect(chosen.length).toBeGreaterThan(200);
      const [x, hi, lo] = [points.x, points.hi, points.lo].map((from) =>
        Float64Array.from(chosen, (i) => from[i] as number),
      ) as [Floats, Float64Array, Float64Array];
      const [worst, where] = worstOf(name, 'float64', x, apply(elementary, name, 'float64', x), { hi, lo });
      expect(worst, where).toBeLessThanOrEqual(elementaryBounds[name].float64[build]);
    });

    for (const dtype of DTYPES) {
      const bound = elementaryBounds[name][dtype][build];

      test(`${name} ${dtype}`, () => {
        const { x, exact } = SAMPLES[name][dtype]();
        const [worst, where] = worstOf(name, dtype, x, apply(elementary, name, dtype, x), exact);
        expect(worst, where).toBeLessThanOrEqual(bound);
        // A bound far above the errors found would hide a loss of accuracy.
        expect(worst).toBeGreaterThan(bound / 2);
      });
    }
  }
});

interface Sample {
  readonly x: Floats;
  readonly exact: oracle.Exact;
}

/** Exact results, computed once for both builds. */
const SAMPLES = Object.fromEntries(
  Object.entries(FUNCTIONS).map(([name, fn]) => {
    const of = (dtype: Dtype, make: (fn: Function) => Floats) =>
      once(() => {
        const x = make(fn);
        return { x, exact: oracle[name as ElementaryName](oracle.precisionOf(dtype), x) };
      });
    return [name, { float32: of('float32', float32Inputs), float64: of('float64', float64Inputs) }];
  }),
) as Record<ElementaryName, Record<Dtype, () => Sample>>;
