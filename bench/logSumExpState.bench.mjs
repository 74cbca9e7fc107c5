import { logits } from './harness.mjs';

/** A row in one call, and in chunks: each chunk gets a state, and the states are merged. */
const CASES = [
  { label: '1 × 1000, one call', elements: 1000, chunks: 0 },
  { label: '1 × 1000, add', elements: 1000, chunks: 1 },
  { label: '1 × 128256, one call', elements: 128256, chunks: 0 },
  { label: '1 × 128256, 16 chunks', elements: 128256, chunks: 16 },
];

function chunksOf({ elements, chunks }) {
  const x = logits(elements);
  const n = elements / Math.max(chunks, 1);
  return Array.from({ length: Math.max(chunks, 1) }, (_, i) => x.subarray(i * n, (i + 1) * n));
}

/** The maximum of a chunk and the sum relative to it. */
function sumOf(x) {
  let max = -Infinity;
  for (let i = 0; i < x.length; i++) if (x[i] > max) max = x[i];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - max);
  return { max, sum };
}

function merge(a, b) {
  const max = Math.max(a.max, b.max);
  return { max, sum: a.sum * Math.exp(a.max - max) + b.sum * Math.exp(b.max - max) };
}

/** A result that is a single number. */
function task(compute) {
  const result = new Float32Array(1);
  const run = () => {
    result[0] = compute();
  };
  return { run, result: () => result };
}

export default {
  cases: CASES,
  floor: 1,

  plain(example) {
    const chunks = chunksOf(example);
    return task(() => {
      const { max, sum } = chunks.map(sumOf).reduce(merge);
      return max + Math.log(sum);
    });
  },

  ours(kernels, example) {
    const chunks = chunksOf(example);
    if (example.chunks === 0) return task(() => kernels.logSumExp(chunks[0]));
    return task(() => {
      const state = kernels.logSumExpState();
      for (const chunk of chunks) state.merge(kernels.logSumExpState().add(chunk));
      return state.value;
    });
  },
};
