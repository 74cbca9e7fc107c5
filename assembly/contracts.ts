// What kernels take for granted. The debug build asserts it; the shipped builds have none of it.

/** An array of `count` elements at p: aligned to them, and inside linear memory. */
// @ts-ignore: decorator
@inline
export function checkArray<T>(p: usize, count: usize): void {
  assert(p % sizeof<T>() == 0, "an array is not aligned to its elements");
  assert(<u64>p + <u64>count * sizeof<T>() <= <u64>memory.size() << 16, "an array ends outside of linear memory");
}

/** Two ranges of bytes have none in common. One that is empty, or at 0, is not there. */
export function checkApart(a: usize, aBytes: usize, b: usize, bBytes: usize): void {
  assert(!a || !b || !aBytes || !bBytes || a + aBytes <= b || b + bBytes <= a, "operands overlap");
}

/** The same, unless they are the very same range. */
export function checkSameOrApart(a: usize, aBytes: usize, b: usize, bBytes: usize): void {
  if (a != b || aBytes != bBytes) checkApart(a, aBytes, b, bBytes);
}

export function checkScratch(scratch: usize): void {
  assert(scratch % 16 == 0, "the scratch is not aligned to vectors");
}

export function checkTemperature(t: f64): void {
  assert(t > 0 && t < Infinity, "the temperature is not positive");
}

/** The operands every kernel along an axis has. x and y, of which only the elements count, are the same or apart. */
// @ts-ignore: decorator
@inline
export function checkProblems<T>(x: usize, y: usize, elements: usize, results: usize, t: f64, scratch: usize): void {
  checkArray<T>(x, elements);
  checkArray<T>(y, results);
  checkSameOrApart(x, elements * sizeof<T>(), y, results * sizeof<T>());
  checkTemperature(t);
  checkScratch(scratch);
}

/** The operands of a kernel that goes element by element: x and y are the same or apart. */
export function checkElements<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  checkArray<T>(x, count);
  checkArray<T>(y, count);
  checkSameOrApart(x, count * sizeof<T>(), y, count * sizeof<T>());
  checkScratch(scratch);
}

/** The results of a loss: losses or a sum, and the gradient or none. */
export function checkResults<T>(
  losses: usize, count: usize, gradient: usize, elements: usize, sum: usize, scratch: usize
): void {
  if (losses) checkArray<T>(losses, count);
  else checkArray<f64>(sum, 2);
  if (gradient) checkArray<T>(gradient, elements);
  checkApart(losses, count * sizeof<T>(), gradient, elements * sizeof<T>());
  checkApart(sum, 16, gradient, elements * sizeof<T>());
  checkScratch(scratch);
}

/** An operand of a loss, of `size` elements of U or not there (0), that overlaps with none of its results. */
export function checkOperand<T, U>(
  p: usize, size: usize, losses: usize, count: usize, gradient: usize, elements: usize
): void {
  if (!p) return;
  checkArray<U>(p, size);
  checkApart(p, size * sizeof<U>(), losses, count * sizeof<T>());
  checkApart(p, size * sizeof<U>(), gradient, elements * sizeof<T>());
}

/** An operand of a loss that goes element by element, not there if 0: either result may be the very same range. */
export function checkElementOperand<T>(p: usize, count: usize, losses: usize, gradient: usize): void {
  if (!p) return;
  const bytes = count * sizeof<T>();
  checkArray<T>(p, count);
  checkSameOrApart(p, bytes, losses, bytes);
  checkSameOrApart(p, bytes, gradient, bytes);
}
