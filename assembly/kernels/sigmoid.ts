// sigmoid(x) = e^x / (1 + e^x), element by element.
//
// x is held within the bound of boundedExp first. At its upper end e^x + 1 is e^x, so the result is exactly 1; at the
// lower one e^x is 0. In between e^x / (1 + e^x) keeps the relative error of e^x on both sides, and never needs to know
// which side it is: |x| and a choice of the numerator would cost three instructions more.
// x may be y. count may be 0.
// Error: 3 ULP where the result is normal, below that it may be 0; sigmoid(0) = ½ exactly.

import {
  biasedMagic, boundedExp, coefficient, leastBounded, ln2HighOf, log2eOver, mostBounded, oneVector, prepareExp
} from "../math/exp";
import { lanes, loadTail, storeTail } from "../simd/lanes";

function sigmoid<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  prepareExp<T>(1, scratch);
  const log2e = log2eOver<T>(scratch), magic = biasedMagic<T>(), high = ln2HighOf<T>(scratch);
  const least = leastBounded<T>(), most = mostBounded<T>();
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  const rest = count % lanes<T>(), end = x + (count - rest) * sizeof<T>();
  for (; x < end; x += 16, y += 16) {
    v128.store(y, sigmoidOf<T>(v128.load(x), least, most, scratch, log2e, magic, high, c5, c4, c3, c2, c1));
  }
  if (rest) {
    const v = sigmoidOf<T>(loadTail<T>(x, rest), least, most, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    storeTail<T>(y, v, rest);
  }
}

// @ts-ignore: decorator
@inline
function sigmoidOf<T>(
  x: v128, least: v128, most: v128, scratch: usize,
  log2e: v128, magic: v128, high: v128, c5: v128, c4: v128, c3: v128, c2: v128, c1: v128
): v128 {
  // pmin and pmax give back an x that is NaN.
  const bounded = v128.pmax<T>(v128.pmin<T>(x, most), least);
  const e = boundedExp<T>(bounded, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
  return v128.div<T>(e, v128.add<T>(e, oneVector<T>(scratch)));
}

export function sigmoid_f32(x: usize, y: usize, count: usize, scratch: usize): void {
  sigmoid<f32>(x, y, count, scratch);
}

export function sigmoid_f64(x: usize, y: usize, count: usize, scratch: usize): void {
  sigmoid<f64>(x, y, count, scratch);
}
