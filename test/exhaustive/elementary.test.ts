// exp, log, log1p, sigmoid and logSigmoid: every float32, and ten million float64 points against double-double.
// Takes minutes: npm run test:exhaustive.
import { describe, expect, test } from 'vitest';
import { type ElementaryName, elementaryBounds } from '../support/bounds.js';
import { BLOCK_BYTES, INPUTS, openElementary, RESULTS } from '../support/elementary.js';
import { exp, log, log1p, logSigmoid, sigmoid } from '../support/oracle.js';

const LEAST_NORMAL = 2 ** -126;
/** Beyond this a number rounds to the float32 infinity. */
const MOST = 2 ** 128 - 2 ** 103;
const COUNT = BLOCK_BYTES / 4;
const BLOCKS = 2 ** 32 / COUNT;

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);
/** 2^(e - 150) for the exponent field e of a float32, that of a subnormal number being 1. */
const ULPS = Float64Array.from({ length: 256 }, (_, field) => 2 ** (Math.max(field, 1) - 150));

/** The unit in the last place of a float32 near the value. */
function ulp32(value: number): number {
  FLOAT[0] = value;
  return ULPS[(BITS[0]! >>> 23) & 255]!;
}

interface Worst {
  ulps: number;
  x: number;
}

const SMALL = 'where |x| is at most 32';
const NORMAL = 'where the result is normal';

/** Runs f over all float32 in the order of their bits, and passes each input and result to `check`. */
function forAll(name: ElementaryName, build: 'simd128' | 'relaxed-simd', check: (x: number, y: number) => void) {
  const elementary = openElementary(build);
  const bits = new Uint32Array(elementary.x, INPUTS, COUNT);
  const x = new Float32Array(elementary.x, INPUTS, COUNT);
  const y = new Float32Array(elementary.x, RESULTS, COUNT);
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < COUNT; i++) bits[i] = block * COUNT + i;
    elementary.run(name, 4);
    for (let i = 0; i < COUNT; i++) check(x[i]!, y[i]!);
  }
}

function record(worst: Worst, x: number, y: number, exact: number): void {
  const ulps = Math.abs(y - exact) / ulp32(exact);
  if (!(ulps <= worst.ulps)) {
    worst.ulps = ulps;
    worst.x = x;
  }
}

describe.each(['simd128', 'relaxed-simd'] as const)('%s', (build) => {
  test('exp of every float32', () => {
    const small: Worst = { ulps: 0, x: 0 };
    const normal: Worst = { ulps: 0, x: 0 };
    let previous = Number.NaN;
    let disorder = 0;
    let wrong = 0;
    forAll('exp', build, (x, y) => {
      // The oracle is asked only where its answer is not plain: e^x of a tiny x rounds to 1.
      const exact = x > 89 ? Infinity : x < -104 ? 0 : Math.abs(x) < 2 ** -26 ? 1 : Math.exp(x);
      if (Number.isNaN(x)) wrong += Number.isNaN(y) ? 0 : 1;
      else if (exact > MOST) wrong += y === Infinity ? 0 : 1;
      else if (exact < LEAST_NORMAL) wrong += y >= 0 && y <= LEAST_NORMAL ? 0 : 1;
      else {
        record(normal, x, y, exact);
        if (Math.abs(x) <= 32) record(small, x, y, exact);
        if (x <= 0 && y > 1) wrong++;
        // In the order of the bits, positive x ascend and negative x descend.
        const step = x > 0 ? previous - y : y - previous;
        // Written so that it fails for NaN, which stands for a missing neighbour.
        if (step / ulp32(exact) > disorder) disorder = step / ulp32(exact);
      }
      if (x === 0 && y !== 1) wrong++;
      if (x === -Infinity && y !== 0) wrong++;
      previous = x === 0 ? Number.NaN : y;
    });
    console.log(`${build} exp float32: ${small.ulps.toFixed(3)} ULP ${SMALL}, ${normal.ulps.toFixed(3)} ${NORMAL}`);
    expect(wrong).toBe(0);
    expect(normal.ulps, `at ${normal.x}`).toBeLessThanOrEqual(elementaryBounds.exp.float32[build]);
    expect(disorder, 'neighbours out of order, in ULP').toBeLessThanOrEqual(1);
  });

  test.each([
    ['log', Math.log],
    ['log1p', Math.log1p],
  ] as const)('%s of every float32', (name, reference) => {
    const worst: Worst = { ulps: 0, x: 0 };
    let wrong = 0;
    forAll(name, build, (x, y) => {
      const domain = name === 'log' ? x > 0 && x < Infinity : x > 0 && x <= 2 ** 126;
      if (domain && name === 'log1p' && x < 2 ** -26 && y === x) return;
      if (domain) record(worst, x, y, reference(x));
      else if (name === 'log1p') wrong += Number.isNaN(x) && !Number.isNaN(y) ? 1 : 0;
      else wrong += Object.is(y, Math.log(x)) ? 0 : 1;
    });
    console.log(`${build} ${name} float32: ${worst.ulps.toFixed(3)} ULP`);
    expect(wrong).toBe(0);
    expect(worst.ulps, `at ${worst.x}`).toBeLessThanOrEqual(elementaryBounds[name].float32[build]);
  });

  test.each([
    ['sigmoid', (e: number, x: number) => (x < 0 ? e : 1) / (1 + e), (y: number) => y >= 0 && y <= 1],
    ['logSigmoid', (e: number, x: number) => Math.min(x, 0) - Math.log1p(e), (y: number) => y <= 0],
  ] as const)('%s of every float32', (name, exactOf, isInRange) => {
    const worst: Worst = { ulps: 0, x: 0 };
    let wrong = 0;
    forAll(name, build, (x, y) => {
      if (Number.isNaN(x)) {
        wrong += Number.isNaN(y) ? 0 : 1;
        return;
      }
      // The engine is asked only where its answer is not plain: e^−|x| of a tiny x rounds to 1.
      const distance = Math.abs(x);
      const e = distance > 104 ? 0 : distance < 2 ** -26 ? 1 : Math.exp(-distance);
      const exact = exactOf(e, x);
      if (!isInRange(y)) wrong++;
      else if (Math.abs(exact) < LEAST_NORMAL) wrong += Math.abs(y) <= LEAST_NORMAL ? 0 : 1;
      else if (y !== exact) record(worst, x, y, exact);
    });
    console.log(`${build} ${name} float32: ${worst.ulps.toFixed(3)} ULP`);
    expect(wrong).toBe(0);
    expect(worst.ulps, `at ${worst.x}`).toBeLessThanOrEqual(elementaryBounds[name].float32[build]);
  });

  test.each([
    ['exp', exp, (u: number) => (2 * u - 1) * 708],
    ['log', log, (u: number, v: number) => (1 + v) * 2 ** Math.floor((2 * u - 1) * 1022)],
    ['log1p', log1p, (u: number, v: number) => (1 + v) * 2 ** Math.floor((2 * u - 1) * 1021)],
    ['sigmoid', sigmoid, (u: number) => (2 * u - 1) * 708],
    ['logSigmoid', logSigmoid, (u: number) => (2 * u - 1) * 708],
  ] as const)('%s of ten million float64', (name, oracle, spread) => {
    const elementary = openElementary(build);
    const count = BLOCK_BYTES / 8;
    const x = new Float64Array(elementary.x, INPUTS, count);
    const y = new Float64Array(elementary.x, RESULTS, count);
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed / 2 ** 32;
    };
    let worst = 0;
    for (let done = 0; done < 1e7; done += count) {
      for (let i = 0; i < count; i++) x[i] = spread(random() + random() * 2 ** -33, random() + random() * 2 ** -33);
      elementary.run(name, 8);
      const exact = oracle('double-double', x);
      for (let i = 0; i < count; i++) {
        const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(exact.hi[i]!))), -1022) - 52);
        worst = Math.max(worst, Math.abs(y[i]! - exact.hi[i]! - exact.lo[i]!) / ulp);
      }
    }
    console.log(`${build} ${name} float64: ${worst.toFixed(3)} ULP`);
    expect(worst).toBeLessThanOrEqual(elementaryBounds[name].float64[build]);
  });
});
