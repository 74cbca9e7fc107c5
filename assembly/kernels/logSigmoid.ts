// logSigmoid(x) = log(1 / (1 + e^−x)) = min(x, 0) − log1p(e^−|x|), element by element.
//
// Nothing cancels: both terms have one sign. Where x is far below 0 the result is x, far above it −e^−x, down to the
// smallest normal number.
// x may be y. count may be 0.
// Error: 4 ULP where the result is normal, below that it may be 0.

import {
  biasedMagic, boundedExp, coefficient, leastBounded, ln2HighOf, log2eOver, oneVector, prepareExp
} from "../math/exp";
import { log1pOfUnit } from "../math/log";
import { lanes, loadTail, storeTail } from "../simd/lanes";

function logSigmoid<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  prepareExp<T>(1, scratch);
  const log2e = log2eOver<T>(scratch), magic = biasedMagic<T>(), high = ln2HighOf<T>(scratch);
  const least = leastBounded<T>(), sign = v128.splat<T>(<T>-0.0);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const rest = count % lanes<T>(), end = x + (count - rest) * sizeof<T>();
  for (; x < end; x += 16, y += 16) {
    v128.store(y, logSigmoidOf<T>(v128.load(x), least, sign, scratch, log2e, magic, high, c5, c4, c3, c2, c1));
  }
  if (rest) {
    const v = logSigmoidOf<T>(loadTail<T>(x, rest), least, sign, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    storeTail<T>(y, v, rest);
  }
}

// @ts-ignore: decorator
@inline
function logSigmoidOf<T>(
  x: v128, least: v128, sign: v128, scratch: usize,
  log2e: v128, magic: v128, high: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  const bounded = v128.pmax<T>(v128.or(x, sign), least);
  const e = boundedExp<T>(bounded, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  // pmin gives back an x that is NaN.
  return v128.sub<T>(v128.pmin<T>(x, v128.splat<T>(0)), log1pOfUnit<T>(e, oneVector<T>(scratch)));
}

export function logSigmoid_f32(x: usize, y: usize, count: usize, scratch: usize): void {
  logSigmoid<f32>(x, y, count, scratch);
}

export function logSigmoid_f64(x: usize, y: usize, count: usize, scratch: usize): void {
  logSigmoid<f64>(x, y, count, scratch);
}
