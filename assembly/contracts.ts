// What kernels take for granted. The debug build asserts it; the shipped builds have none of it.

import { SUM_BYTES } from "./loss";
import { HEADER_BYTES } from "./scratch";

/** An array of `count` elements at p: aligned to them, and inside linear memory. */
// @ts-ignore: decorator
@inline
export function checkArray<T>(p: usize, count: usize): void {
  assert(p % sizeof<T>() == 0, "an array is not aligned to its elements");
  assert(<u64>p + <u64>count * sizeof<T>() <= <u64>memory.size() << 16, "an array ends outside of linear memory");
}

/** Two ranges of bytes do not overlap. A range that is empty, or at 0, is absent. */
export function checkApart(a: usize, aBytes: usize, b: usize, bBytes: usize): void {
  assert(!a || !b || !aBytes || !bBytes || a + aBytes <= b || b + bBytes <= a, "operands overlap");
}

/** Two ranges of bytes are the same, or do not overlap. */
export function checkSameOrApart(a: usize, aBytes: usize, b: usize, bBytes: usize): void {
  if (a != b || aBytes != bBytes) checkApart(a, aBytes, b, bBytes);
}

export function checkScratch(scratch: usize): void {
  assert(scratch % 16 == 0, "the scratch is not aligned to vectors");
  assert(<u64>scratch + HEADER_BYTES <= <u64>memory.size() << 16, "the scratch ends outside of linear memory");
}

export function checkTemperature(t: f64): void {
  assert(t > 0 && t < Infinity, "the temperature is not positive");
}

/** The operands of a kernel along an axis: x and y are the same or do not overlap. */
// @ts-ignore: decorator
@inline
export function checkRows<T>(x: usize, y: usize, elements: usize, results: usize, t: f64, scratch: usize): void {
  checkArray<T>(x, elements);
  checkArray<T>(y, results);
  checkSameOrApart(x, elements * sizeof<T>(), y, results * sizeof<T>());
  checkTemperature(t);
  checkScratch(scratch);
}

/** The operands of an elementwise kernel: x and y are the same or do not overlap. */
export function checkElements<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  checkArray<T>(x, count);
  checkArray<T>(y, count);
  checkSameOrApart(x, count * sizeof<T>(), y, count * sizeof<T>());
  checkScratch(scratch);
}

/** The results of a loss: losses, or else their sum, and a gradient or none (0). */
export function checkResults<T>(
  losses: usize, count: usize, gradient: usize, elements: usize, sum: usize, scratch: usize
): void {
  if (losses) checkArray<T>(losses, count);
  else checkArray<f64>(sum, SUM_BYTES / 8);
  if (gradient) checkArray<T>(gradient, elements);
  checkApart(losses, count * sizeof<T>(), gradient, elements * sizeof<T>());
  checkApart(sum, SUM_BYTES, gradient, elements * sizeof<T>());
  checkScratch(scratch);
}

/** An operand of a loss, `size` elements of U or none (0), that overlaps with none of its results. */
export function checkOperand<T, U>(
  p: usize, size: usize, losses: usize, count: usize, gradient: usize, elements: usize
): void {
  if (!p) return;
  checkArray<U>(p, size);
  checkApart(p, size * sizeof<U>(), losses, count * sizeof<T>());
  checkApart(p, size * sizeof<U>(), gradient, elements * sizeof<T>());
}

/** An operand of an elementwise loss, or none (0): either result may be the same range. */
export function checkElementOperand<T>(p: usize, count: usize, losses: usize, gradient: usize): void {
  if (!p) return;
  const bytes = count * sizeof<T>();
  checkArray<T>(p, count);
  checkSameOrApart(p, bytes, losses, bytes);
  checkSameOrApart(p, bytes, gradient, bytes);
}
