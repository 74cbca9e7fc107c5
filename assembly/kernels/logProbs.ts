// The log-probability of the target of each problem of [outer, n, inner]: y = (x_target − max) / t − log Σ e^((x_j − max) / t).
//
// One pass over a row. It is −crossEntropy of the problem, to the last bit, and y is what losses is
// there; nothing of the row's size is written.
// targets: i32 indices, -1 where ignored (y is 0). y: T for each problem; x itself where n = 1, else it overlaps with
// nothing.
// The operands are those of crossEntropy; all but these, the sizes, the temperature and the scratch are not used.

import { gather } from "../blocks/gather";
import { tileLogSum } from "../blocks/logsum";
import { tileMaxima } from "../blocks/reduce";
import { tileChosen } from "../blocks/targets";
import { checkOperand, checkProblems } from "../contracts";
import { quotient } from "../loss";
import { fastLimit } from "../math/exp";
import { prepareExp } from "../math/exp-table";
import { logSumOf, maximumOf, rowLogSum } from "../rows/logsum";
import { HEADER_BYTES, LOG_SUM, MAXIMUM, TARGET_LOGIT } from "../scratch";
import { columnsOf, problemsOfTile, usesRows } from "../shape";

// @ts-ignore: decorator
@inline
export function logProbs<T>(
  x: usize, targets: usize, losses: usize, outer: usize, n: usize, inner: usize, temperature: f64, scratch: usize
): void {
  checkProblems<T>(x, losses, outer * n * inner, outer * inner, temperature, scratch);
  checkOperand<T, i32>(targets, outer * inner, losses, outer * inner, 0, 0);
  prepareExp<T>(temperature, scratch);
  if (usesRows<T>(n, inner)) rows<T>(x, targets, losses, outer, n, temperature, scratch);
  else tiles<T>(x, targets, losses, outer, n, inner, temperature, scratch);
}

// @ts-ignore: decorator
@inline
function rows<T>(x: usize, targets: usize, y: usize, count: usize, n: usize, t: f64, scratch: usize): void {
  for (const end = y + count * sizeof<T>(); y < end; y += sizeof<T>(), targets += 4, x += n * sizeof<T>()) {
    const target = load<i32>(targets);
    if (target < 0) {
      store<T>(y, 0);
      continue;
    }
    const sums = rowLogSum<T>(x, n, t, scratch);
    store<T>(y, logProb<T>(logSumOf(sums), <T>maximumOf(sums), load<T>(x + target * sizeof<T>()), t));
  }
}

/** Minus the loss, and 0 rather than −0 where that is 0. */
// @ts-ignore: decorator
@inline
function logProb<T>(logSum: f64, maximum: T, chosen: T, t: f64): T {
  return <T>(0 - (logSum + quotient<T>(<f64>maximum, <f64>chosen, t)));
}

// @ts-ignore: decorator
@inline
function tiles<T>(
  x: usize, targets: usize, y: usize, outer: usize, n: usize, inner: usize, t: f64, scratch: usize
): void {
  const tile = scratch + HEADER_BYTES, limit = fastLimit<T>(t);
  let problems: usize = 0;
  for (let first: usize = 0; first < outer * inner; first += problems) {
    problems = problemsOfTile<T>(first, outer, inner);
    const form = gather<T>(x, n, inner, first, problems, tile, limit);
    tileChosen<T>(tile, targets + (first << 2), problems, scratch);
    tileMaxima<T>(tile, n, columnsOf<T>(problems), form, scratch);
    tileLogSum<T>(tile, n, columnsOf<T>(problems), form, t, scratch);
    for (let i: usize = 0; i < problems; i++) {
      const state = scratch + i * sizeof<T>();
      const value = logProb<T>(<f64>load<T>(state, LOG_SUM), load<T>(state, MAXIMUM), load<T>(state, TARGET_LOGIT), t);
      store<T>(y + (first + i) * sizeof<T>(), load<i32>(targets + ((first + i) << 2)) < 0 ? 0 : value);
    }
  }
}
