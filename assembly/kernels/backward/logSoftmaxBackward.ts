// The gradient of log-softmax: dx_i = (dy_i − e^logP_i Σ dy_j) / t for each row of [outer, n, inner], logP the
// log-softmax (y) and dy the gradient with respect to it.
//
// Passes over a row: the sum; the result. logP is clamped to the bounds of boundedExp; at the lower one e^logP is
// exactly 0.
// dx may be dy or logP. n or outer · inner may be 0. The result is finite only if dy / t and Σ dy / t are.
// Error: 4 · 2^-23 (f64: 2^-52) of (|dy_i| + e^logP_i Σ |dy_j|) / t; a subnormal e^logP may count as 0.

import { gather, scatter } from "../../blocks/gather";
import { columnSum } from "../../blocks/reduce";
import { checkElements, checkOutside, checkRows, scratchBytes } from "../../contracts";
import { biasedMagic, boundedExp, leastBounded, mostBounded } from "../../math/exp";
import { coefficient, ln2HighOf, log2eOver, prepareExp } from "../../math/exp-table";
import { rowSum } from "../../rows/reduce";
import { FACTOR, HEADER_BYTES, LINE_BYTES } from "../../scratch";
import { columnsOf, rowsInBlock, usesRowForm } from "../../shape";
import { nmadd } from "../../simd/arch";
import { lanes } from "../../simd/lanes";
import { copyTail, storeTailCopy, tailSlot } from "../../simd/tail";

export function logSoftmaxBackward<T>(
  y: usize, dx: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize, dy: usize
): void {
  checkRows<T>(y, dx, outer * n * inner, outer * n * inner, temperature, scratch, scratchBytes(n, inner, 2));
  checkElements<T>(dy, dx, outer * n * inner, scratch);
  checkOutside(scratch, scratchBytes(n, inner, 2), dy, outer * n * inner * sizeof<T>());
  prepareExp<T>(1, scratch); // the temperature is in y already
  if (usesRowForm<T>(n, inner)) rowForm<T>(y, dx, outer, n, temperature, scratch, dy);
  else blockForm<T>(y, dx, outer, n, inner, temperature, scratch, dy);
}

function rowForm<T>(logP: usize, dx: usize, count: usize, n: usize, t: f64, scratch: usize, dy: usize): void {
  const factor = v128.splat<T>(<T>(1 / t));
  const bytes = n * sizeof<T>(), rest = n % lanes<T>(), whole = bytes - rest * sizeof<T>();
  for (const end = logP + count * bytes; logP < end; logP += bytes, dy += bytes, dx += bytes) {
    const sum = v128.splat<T>(<T>(rowSum<T>(dy, n) / t));
    gradients<T>(logP, dy, dx, logP + whole, 16, factor, sum, scratch);
    if (!rest) continue;
    const p = copyTail<T>(logP, whole, rest, tailSlot(0, scratch));
    const d = copyTail<T>(dy, whole, rest, tailSlot(1, scratch));
    gradients<T>(p, d, d, p + 16, 16, factor, sum, scratch);
    storeTailCopy<T>(dx, whole, rest, d);
  }
}

function blockForm<T>(
  logP: usize, dx: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize, dy: usize
): void {
  const factor = v128.splat<T>(<T>(1 / t));
  const logBlock = scratch + HEADER_BYTES, bytes = n * LINE_BYTES, dyBlock = logBlock + bytes;
  let rows: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += rows) {
    rows = rowsInBlock<T>(first, outer, inner);
    gather<T>(logP, n, inner, first, rows, logBlock, 0);
    gather<T>(dy, n, inner, first, rows, dyBlock, 0);
    for (let column: usize = 0; column < columnsOf<T>(rows); column++) {
      const at = column << 4, p = logBlock + at, d = dyBlock + at;
      const sum = v128.mul<T>(columnSum<T>(d, n), factor);
      gradients<T>(p, d, d, p + bytes, LINE_BYTES, factor, sum, scratch);
      v128.store(scratch + at, v128.splat<T>(1), FACTOR);
    }
    scatter<T>(dyBlock, dx, n, inner, first, rows, scratch);
  }
}

/** The gradient of vectors `step` bytes apart, factor = 1 / t and sum = Σ dy / t. */
function gradients<T>(
  logP: usize, dy: usize, dx: usize, end: usize, step: usize, factor: v128, sum: v128, scratch: usize
): void {
  const log2e = log2eOver<T>(scratch), magic = biasedMagic<T>(), high = ln2HighOf<T>(scratch);
  const c5 = coefficient<T>(5, scratch), c4 = coefficient<T>(4, scratch), c3 = coefficient<T>(3, scratch);
  const c2 = coefficient<T>(2, scratch), c1 = coefficient<T>(1, scratch);
  for (; logP < end; logP += step, dy += step, dx += step) {
    // pmin and pmax return logP if it is NaN.
    const bounded = v128.pmax<T>(v128.pmin<T>(v128.load(logP), mostBounded<T>()), leastBounded<T>());
    const p = boundedExp<T>(bounded, scratch, log2e, magic, high, c5, c4, c3, c2, c1);
    v128.store(dx, nmadd<T>(p, sum, v128.mul<T>(v128.load(dy), factor)));
  }
}
