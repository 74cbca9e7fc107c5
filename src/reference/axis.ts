/** The operands of a kernel along an axis, as in assembly/kernels/softmax.ts. */
export type AxisOperands = [
  x: number,
  y: number,
  outer: number,
  n: number,
  inner: number,
  temperature: number,
  scratch: number,
];

/** Visits the problems of [outer, n, inner]: the index of each one's first element; the others are `inner` apart. */
export function forEachProblem(
  outer: number,
  n: number,
  inner: number,
  visit: (first: number, problem: number) => void,
): void {
  for (let problem = 0; problem < outer * inner; problem++) {
    visit(Math.floor(problem / inner) * n * inner + (problem % inner), problem);
  }
}
