// The divergence of two rows, and its gradient, from their maxima and exponentials.

import { CHUNK_BYTES, PARTIAL_BYTES, logitScale, roundingOf } from "../math/sum";
import { madd, nmadd } from "../simd/arch";
import { laneSum, lanes } from "../simd/lanes";
import { loadTail, storeTail, tailMask } from "../simd/tail";

/**
 * Σ p ((x − xMax) − (y − yMax)) / LOGIT_DIVISOR, p = e · factor; where p is 0 the term is 0 even if x or y is infinite
 * or NaN. Nearly equal rows cancel element by element, before anything is added.
 */
export function rowDivergence<T>(e: usize, factor: T, x: usize, xMax: T, y: usize, yMax: T, n: usize): f64 {
  const f = v128.splat<T>(factor), narrow = logitScale<T>(), zero = v128.splat<T>(0);
  const xm = nmadd<T>(v128.splat<T>(xMax), narrow, zero), ym = nmadd<T>(v128.splat<T>(yMax), narrow, zero);
  const rest = n % lanes<T>(), end = e + (n - rest) * sizeof<T>();
  let sum: f64 = 0, lost: f64 = 0;
  while (e < end) {
    const chunkEnd = min(end, e + CHUNK_BYTES);
    let chunk = zero;
    while (e < chunkEnd) {
      const partialEnd = min(chunkEnd, e + PARTIAL_BYTES);
      let s = zero;
      for (; e < partialEnd; e += 16, x += 16, y += 16) {
        const p = v128.mul<T>(v128.load(e), f);
        const difference = v128.sub<T>(madd<T>(v128.load(x), narrow, xm), madd<T>(v128.load(y), narrow, ym));
        s = v128.add<T>(s, v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero)));
      }
      chunk = v128.add<T>(chunk, s);
    }
    const part = laneSum<T>(chunk), total = sum + part;
    lost += roundingOf<T>(sum, part, total);
    sum = total;
  }
  if (rest) {
    const p = v128.mul<T>(loadTail<T>(e, rest), f);
    const xTail = madd<T>(loadTail<T>(x, rest), narrow, xm), yTail = madd<T>(loadTail<T>(y, rest), narrow, ym);
    const difference = v128.sub<T>(xTail, yTail);
    const term = v128.andnot(v128.mul<T>(p, difference), v128.eq<T>(p, zero));
    sum += laneSum<T>(v128.and(term, tailMask<T>(rest)));
  }
  return sum + (isFinite(sum) ? lost : 0);
}

/** y = x · factor − e · other; x may be y. */
export function rowDifference<T>(x: usize, factor: T, e: usize, other: T, y: usize, n: usize): void {
  const f = v128.splat<T>(factor), o = v128.splat<T>(other);
  const rest = n % lanes<T>(), end = x + (n - rest) * sizeof<T>();
  for (; x < end; x += 16, e += 16, y += 16) {
    v128.store(y, nmadd<T>(v128.load(e), o, v128.mul<T>(v128.load(x), f)));
  }
  if (rest) storeTail<T>(y, nmadd<T>(loadTail<T>(e, rest), o, v128.mul<T>(loadTail<T>(x, rest), f)), rest);
}
