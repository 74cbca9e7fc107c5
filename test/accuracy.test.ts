import { describe, expect, test } from 'vitest';
import type { Kernels } from '../src/index.js';
import { sets } from './support/backends.js';
import { DTYPES, type Dtype, LARGE, newFloats, type Problem, problem, randomOf } from './support/cases.js';
import { describeErrors } from './support/failures.js';
import { once } from './support/once.js';
import * as oracle from './support/oracle.js';
import { RANKING_PROBLEMS, rowsOf } from './support/ranking.js';
import { describeTargets } from './support/targets.js';

const IGNORED = -100;

interface Case {
  readonly p: Problem;
  readonly targets: Int32Array;
  /** The place of each target in the ranking of its row; ignored targets have none. */
  readonly ranks: readonly number[];
}

/** Targets in all places, most of them near the top, where ties and k matter. */
function withTargets(p: Problem): Case {
  const random = randomOf(p.x.length);
  const rankings = rowsOf(p).map((row) => oracle.ranking(row));
  const targets = Int32Array.from(rankings, (order) => {
    if (random() < 0.2) return IGNORED;
    return order[Math.floor((random() < 0.3 ? 1 : random() ** 4) * random() * order.length)] as number;
  });
  const ranks = rankings.flatMap((order, row) =>
    targets[row] === IGNORED ? [] : order.indexOf(targets[row] as number),
  );
  return { p, targets, ranks };
}

function compute(kernels: Kernels, { p, targets }: Case, k: number): number {
  return kernels.accuracy(p.x, targets, { shape: p.shape, axis: p.axis, k });
}

function exactAccuracy({ ranks }: Case, k: number): number {
  return ranks.filter((rank) => rank < k).length / ranks.length;
}

for (const [name, make] of Object.entries(RANKING_PROBLEMS)) {
  describe(name, () => {
    for (const dtype of DTYPES) {
      const cases = once(() => make(dtype).map(withTargets));
      for (const set of sets) {
        test(`${set.name} ${dtype}`, () => {
          for (const c of cases()) {
            const n = c.p.shape.at(c.p.axis) as number;
            for (const k of new Set([1, 2, Math.ceil(n / 3), n])) {
              if (k > n) continue;
              expect(compute(set.kernels, c, k), `${c.p.what}, k ${k}`).toBe(exactAccuracy(c, k));
            }
          }
        });
      }
    }
  });
}

describe('targets in every place, among ties and NaN', () => {
  for (const set of sets) {
    test.each(DTYPES)(`${set.name} %s`, (dtype: Dtype) => {
      for (const n of [1, 3, 5, 24, 47, 48, 49, 67, 131]) {
        for (const values of [[2], [1, 2], [NaN, 1, 2], [NaN], [0, -0], [Infinity, -Infinity, 3]]) {
          const x = newFloats(dtype, n).map((_, i) => values[(i * 7) % values.length] as number);
          const order = oracle.ranking(x);
          for (let k = 1; k <= n; k += 1 + (n >> 3)) {
            const right = Array.from(x, (_, target) => set.kernels.accuracy(x, target, { k }));
            expect(right).toEqual(Array.from(x, (_, target) => Number(order.indexOf(target) < k)));
          }
        }
      }
    });
  }
});

describe.each(sets)('$name', ({ kernels }) => {
  const { accuracy } = kernels;
  const x = Float32Array.of(1, 2, 3, 1, 5, 1);

  test('the result is always a number', () => {
    expect(accuracy(x, [0, 1], { shape: [2, 3] })).toBe(0.5);
    expect(accuracy(x, [0, 1], { shape: [2, 3], k: 3 })).toBe(1);
    expect(accuracy(x, Int8Array.of(1, 1, 0), { shape: [2, 3], axis: 0 })).toBe(2 / 3);
    expect(accuracy({ data: x, dims: [2, 3] }, { data: BigInt64Array.of(2n, 1n), shape: [2] })).toBe(1);
    expect(accuracy([1, 3, 2], 1)).toBe(1);
    using resident = kernels.tensor(x, [2, 3]);
    expect(accuracy(resident, [2, 0])).toBe(0.5);
    expect(accuracy(resident.data, [2, 0], { shape: [2, 3] })).toBe(0.5);
  });

  test('ignored rows do not count; the result is NaN if all are ignored', () => {
    expect(accuracy(x, [0, -100], { shape: [2, 3] })).toBe(0);
    expect(accuracy(x, [-100, 1], { shape: [2, 3] })).toBe(1);
    expect(accuracy(x, [0, 1], { shape: [2, 3], ignoreIndex: 0 })).toBe(1);
    expect(accuracy(x, [-100, -100], { shape: [2, 3] })).toBeNaN();
    expect(accuracy([], [], { shape: [0, 3] })).toBeNaN();
  });

  test.each(DTYPES)('the same streamed and resident: %s', (dtype: Dtype) => {
    for (const [shape, axis] of LARGE) {
      const c = withTargets(problem(dtype, shape, 'few values', { axis }));
      using resident = kernels.tensor(c.p.x, [...shape]);
      for (const k of [1, 5]) {
        expect(compute(kernels, c, k)).toBe(exactAccuracy(c, k));
        expect(accuracy(resident, c.targets, { axis, k })).toBe(exactAccuracy(c, k));
      }
    }
  });
});

const X = [1, 2, 3, 4, 5, 6];
const shape = [2, 3];

describeTargets('accuracy', [{ k: 1 }, { k: 2 }]);

describeErrors([
  ...[0, 4, 1.5].map((rank) => ({
    message: `accuracy: k is ${rank}, expected a whole number in [1, 3]`,
    call: (k: Kernels) => k.accuracy(X, [0, 1], { shape, k: rank }),
  })),
  {
    message: 'accuracy: k is "1", expected a whole number',
    type: TypeError,
    call: (k) => k.accuracy(X, [0, 1], { shape, k: '1' as never }),
  },
  {
    message: 'accuracy: unknown option "ignore_index", the name is ignoreIndex here',
    type: TypeError,
    call: (k) => k.accuracy(X, [0, 1], { shape, ignore_index: 0 } as never),
  },
  {
    message: 'accuracy: logits has 0 elements along the axis, expected at least 1',
    call: (k) => k.accuracy([], 0),
  },
]);
