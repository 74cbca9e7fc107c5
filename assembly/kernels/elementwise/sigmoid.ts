// sigmoid(x) = e^x / (1 + e^x), elementwise.
//
// With e^x = up / down it is up / (down + up): a single division, with the relative error of e^x on both sides. x is
// clamped: at the upper bound the sum is up and the result exactly 1, at the lower one up is 0.
// x may be y. count may be 0.
// Error: 3 ULP (f64: 4) where the result is normal, a subnormal one may be 0; sigmoid(0) = ½ exactly.

import { checkElements } from "../../contracts";
import { biasedMagic, leastBounded } from "../../math/exp";
import { HIGH, INVERSE_LN2, LOW, MOST, TWO, constant, evenOf, remainderOf, upOf } from "../../math/ratio";
import { ratioOfTwo } from "../../math/ratio-two";
import { madd } from "../../simd/arch";
import { lanes } from "../../simd/lanes";
import { e0, e1, r0, r1, s0, s1 } from "../../simd/registers";
import { copyTail, storeTailCopy, tailSlot } from "../../simd/tail";

export function sigmoid<T>(x: usize, y: usize, count: usize, scratch: usize): void {
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
  const least = leastBounded<T>(), most = constant<T>(MOST), two = constant<T>(TWO);
  const end = x + bytes;
  if (sizeof<T>() == 4) for (; x + 32 <= end; x += 32, y += 32) {
    r0 = f32x4.pmax(f32x4.pmin(v128.load(x), most), least);
    r1 = f32x4.pmax(f32x4.pmin(v128.load(x, 16), most), least);
    ratioOfTwo();
    e0 = f32x4.div(s0, f32x4.add(r0, s0));
    e1 = f32x4.div(s1, f32x4.add(r1, s1));
    v128.store(y, e0);
    v128.store(y, e1, 16);
  }
  for (; x < end; x += 16, y += 16) {
    // pmin and pmax return x if it is NaN.
    const v = v128.pmax<T>(v128.pmin<T>(v128.load(x), most), least), shifted = madd<T>(v, log2e, magic);
    const r = remainderOf<T>(v, shifted, magic, high, low), a = evenOf<T>(r, two);
    const up = upOf<T>(a, r, shifted), down = v128.sub<T>(a, r);
    v128.store(y, v128.div<T>(up, v128.add<T>(down, up)));
  }
}
