// Upper bounds on the speed of every kernel of e^x, for `npm run bench:ceilings`: multiply-adds alone, as many as the
// exponential and the sum of a softmax take, and copying alone. Not in the shipped modules.

import { coefficient, prepareExp } from "../math/exp-table";
import { madd } from "../simd/arch";
import { laneSum } from "../simd/lanes";

/** Eleven multiply-adds for each vector of x, few of which depend on each other. */
export function multiplyAdds(x: usize, n: usize, scratch: usize): f64 {
  prepareExp<f32>(1, scratch);
  const c5 = coefficient<f32>(5, scratch), c4 = coefficient<f32>(4, scratch), c3 = coefficient<f32>(3, scratch);
  const c2 = coefficient<f32>(2, scratch), c1 = coefficient<f32>(1, scratch);
  let s0 = v128.splat<f32>(0), s1 = s0, s2 = s0;
  for (const end = x + n * 4; x < end; x += 16) {
    const v = v128.load(x);
    const p0 = madd<f32>(madd<f32>(c5, v, c4), v, c3), p1 = madd<f32>(madd<f32>(c4, v, c3), v, c2);
    const p2 = madd<f32>(madd<f32>(c3, v, c2), v, c1), p3 = madd<f32>(madd<f32>(c2, v, c1), v, c5);
    s0 = madd<f32>(p0, p1, s0);
    s1 = madd<f32>(p2, p3, s1);
    s2 = madd<f32>(v, v, s2);
  }
  return laneSum<f32>(f32x4.add(f32x4.add(s0, s1), s2));
}

export function copy(x: usize, y: usize, n: usize): void {
  for (const end = x + n * 4; x < end; x += 16, y += 16) v128.store(y, v128.load(x));
}

export function staticEnd(): usize {
  return __heap_base;
}
