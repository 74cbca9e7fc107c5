// The preconditions of kernels. The debug build asserts them; the shipped builds leave them out.

import { LOSS_SUM_BYTES } from "./loss";
import { HEADER_BYTES, LINE_BYTES, ROW_LINES } from "./scratch";

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

/** Bytes of scratch that a kernel along an axis may use: the header and its transposed blocks, or a row or tile. */
export function scratchBytes(n: usize, inner: usize, blocks: usize = 1): usize {
  return HEADER_BYTES + max(inner > 1 ? n * blocks : 0, ROW_LINES) * LINE_BYTES;
}

export function checkScratch(scratch: usize, size: usize): void {
  assert(scratch % 16 == 0, "the scratch is not aligned to vectors");
  assert(<u64>scratch + size <= <u64>memory.size() << 16, "the scratch ends outside of linear memory");
}

/** A range of bytes, empty or absent as in checkApart, is outside of the scratch; so may that be absent. */
export function checkOutside(scratch: usize, size: usize, p: usize, bytes: usize): void {
  assert(
    !scratch || !p || !bytes || p + bytes <= scratch || scratch + size <= p, "an operand overlaps with the scratch"
  );
}

export function checkTemperature(t: f64): void {
  assert(t > 0 && t < Infinity, "the temperature is not positive");
}

/** The operands of a kernel along an axis: x and y are the same or do not overlap; `size` is that of the scratch. */
// @ts-ignore: decorator
@inline
export function checkRows<T>(
  x: usize, y: usize, elements: usize, results: usize, t: f64, scratch: usize, size: usize
): void {
  checkArray<T>(x, elements);
  checkArray<T>(y, results);
  checkSameOrApart(x, elements * sizeof<T>(), y, results * sizeof<T>());
  checkTemperature(t);
  checkScratch(scratch, size);
  checkOutside(scratch, size, x, elements * sizeof<T>());
  checkOutside(scratch, size, y, results * sizeof<T>());
}

/** The operands of an elementwise kernel: x and y are the same or do not overlap. */
export function checkElements<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  checkArray<T>(x, count);
  checkArray<T>(y, count);
  checkSameOrApart(x, count * sizeof<T>(), y, count * sizeof<T>());
  checkScratch(scratch, HEADER_BYTES);
  checkOutside(scratch, HEADER_BYTES, x, count * sizeof<T>());
  checkOutside(scratch, HEADER_BYTES, y, count * sizeof<T>());
}

/** The results of a loss: losses, or else their sum, and a gradient or none (0). */
export function checkResults<T>(
  losses: usize, count: usize, gradient: usize, elements: usize, sum: usize, scratch: usize, size: usize
): void {
  if (losses) checkArray<T>(losses, count);
  else checkArray<f64>(sum, LOSS_SUM_BYTES / 8);
  if (gradient) checkArray<T>(gradient, elements);
  checkApart(losses, count * sizeof<T>(), gradient, elements * sizeof<T>());
  checkApart(sum, LOSS_SUM_BYTES, gradient, elements * sizeof<T>());
  checkScratch(scratch, size);
  checkOutside(scratch, size, losses, count * sizeof<T>());
  checkOutside(scratch, size, gradient, elements * sizeof<T>());
  checkOutside(scratch, size, sum, LOSS_SUM_BYTES);
}

/** An operand of a loss, `length` elements of U or none (0), that overlaps with none of its results, nor the scratch. */
export function checkOperand<T, U>(
  p: usize, length: usize, losses: usize, count: usize, gradient: usize, elements: usize, scratch: usize, size: usize
): void {
  if (!p) return;
  checkArray<U>(p, length);
  checkApart(p, length * sizeof<U>(), losses, count * sizeof<T>());
  checkApart(p, length * sizeof<U>(), gradient, elements * sizeof<T>());
  checkOutside(scratch, size, p, length * sizeof<U>());
}

/** An operand of an elementwise loss, or none (0): either result may be the same range. */
export function checkElementOperand<T>(
  p: usize, count: usize, losses: usize, gradient: usize, scratch: usize
): void {
  if (!p) return;
  const bytes = count * sizeof<T>();
  checkArray<T>(p, count);
  checkSameOrApart(p, bytes, losses, bytes);
  checkSameOrApart(p, bytes, gradient, bytes);
  checkOutside(scratch, HEADER_BYTES, p, bytes);
}
