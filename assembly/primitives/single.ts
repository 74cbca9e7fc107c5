// A short row all by itself. In a tile it would be alone in its vectors, one element in each; here its elements lie side
// by side. A vector or two are what a tile adds up in one chain, so the sums, and all results, are the very bits of the
// tile form: which of the two computes a row depends on the number of rows, and nobody can tell.

import { coefficient, fastExp, fastLimit, ln2HighOf, log2eOver, magicNumber } from "../math/exp";
import { lanes, loadTail, tailMask } from "../simd/lanes";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";
import { roundingOf } from "./row";
import { BLOCK, SHORT } from "./tile";

/**
 * Writes e^(x / t) to `row`, in scratch, whole vectors and one more. Returns the reciprocal of the sum; 0 for a row that
 * is not in the fast range.
 */
export function singleExp<T>(x: usize, row: usize, n: usize, t: f64, scratch: usize): T {
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const bound = v128.splat<T>(fastLimit<T>(t)), sign = signMask<T>();
  const rest = n % lanes<T>();
  let p = row, range = rangeStart<T>();
  for (const end = p + (n - rest) * sizeof<T>(); p < end; p += 16, x += 16) {
    const v = v128.load(x);
    range = rangeStep<T>(range, v, sign, bound);
    v128.store(p, fastExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1));
  }
  if (rest) {
    const v = loadTail<T>(x, rest);
    range = rangeStep<T>(range, v, sign, bound);
    v128.store(p, v128.and(fastExp<T>(v, scratch, log2e, magic, high, c5, c4, c3, c2, c1), tailMask<T>(rest)));
    p += 16;
  }
  if (!rangeHolds<T>(range, bound)) return 0;
  // Zeros fill up the last block.
  v128.store(p, v128.splat<T>(0));
  return 1 / singleSum<T>(row, n);
}

/** The sum of n elements with zeros behind them, as tiles add them. */
// @ts-ignore: decorator
@inline
function singleSum<T>(p: usize, n: usize): T {
  let sum: T = 0, total: f64 = 0, lost: f64 = 0;
  for (const end = p + n * sizeof<T>(); p < end; p += BLOCK * sizeof<T>()) {
    const s = load<T>(p) + load<T>(p, sizeof<T>()) + load<T>(p, 2 * sizeof<T>()) + load<T>(p, 3 * sizeof<T>());
    const next = total + <f64>s;
    lost += roundingOf<T>(total, <f64>s, next);
    total = next;
    sum += s;
  }
  return n <= SHORT ? sum : <T>(total + lost);
}
