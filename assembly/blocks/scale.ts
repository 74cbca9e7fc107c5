// The factors of a block's rows, where a gradient could underflow or overflow, or a mask keeps nothing.

import { FACTOR, GRADIENT_SCALE, KEPT, LINE_BYTES } from "../scratch";
import { element, isNormal, storeElement } from "../simd/lanes";
import { clearBelow, leastNormal } from "../simd/subnormal";

/**
 * A smaller scale than this, but larger than n over this, gives a normal T when it is divided by a sum of n exponentials:
 * that is at least e^-RANGE and at most n · e^RANGE, and e^RANGE is below 2^93 (f64: 2^739).
 */
// @ts-ignore: decorator
@inline
function LARGEST_SCALE<T>(): f64 {
  return sizeof<T>() == 4 ? 8589934592.0 : 1.5541351137805833e85; // 2^33, 2^283
}

/** n over LARGEST_SCALE. */
// @ts-ignore: decorator
@inline
export function smallestScale<T>(n: usize): f64 {
  return <f64>n / LARGEST_SCALE<T>();
}

/** Whether FACTOR, which is 1 over a sum, times the scale is surely a normal T. */
// @ts-ignore: decorator
@inline
export function isSafeScale<T>(scale: f64, smallest: f64): bool {
  return abs(scale) > smallest && abs(scale) < LARGEST_SCALE<T>();
}

/**
 * FACTOR = FACTOR · GRADIENT_SCALE, as rowFactor has it, for the rows whose bits are set. One function for both types,
 * elements of `size` bytes: a product of two f32 is exact in f64.
 */
export function blockFactors(size: usize, block: usize, n: usize, bits: u32, scratch: usize): void {
  for (; bits; bits &= bits - 1) {
    const i = <usize>ctz(bits), at = i * size;
    const reciprocal = element(size, scratch + at + FACTOR), scale = load<f64>(scratch + (i << 3), GRADIENT_SCALE);
    let factor = scale * reciprocal;
    if (scale != 0 && !isNormal(size, factor)) {
      for (let p = block + at, end = p + n * LINE_BYTES; p < end; p += LINE_BYTES) {
        storeElement(size, p, element(size, p) * reciprocal);
      }
      factor = scale;
    }
    storeElement(size, scratch + at + FACTOR, factor);
  }
}

/** Clears what of a block of exponentials would be subnormal times FACTOR; see simd/subnormal.ts. */
// @ts-ignore: decorator
@inline
export function clearSubnormalLanes<T>(block: usize, n: usize, columns: usize, scratch: usize): void {
  if (sizeof<T>() == 4) clearLanes(block, n, columns, scratch);
}

function clearLanes(block: usize, n: usize, columns: usize, scratch: usize): void {
  for (const end = block + (columns << 4); block < end; block += 16, scratch += 16) {
    const least = leastNormal(v128.load(scratch, FACTOR));
    if (!v128.any_true(least)) continue;
    for (let p = block, last = block + n * LINE_BYTES; p < last; p += LINE_BYTES) {
      v128.store(p, clearBelow(v128.load(p), least));
    }
  }
}

/** Sets a state of each row to 0 where the mask keeps nothing of the row. */
export function clearEmptyRows(state: usize, columns: usize, scratch: usize): void {
  for (const end = scratch + (columns << 4); scratch < end; scratch += 16) {
    v128.store(scratch + state, v128.and(v128.load(scratch + state), v128.load(scratch, KEPT)));
  }
}
