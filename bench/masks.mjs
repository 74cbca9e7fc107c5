// Cases with masks: attention scores with padded keys, causal ones, and unmasked ones of the same size, as tensors in
// linear memory. `elements` counts all elements, whether they are kept or not.
import { logits } from './harness.mjs';

const CASES = [
  // Two sequences, four heads, 32 queries, 1024 keys; the last quarter of the second sequence is padding.
  { label: '256 × 1024, padding mask', shape: [2, 4, 32, 1024], lengths: [1024, 768] },
  // Eight sequences, eight heads, 128 queries; up to half of a sequence is padding.
  { label: '8192 × 1024', shape: [8, 8, 128, 1024] },
  {
    label: '8192 × 1024, padding mask',
    shape: [8, 8, 128, 1024],
    lengths: [1024, 512, 950, 600, 877, 700, 801, 760],
  },
  // A mask that drops nothing, and a random one that is as large as the scores.
  { label: '8192 × 1024, all kept', shape: [8, 8, 128, 1024], lengths: Array(8).fill(1024) },
  { label: '8192 × 1024, random mask', shape: [8, 8, 128, 1024], random: true },
  // Scores that fit into the cache, and scores that do not.
  { label: '1024 × 1024', shape: [1024, 1024] },
  { label: '1024 × 1024, causal', shape: [1024, 1024], causal: true },
  { label: '4096 × 4096', shape: [4096, 4096] },
  { label: '4096 × 4096, causal', shape: [4096, 4096], causal: true },
].map((example) => {
  const n = example.shape[example.shape.length - 1];
  const elements = example.shape.reduce((a, b) => a * b, 1);
  return { ...example, masks: true, n, rows: elements / n, elements };
});

/** How many elements of a row are kept: always the first ones, unless the mask is random. */
function keptOf({ lengths, causal, n, rows }, row) {
  if (causal) return row + 1;
  return lengths === undefined ? n : lengths[Math.floor((row * lengths.length) / rows)];
}

/** A mask with an element for each score, the same in every process. */
function randomMask({ shape, elements }) {
  return { data: Uint8Array.from(logits(elements, 2), (v) => (v > 0 ? 1 : 0)), shape };
}

/** A mask with an element for each key of each sequence, which is broadcast over heads and queries. */
function paddingMask({ lengths, n }) {
  const data = new Uint8Array(lengths.length * n);
  for (const [i, length] of lengths.entries()) data.fill(1, i * n, i * n + length);
  return { data, shape: [lengths.length, 1, 1, n] };
}

/**
 * Adds these cases to a benchmark that alongAxis has made.
 * @param bench the benchmark
 * @param operation its name
 * @param plain (x, y, start, n, stride): computes a row by hand
 * @param outside the result for an element that the mask leaves out
 */
export function withMasks(bench, operation, plain, outside) {
  /** Computes a row with a random mask: gathers the kept elements, computes them, and scatters the results. */
  const plainRandom = (x, y, start, n, flags, kept) => {
    let count = 0;
    for (let i = start; i < start + n; i++) if (flags[i] !== 0) kept[count++] = x[i];
    plain(kept, kept, 0, count, 1);
    count = 0;
    for (let i = start; i < start + n; i++) y[i] = flags[i] !== 0 ? kept[count++] : outside;
  };
  return {
    ...bench,
    cases: [...bench.cases, ...CASES],

    plain(example) {
      if (!example.masks) return bench.plain(example);
      const { rows, n, elements } = example;
      const x = logits(elements);
      const y = new Float32Array(elements);
      if (example.random) {
        const { data } = randomMask(example);
        const kept = new Float32Array(n);
        const run = () => {
          for (let row = 0; row < rows; row++) plainRandom(x, y, row * n, n, data, kept);
        };
        return { run, result: () => y };
      }
      const run = () => {
        for (let row = 0; row < rows; row++) {
          const kept = keptOf(example, row);
          plain(x, y, row * n, kept, 1);
          y.fill(outside, row * n + kept, row * n + n);
        }
      };
      return { run, result: () => y };
    },

    ours(kernels, example) {
      if (!example.masks) return bench.ours(kernels, example);
      const { shape, lengths, causal, random, elements } = example;
      const x = kernels.tensor(logits(elements), shape);
      const out = kernels.zeros(shape);
      const mask = random ? randomMask(example) : lengths && paddingMask(example);
      const options = { out, causal, mask };
      return { run: () => kernels[operation](x, options), result: () => out.toArray() };
    },
  };
}
