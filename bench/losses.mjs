// Shared by the benchmarks of the losses: each is timed alone and with its gradient, as a mean over the batch, on
// tensors in linear memory.
import { logits } from './harness.mjs';

const SHAPES = [
  [1, 10],
  [4096, 10],
  [256, 1024],
  [8, 32768],
];
const CASES = SHAPES.flatMap(([rows, n]) =>
  [false, true].map((withGrad) => {
    const label = `${rows} × ${n}${withGrad ? ', with gradient' : ''}`;
    return { label, elements: rows * n, rows, n, withGrad };
  }),
);

/** Class indices, one for each row. */
export const classIndices = ({ rows, n }) => Int32Array.from(logits(rows, 2), (v) => (Math.abs(v) / 9) * n);

/** Probabilities, one for each element. */
export const probabilities = ({ elements }) => logits(elements, 2).map((v) => Math.abs(v) / 9);

/**
 * @param operation its name; with …WithGrad for the gradient
 * @param targetsOf example → targets
 * @param plain (x, targets, gradient, rows, n): computes the loss by hand; fills the gradient unless it is undefined
 * @param {object} [options]
 * @param {(x: Float32Array) => Float32Array} [options.prepare] makes the first argument from logits
 */
export function loss(operation, targetsOf, plain, { prepare = (x) => x } = {}) {
  const results = (value, gradient = new Float32Array(0)) => Float32Array.from([value, ...gradient]);
  return {
    cases: CASES,
    // An element of the gradient may be a small difference of two probabilities. It then has their error, divided by
    // the number of rows.
    floor: 1e-4,

    plain(example) {
      const x = prepare(logits(example.elements));
      const targets = targetsOf(example);
      const gradient = example.withGrad ? new Float32Array(example.elements) : undefined;
      let value = 0;
      const run = () => {
        value = plain(x, targets, gradient, example.rows, example.n);
      };
      return { run, result: () => results(value, gradient) };
    },

    ours(kernels, example) {
      const shape = [example.rows, example.n];
      const x = kernels.tensor(prepare(logits(example.elements)), shape);
      const indices = targetsOf(example);
      const targets = indices instanceof Int32Array ? indices : kernels.tensor(indices, shape);
      if (!example.withGrad) {
        let value = 0;
        const run = () => {
          value = kernels[operation](x, targets);
        };
        return { run, result: () => results(value) };
      }
      const out = kernels.zeros(shape);
      let value = 0;
      const run = () => {
        value = kernels[`${operation}WithGrad`](x, targets, { out }).loss;
      };
      return { run, result: () => results(value, out.toArray()) };
    },
  };
}

/**
 * The benchmark of an operation on logits and class indices that has no gradient.
 * @param operation its name
 * @param plain (x, targets, rows, n): computes the result by hand, a number or an array
 * @param {object} [options]
 * @param {(example: object) => Int32Array} [options.targetsOf] the class of each row
 * @param {(value: any) => number | ArrayLike<number>} [options.figuresOf] the part of the result that is compared
 */
export function onIndices(
  operation,
  plain,
  { targetsOf = classIndices, figuresOf = (value) => value.data ?? value } = {},
) {
  const resultOf = (value) => Float32Array.from(typeof value === 'number' ? [value] : value);
  return {
    cases: CASES.filter(({ withGrad }) => !withGrad),
    floor: 1e-4,

    plain(example) {
      const x = logits(example.elements);
      const targets = targetsOf(example);
      let value;
      const run = () => {
        value = plain(x, targets, example.rows, example.n);
      };
      return { run, result: () => resultOf(value) };
    },

    ours(kernels, example) {
      const shape = [example.rows, example.n];
      const x = kernels.tensor(logits(example.elements), shape);
      const targets = targetsOf(example);
      let value;
      const run = () => {
        value?.dispose?.();
        value = kernels[operation](x, targets);
      };
      return { run, result: () => resultOf(figuresOf(value)) };
    },
  };
}
