// What bounds every kernel of e^x, for `npm run bench:ceilings`: multiply-adds alone, as many as the exponential and the
// sum of a softmax take, and moving memory alone. No part of the modules that are shipped.

import { coefficient, prepareExp } from "../math/exp";
import { madd } from "../simd/arch";
import { laneSum } from "../simd/lanes";

/** Eleven multiply-adds for each vector of x, and nothing else. */
export function multiplyAdds(x: usize, n: usize, scratch: usize): f64 {
  prepareExp<f32>(1, scratch);
  const c5 = coefficient<f32>(5, scratch), c4 = coefficient<f32>(4, scratch), c3 = coefficient<f32>(3, scratch);
  const c2 = coefficient<f32>(2, scratch), c1 = coefficient<f32>(1, scratch);
  let sum = v128.splat<f32>(0);
  for (const end = x + n * 4; x < end; x += 16) {
    const v = v128.load(x);
    let p = madd<f32>(c5, v, c4);
    p = madd<f32>(p, v, c3);
    p = madd<f32>(p, v, c2);
    p = madd<f32>(p, v, c1);
    p = madd<f32>(p, v, c2);
    p = madd<f32>(p, v, c3);
    p = madd<f32>(p, v, c4);
    p = madd<f32>(p, v, c5);
    p = madd<f32>(p, v, c1);
    p = madd<f32>(p, v, c2);
    sum = madd<f32>(p, v, sum);
  }
  return laneSum<f32>(sum);
}

export function copy(x: usize, y: usize, n: usize): void {
  for (const end = x + n * 4; x < end; x += 16, y += 16) v128.store(y, v128.load(x));
}

export function staticEnd(): usize {
  return __heap_base;
}
