// Negative log-likelihood: −w_target · x_target for each problem of [outer, n, inner], x log-probabilities; the gradient
// is −scale · w_target at the target and 0 elsewhere.
//
// Nothing is computed along the rows: the targets' elements are picked by the wrapper, and the gradient is filled with 0
// and written at the targets. No rounding but that of one product.
// x: T for each problem, that of its target. targets: i32 indices, -1 where ignored (loss and gradient 0).
// losses: T for each problem, or 0 to add them in order to the f64 at sum. weight, rowScales: T or 0. No result overlaps
// with an operand, not even with x: the gradient is filled with 0 before x is read.
// The operands are those of crossEntropy; the temperature and the smoothing are not used.

import { checkOperand, checkResults } from "../contracts";
import { elementOrOne, emit } from "../loss";

// @ts-ignore: decorator
@inline
export function nllLoss<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  weight: usize, scale: f64, gradOutput: usize, sum: usize
): void {
  const problems = outer * inner;
  checkResults<T>(losses, problems, gradient, problems * n, sum, 0);
  checkOperand<T, T>(x, problems, losses, problems, gradient, problems * n);
  checkOperand<T, i32>(targets, problems, losses, problems, gradient, problems * n);
  checkOperand<T, T>(weight, n, losses, problems, gradient, problems * n);
  checkOperand<T, T>(gradOutput, problems, losses, problems, gradient, problems * n);
  if (gradient) memory.fill(gradient, 0, problems * n * sizeof<T>());
  for (let problem: usize = 0; problem < problems; problem++) {
    const target = load<i32>(targets + (problem << 2));
    if (target < 0) {
      emit<T>(losses, sum, problem, 0);
      continue;
    }
    const w = elementOrOne<T>(weight, target);
    emit<T>(losses, sum, problem, -(w * <f64>load<T>(x + problem * sizeof<T>())));
    if (!gradient) continue;
    const element = ((problem / inner) * n + <usize>target) * inner + (problem % inner);
    store<T>(gradient + element * sizeof<T>(), <T>(-(scale * elementOrOne<T>(gradOutput, problem) * w)));
  }
}
