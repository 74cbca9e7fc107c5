// Class indices of every integer type, at the ends of their range: a kernel never gets an invalid one.
import { describe, expect, test } from 'vitest';
import type { Kernels } from '../src/index.js';
import { operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { GUARD } from './support/compare.js';
import { type Operation, runBy } from './support/operation.js';

const OPERATIONS = operations.filter(({ variants: [{ operands }] }) => operands.targets?.values === 'classes');

type Indices = readonly number[] | { [i: number]: number | bigint; readonly length: number };

/** Every integer type of indices; small types hold no large numbers, and unsigned ones no negative numbers. */
const KINDS: Readonly<Record<string, (values: readonly number[]) => Indices>> = {
  'number[]': (values) => values,
  Int8Array: (values) => Int8Array.from(values),
  Uint8Array: (values) => Uint8Array.from(values),
  Uint8ClampedArray: (values) => Uint8ClampedArray.from(values),
  Int16Array: (values) => Int16Array.from(values),
  Uint16Array: (values) => Uint16Array.from(values),
  Int32Array: (values) => Int32Array.from(values),
  Uint32Array: (values) => Uint32Array.from(values),
  BigInt64Array: (values) => BigInt64Array.from(values, BigInt),
  BigUint64Array: (values) => BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))),
};

const ROWS = 5;
const CLASSES = 7;
const shape = [ROWS, CLASSES];
const logits = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => Math.sin(i));

function run(kernels: Kernels, { name }: Operation, targets: Indices, options = {}): unknown {
  return runBy(kernels, name, logits, targets, { shape, ...options });
}

describe.each(sets)('$name', ({ kernels }) => {
  for (const operation of OPERATIONS) {
    test.each(Object.keys(KINDS))(`${operation.name}: %s`, (kind) => {
      const make = KINDS[kind] as (values: readonly number[]) => Indices;
      const ends = [0, CLASSES - 1, 1, CLASSES - 1, 0];
      // The smallest and the largest number of the type.
      expect(run(kernels, operation, make(ends))).toEqual(run(kernels, operation, ends));
      for (let row = 0; row < ROWS; row++) {
        for (const stray of [CLASSES, CLASSES + 1, -1, -CLASSES]) {
          const targets = make(ends.with(row, stray));
          const found = targets[row] as number | bigint;
          // In a Uint8ClampedArray, -1 becomes 0.
          if (found >= 0 && found < CLASSES) continue;
          const shown = typeof found === 'bigint' ? `${found}n` : `${found}`;
          const expected = `an integer in [0, ${CLASSES}) or ignoreIndex (-100)`;
          const message = `${operation.name}: targets[${row}] is ${shown}, expected ${expected}`;
          const out = new Float32Array(logits.length).fill(GUARD);
          const options = operation.out === 'elements' ? { out } : {};
          expect(() => run(kernels, operation, targets, options)).toThrow(new RangeError(message));
          expect(out.every((value) => value === Math.fround(GUARD))).toBe(true);
        }
      }
    });
  }

  test('probabilities as plain numbers: only what takes them says how', () => {
    for (const operation of OPERATIONS) {
      const as = operation.name.startsWith('crossEntropy')
        ? ' as many numbers as the logits, expected 5 class indices, or class probabilities as a Float32Array or Float64Array'
        : ' 35 elements, expected 5, one for each row';
      expect(() => run(kernels, operation, [...logits])).toThrow(`${operation.name}: targets has${as}`);
    }
  });
});
