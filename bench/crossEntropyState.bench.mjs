import { logits } from './harness.mjs';

const [ROWS, CLASSES] = [8, 32000];

/**
 * The same logits in one call, and in chunks of classes. Each chunk gets a state, the states are merged, and the
 * gradient of each chunk is computed from the merged state.
 */
const CASES = [
  { label: '8 × 32000, one call', elements: ROWS * CLASSES, chunks: 1, inOneCall: true },
  { label: '8 × 32000, 4 chunks', elements: ROWS * CLASSES, chunks: 4, inOneCall: false },
];

const TARGETS = Int32Array.from({ length: ROWS }, (_, row) => (row * 7919) % CLASSES);

/** The chunks of the classes, with the offset of each and room for its gradient. */
function chunksOf({ chunks }) {
  const x = logits(ROWS * CLASSES);
  const n = CLASSES / chunks;
  return Array.from({ length: chunks }, (_, i) => {
    const data = x.filter((_, at) => Math.floor((at % CLASSES) / n) === i);
    return { data, offset: i * n, n, grad: new Float32Array(data.length) };
  });
}

/** The result to compare: the gradient of the first chunk, times the number of rows. */
function task(compute, chunks) {
  const { grad } = chunks[0];
  return { run: compute, result: () => grad.map((value) => value * ROWS) };
}

export default {
  cases: CASES,
  floor: 1e-3,

  plain(example) {
    const chunks = chunksOf(example);
    const maxima = new Float64Array(ROWS);
    const sums = new Float64Array(ROWS);
    const compute = () => {
      maxima.fill(-Infinity);
      sums.fill(0);
      for (const { data, n } of chunks) {
        for (let row = 0; row < ROWS; row++) {
          let max = maxima[row];
          for (let i = row * n; i < (row + 1) * n; i++) if (data[i] > max) max = data[i];
          let sum = sums[row] * Math.exp(maxima[row] - max);
          for (let i = row * n; i < (row + 1) * n; i++) sum += Math.exp(data[i] - max);
          maxima[row] = max;
          sums[row] = sum;
        }
      }
      for (const { data, n, offset, grad } of chunks) {
        for (let row = 0; row < ROWS; row++) {
          const factor = 1 / (sums[row] * ROWS);
          for (let i = row * n; i < (row + 1) * n; i++) grad[i] = Math.exp(data[i] - maxima[row]) * factor;
          const at = TARGETS[row] - offset;
          if (at >= 0 && at < n) grad[row * n + at] -= 1 / ROWS;
        }
      }
    };
    return task(compute, chunks);
  },

  ours(kernels, example) {
    const chunks = chunksOf(example);
    if (example.inOneCall) {
      const [{ data, grad }] = chunks;
      const options = { shape: [ROWS, CLASSES], out: grad };
      return task(() => kernels.crossEntropyWithGrad(data, TARGETS, options), chunks);
    }
    const compute = () => {
      const state = kernels.crossEntropyState({ rows: ROWS });
      for (const { data, offset } of chunks) {
        state.merge(kernels.crossEntropyState({ rows: ROWS }).add(data, { targets: TARGETS, offset }));
      }
      for (const { data, offset, grad } of chunks) state.gradient(data, { offset, out: grad });
      return state.value;
    };
    return task(compute, chunks);
  },
};
