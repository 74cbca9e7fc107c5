// What kernels take for granted. The debug build asserts it; in the shipped ones nothing of this is left.

/** An array of `count` elements at p: aligned to them, and inside linear memory. */
// @ts-ignore: decorator
@inline
export function checkArray<T>(p: usize, count: usize): void {
  assert(p % sizeof<T>() == 0, "an array is not aligned to its elements");
  assert(<u64>p + <u64>count * sizeof<T>() <= <u64>memory.size() << 16, "an array ends outside of linear memory");
}

/** The operands every kernel along an axis has. x and y, of which only the elements count, are the same or apart. */
// @ts-ignore: decorator
@inline
export function checkProblems<T>(x: usize, y: usize, elements: usize, results: usize, t: f64, scratch: usize): void {
  checkArray<T>(x, elements);
  checkArray<T>(y, results);
  assert(
    x == y && elements == results || x + elements * sizeof<T>() <= y || y + results * sizeof<T>() <= x,
    "operands overlap in part"
  );
  assert(t > 0 && t < Infinity, "the temperature is not positive");
  assert(scratch % 16 == 0, "the scratch is not aligned to vectors");
}
