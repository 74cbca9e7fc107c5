/**
 * The worst cases of sums of exponentials. Equal terms round in the same direction, so a row of two values is the
 * worst: these were found by a search for rows with which kernels missed their bounds when their float32 partial sums
 * were longer.
 */
import { describe, expect, test } from 'vitest';
import { crossEntropy } from './operations/crossEntropy.js';
import { logSoftmax } from './operations/logSoftmax.js';
import { logSumExp } from './operations/logSumExp.js';
import { softmax } from './operations/softmax.js';
import type { AlongAxis } from './support/alongAxis.js';
import { sets, type TestSet, wasmSets } from './support/backends.js';
import { SUM_BOUND } from './support/bounds.js';
import { type Dtype, type Floats, newFloats, type Problem } from './support/cases.js';
import { expectAccurate, expectSame } from './support/compare.js';
import { expectAccurateLoss, type LossProblem } from './support/losses.js';

/** Every `step`-th element, from `phase` on, is `top`; all others are `low`. */
interface TwoValues {
  readonly dtype?: Dtype;
  readonly n: number;
  readonly step: number;
  readonly phase: number;
  readonly top: number;
  readonly low: number;
  readonly temperature?: number;
}

const ROWS: readonly TwoValues[] = [
  { n: 10, step: 5, phase: 1, top: 4.858340740203857, low: -4.431720733642578 },
  { n: 10, step: 5, phase: 0, top: 6.238495349884033, low: -7.999312877655029 },
  { n: 40, step: 12, phase: 4, top: 2.082975149154663, low: -5.534131050109863 },
  { n: 40, step: 8, phase: 4, top: 2.7726359367370605, low: -8.446844100952148 },
  { n: 40, step: 4, phase: 1, top: 34.00703048706055, low: 19.525903701782227 },
  { n: 47, step: 8, phase: 0, top: 3.4688773155212402, low: -6.522006988525391 },
  { n: 64, step: 62, phase: 2, top: 7.644567966461182, low: -7.999741554260254 },
  { n: 64, step: 62, phase: 18, top: 26.339609146118164, low: 16.995206832885742 },
  { n: 64, step: 42, phase: 22, top: 0.4870649576187134, low: -7.973808288574219, temperature: 0.7 },
  { n: 64, step: 46, phase: 23, top: 223.88807678222656, low: 210.20852661132812 },
  { n: 128, step: 123, phase: 22, top: 4.854122638702393, low: -7.982533931732178 },
  { n: 1024, step: 490, phase: 278, top: 6.93296480178833, low: -6.979361057281494 },
  { n: 1024, step: 684, phase: 531, top: 5.545731544494629, low: -6.539117336273193 },
  { n: 1024, step: 982, phase: 256, top: -266.4046325683594, low: -282.8164978027344 },
  { n: 1024, step: 240, phase: 71, top: 7.625936508178711, low: -7.999844074249268 },
  { n: 1024, step: 420, phase: 377, top: 2.772886276245117, low: -7.994351863861084 },
  { n: 32_768, step: 8712, phase: 6657, top: 7.662616729736328, low: -7.999772071838379 },
  // Four terms are half a unit in the last place of the top: a lane that holds the top loses them every time.
  { dtype: 'float64', n: 1024, step: 1024, phase: 0, top: 0, low: Math.log(2 ** -55) },
];

function rowOf({ dtype = 'float32', n, step, phase, top, low }: TwoValues): Floats {
  return newFloats(dtype, n).map((_, i) => (i % step === phase ? top : low));
}

/** The row several times: rows of a batch, or columns. */
function problemOf(p: TwoValues, count: number, columns = false): Problem {
  const { dtype = 'float32', n, temperature = 1 } = p;
  const row = rowOf(p);
  const x = newFloats(dtype, count * n).map((_, i) => row[columns ? Math.floor(i / count) : i % n] as number);
  const what = `${dtype}, ${count} ${columns ? 'columns' : 'rows'} of ${n}, ${p.top} and ${p.low}, T ${temperature}`;
  return { what, dtype, shape: columns ? [n, count] : [count, n], axis: columns ? 0 : 1, temperature, x };
}

function run({ kernels }: TestSet, { name }: AlongAxis, p: Problem, out?: Floats): Floats {
  const { shape, axis, temperature, mask } = p;
  const call = kernels[name] as (x: Floats, options: object) => Floats;
  return call(out ?? p.x, { shape, axis, temperature, mask, out });
}

/** |Σ − 1| of the row that is `n` elements from `start` on, `stride` apart. */
function excess(y: ArrayLike<number>, start: number, n: number, stride = 1): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += y[start + i * stride] as number;
  return Math.abs(sum - 1);
}

describe('rows of two values', () => {
  for (const row of ROWS) {
    const { n, dtype = 'float32' } = row;
    const [one, batch, columns] = [problemOf(row, 1), problemOf(row, 5), problemOf(row, n > 2000 ? 5 : 17, true)];
    const inner = columns.shape[1] as number;
    // The mask has a gap in the middle, so that it is not equivalent to a shorter row.
    const hole = (row.phase + 1) % row.step;
    const masked = {
      ...one,
      mask: Uint8Array.from(one.x, (_, i) => (i === hole ? 0 : 1)),
      what: `${one.what}, masked`,
    };
    for (const set of sets) {
      test(`${set.name}: ${one.what}`, () => {
        for (const p of [one, batch, columns, masked]) {
          const y = run(set, softmax, p);
          expectAccurate(softmax, set.backend, p, y);
          if (dtype === 'float32')
            expect(excess(y, 0, n, p === columns ? inner : 1), p.what).toBeLessThanOrEqual(SUM_BOUND);
          expectAccurate(logSumExp, set.backend, p, run(set, logSumExp, p));
          expectAccurate(logSoftmax, set.backend, p, run(set, logSoftmax, p));
        }
        const y = run(set, softmax, one);
        expectSame(run(set, softmax, one, one.x.slice()), y, `${one.what}, in place`);
        expectSame(run(set, softmax, batch).subarray(n, 2 * n) as Floats, y, `${one.what}, in a batch`);
      });
      test(`${set.name}: the gradient, ${one.what}`, () => expectAccurateLoss(set, crossEntropy, lossOf(row, batch)));
    }
  }
});

const lossOf = (row: TwoValues, { what, dtype, shape, x }: Problem): LossProblem => {
  const targets = Int32Array.from({ length: shape[0] as number }, (_, i) => (i * 7) % row.n);
  const options = { temperature: row.temperature ?? 1, reduction: 'none' as const };
  return { what, dtype, shape, axis: 1, first: x, second: targets, options };
};

/** The unshifted and the max-shifted form of a block give the same bits. */
test('a row beside one that needs its maximum subtracted', () => {
  for (const set of wasmSets) {
    for (const row of ROWS) {
      const p = problemOf(row, 3);
      const alone = run(set, softmax, problemOf(row, 1));
      p.x.fill(1e4, row.n, row.n + 1);
      expectSame(run(set, softmax, p).subarray(0, row.n) as Floats, alone, p.what);
    }
  }
});

describe('a row sums to 1', () => {
  for (const set of sets) {
    test(`${set.name}: ten classes`, () => {
      const n = 10;
      let [state, worst] = [1, 0];
      const x = new Float32Array(60_000 * n);
      for (let i = 0; i < x.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        x[i] = (state / 2 ** 32) * 16 - 8;
      }
      const y = set.kernels.softmax(x, { shape: [x.length / n, n] });
      for (let r = 0; r < x.length; r += n) worst = Math.max(worst, excess(y, r, n));
      expect(worst).toBeLessThanOrEqual(SUM_BOUND);
    });
    test(`${set.name}: equals`, () => {
      for (const n of [3, 7, 10, 40, 47, 63, 127, 500, 1000]) {
        for (let k = 0; k < 100; k++) {
          const x = new Float32Array(n).fill(((k * 0.6180339887) % 1) * 16 - 8);
          expect(excess(set.kernels.softmax(x), 0, n), `${n} of ${x[0]}`).toBeLessThanOrEqual(SUM_BOUND);
        }
      }
    });
  }
});
