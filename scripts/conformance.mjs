// Runs cases of other projects' test suites on every backend: node scripts/conformance.mjs FOLDER
// The folder holds the cases and load.mjs, which reads them into one form and compares with each case's own tolerance.
// Prints how many cases of each set and operation pass on each backend, and ends with status 1 if one fails.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createKernels } from 'softmax-wasm';
import { runWithRelaxedSimd } from './relaxed-simd.mjs';

runWithRelaxedSimd();

const folder = resolve(process.argv[2] ?? '.');
const { allCases, compare, toTyped } = await import(pathToFileURL(`${folder}/load.mjs`).href);

const BACKENDS = /** @type {const} */ (['relaxed-simd', 'simd128', 'reference']);
const product = (sizes) => sizes.reduce((a, b) => a * b, 1);

/** The elements with `axes` moved to the end, in order, and the index that each came from. */
function axesLast(data, shape, axes) {
  const order = [...shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
  const sources = Array.from(data, (_, at) => {
    let source = 0;
    for (const axis of [...order].reverse()) {
      source += (at % shape[axis]) * strides[axis];
      at = Math.floor(at / shape[axis]);
    }
    return source;
  });
  return { moved: data.map((_, at) => data[sources[at]]), sources };
}

/** Axes as the cases name them, from 0; all of them where a case names none. */
function axesOf({ axis, axes }, rank) {
  const named = axis === undefined ? (axes ?? [...Array(rank).keys()]) : [axis];
  return named.map((i) => (i < 0 ? i + rank : i)).sort((a, b) => a - b);
}

/** softmax and the like, over one axis or several. */
function map(operation, x, { shape }, attributes) {
  const axes = axesOf(attributes, shape.length);
  if (axes.length === 1) return operation(x, { shape, axis: axes[0] });
  const n = product(axes.map((axis) => shape[axis]));
  const { moved, sources } = axesLast(x, shape, axes);
  const result = operation(moved, { shape: [x.length / n, n] });
  return result.map((_, at) => result[sources.indexOf(at)]);
}

/** logSumExp, over one axis, several or none. */
function reduce(operation, x, { shape }, attributes) {
  const axes = axesOf(attributes, shape.length);
  if (axes.length === 1) return operation(x, { shape, axis: axes[0] });
  const n = product(axes.map((axis) => shape[axis]));
  return operation(axesLast(x, shape, axes).moved, { shape: [x.length / n, n] });
}

/** Losses weighted as in Keras: scaled, multiplied by the weight of their row, and averaged over all rows. */
function weighted(losses, weights, { reduction, scale = 1 }) {
  const all = Array.from(
    losses,
    (loss, row) => scale * loss * (weights?.[Math.floor((row * weights.length) / losses.length)] ?? 1),
  );
  if (reduction === 'none') return all;
  const total = all.reduce((a, b) => a + b, 0);
  return [reduction === 'sum' ? total : total / all.length];
}

const integers = (target) => Int32Array.from(target);
const axis = ({ classAxis = -1 }) => classAxis;
const meansOfRows = (values, rows) =>
  Array.from({ length: rows }, (_, row) => {
    const n = values.length / rows;
    return values.slice(row * n, (row + 1) * n).reduce((a, b) => a + b, 0) / n;
  });

/** argmax takes the first of equal elements. */
const firstIndex = ({ attributes }) => attributes.selectLastIndex !== true;
const negative = (x) => x.map((value) => -value);

/**
 * How this library expresses each operation of the cases. `needs` is the function that must exist, and `takes` excludes
 * cases. `underflows` is set where docs/numerics.md allows subnormal numbers to be 0.
 */
const OPERATIONS = {
  softmax: { needs: 'softmax', run: (k, [x], { inputs: [a], attributes }) => map(k.softmax, x, a, attributes) },
  logSoftmax: {
    needs: 'logSoftmax',
    run: (k, [x], { inputs: [a], attributes }) => map(k.logSoftmax, x, a, attributes),
  },
  logSumExp: {
    needs: 'logSumExp',
    run: (k, [x], { inputs: [a], attributes }) => reduce(k.logSumExp, x, a, attributes),
  },
  logSumExpWeighted: {
    needs: 'logSumExp',
    run: (k, [x, weights], { inputs: [{ shape }] }) => [k.logSumExp(x, { weights: { data: weights, shape } })],
  },
  // The logarithm of a sum's magnitude, for cases that have the sign as a result of its own: a negative sum is negated.
  logSumExpSign: {
    needs: 'logSumExp',
    run: (k, [x, b], { attributes: { sign } }) => {
      const weights = b ?? x.map(() => 1);
      return [k.logSumExp(x, { weights: sign < 0 ? negative(weights) : weights })];
    },
  },
  // The logarithm of a plain sum: logSumExp of zeros, whose exponentials are 1, with the summands as weights.
  reduceLogSum: {
    needs: 'logSumExp',
    run: (k, [x], { inputs: [a], attributes }) => {
      const logSum = (weights, options) =>
        k.logSumExp(new weights.constructor(weights.length), {
          ...options,
          weights: { data: weights, shape: options.shape },
        });
      return reduce(logSum, x, a, attributes);
    },
  },
  argMax: {
    needs: 'argmax',
    takes: firstIndex,
    run: (k, [x], { inputs: [a], attributes }) => reduce(k.argmax, x, a, attributes),
  },
  argMin: {
    needs: 'argmax',
    takes: firstIndex,
    run: (k, [x], { inputs: [a], attributes }) => reduce(k.argmax, negative(x), a, attributes),
  },
  reduceMax: {
    needs: 'topK',
    run: (k, [x], { inputs: [a], attributes }) => {
      const largest = (values, options) => k.topK(values, 1, options).values;
      return reduce(largest, x, a, attributes);
    },
  },
  softplus: { needs: 'logSigmoid', run: (k, [x]) => negative(k.logSigmoid(negative(x))) },
  sigmoid: { needs: 'sigmoid', run: (k, [x]) => k.sigmoid(x) },
  logSigmoid: { needs: 'logSigmoid', underflows: true, run: (k, [x]) => k.logSigmoid(x) },
  crossEntropy: {
    needs: 'crossEntropy',
    run: (k, [x, target, weights], { inputs: [{ shape }], attributes }) => {
      const options = { shape, ignoreIndex: attributes.ignore_index, reduction: 'none' };
      return weighted(k.crossEntropy(x, integers(target), options), weights, attributes);
    },
  },
  crossEntropyProbs: {
    needs: 'crossEntropy',
    run: (k, [x, target, weights], { inputs: [{ shape }], attributes }) => {
      const options = { shape, labelSmoothing: attributes.label_smoothing, reduction: 'none' };
      return weighted(k.crossEntropy(x, target, options), weights, attributes);
    },
  },
  nllLoss: {
    needs: 'nllLoss',
    run: (k, [x, target], { inputs: [{ shape }], attributes }) => {
      const options = { shape, axis: axis(attributes), ignoreIndex: attributes.ignore_index };
      const loss = k.nllLoss(x, integers(target), { ...options, reduction: attributes.reduction });
      return typeof loss === 'number' ? [loss] : loss;
    },
  },
  bceWithLogits: {
    needs: 'bceWithLogits',
    run: (k, [x, target, weights], { inputs: [{ shape }], attributes }) => {
      const { label_smoothing: smoothing = 0, reduction } = attributes;
      const smooth = target.map((t) => t * (1 - smoothing) + smoothing / 2);
      const losses = k.bceWithLogits(x, smooth, { shape, reduction: 'none' });
      if (reduction === 'mean over last axis') return meansOfRows(losses, shape[0]);
      return weighted(losses, weights, attributes);
    },
  },
  bceWithLogitsGrad: {
    needs: 'bceWithLogitsWithGrad',
    run: (k, [x, target, posWeight], { inputs: [{ shape }], attributes: { reduction } }) =>
      k.bceWithLogitsWithGrad(x, target, { shape, posWeight: { data: posWeight, shape }, reduction }).grad,
  },
  klDiv: {
    needs: 'klDiv',
    run: (k, [x, target], { inputs: [{ shape }], attributes: { logTarget } }) => {
      const losses = k.klDiv(x, target, { shape, logTarget, reduction: 'none' });
      return meansOfRows(losses, shape[0]).map((mean) => mean * shape[1]);
    },
  },
  klDivProbs: {
    needs: 'klDiv',
    run: (k, [predictions, target], { inputs: [{ shape }] }) => [
      k.klDiv(predictions.map(Math.log), target, { shape, reduction: 'batchMean' }),
    ],
  },
};
OPERATIONS.reduceLogSumExp = OPERATIONS.logSumExp;

const kernels = {};
for (const backend of BACKENDS) {
  try {
    kernels[backend] = createKernels({ backend });
  } catch (error) {
    console.log(`${backend}: not run here (${error.message})`);
  }
}

const table = new Map();
const failures = [];
/** The number of cases of each operation that are not run. */
const skipped = new Map();
for (const example of allCases(folder)) {
  const operation = OPERATIONS[example.op];
  const exists = operation !== undefined && Object.values(kernels)[0][operation.needs] !== undefined;
  if (!exists || operation.takes?.(example) === false) {
    skipped.set(example.op, (skipped.get(example.op) ?? 0) + 1);
    continue;
  }
  const label = `${example.set.split('/')[0].padEnd(16)}${example.op.padEnd(20)}`;
  const counts = table.get(label) ?? { cases: 0 };
  table.set(label, counts);
  counts.cases++;
  for (const [backend, set] of Object.entries(kernels)) {
    const problem = attempt(() => {
      const result = Array.from(operation.run(set, example.inputs.map(toTyped), example));
      const [expected] = example.outputs;
      return compare(operation.underflows ? restoreSubnormals(result, expected) : result, expected, example.tolerance);
    });
    if (problem === null) counts[backend] = (counts[backend] ?? 0) + 1;
    else failures.push(`${backend}: ${example.set}: ${example.name}: ${problem}`);
  }
}

/** The result with each 0 replaced by the expected number where that is subnormal: docs/numerics.md allows 0 there. */
function restoreSubnormals(result, expected) {
  const smallest = expected.dtype === 'float64' ? 2 ** -1022 : 2 ** -126;
  const exact = toTyped(expected);
  return result.map((value, i) => (value === 0 && Math.abs(exact[i]) < smallest ? exact[i] : value));
}

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

const names = Object.keys(kernels);
console.log(
  `${'set'.padEnd(16)}${'operation'.padEnd(20)}${'cases'.padStart(6)}${names.map((name) => name.padStart(14)).join('')}`,
);
for (const [label, counts] of [...table].sort()) {
  console.log(
    `${label}${String(counts.cases).padStart(6)}${names.map((name) => String(counts[name] ?? 0).padStart(14)).join('')}`,
  );
}
const counts = [...skipped].sort(([a], [b]) => (a < b ? -1 : 1)).map(([op, count]) => `${op} ${count}`);
console.log(`not run: ${counts.join(', ')}`);
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
