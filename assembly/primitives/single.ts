// A short row of f32 all by itself. In a tile it would be alone in its vectors, one element in each; here its elements lie
// side by side. They are added in the tile's order, so the sums, and all results, are the very bits of the tile form:
// which of the two computes a row depends on the number of rows, and nobody can tell.

import { FAST, coefficient, fastLimit, ln2HighOf, log2eOver, magicNumber, softmaxExp } from "../math/exp";
import { lanes, loadTail, tailMask } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { FEW } from "./tile";

/**
 * Writes e^(x / t) to `row`, in scratch, whole vectors with zeros behind the last. Returns the reciprocal of the sum; 0 for a row that
 * is not in the fast range.
 */
export function singleExp<T>(x: usize, row: usize, n: usize, t: f64, scratch: usize): T {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(fastLimit<T>(t)), sign = signMask<T>();
  let p = row, range = rangeStart<T>();
  for (const end = x + n * sizeof<T>(); x < end; p += 16, x += 16) {
    const count = min((end - x) / sizeof<T>(), lanes<T>());
    const v = count == lanes<T>() ? v128.load(x) : loadTail<T>(x, count);
    range = rangeStep<T>(range, v, sign, bound);
    v128.store(p, v128.and(softmaxExp<T>(FAST, v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), tailMask<T>(count)));
  }
  if (!rangeHolds<T>(range, bound)) return 0;
  const sum = singleSum<T>(row, n);
  return n <= FEW ? <T>1 / <T>sum : <T>(1 / sum);
}

/** The sum of n elements with zeros behind them, as tiles add them. */
// @ts-ignore: decorator
@inline
function singleSum<T>(p: usize, n: usize): f64 {
  let sum: f64 = 0;
  for (const end = p + n * sizeof<T>(); p < end; p += 2 * sizeof<T>()) sum += <f64>(load<T>(p) + load<T>(p, sizeof<T>()));
  return sum;
}
