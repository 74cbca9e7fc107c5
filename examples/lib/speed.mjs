import { softmax } from 'softmax-wasm';
import { createRandom, normal } from './random.mjs';

/** Softmax of every row, as it is usually written by hand. */
function plainSoftmax(x, y, rows, n) {
  for (let start = 0; start < rows * n; start += n) {
    let max = -Infinity;
    for (let i = start; i < start + n; i++) if (x[i] > max) max = x[i];
    let sum = 0;
    for (let i = start; i < start + n; i++) {
      y[i] = Math.exp(x[i] - max);
      sum += y[i];
    }
    const scale = 1 / sum;
    for (let i = start; i < start + n; i++) y[i] *= scale;
  }
}

/**
 * Milliseconds of one call: the best of those in the second half of the given time; the first half is for warming up.
 */
function bestTime(call, milliseconds) {
  const start = performance.now();
  let best = Infinity;
  for (let now = start; now < start + milliseconds; ) {
    call();
    const after = performance.now();
    if (after > start + milliseconds / 2) best = Math.min(best, after - now);
    now = after;
  }
  return best;
}

function repeat(call, times) {
  for (let i = 0; i < times; i++) call();
}

/** Formats a number with at least three digits. */
const number = (value) => (value < 100 ? value.toPrecision(3) : value.toFixed(0));

/** A table with the time of both, for each shape [rows, classes]. @throws Error if their results do not agree */
export function compareWithPlain(shapes, milliseconds) {
  const lines = shapes.map(([rows, n]) => {
    const random = createRandom(1);
    const x = Float32Array.from({ length: rows * n }, () => 3 * normal(random));
    const expected = new Float32Array(x.length);
    const y = new Float32Array(x.length);
    const plain = () => plainSoftmax(x, expected, rows, n);
    const ours = () => softmax(x, { shape: [rows, n], out: y });
    plain();
    ours();
    if (y.some((p, i) => Math.abs(p - expected[i]) > 1e-5 * expected[i])) throw new Error(`${rows} × ${n} disagrees`);
    // Short calls are timed many at a time, because a clock does not resolve a microsecond.
    const times = Math.ceil(20_000 / x.length);
    const [slow, fast] = [plain, ours].map(
      (call) => (1000 * bestTime(() => repeat(call, times), milliseconds)) / times,
    );
    return [`${rows} × ${n}`, number(slow), number(fast), `${(slow / fast).toFixed(1)} ×`];
  });
  const header = ['rows × classes', 'plain JavaScript', 'softmax-wasm', 'faster'];
  return [header, ...lines].map((cells) => cells.map((cell) => cell.padStart(18)).join('')).join('\n');
}
