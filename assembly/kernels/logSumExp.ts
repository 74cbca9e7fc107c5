// log-sum-exp: y = max / t + log Σ e^((x_j − max) / t) for each problem of [outer, n, inner]; y is [outer, inner].
//
// Passes over a row: maximum and range, sum. The maximum's own term is counted rather than summed (see rowLogSum).
// NaN where a problem holds NaN, else the maximum itself where that is infinite; -∞ for no elements.

import { fastLimit, prepareExp } from "../math/exp";
import { checkProblems } from "../primitives/check";
import { rowLogSum, rowMax, rowMaxInRange, usesRows } from "../primitives/row";
import {
  HEADER_BYTES, LOG_SUM, MAXIMUM, columnsOf, gather, problemsOfTile, tileLogSum, tileMaxima
} from "../primitives/tile";

function logSumExp<T>(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  checkProblems<T>(x, y, outer * n * inner, outer * inner, t, scratch);
  prepareExp<T>(t, scratch);
  if (usesRows<T>(n, inner)) rows<T>(x, y, outer, n, t, scratch);
  else tiles<T>(x, y, outer, n, inner, t, scratch);
}

function rows<T>(x: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): void {
  const limit = fastLimit<T>(t);
  for (let end = y + count * sizeof<T>(); y < end; y += sizeof<T>(), x += n * sizeof<T>()) {
    let m = rowMaxInRange<T>(x, n, limit);
    const fast = !isNaN<T>(m);
    if (!fast) m = rowMax<T>(x, n);
    store<T>(y, isFinite<T>(m) ? <T>(<f64>m / t + rowLogSum<T>(x, n, m, fast, t, scratch)) : m);
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
    for (let i: usize = 0; i < problems; i++) {
      const state = scratch + i * sizeof<T>();
      const m = load<T>(state, MAXIMUM);
      const result = <T>(<f64>m / t + <f64>load<T>(state, LOG_SUM));
      store<T>(y + (first + i) * sizeof<T>(), isFinite<T>(m) ? result : m);
    }
  }
}

export function logSumExp_f32(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  logSumExp<f32>(x, y, outer, n, inner, t, scratch);
}

export function logSumExp_f64(x: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize): void {
  logSumExp<f64>(x, y, outer, n, inner, t, scratch);
}
