import { logits } from './harness.mjs';

const CLASSES = 128000;

/** Logits of a model that is confident of sixteen classes. */
function peaked(count) {
  const x = logits(count);
  for (let i = 0; i < count; i += CLASSES / 16) x[i] = 20 + (i % 7) / 7;
  return x;
}

/** Logits so even that nine tenths of the probability take 78 000 classes. */
const flat = (count) => logits(count).map((value) => value / 3);

/** Logits of a model that is confident of one class, so that every sampler draws it. */
function sure(count) {
  const x = flat(count);
  for (let i = CLASSES >> 1; i < count; i += CLASSES) x[i] = 60;
  return x;
}

const CASES = [
  { label: '1 × 128000', make: flat },
  { label: '1 × 128000, topK 50', make: flat, options: { topK: 50 } },
  { label: '1 × 128000, topP, peaked', make: peaked, options: { topP: 0.9 } },
  { label: '1 × 128000, topP, flat', make: flat, options: { topP: 0.9 } },
  { label: '1 × 128000, minP', make: flat, options: { minP: 0.05 } },
  {
    label: '1 × 128000, all three',
    make: peaked,
    options: { topK: 50, topP: 0.9, minP: 0.05 },
    resident: false,
  },
  { label: '1 × 128000, sure', make: sure },
  { label: '1 × 128000, sure, topK 50', make: sure, options: { topK: 50 } },
  { label: '64 × 128000', make: flat, rows: 64 },
  { label: '64 × 128000, topP, flat', make: flat, rows: 64, options: { topP: 0.9 } },
  { label: '4096 × 10', make: logits, rows: 4096, n: 10 },
].map((example) => {
  const { rows = 1, n = CLASSES, options = {}, resident = true } = example;
  return { ...example, rows, n, options, resident, elements: rows * n };
});

/** The random number of every draw. */
export const U = 0.37;

/** A sampler as it is usually written: it sorts all classes by their probabilities. */
function plainSample(x, start, n, { topK = n, topP = 1, minP = 0 }) {
  let max = -Infinity;
  for (let i = 0; i < n; i++) max = Math.max(max, x[start + i]);
  let order = Array.from({ length: n }, (_, i) => ({ i, weight: Math.exp(x[start + i] - max) }));
  if (topK < n || topP < 1) order.sort((a, b) => b.weight - a.weight || a.i - b.i);
  order = order.slice(0, topK);
  const target = topP * order.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  const last = topP < 1 ? order.findIndex(({ weight }) => (sum += weight) >= target) : -1;
  if (last >= 0) order = order.slice(0, last + 1);
  order = order.filter(({ weight }) => weight >= minP);
  order.sort((a, b) => a.i - b.i);
  const threshold = U * order.reduce((total, { weight }) => total + weight, 0);
  sum = 0;
  return /** @type {{ i: number }} */ (order.find(({ weight }) => (sum += weight) > threshold)).i;
}

export default {
  cases: CASES,
  floor: 1e-30,

  plain({ make, rows, n, elements, options }) {
    const x = make(elements);
    const out = new Int32Array(rows);
    const run = () => {
      for (let row = 0; row < rows; row++) out[row] = plainSample(x, row * n, n, options);
    };
    return { run, result: () => out };
  },

  ours(kernels, { make, rows, n, elements, options, resident }) {
    const x = resident ? kernels.tensor(make(elements), [rows, n]) : make(elements);
    const out = new Int32Array(rows);
    const given = { ...options, shape: [rows, n], out, random: () => U };
    return { run: () => kernels.sample(x, given), result: () => out };
  },
};
