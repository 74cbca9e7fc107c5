// ratio.ts and log1pOfRatio for two f32 vectors side by side, in the variables of simd/registers.ts, bit for bit.

import { madd, nmadd } from "../simd/arch";
import { e0, e1, n0, n1, r0, r1, s0, s1 } from "../simd/registers";
import { biasedMagic } from "./exp";
import { log1pCoefficient } from "./log";
import { FIRST, HIGH, INVERSE_LN2, LOW, TWO, constant } from "./ratio";

/** e^x as s / r, of x in r0 and r1. */
// @ts-ignore: decorator
@inline
export function ratioOfTwo(): void {
  const log2e = constant<f32>(INVERSE_LN2), magic = biasedMagic<f32>();
  n0 = madd<f32>(r0, log2e, magic);
  n1 = madd<f32>(r1, log2e, magic);
  e0 = f32x4.sub(n0, magic);
  e1 = f32x4.sub(n1, magic);
  const high = constant<f32>(HIGH), low = constant<f32>(LOW);
  r0 = nmadd<f32>(e0, high, r0);
  r1 = nmadd<f32>(e1, high, r1);
  r0 = nmadd<f32>(e0, low, r0);
  r1 = nmadd<f32>(e1, low, r1);
  e0 = f32x4.mul(r0, r0);
  e1 = f32x4.mul(r1, r1);
  const c1 = constant<f32>(FIRST + 1), c0 = constant<f32>(FIRST), two = constant<f32>(TWO);
  s0 = madd<f32>(c1, e0, c0);
  s1 = madd<f32>(c1, e1, c0);
  e0 = madd<f32>(s0, e0, two);
  e1 = madd<f32>(s1, e1, two);
  s0 = f32x4.mul(f32x4.add(e0, r0), i32x4.shl(n0, 23));
  s1 = f32x4.mul(f32x4.add(e1, r1), i32x4.shl(n1, 23));
  r0 = f32x4.sub(e0, r0);
  r1 = f32x4.sub(e1, r1);
}

/** log(1 + s / r) in e0 and e1. */
// @ts-ignore: decorator
@inline
export function log1pOfTwo(): void {
  const two = constant<f32>(TWO);
  n0 = f32x4.div(s0, madd<f32>(r0, two, s0));
  n1 = f32x4.div(s1, madd<f32>(r1, two, s1));
  const c3 = log1pCoefficient(3), c2 = log1pCoefficient(2), c1 = log1pCoefficient(1), c0 = log1pCoefficient(0);
  const z0 = f32x4.mul(n0, n0), z1 = f32x4.mul(n1, n1);
  e0 = madd<f32>(c3, z0, c2);
  e1 = madd<f32>(c3, z1, c2);
  e0 = madd<f32>(e0, z0, c1);
  e1 = madd<f32>(e1, z1, c1);
  e0 = madd<f32>(e0, z0, c0);
  e1 = madd<f32>(e1, z1, c0);
  e0 = madd<f32>(f32x4.mul(n0, z0), e0, f32x4.add(n0, n0));
  e1 = madd<f32>(f32x4.mul(n1, z1), e1, f32x4.add(n1, n1));
}
