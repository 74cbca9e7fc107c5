// The factors of a block's rows, where a gradient could underflow or a mask keeps nothing.

import { FACTOR, GRADIENT_SCALE, KEPT, LINE_BYTES } from "../scratch";

/** n / 2^33. FACTOR times a larger scale is a normal f32: a sum of n exponentials is at most n · e^RANGE. */
// @ts-ignore: decorator
@inline
export function underflowLimit(n: usize): f64 {
  return <f64>n / 8589934592.0;
}

/**
 * Whether FACTOR times the scale may underflow. In f64 it cannot: sums are at most n · 2^60, whatever the temperature.
 */
// @ts-ignore: decorator
@inline
export function mayUnderflow<T>(scale: f64, limit: f64): bool {
  return sizeof<T>() == 4 && !(abs(scale) > limit);
}

/** FACTOR = FACTOR · GRADIENT_SCALE, as rowFactor has it, for the rows whose bits are set. f32 only. */
export function blockFactors(block: usize, n: usize, bits: u32, scratch: usize): void {
  for (; bits; bits &= bits - 1) {
    const i = <usize>ctz(bits), at = i << 2;
    const reciprocal = load<f32>(scratch + at, FACTOR), scale = load<f64>(scratch + (i << 3), GRADIENT_SCALE);
    let factor = scale * <f64>reciprocal;
    if (scale != 0 && abs(factor) < f32.MIN_NORMAL_VALUE) {
      for (let p = block + at, end = p + n * LINE_BYTES; p < end; p += LINE_BYTES) {
        store<f32>(p, load<f32>(p) * reciprocal);
      }
      factor = scale;
    }
    store<f32>(scratch + at, <f32>factor, FACTOR);
  }
}

/** Sets a state of each row to 0 where the mask keeps nothing of the row. */
export function clearEmptyRows(state: usize, columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch + state, v128.and(v128.load(scratch + state), v128.load(scratch, KEPT)));
  }
}
