// logSigmoid(x) = log(1 / (1 + e^−x)) = min(x, 0) − log1p(e^−|x|), elementwise.
//
// Nothing cancels: both terms have the same sign. Far below 0 the result is x, far above it −e^−x, down to the smallest
// normal number.
// x may be y. count may be 0.
// Error: 3 ULP (f64: 4) where the result is normal; a subnormal one may be 0.

import { checkElements } from "../../contracts";
import { biasedMagic, leastBounded } from "../../math/exp";
import { log1pOfRatio } from "../../math/log";
import { HIGH, INVERSE_LN2, LOW, TWO, constant, evenOf, remainderOf, upOf } from "../../math/ratio";
import { log1pOfTwo, ratioOfTwo } from "../../math/ratio-two";
import { madd } from "../../simd/arch";
import { lanes } from "../../simd/lanes";
import { e0, e1, r0, r1 } from "../../simd/registers";
import { copyTail, storeTailCopy, tailSlot } from "../../simd/tail";

export function logSigmoid<T>(x: usize, y: usize, count: usize, scratch: usize): void {
  checkElements<T>(x, y, count, scratch);
  const rest = count % lanes<T>(), whole = (count - rest) * sizeof<T>();
  vectors<T>(x, y, whole);
  if (!rest) return;
  const tail = copyTail<T>(x, whole, rest, tailSlot(0, scratch));
  vectors<T>(tail, tail, 16);
  storeTailCopy<T>(y, whole, rest, tail);
}

function vectors<T>(x: usize, y: usize, bytes: usize): void {
  const log2e = constant<T>(INVERSE_LN2), magic = biasedMagic<T>(), high = constant<T>(HIGH), low = constant<T>(LOW);
  const least = leastBounded<T>(), two = constant<T>(TWO), sign = v128.splat<T>(<T>-0.0), zero = v128.splat<T>(0);
  const end = x + bytes;
  if (sizeof<T>() == 4) for (; x + 32 <= end; x += 32, y += 32) {
    r0 = f32x4.pmax(v128.or(v128.load(x), sign), least);
    r1 = f32x4.pmax(v128.or(v128.load(x, 16), sign), least);
    ratioOfTwo();
    log1pOfTwo();
    e0 = f32x4.sub(f32x4.pmin(v128.load(x), zero), e0);
    e1 = f32x4.sub(f32x4.pmin(v128.load(x, 16), zero), e1);
    v128.store(y, e0);
    v128.store(y, e1, 16);
  }
  for (; x < end; x += 16, y += 16) {
    const v = v128.load(x), d = v128.pmax<T>(v128.or(v, sign), least), shifted = madd<T>(d, log2e, magic);
    const r = remainderOf<T>(d, shifted, magic, high, low), a = evenOf<T>(r, two);
    const log1p = log1pOfRatio<T>(upOf<T>(a, r, shifted), v128.sub<T>(a, r), two);
    // pmin returns v if it is NaN.
    v128.store(y, v128.sub<T>(v128.pmin<T>(v, zero), log1p));
  }
}
