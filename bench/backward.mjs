// Shared by the benchmarks of softmaxBackward and logSoftmaxBackward. Their arguments do not come from a softmax, which
// does not change the work.
import { ALONG_AXIS, logits } from './harness.mjs';

/** A number in [0, 1] for each element: with one sign they do not cancel, which would make relative errors large. */
export const sharesOf = (elements, seed) => logits(elements, seed).map((v) => Math.abs(v) / 9);

/**
 * @param operation its name
 * @param inputOf the first argument, for a number of elements
 * @param plain (x, dy, dx, start, n, stride): computes the row dx[start], dx[start + stride], … by hand
 */
export function backward(operation, inputOf, plain) {
  return {
    cases: ALONG_AXIS,
    floor: 0.1,

    plain({ elements, outer, n, inner }) {
      const x = inputOf(elements);
      const dy = sharesOf(elements, 2);
      const dx = new Float32Array(elements);
      const run = () => {
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) plain(x, dy, dx, o * n * inner + i, n, inner);
        }
      };
      return { run, result: () => dx };
    },

    ours(kernels, { elements, shape, axis, resident }) {
      const place = (values) => (resident ? kernels.tensor(values, shape) : values);
      const x = place(inputOf(elements));
      const dy = place(sharesOf(elements, 2));
      const out = resident ? kernels.zeros(shape) : new Float32Array(elements);
      const options = resident ? { axis, out } : { shape, out };
      return { run: () => kernels[operation](x, dy, options), result: () => (resident ? out.toArray() : out) };
    },
  };
}
