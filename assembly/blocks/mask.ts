// The mask of a block.

import { causalLength, hasOperand, operandAddress, operandStride } from "../mask";
import { MAX_SHIFTED, SPARSE, unshiftedLimit } from "../math/exp";
import { CAUSAL_LENGTHS, KEPT, LINE_BYTES, MASK_ADDRESSES, MASK_BYTES } from "../scratch";
import { BLOCK_ROWS, columnsOf } from "../shape";
import { rangeHolds, rangeStart, rangeStep, signMask } from "../simd/range";

/**
 * Replaces what is not kept of a block, whose first row is number `first`, by −∞. KEPT gets all bits set in the lanes
 * of rows that keep anything. Returns the form of e^x that the block needs.
 */
export function maskBlock<T>(
  block: usize, n: usize, first: usize, rows: usize, mask: usize, t: f64, scratch: usize
): i32 {
  prepareMaskRows<T>(n, first, rows, mask, scratch);
  const masked = hasOperand(mask), stride = operandStride(mask), width = columnsOf<T>(rows) << 4;
  const bytesAt = load<usize>(scratch, MASK_ADDRESSES);
  const shared = areApart<T>(scratch, 0), adjacent = areApart<T>(scratch, 1);
  const limit = unshiftedLimit<T>(t), bound = v128.splat<T>(limit), sign = signMask<T>();
  const none = v128.splat<T>(<T>(-Infinity));
  let range = rangeStart<T>(), bytes = i8x16.splat(-1);
  for (let at: usize = 0; at < width; at += 16) v128.store(scratch + at, i32x4.splat(0), KEPT);
  for (let j: usize = 0; j < n; j++, block += LINE_BYTES) {
    if (masked) {
      if (shared) bytes = v128.load8_splat(bytesAt + j * stride);
      else if (adjacent) {
        bytes = sizeof<T>() == 4 ? v128.load(bytesAt + j * stride) : v128.load64_zero(bytesAt + j * stride);
      } else bytes = gatherBytes<T>(j * stride, scratch);
      bytes = i8x16.ne(bytes, i8x16.splat(0));
    }
    let low = i16x8.extend_low_i8x16_s(bytes), high = i16x8.extend_high_i8x16_s(bytes);
    if (sizeof<T>() == 8) {
      high = i32x4.extend_high_i16x8_s(low);
      low = i32x4.extend_low_i16x8_s(low);
    }
    for (let at: usize = 0; at < width; at += 16) {
      const half = at < 32 ? low : high;
      let kept = sizeof<T>() == 4 ? i32x4.extend_low_i16x8_s(half) : i64x2.extend_low_i32x4_s(half);
      if (at & 16) kept = sizeof<T>() == 4 ? i32x4.extend_high_i16x8_s(half) : i64x2.extend_high_i32x4_s(half);
      kept = v128.and(kept, isCausal<T>(j, scratch + at));
      const x = v128.load(block + at);
      range = rangeStep<T>(range, v128.and(x, kept), sign, bound);
      v128.store(block + at, v128.bitselect(x, none, kept));
      v128.store(scratch + at, v128.or(v128.load(scratch + at, KEPT), kept), KEPT);
    }
  }
  // f64 gains too little by the sparse form for its size.
  return sizeof<T>() == 4 && rangeHolds<T>(range, bound) ? SPARSE : MAX_SHIFTED;
}

/** MASK_ADDRESSES and CAUSAL_LENGTHS for all lanes of a block. */
function prepareMaskRows<T>(n: usize, first: usize, rows: usize, mask: usize, scratch: usize): void {
  for (let i: usize = 0; i < BLOCK_ROWS<T>(); i++) {
    // Lanes past the last row repeat it.
    const row = first + min(i, rows - 1);
    store<usize>(scratch + (i << 2), operandAddress(mask, row, 1), MASK_ADDRESSES);
    const length = causalLength(mask, row, n);
    if (sizeof<T>() == 4) store<usize>(scratch + (i << 2), length, CAUSAL_LENGTHS);
    else store<u64>(scratch + (i << 3), length, CAUSAL_LENGTHS);
  }
}

/** Whether the rows' bytes of the mask all begin `apart` bytes from each other. */
function areApart<T>(scratch: usize, apart: usize): bool {
  for (let i: usize = 1; i < BLOCK_ROWS<T>(); i++) {
    const bytes = load<usize>(scratch + (i << 2), MASK_ADDRESSES);
    if (bytes != load<usize>(scratch, MASK_ADDRESSES) + i * apart) return false;
  }
  return true;
}

/** The mask's bytes of one element of each row. */
function gatherBytes<T>(offset: usize, scratch: usize): v128 {
  const bytes = scratch + MASK_BYTES;
  for (let i: usize = 0; i < BLOCK_ROWS<T>(); i++) {
    store<u8>(bytes + i, load<u8>(load<usize>(scratch + (i << 2), MASK_ADDRESSES) + offset));
  }
  return v128.load(bytes);
}

/** All bits set in the lanes of rows whose element j causality keeps. */
// @ts-ignore: decorator
@inline
function isCausal<T>(j: usize, scratch: usize): v128 {
  const lengths = v128.load(scratch, CAUSAL_LENGTHS);
  if (sizeof<T>() == 4) return i32x4.gt_s(lengths, i32x4.splat(<i32>j));
  return i64x2.gt_s(lengths, i64x2.splat(<i64>j));
}
