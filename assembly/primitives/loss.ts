// What the losses share: where their results go, and operands that may be absent.

/** Element i of an array, or 1 where there is none. */
// @ts-ignore: decorator
@inline
export function elementOrOne<T>(array: usize, i: usize): f64 {
  return array ? <f64>load<T>(array + i * sizeof<T>()) : 1;
}

/** Stores a problem's loss, or adds it to the f64 at sum where losses are reduced (losses 0). */
// @ts-ignore: decorator
@inline
export function emit<T>(losses: usize, sum: usize, problem: usize, loss: f64): void {
  if (losses) store<T>(losses + problem * sizeof<T>(), <T>loss);
  else store<f64>(sum, load<f64>(sum) + loss);
}
