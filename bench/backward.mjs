// Shared by the benchmarks of softmaxBackward and logSoftmaxBackward. Their arguments need not come from a softmax: the
// work is the same.
import { ALONG_AXIS, logits } from './harness.mjs';

/** A number in [0, 1] for each element: numbers of one sign do not cancel, which would make relative errors large. */
export const shares = (elements, seed) => logits(elements, seed).map((v) => Math.abs(v) / 9);

/**
 * @param operation its name
 * @param given elements → the first argument
 * @param plain (given, dy, dx, start, n, stride): one problem by hand; fills dx[start], dx[start + stride], …
 */
export function backward(operation, given, plain) {
  return {
    cases: ALONG_AXIS,
    floor: 0.1,

    plain({ elements, outer, n, inner }) {
      const x = given(elements);
      const dy = shares(elements, 2);
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
      const x = place(given(elements));
      const dy = place(shares(elements, 2));
      const out = resident ? kernels.zeros(shape) : new Float32Array(elements);
      const options = resident ? { axis, out } : { shape, out };
      return { run: () => kernels[operation](x, dy, options), result: () => (resident ? out.toArray() : out) };
    },
  };
}
