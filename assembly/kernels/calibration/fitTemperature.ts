// The slope and the curvature, over β, of the loss of softmax(β x): for each row of [outer, n, inner] E_p[x − x_target]
// and Var_p[x], given p. They are added to the two f64 at sums, rows in their order.
//
// x and p have the same length; a class of probability 0 counts for nothing, even if its logit is −∞. targets: i32
// indices, −1 where the row is ignored. sums overlaps with nothing. Everything is float64, and multiplications and
// additions round separately in both builds.

import { checkApart, checkArray } from "../../contracts";
import { addressOf } from "../../shape";
import { laneSum, promoteHigh, promoteLow } from "../../simd/lanes";

export function fitTemperature<T>(
  x: usize, p: usize, targets: usize, outer: usize, n: usize, inner: usize, sums: usize
): void {
  const rows = outer * inner, bytes = rows * n * sizeof<T>();
  checkArray<T>(x, rows * n);
  checkArray<T>(p, rows * n);
  checkArray<i32>(targets, rows);
  checkApart(sums, 16, x, bytes);
  checkApart(sums, 16, p, bytes);
  checkApart(sums, 16, targets, rows << 2);
  checkArray<f64>(sums, 2);
  for (let row: usize = 0; row < rows; row++, targets += 4) {
    const target = load<i32>(targets);
    if (target < 0) continue;
    const from = addressOf<T>(x, n, inner, row);
    addRow<T>(from, from - x + p, n, inner * sizeof<T>(), load<T>(from + target * inner * sizeof<T>()), sums);
  }
}

/** Adds a row whose elements are `stride` bytes apart. */
function addRow<T>(x: usize, p: usize, n: usize, stride: usize, own: T, sums: usize): void {
  let mean: f64 = 0, square: f64 = 0;
  const end = x + n * stride;
  if (stride == sizeof<T>()) {
    const owns = v128.splat<T>(own), wideOwns = f64x2.splat(<f64>own), zero = v128.splat<T>(0);
    let means = f64x2.splat(0), squares = means;
    for (const last = x + ((n * sizeof<T>()) & ~15); x < last; x += 16, p += 16) {
      const weights = v128.load(p);
      // A distance of 0 in place of one that may be infinite.
      const v = v128.bitselect(v128.load(x), owns, v128.ne<T>(weights, zero));
      const low = f64x2.sub(sizeof<T>() == 4 ? promoteLow(v) : v, wideOwns);
      const lowTerms = f64x2.mul(sizeof<T>() == 4 ? promoteLow(weights) : weights, low);
      means = f64x2.add(means, lowTerms);
      squares = f64x2.add(squares, f64x2.mul(lowTerms, low));
      if (sizeof<T>() == 4) {
        const high = f64x2.sub(promoteHigh(v), wideOwns), highTerms = f64x2.mul(promoteHigh(weights), high);
        means = f64x2.add(means, highTerms);
        squares = f64x2.add(squares, f64x2.mul(highTerms, high));
      }
    }
    mean = laneSum<f64>(means);
    square = laneSum<f64>(squares);
  }
  for (; x < end; x += stride, p += stride) {
    const weight = <f64>load<T>(p);
    if (weight == 0) continue;
    const distance = <f64>load<T>(x) - <f64>own, term = weight * distance;
    mean += term;
    square += term * distance;
  }
  store<f64>(sums, load<f64>(sums) + mean);
  store<f64>(sums, load<f64>(sums, 8) + (square - mean * mean), 8);
}
