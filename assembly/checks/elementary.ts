// Elementary functions by themselves, y = f(x) for n elements (whole vectors), for test/exhaustive. Not in the shipped
// modules.

import { logSigmoid } from "../kernels/elementwise/logSigmoid";
import { sigmoid } from "../kernels/elementwise/sigmoid";
import { leastExponent, wideExp } from "../math/exp";
import { coefficient, ln2HighOf, log2eOver, magicNumber, prepareExp } from "../math/exp-table";
import { log, log1p } from "../math/log";

function exp<T>(x: usize, y: usize, n: usize, scratch: usize): void {
  prepareExp<T>(1, scratch);
  const least = leastExponent<T>();
  const log2e = log2eOver<T>(scratch), magic = magicNumber<T>(scratch), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (let end = x + n * sizeof<T>(); x < end; x += 16, y += 16) {
    const v = v128.load(x);
    v128.store(y, wideExp<T>(v, least, scratch, log2e, magic, high, c5, c4, c3, c2, c1));
  }
}

export function exp_f32(x: usize, y: usize, n: usize, scratch: usize): void {
  exp<f32>(x, y, n, scratch);
}

export function exp_f64(x: usize, y: usize, n: usize, scratch: usize): void {
  exp<f64>(x, y, n, scratch);
}

export function log_f32(x: usize, y: usize, n: usize): void {
  for (let end = x + n * 4; x < end; x += 16, y += 16) v128.store(y, log<f32>(v128.load(x)));
}

export function log_f64(x: usize, y: usize, n: usize): void {
  for (let end = x + n * 8; x < end; x += 16, y += 16) v128.store(y, log<f64>(v128.load(x)));
}

export function log1p_f32(x: usize, y: usize, n: usize): void {
  for (let end = x + n * 4; x < end; x += 16, y += 16) v128.store(y, log1p<f32>(v128.load(x)));
}

export function log1p_f64(x: usize, y: usize, n: usize): void {
  for (let end = x + n * 8; x < end; x += 16, y += 16) v128.store(y, log1p<f64>(v128.load(x)));
}

export function logSigmoid_f32(x: usize, y: usize, n: usize, scratch: usize): void {
  logSigmoid<f32>(x, y, n, scratch);
}

export function logSigmoid_f64(x: usize, y: usize, n: usize, scratch: usize): void {
  logSigmoid<f64>(x, y, n, scratch);
}

export function sigmoid_f32(x: usize, y: usize, n: usize, scratch: usize): void {
  sigmoid<f32>(x, y, n, scratch);
}

export function sigmoid_f64(x: usize, y: usize, n: usize, scratch: usize): void {
  sigmoid<f64>(x, y, n, scratch);
}

/** The end of the read-only constants. */
export function staticEnd(): usize {
  return __heap_base;
}
