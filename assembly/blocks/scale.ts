// The state of a block: factors of rows.

import { FACTOR, GRADIENT_SCALE, KEPT, LINE_BYTES } from "../scratch";

/** n / 2^33: FACTOR times a scale above it is a normal number of f32, where a sum of n exponentials is at most n e^RANGE. */
// @ts-ignore: decorator
@inline
export function faintLimit(n: usize): f64 {
  return <f64>n / 8589934592.0;
}

/** Whether that is to be looked at. In f64 there is room for every temperature: at great ones sums are at most n 2^60. */
// @ts-ignore: decorator
@inline
export function isFaint<T>(scale: f64, limit: f64): bool {
  return sizeof<T>() == 4 && !(abs(scale) > limit);
}

/**
 * FACTOR becomes GRADIENT_SCALE times it, or what rowFactor makes of the two, for the problems whose bits are set; for
 * f32.
 */
export function tileFactors(tile: usize, n: usize, bits: u32, scratch: usize): void {
  for (; bits; bits &= bits - 1) {
    const i = <usize>ctz(bits), at = i << 2;
    const reciprocal = load<f32>(scratch + at, FACTOR), scale = load<f64>(scratch + (i << 3), GRADIENT_SCALE);
    let factor = scale * <f64>reciprocal;
    if (scale != 0 && abs(factor) < f32.MIN_NORMAL_VALUE) {
      for (let p = tile + at, end = p + n * LINE_BYTES; p < end; p += LINE_BYTES) {
        store<f32>(p, load<f32>(p) * reciprocal);
      }
      factor = scale;
    }
    store<f32>(scratch + at, <f32>factor, FACTOR);
  }
}

/** The state without the problems of which a mask keeps nothing: 0 there. */
export function tileKeep(state: usize, columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch + state, v128.and(v128.load(scratch + state), v128.load(scratch, KEPT)));
  }
}
