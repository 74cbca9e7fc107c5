// Negative log-likelihood: −w_target · x_target for each row of [outer, n, inner], x log-probabilities; the gradient is
// −scale · w_target at the target and 0 elsewhere.
//
// Nothing is computed along the rows: TypeScript picks the targets' elements, and the gradient is filled with 0 and
// written at the targets. The only rounding is that of one product.
// x: T for each row, that of its target. targets: i32 indices, −1 where ignored (loss and gradient are 0).
// losses: T for each row, or 0 to add them in order to the f64 at sum. weight: T for each class, or 0. gradOutput: T
// for each row, or 0. No result overlaps with an operand, not even with x: the gradient is filled with 0 before x is
// read.

import { checkOperand, checkResults } from "../../contracts";
import { elementOrOne, storeLoss } from "../../loss";

// @ts-ignore: decorator
@inline
export function nllLoss<T>(
  x: usize, targets: usize, losses: usize, gradient: usize, outer: usize, n: usize, inner: usize,
  weight: usize, scale: f64, gradOutput: usize, sum: usize
): void {
  const rows = outer * inner;
  checkResults<T>(losses, rows, gradient, rows * n, sum, 0, 0);
  checkOperand<T, T>(x, rows, losses, rows, gradient, rows * n, 0, 0);
  checkOperand<T, i32>(targets, rows, losses, rows, gradient, rows * n, 0, 0);
  checkOperand<T, T>(weight, n, losses, rows, gradient, rows * n, 0, 0);
  checkOperand<T, T>(gradOutput, rows, losses, rows, gradient, rows * n, 0, 0);
  if (gradient) memory.fill(gradient, 0, rows * n * sizeof<T>());
  for (let row: usize = 0; row < rows; row++) {
    const target = load<i32>(targets + (row << 2));
    if (target < 0) {
      storeLoss<T>(losses, sum, row, 0);
      continue;
    }
    const w = elementOrOne<T>(weight, target);
    storeLoss<T>(losses, sum, row, -(w * <f64>load<T>(x + row * sizeof<T>())));
    if (!gradient) continue;
    const element = ((row / inner) * n + <usize>target) * inner + (row % inner);
    store<T>(gradient + element * sizeof<T>(), <T>(-(scale * elementOrOne<T>(gradOutput, row) * w)));
  }
}
