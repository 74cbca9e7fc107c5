// Which ranges of one buffer a result and another operand may have: the very same or none in common, nothing else.
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../src/index.js';
import { sets } from './support/backends.js';

const ROWS = 3;
const CLASSES = 4;
const SIZE = ROWS * CLASSES;
const shape = [ROWS, CLASSES];
const ROOM = 40;
const START = 14;

interface Case {
  /** Elements of the operand that lies at START. */
  readonly operand: number;
  /** Elements of the result. */
  readonly result: number;
  /** Whether the result may be the operand itself. */
  readonly maybeSame: boolean;
  readonly run: (kernels: Kernels, operand: Float32Array, result: Float32Array) => unknown;
}

const x = Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i));
const targets = Int32Array.of(0, 3, 1);
const indices = (view: Float32Array) => new Int32Array(view.buffer, view.byteOffset, view.length);

const CASES: Readonly<Record<string, Case>> = {
  softmax: {
    operand: SIZE,
    result: SIZE,
    maybeSame: true,
    run: (k, a, out) => k.softmax(a, { shape, out }),
  },
  'softmaxBackward, dy': {
    operand: SIZE,
    result: SIZE,
    maybeSame: true,
    run: (k, a, out) => k.softmaxBackward(x, a, { shape, out }),
  },
  sigmoid: { operand: SIZE, result: SIZE, maybeSame: true, run: (k, a, out) => k.sigmoid(a, { out }) },
  logSumExp: { operand: SIZE, result: ROWS, maybeSame: false, run: (k, a, out) => k.logSumExp(a, { shape, out }) },
  'logSumExp, weights': {
    operand: CLASSES,
    result: ROWS,
    maybeSame: false,
    run: (k, weights, out) => k.logSumExp(x, { shape, weights, out }),
  },
  'logSumExp, more results than weights': {
    operand: 1,
    result: ROWS,
    maybeSame: false,
    run: (k, weights, out) => k.logSumExp(x, { shape, weights, out }),
  },
  argmax: {
    operand: SIZE,
    result: ROWS,
    maybeSame: false,
    run: (k, a, out) => k.argmax(a, { shape, out: indices(out) }),
  },
  'argmax, as many indices as elements': {
    operand: ROWS,
    result: ROWS,
    maybeSame: false,
    run: (k, a, out) => k.argmax(a, { shape: [ROWS, 1], out: indices(out) }),
  },
  'topK, values': {
    operand: SIZE,
    result: 2 * ROWS,
    maybeSame: false,
    run: (k, a, values) => k.topK(a, 2, { shape, out: { values, indices: new Int32Array(2 * ROWS) } }),
  },
  'topK, indices': {
    operand: SIZE,
    result: 2 * ROWS,
    maybeSame: false,
    run: (k, a, out) => k.topK(a, 2, { shape, out: { values: new Float32Array(2 * ROWS), indices: indices(out) } }),
  },
  'topK, values and indices': {
    operand: 2 * ROWS,
    result: 2 * ROWS,
    maybeSame: false,
    run: (k, values, out) => k.topK(x, 2, { shape, out: { values, indices: indices(out) } }),
  },
  'crossEntropy, losses': {
    operand: SIZE,
    result: ROWS,
    maybeSame: false,
    run: (k, a, out) => k.crossEntropy(a, targets, { shape, reduction: 'none', out }),
  },
  'crossEntropyWithGrad, weight': {
    operand: CLASSES,
    result: SIZE,
    maybeSame: false,
    run: (k, weight, out) => k.crossEntropyWithGrad(x, targets, { shape, weight, out }),
  },
  'crossEntropyWithGrad, gradOutput': {
    operand: ROWS,
    result: SIZE,
    maybeSame: false,
    run: (k, gradOutput, out) => k.crossEntropyWithGrad(x, targets, { shape, reduction: 'none', gradOutput, out }),
  },
  'bceWithLogitsWithGrad, posWeight': {
    operand: CLASSES,
    result: SIZE,
    maybeSame: false,
    run: (k, posWeight, out) => k.bceWithLogitsWithGrad(x, x, { shape, posWeight, out }),
  },
};

describe.each(sets)('$name', ({ kernels }) => {
  test.each(Object.entries(CASES))('%s', (_, { operand, result, maybeSame, run }) => {
    const resident = kernels.zeros([ROOM]);
    for (const isResident of [true, false]) {
      for (let at = 0; at + result <= ROOM; at++) {
        const room = (isResident ? resident.data : new Float32Array(ROOM)) as Float32Array;
        const before = room.fill(0.25).slice();
        const call = () => run(kernels, room.subarray(START, START + operand), room.subarray(at, at + result));
        const isApart = at >= START + operand || at + result <= START;
        if (isApart || (maybeSame && at === START)) expect(call, `at ${at}`).not.toThrow();
        else {
          expect(call, `at ${at}`).toThrow(
            /^\w+: out(?:\.\w+)? is (?:Float32|Int32)Array\(\d+\), expected .* apart from/,
          );
          expect(room).toEqual(before);
        }
      }
    }
    resident.dispose();
  });
});
