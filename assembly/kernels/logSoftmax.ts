// log-softmax: y_i = (x_i − max) / t − log Σ e^((x_j − max) / t) for each problem of [outer, n, inner].
//
// Passes over a row: maximum and range, sum, result. The maximum's own term is counted rather than summed, so that the
// largest y is right however close to 0 it is. x may be y.
// All NaN where the maximum is NaN or infinite: NaN comes out of rowLogSum and tileLogSum.

import { fastLimit, prepareExp } from "../math/exp";
import { checkProblems } from "../primitives/check";
import { rowAffine, rowLogSum, rowMax, rowMaxInRange, rowScale, usesRows } from "../primitives/row";
import {
  HEADER_BYTES, columnsOf, gather, problemsOfTile, scatter, tileLogSoftmax, tileLogSum, tileMaxima
} from "../primitives/tile";

/** Up to this maximum, 2^100 and 2^960, x − maximum is finite for every x. */
// @ts-ignore: decorator
@inline
function HUGE<T>(): T {
  return <T>(sizeof<T>() == 4 ? 1.2676506002282294e30 : 9.745314011399999e288);
}

function logSoftmax<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  checkProblems<T>(x, y, outer * n * inner, outer * n * inner, t, scratch);
  prepareExp<T>(t, scratch);
  if (usesRows<T>(n, inner)) rows<T>(x, y, outer, n, t, scratch);
  else tiles<T>(x, y, outer, n, inner, t, scratch);
}

function rows<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): void {
  const limit = fastLimit<T>(t);
  const bytes = n * sizeof<T>();
  for (let end = x + count * bytes; x < end; x += bytes, y += bytes) {
    let m = rowMaxInRange<T>(x, n, limit);
    const fast = !isNaN<T>(m);
    if (!fast) m = rowMax<T>(x, n);
    const offset = <T>-rowLogSum<T>(x, n, m, fast, t, scratch);
    if (m > HUGE<T>()) {
      // x − m could overflow where (x − m) / t does not.
      rowScale<T>(x, y, n, 0.5);
      rowAffine<T>(y, y, n, <T>0.5 * m, <T>(2.0 / t), offset);
    } else {
      rowAffine<T>(x, y, n, m, <T>(1.0 / t), offset);
    }
  }
}

function tiles<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  const tile = scratch + HEADER_BYTES;
  const limit = fastLimit<T>(t);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const fast = gather<T>(x, n, inner, first, problems, tile, limit);
    tileMaxima<T>(tile, n, columnsOf<T>(problems), fast, scratch);
    tileLogSum<T>(tile, n, columnsOf<T>(problems), fast, t, scratch);
    tileLogSoftmax<T>(tile, n, columnsOf<T>(problems), t, scratch);
    scatter<T>(tile, y, n, inner, first, problems, scratch);
  }
}

export function logSoftmax_f32(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  logSoftmax<f32>(x, y, outer, n, inner, t, scratch);
}

export function logSoftmax_f64(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  logSoftmax<f64>(x, y, outer, n, inner, t, scratch);
}
