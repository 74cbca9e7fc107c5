// Upper bounds on the speed of every kernel of e^x, for `npm run bench:ceilings`: as many instructions of each kind per
// vector as in a softmax's row loop, but hardly any that waits for another; and copying alone. Not in the shipped
// modules.

import { coefficient, prepareExp } from "../math/exp-table";
import { FUSED, madd } from "../simd/arch";
import { laneSum, promoteHigh, promoteLow } from "../simd/lanes";
import { rangeStep, signMask } from "../simd/range";

/**
 * Of each vector: eight multiply-adds, for the reduction and the polynomial, whose results are added up one way or the
 * other (without FMA there are two multiplications and an addition more); the subtraction of the magic number; the shift
 * and the addition of integers for the power of two; the range; the product of the row before; half an addition of a
 * pair and half a sum in float64; two loads and two stores, and a constant for each four multiply-adds.
 */
export function mixOfSoftmax(x: usize, y: usize, z: usize, n: usize, scratch: usize): f64 {
  prepareExp<f32>(1, scratch);
  const f = f32x4.splat(1), sign = signMask<f32>(), bound = f32x4.splat(64);
  let a0 = f, a1 = f, a2 = f, a3 = f, range = i32x4.splat(0), sums = f64x2.splat(0);
  for (const end = x + n * 4; x < end; x += 32, y += 32, z += 32) {
    const v = v128.load(x), w = v128.load(x, 16);
    const c0 = coefficient<f32>(1, scratch), c1 = coefficient<f32>(2, scratch);
    const c2 = coefficient<f32>(3, scratch), c3 = coefficient<f32>(4, scratch);
    a0 = madd<f32>(madd<f32>(v, c0, c1), c2, madd<f32>(madd<f32>(w, c0, c1), c3, a0));
    a1 = madd<f32>(madd<f32>(v, c1, c2), c3, madd<f32>(madd<f32>(w, c1, c2), c0, a1));
    a2 = madd<f32>(madd<f32>(v, c2, c3), c0, madd<f32>(madd<f32>(w, c2, c3), c1, a2));
    a3 = madd<f32>(madd<f32>(v, c3, c0), c1, madd<f32>(madd<f32>(w, c3, c0), c2, a3));
    let d = f32x4.sub(v, c0), e = f32x4.sub(w, c0);
    if (!FUSED) {
      d = f32x4.add(f32x4.mul(d, c1), f32x4.mul(v, c2));
      e = f32x4.add(f32x4.mul(e, c1), f32x4.mul(w, c2));
    }
    range = rangeStep<f32>(rangeStep<f32>(range, v, sign, bound), w, sign, bound);
    v128.store(z, f32x4.mul(v128.load(z), f));
    v128.store(z, f32x4.mul(v128.load(z, 16), f), 16);
    v128.store(y, i32x4.add(i32x4.shl(v, 23), d));
    v128.store(y, i32x4.add(i32x4.shl(w, 23), e), 16);
    const pair = f32x4.add(v, w);
    sums = f64x2.add(sums, f64x2.add(promoteLow(pair), promoteHigh(pair)));
  }
  return laneSum<f32>(f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3))) + laneSum<f32>(range) + laneSum<f64>(sums);
}

export function copy(x: usize, y: usize, n: usize): void {
  for (const end = x + n * 4; x < end; x += 16, y += 16) v128.store(y, v128.load(x));
}

export function staticEnd(): usize {
  return __heap_base;
}
