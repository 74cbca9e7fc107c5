// e^(x / t) of four f32 vectors side by side, in the variables of simd/registers.ts: the unshifted form of exp.ts, bit for
// bit, in stages between which a loop may do what it has to do besides. Constants are loaded where they are used.

import { FUSED, madd, nmadd } from "../simd/arch";
import { e0, e1, e2, e3, n0, n1, n2, n3, r0, r1, r2, r3, s0, s1, s2, s3 } from "../simd/registers";
import { coefficient, inverseOf, ln2HighOf, ln2LowOf, log2eOver, magicNumber, oneVector } from "./exp-table";

/** Loads four vectors and reduces them in `steps`, 1 or 2, a literal. */
// @ts-ignore: decorator
@inline
export function reduceFour(steps: i32, x: usize, stride: usize, scratch: usize): void {
  roundFour(x, stride, scratch);
  subtractFour(steps, scratch);
}

/** Its first half: loads them, and finds the multiples of t · ln 2 that are nearest. */
// @ts-ignore: decorator
@inline
export function roundFour(x: usize, stride: usize, scratch: usize): void {
  r0 = v128.load(x);
  r1 = v128.load(x + stride);
  r2 = v128.load(x + 2 * stride);
  r3 = v128.load(x + 3 * stride);
  const log2e = log2eOver<f32>(scratch), magic = magicNumber<f32>(scratch);
  n0 = madd<f32>(r0, log2e, magic);
  n1 = madd<f32>(r1, log2e, magic);
  n2 = madd<f32>(r2, log2e, magic);
  n3 = madd<f32>(r3, log2e, magic);
  e0 = f32x4.sub(n0, magic);
  e1 = f32x4.sub(n1, magic);
  e2 = f32x4.sub(n2, magic);
  e3 = f32x4.sub(n3, magic);
}

/** Its second half: subtracts these multiples. */
// @ts-ignore: decorator
@inline
export function subtractFour(steps: i32, scratch: usize): void {
  const high = ln2HighOf<f32>(scratch);
  r0 = nmadd<f32>(e0, high, r0);
  r1 = nmadd<f32>(e1, high, r1);
  r2 = nmadd<f32>(e2, high, r2);
  r3 = nmadd<f32>(e3, high, r3);
  if (steps == 1) return;
  const low = ln2LowOf<f32>(scratch);
  r0 = nmadd<f32>(e0, low, r0);
  r1 = nmadd<f32>(e1, low, r1);
  r2 = nmadd<f32>(e2, low, r2);
  r3 = nmadd<f32>(e3, low, r3);
}

/**
 * The rest: results in e0 to e3. `early`, a literal: powers of two are made before the polynomial, not after it, which is
 * faster in long rows, where less waits for the polynomial's end.
 */
// @ts-ignore: decorator
@inline
export function finishFour(early: bool, scratch: usize): void {
  if (early) shiftFour();
  if (FUSED) polynomialFour(scratch);
  else splitPolynomialFour(scratch);
  if (!early) shiftFour();
  e0 = i32x4.add(e0, n0);
  e1 = i32x4.add(e1, n1);
  e2 = i32x4.add(e2, n2);
  e3 = i32x4.add(e3, n3);
}

/** Moves the exponents to their place. */
// @ts-ignore: decorator
@inline
function shiftFour(): void {
  n0 = i32x4.shl(n0, 23);
  n1 = i32x4.shl(n1, 23);
  n2 = i32x4.shl(n2, 23);
  n3 = i32x4.shl(n3, 23);
}

/** Stores the results, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeFour(y: usize, stride: usize): void {
  v128.store(y, e0);
  v128.store(y + stride, e1);
  v128.store(y + 2 * stride, e2);
  v128.store(y + 3 * stride, e3);
}

// @ts-ignore: decorator
@inline
function polynomialFour(scratch: usize): void {
  const c5 = coefficient<f32>(5, scratch), c4 = coefficient<f32>(4, scratch);
  e0 = madd<f32>(c5, r0, c4);
  e1 = madd<f32>(c5, r1, c4);
  e2 = madd<f32>(c5, r2, c4);
  e3 = madd<f32>(c5, r3, c4);
  timesRemainder(coefficient<f32>(3, scratch));
  timesRemainder(coefficient<f32>(2, scratch));
  timesRemainder(coefficient<f32>(1, scratch));
  timesRemainder(inverseOf<f32>(scratch));
  timesRemainder(oneVector<f32>(scratch));
}

/** A step of Horner's rule. */
// @ts-ignore: decorator
@inline
function timesRemainder(c: v128): void {
  e0 = madd<f32>(e0, r0, c);
  e1 = madd<f32>(e1, r1, c);
  e2 = madd<f32>(e2, r2, c);
  e3 = madd<f32>(e3, r3, c);
}

// @ts-ignore: decorator
@inline
function splitPolynomialFour(scratch: usize): void {
  const c4 = coefficient<f32>(4, scratch), c3 = coefficient<f32>(3, scratch);
  e0 = madd<f32>(c4, r0, c3);
  e1 = madd<f32>(c4, r1, c3);
  e2 = madd<f32>(c4, r2, c3);
  e3 = madd<f32>(c4, r3, c3);
  s0 = f32x4.mul(r0, r0);
  s1 = f32x4.mul(r1, r1);
  s2 = f32x4.mul(r2, r2);
  s3 = f32x4.mul(r3, r3);
  const c5 = coefficient<f32>(5, scratch);
  e0 = madd<f32>(c5, s0, e0);
  e1 = madd<f32>(c5, s1, e1);
  e2 = madd<f32>(c5, s2, e2);
  e3 = madd<f32>(c5, s3, e3);
  const c2 = coefficient<f32>(2, scratch), c1 = coefficient<f32>(1, scratch);
  e0 = madd<f32>(e0, s0, madd<f32>(c2, r0, c1));
  e1 = madd<f32>(e1, s1, madd<f32>(c2, r1, c1));
  e2 = madd<f32>(e2, s2, madd<f32>(c2, r2, c1));
  e3 = madd<f32>(e3, s3, madd<f32>(c2, r3, c1));
  const inverse = inverseOf<f32>(scratch);
  e0 = madd<f32>(e0, s0, f32x4.mul(r0, inverse));
  e1 = madd<f32>(e1, s1, f32x4.mul(r1, inverse));
  e2 = madd<f32>(e2, s2, f32x4.mul(r2, inverse));
  e3 = madd<f32>(e3, s3, f32x4.mul(r3, inverse));
  const one = oneVector<f32>(scratch);
  e0 = f32x4.add(e0, one);
  e1 = f32x4.add(e1, one);
  e2 = f32x4.add(e2, one);
  e3 = f32x4.add(e3, one);
}
