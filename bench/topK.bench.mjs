import { logits } from './harness.mjs';

/** The k of a case that names none: typical for sampling from language models. */
export const K = 50;

const CASES = [
  { shape: [1, 128000] },
  { shape: [1, 128000], k: 1000 },
  { shape: [1, 128000], k: 128000 },
  { shape: [256, 1024] },
  { shape: [256, 1024], k: 5 },
  { shape: [4096, 64], k: 2 },
  { shape: [1024, 256], axis: 0, k: 5 },
].map(({ shape, axis = 1, k = K }) => {
  const n = shape[axis];
  const label = `${shape.join(' × ')}${axis === 1 ? '' : `, axis ${axis}`}${k === K ? '' : `, k ${k}`}`;
  return { label, shape, axis, k, n, elements: shape[0] * shape[1], rows: (shape[0] * shape[1]) / n };
});

const rankings = ({ values, indices }) => Float32Array.from([...values, ...indices]);

/** Keeps the k largest elements so far in order by insertion; if k is n, sorts all. */
function plainTopK(x, start, stride, n, k, values, indices, to) {
  if (k === n) {
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => x[start + b * stride] - x[start + a * stride]);
    for (let i = 0; i < k; i++) indices[to + i * stride] = order[i];
  } else {
    let least = -Infinity;
    for (let i = 0; i < n; i++) {
      const value = x[start + i * stride];
      if (i >= k && value <= least) continue;
      let place = Math.min(i, k - 1);
      for (; place > 0 && x[start + indices[to + (place - 1) * stride] * stride] < value; place--) {
        indices[to + place * stride] = indices[to + (place - 1) * stride];
      }
      indices[to + place * stride] = i;
      if (i >= k - 1) least = x[start + indices[to + (k - 1) * stride] * stride];
    }
  }
  for (let i = 0; i < k; i++) values[to + i * stride] = x[start + indices[to + i * stride] * stride];
}

export default {
  cases: CASES,
  floor: 1e-30,

  plain({ elements, axis, n, k, rows }) {
    const x = logits(elements);
    const out = { values: new Float32Array(rows * k), indices: new Int32Array(rows * k) };
    const stride = axis === 0 ? rows : 1;
    const run = () => {
      for (let row = 0; row < rows; row++) {
        const [start, to] = axis === 0 ? [row, row] : [row * n, row * k];
        plainTopK(x, start, stride, n, k, out.values, out.indices, to);
      }
    };
    return { run, result: () => rankings(out) };
  },

  ours(kernels, { elements, shape, axis, k, rows }) {
    const x = kernels.tensor(logits(elements), shape);
    const out = { values: kernels.zeros([rows * k]), indices: new Int32Array(rows * k) };
    const run = () => kernels.topK(x, k, { axis, out });
    return { run, result: () => rankings({ values: out.values.data, indices: out.indices }) };
  },
};
