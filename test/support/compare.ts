import { expect } from 'vitest';
import type { BackendName, Kernels } from '../../src/index.js';
import type { AlongAxis } from './alongAxis.js';
import { limitOf, SMALLEST_NORMAL, SMALLEST_STEP } from './bounds.js';
import type { Dtype, Problem } from './cases.js';
import { type Expected, expectedOf } from './expected.js';

/** The largest finite number: exact results beyond it round to infinity. */
const LARGEST: Record<Dtype, number> = { float32: 2 ** 128 * (1 - 2 ** -25), float64: Number.MAX_VALUE };

/** Compares a result with the oracle's, element by element, within the operation's bounds. */
export function expectAccurate(
  operation: AlongAxis,
  backend: BackendName,
  problem: Problem,
  actual: ArrayLike<number>,
): void {
  const expected = expectedOf(operation, problem);
  if (actual.length !== expected.hi.length) {
    expect.fail(`${problem.what}: ${actual.length} results, expected ${expected.hi.length}`);
  }
  for (let i = 0; i < actual.length; i++) {
    const complaint = complaintOf(operation, backend, problem.dtype, actual[i] as number, expected, i);
    if (complaint !== undefined) expect.fail(`${problem.what}: element ${i} ${complaint}`);
  }
}

/** What is wrong with an element of a result, or undefined; `i` is its index among the expected ones. */
export function complaintOf(
  operation: AlongAxis,
  backend: BackendName,
  dtype: Dtype,
  actual: number,
  expected: Expected,
  i: number,
): string | undefined {
  const ratio = ratioOf(operation, backend, dtype, actual, expected, i);
  if (ratio <= 1) return undefined;
  const limit = limitOf(operation.bounds, dtype, backend, expected.facts(i));
  return `is ${actual}, expected ${expected.hi[i]}: off by ${ratio} times the bound, which is ${limit}`;
}

/** The error of an element of a result divided by its bound: above 1 the bound is missed. */
export function ratioOf(
  operation: AlongAxis,
  backend: BackendName,
  dtype: Dtype,
  actual: number,
  expected: Expected,
  i: number,
): number {
  const hi = expected.hi[i] as number;
  if (Object.is(actual, hi)) return 0;
  if (!Number.isFinite(hi) || Number.isNaN(actual)) return Number.isNaN(hi) && Number.isNaN(actual) ? 0 : Infinity;
  if (Math.abs(hi) >= LARGEST[dtype]) return actual === Math.sign(hi) * Infinity ? 0 : Infinity;
  if (operation.isProbability && actual === 0 && hi < SMALLEST_NORMAL[dtype]) return 0;
  if (operation.isProbability && !(actual >= 0 && actual <= 1)) return Infinity;
  const error = Math.abs(actual - hi - (expected.lo[i] as number));
  return error / (limitOf(operation.bounds, dtype, backend, expected.facts(i)) + SMALLEST_STEP[dtype]);
}

/** The guard values that surround outputs. */
export const GUARD = 12345.678;

/** Expects the guards around the `length` elements from `start` to be unchanged. */
export function expectGuarded(data: ArrayLike<number>, start: number, length: number, what: string): void {
  const guard = data instanceof Float32Array ? Math.fround(GUARD) : GUARD;
  for (let i = 0; i < data.length; i++) {
    if ((i < start || i >= start + length) && data[i] !== guard) {
      expect.fail(`${what}: wrote ${data[i]} at ${i - start} of ${length}`);
    }
  }
}

/** Expects two arrays to be the same bit for bit, where any NaN equals any other. */
export function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (actual.length !== expected.length) expect.fail(`${what}: ${actual.length} elements, expected ${expected.length}`);
  if (haveSameBytes(actual, expected)) return;
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) {
      expect.fail(`${what}: element ${i} is ${actual[i]}, expected the same as ${expected[i]}`);
    }
  }
}

/** Compares bytes, which is many times as fast as comparing elements: most arrays here are long and equal. */
function haveSameBytes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return false;
  const [bytes, others] = [a, b].map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength));
  return bytes!.equals(others!);
}

/** Expects linear memory to have the same allocations after each call as after the first one. */
export function expectFlatMemory(kernels: Kernels, calls: number, call: (i: number) => unknown): void {
  const memory = () => {
    using probe = kernels.zeros([1]);
    return { bytes: probe.data.buffer.byteLength, usage: kernels.memoryUsage() };
  };
  call(0);
  const before = memory();
  for (let i = 0; i < calls; i++) call(i);
  expect(memory()).toEqual(before);
}
