/** Calls that must fail, and change nothing. */

import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/index.js';
import { sets } from './backends.js';
import type { Floats } from './cases.js';
import { GUARD } from './compare.js';

/** A value as an argument of any type, for calls that TypeScript would reject. */
export const any = (value: unknown) => value as never;

/** Expects a call to fail with a message and to leave `out` unchanged. */
export interface Failure {
  readonly message: string;
  readonly type?: typeof TypeError | typeof RangeError;
  readonly call: (kernels: Kernels, out: Floats) => unknown;
}

export function describeErrors(failures: readonly Failure[]): void {
  describe('errors', () => {
    for (const set of sets) {
      for (const { message, type = RangeError, call } of failures) {
        test(`${set.name}: ${message}`, () => {
          const out = new Float32Array(6).fill(GUARD);
          expect(() => call(set.kernels, out)).toThrow(new type(message));
          expect(out.every((value) => value === Math.fround(GUARD))).toBe(true);
          expect(() => call(set.kernels, out)).toThrow(type);
        });
      }
    }
  });
}
