// What is compared: the grid of operations and shapes, the inputs, which every peer makes itself, and the exact
// results.
import { sharesOf } from '../backward.mjs';
import { logits } from '../harness.mjs';
import { classIndices, probabilities } from '../losses.mjs';
import { K } from '../topK.bench.mjs';

export { K };

/** @typedef {[rows: number, n: number]} Shape */

const FEW_CLASSES = /** @type {Shape} */ ([4096, 10]);
/** @type {Shape[]} */
const SHAPES = [[256, 1024], [8, 32768], [64, 131072], [1024, 128], FEW_CLASSES, [1024, 3]];
const [SQUARE] = SHAPES;
/** One row as long as a language model's. */
const VOCABULARY = /** @type {Shape} */ ([1, 128000]);

/**
 * The shapes of each operation, in float32. A loss is the mean over rows or elements, and its result is
 * [loss, ...gradient]. The result of topK is [...values, ...indices].
 * @type {Record<string, Shape[]>}
 */
export const GRID = {
  softmax: SHAPES,
  logSoftmax: [SQUARE],
  logSumExp: [SQUARE],
  sigmoid: [SQUARE],
  logSigmoid: [SQUARE],
  softmaxBackward: [SQUARE],
  logSoftmaxBackward: [SQUARE],
  argmax: [SQUARE, VOCABULARY],
  topK: [VOCABULARY],
  crossEntropy: [SQUARE, FEW_CLASSES],
  crossEntropyWithGrad: [SQUARE, FEW_CLASSES],
  bceWithLogits: [SQUARE],
  bceWithLogitsWithGrad: [SQUARE],
};

export const labelOf = (/** @type {Shape} */ [rows, n]) => `${rows} × ${n}`;

/**
 * The benchmark of an operation in `npm run bench`, and its case with this label: the library and the hand-written
 * JavaScript run the same code here.
 */
export async function findBenchmark({ operation, label }) {
  const withGrad = operation.endsWith('WithGrad');
  const name = withGrad ? operation.slice(0, -'WithGrad'.length) : operation;
  const { default: bench } = await import(`../${name}.bench.mjs`);
  const wanted = withGrad ? `${label}, with gradient` : label;
  const example = bench.cases.find((/** @type {any} */ candidate) => candidate.label === wanted);
  if (example === undefined) throw new Error(`${name}.bench.mjs has no ${wanted}`);
  return { bench, example };
}

/**
 * The arguments of an operation: `x`, which is logits except for backward operations, and `targets`, which is class
 * indices, probabilities, the incoming gradient of a backward operation, or empty.
 * @param {{ operation: string, shape: Shape }} example
 */
export function inputsOf({ operation, shape: [rows, n] }) {
  const example = { rows, n, elements: rows * n };
  const x = logits(example.elements);
  if (operation.startsWith('crossEntropy')) return { x, targets: classIndices(example) };
  if (operation.startsWith('bceWithLogits')) return { x, targets: probabilities(example) };
  if (operation === 'softmaxBackward') return { x: sharesOf(x.length, 1), targets: sharesOf(x.length, 2) };
  if (operation === 'logSoftmaxBackward') return { x: x.map((v) => -Math.abs(v)), targets: sharesOf(x.length, 2) };
  return { x, targets: new Float32Array(0) };
}

/** The result of a loss: its value and, if it was computed, its gradient. */
export function lossResult(loss, gradient = new Float32Array(0)) {
  const result = new Float32Array(1 + gradient.length);
  result[0] = loss;
  result.set(gradient, 1);
  return result;
}

/**
 * A case computed in float64, and its `floor`: errors of results smaller than this are relative to it.
 * @param {{ operation: string, shape: Shape }} example
 */
export function exactResult({ operation, shape: [rows, n] }) {
  const { x, targets } = inputsOf({ operation, shape: [rows, n] });
  if (operation.startsWith('bceWithLogits')) {
    const result = new Float64Array(1 + (operation.endsWith('WithGrad') ? x.length : 0));
    for (let i = 0; i < x.length; i++) {
      const e = Math.exp(-Math.abs(x[i]));
      result[0] += (Math.max(x[i], 0) - targets[i] * x[i] + Math.log1p(e)) / x.length;
      if (result.length > 1) result[i + 1] = ((x[i] < 0 ? e : 1) / (1 + e) - targets[i]) / x.length;
    }
    return { result, floor: 1 / x.length };
  }
  if (operation.endsWith('Backward')) return { result: exactBackward(operation, x, targets, n), floor: 0.1 };
  if (operation === 'argmax') return { result: exactArgmax(x, rows, n), floor: 1 };
  if (operation === 'sigmoid') return { result: Float64Array.from(x, (v) => 1 / (1 + Math.exp(-v))), floor: 0 };
  if (operation === 'logSigmoid') return { result: Float64Array.from(x, (v) => -Math.log1p(Math.exp(-v))), floor: 0 };
  if (operation === 'topK') {
    const order = Array.from(x, (_, i) => i).sort((a, b) => x[b] - x[a] || a - b);
    const indices = order.slice(0, K);
    return { result: Float64Array.from([...indices.map((i) => x[i]), ...indices]), floor: 1 };
  }
  const isLoss = operation.startsWith('crossEntropy');
  const length = { logSumExp: rows, crossEntropy: 1, crossEntropyWithGrad: 1 + x.length }[operation] ?? x.length;
  const result = new Float64Array(length);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const logSumExp = exactLogSumExp(x.subarray(start, start + n));
    if (operation === 'logSumExp') result[row] = logSumExp;
    if (isLoss) result[0] += (logSumExp - x[start + targets[row]]) / rows;
    if (length < x.length) continue;
    for (let i = start; i < start + n; i++) {
      if (operation === 'logSoftmax') result[i] = x[i] - logSumExp;
      else if (!isLoss) result[i] = Math.exp(x[i] - logSumExp);
      else result[i + 1] = (Math.exp(x[i] - logSumExp) - (i - start === targets[row] ? 1 : 0)) / rows;
    }
  }
  return { result, floor: operation.startsWith('log') ? 1 : 0 };
}

function exactBackward(operation, x, dy, n) {
  const sums = new Float64Array(x.length / n);
  const isLog = operation.startsWith('log');
  for (let i = 0; i < x.length; i++) sums[Math.floor(i / n)] += isLog ? dy[i] : x[i] * dy[i];
  return Float64Array.from(x, (v, i) => {
    const sum = sums[Math.floor(i / n)];
    return isLog ? dy[i] - Math.exp(v) * sum : v * (dy[i] - sum);
  });
}

function exactArgmax(x, rows, n) {
  return Float64Array.from({ length: rows }, (_, row) => {
    const values = x.subarray(row * n, row * n + n);
    return values.indexOf(values.reduce((a, b) => Math.max(a, b), -Infinity));
  });
}

function exactLogSumExp(row) {
  const max = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return max + Math.log(row.reduce((sum, v) => sum + Math.exp(v - max), 0));
}

/** The largest error, relative to the exact result, or to `floor` if that is larger. */
export function largestError(actual, { result, floor }) {
  if (actual.length !== result.length) throw new Error(`gave ${actual.length} numbers, expected ${result.length}`);
  let largest = 0;
  for (let i = 0; i < result.length; i++) {
    const error = Math.abs(actual[i] - result[i]) / Math.max(Math.abs(result[i]), floor);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}
