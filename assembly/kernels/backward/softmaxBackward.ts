// The gradient of softmax: dx_i = y_i (dy_i − Σ y_j dy_j) / t for each row of [outer, n, inner], y the softmax and dy
// the gradient with respect to it.
//
// Passes over a row: the sum; the result. 1 / t multiplies dy if it is at most 1; if not, its power of two multiplies y and
// the rest of it dy, so that no intermediate leaves the normal numbers unless y dy or the result does.
// dx may be dy or y. n or outer · inner may be 0.
// Error: 4 · 2^-23 (f64: 2^-52) of |y_i| (|dy_i| + Σ |y_j dy_j|) / t.

import { gather, scatter } from "../../blocks/gather";
import { columnDot } from "../../blocks/reduce";
import { checkElements, checkOutside, checkRows, scratchBytes } from "../../contracts";
import { rowDot } from "../../rows/reduce";
import { FACTOR, HEADER_BYTES, LINE_BYTES } from "../../scratch";
import { columnsOf, rowsInBlock, usesRowForm } from "../../shape";
import { madd } from "../../simd/arch";
import { lanes } from "../../simd/lanes";
import { loadTail, storeTail } from "../../simd/tail";

export function softmaxBackward<T>(
  y: usize, dx: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, dy: usize
): void {
  checkRows<T>(y, dx, outer * n * inner, outer * n * inner, temperature, scratch, scratchBytes(n, inner, 2));
  checkElements<T>(dy, dx, outer * n * inner, scratch);
  checkOutside(scratch, scratchBytes(n, inner, 2), dy, outer * n * inner * sizeof<T>());
  if (usesRowForm<T>(n, inner)) rowForm<T>(y, dx, outer, n, temperature, dy);
  else blockForm<T>(y, dx, outer, n, inner, temperature, scratch, dy);
}

/** The power of two in 1 / t, at least 1. To multiply y by it rounds nothing, so 1 / t costs one rounding in all: dy's. */
// @ts-ignore: decorator
@inline
function powerOfTwo(t: f64): f64 {
  return max(1.0, reinterpret<f64>(reinterpret<u64>(1 / t) & 0x7ff0000000000000));
}

/** The factor of dy and of the sum: at most a half, so that dy − sum cannot overflow. */
// @ts-ignore: decorator
@inline
function innerFactor(t: f64): f64 {
  return 0.25 / t / powerOfTwo(t);
}

/** The factor of y. */
// @ts-ignore: decorator
@inline
function outerFactor(t: f64): f64 {
  return 4 * powerOfTwo(t);
}

// @ts-ignore: decorator
@inline
function gradient<T>(y: v128, dy: v128, scale: v128, factor: v128, offset: v128): v128 {
  return v128.mul<T>(v128.mul<T>(y, scale), madd<T>(dy, factor, offset));
}

/** The gradient of vectors `step` bytes apart. */
function gradients<T>(
  y: usize, dy: usize, dx: usize, end: usize, step: usize, scale: v128, factor: v128, offset: v128
): void {
  for (; y < end; y += step, dy += step, dx += step) {
    v128.store(dx, gradient<T>(v128.load(y), v128.load(dy), scale, factor, offset));
  }
}

// @ts-ignore: decorator
@inline
function rowForm<T>(y: usize, dx: usize, count: usize, n: usize, t: f64, dy: usize): void {
  const inner = innerFactor(t), scale = v128.splat<T>(<T>outerFactor(t)), factor = v128.splat<T>(<T>inner);
  const bytes = n * sizeof<T>(), rest = n % lanes<T>(), whole = bytes - rest * sizeof<T>();
  for (const end = y + count * bytes; y < end; y += bytes, dy += bytes, dx += bytes) {
    const offset = v128.splat<T>(<T>(-rowDot<T>(y, dy, n) * inner));
    gradients<T>(y, dy, dx, y + whole, 16, scale, factor, offset);
    if (!rest) continue;
    const v = loadTail<T>(y + whole, rest), d = loadTail<T>(dy + whole, rest);
    storeTail<T>(dx + whole, gradient<T>(v, d, scale, factor, offset), rest);
  }
}

function blockForm<T>(
  y: usize, dx: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, dy: usize
): void {
  const scale = v128.splat<T>(<T>outerFactor(t)), factor = v128.splat<T>(<T>innerFactor(t));
  const yBlock = scratch + HEADER_BYTES, bytes = n * LINE_BYTES, dyBlock = yBlock + bytes;
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    gather<T>(y, n, inner, first, rows, yBlock, 0);
    gather<T>(dy, n, inner, first, rows, dyBlock, 0);
    for (let column: usize = 0; column < columnsOf<T>(rows); column++) {
      const at = column << 4, p = yBlock + at, d = dyBlock + at;
      const offset = v128.neg<T>(v128.mul<T>(columnDot<T>(p, d, n), factor));
      gradients<T>(p, d, d, p + bytes, LINE_BYTES, scale, factor, offset);
      v128.store(scratch + at, v128.splat<T>(1), FACTOR);
    }
    scatter<T>(dyBlock, dx, n, inner, first, rows, scratch);
  }
}
