/** What softmax-wasm/tfjs promises, case by case. They run in Node and in browsers, and so need no test framework. */

import type * as tfjs from '@tensorflow/tfjs';
import type { Registration, register as registerFunction } from '../../src/tfjs/index.js';

export type TensorFlowJs = typeof tfjs;
type Tensor = tfjs.Tensor;
type Rank2 = tfjs.Rank.R2;
type Fast = Registration<Tensor>;

export interface Context {
  readonly tf: TensorFlowJs;
  readonly backend: 'wasm' | 'cpu';
  readonly register: typeof registerFunction;
}

export interface Case {
  readonly name: string;
  readonly run: (context: Context) => void | Promise<void>;
}

/** Float32 results of a few roundings each, compared with float64. */
const TOLERANCE = 2e-6;

function check(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

function checkEqual(actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
  check(a === b, `got ${a}, expected ${b}`);
}

/** Expects each number to be within the tolerance, relative to the largest expected one if that is above 1. */
function checkClose(actual: Tensor, expected: ArrayLike<number>, tolerance = TOLERANCE): void {
  const got = actual.dataSync();
  check(got.length === expected.length, `got ${got.length} numbers, expected ${expected.length}`);
  const scale = Math.max(1, ...Array.from(expected, Math.abs).filter(Number.isFinite));
  for (let i = 0; i < got.length; i++) {
    const isSame = Object.is(got[i], expected[i]) || Math.abs(got[i]! - expected[i]!) <= tolerance * scale;
    check(isSame, `element ${i} is ${got[i]}, expected ${expected[i]}`);
  }
}

function checkThrows(run: () => unknown, message: RegExp): void {
  try {
    run();
  } catch (error) {
    check(message.test(String(error)), `threw ${error}, expected ${message}`);
    return;
  }
  throw new Error(`did not throw, expected ${message}`);
}

/** Runs a case while softmax-wasm is registered, then unregisters it and checks that no tensors are left. */
function registered(
  { tf, register }: Context,
  run: (fast: Fast) => void,
  options?: Parameters<typeof register>[1],
): void {
  const before = tf.memory().numTensors;
  const fast = register<Tensor>(tf, options);
  try {
    tf.tidy(() => run(fast));
  } finally {
    fast.unregister();
  }
  checkEqual(tf.memory().numTensors, before);
}

/** Numbers around 0, the same in every run. */
function numbers(count: number, scale = 4): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => scale * Math.sin(i * 12.9898 + 1) * Math.cos(i * 0.37));
}

/** Calls with each row along the axis as float64, which it may change in place. */
function alongAxis(x: ArrayLike<number>, shape: readonly number[], axis: number, change: (row: number[]) => number[]) {
  const at = axis < 0 ? axis + shape.length : axis;
  const n = shape[at]!;
  const inner = shape.slice(at + 1).reduce((a, b) => a * b, 1);
  const result = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += n * inner) {
    for (let column = 0; column < inner; column++) {
      const indices = Array.from({ length: n }, (_, j) => start + j * inner + column);
      change(indices.map((i) => x[i]!)).forEach((value, j) => {
        result[indices[j]!] = value;
      });
    }
  }
  return result;
}

/** [m, k, n] of products [m, k] · [k, n]: small, square, and with each side much longer or shorter than the others. */
const PRODUCTS = [
  [1, 1, 1],
  [3, 5, 4],
  [40, 50, 60],
  [1, 700, 64],
  [64, 700, 1],
  [64, 1, 700],
  [700, 64, 2],
  [2, 64, 700],
  [700, 2, 64],
] as const;

function productOf(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float64Array {
  const product = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < k; i++) {
      for (let column = 0; column < n; column++) product[row * n + column]! += a[row * k + i]! * b[i * n + column]!;
    }
  }
  return product;
}

/** Counts the calls of a kernel from now on. */
function countCalls(tf: TensorFlowJs, name: string, backend: string) {
  const original = tf.getKernel(name, backend);
  let count = 0;
  const exchange = (config: typeof original) => {
    tf.unregisterKernel(name, backend);
    tf.registerKernel(config);
  };
  exchange({
    ...original,
    kernelFunc: (call) => {
      count++;
      return original.kernelFunc(call);
    },
  });
  return { count: () => count, restore: () => exchange(original) };
}

const logSumExpOf = (row: readonly number[]) => {
  const largest = Math.max(...row);
  return largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
};
const logSoftmaxOf = (row: readonly number[]) => {
  const total = logSumExpOf(row);
  return row.map((x) => x - total);
};
const softmaxOf = (row: readonly number[]) => logSoftmaxOf(row).map(Math.exp);
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const SHAPES: readonly (readonly number[])[] = [
  [7],
  [1, 1],
  [5, 3],
  [4, 1000],
  [1000, 4],
  [3, 17, 5],
  [2, 3, 4, 33],
  [2, 5000],
];

/** A row of classes for each target. */
function oneHot(targets: readonly number[], classes: number): Float32Array {
  const labels = new Float32Array(targets.length * classes);
  targets.forEach((target, row) => {
    labels[row * classes + target] = 1;
  });
  return labels;
}

const ROWS = 40;
const CLASSES = 50;
const TARGETS = Array.from({ length: ROWS }, (_, row) => (row * 7) % CLASSES);

const all: Case[] = [
  {
    name: 'softmax, logSoftmax and logSumExp along every axis',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        for (const shape of SHAPES) {
          const data = numbers(shape.reduce((a, b) => a * b, 1));
          const x = tf.tensor(data, [...shape]);
          for (let axis = -shape.length; axis < shape.length; axis++) {
            checkClose(fast.softmax(x, axis), alongAxis(data, shape, axis, softmaxOf));
            checkClose(x.softmax(axis), alongAxis(data, shape, axis, softmaxOf));
            checkClose(fast.logSoftmax(x, axis), alongAxis(data, shape, axis, logSoftmaxOf));
            checkClose(x.logSoftmax(axis), alongAxis(data, shape, axis, logSoftmaxOf));
            const expected = alongAxis(data, shape, axis, (row) => new Array(row.length).fill(logSumExpOf(row)));
            checkClose(fast.logSumExp(x, axis, true).add(tf.zerosLike(x)), expected);
            checkEqual(x.logSumExp(axis).shape, tf.sum(x, axis).shape);
          }
          checkClose(tf.softmax(x), alongAxis(data, shape, -1, softmaxOf));
          checkClose(fast.logSumExp(x), [logSumExpOf(Array.from(data))]);
        }
        const cube = tf.tensor(numbers(60), [3, 4, 5]);
        checkEqual(fast.logSumExp(cube, [1, 2], true).shape, [3, 1, 1]);
        checkClose(fast.logSumExp(cube, [0, -2]), fast.logSumExp(fast.logSumExp(cube, 0), 0).dataSync());
        checkThrows(() => fast.logSumExp(cube, [0, 1, -3]), /axis is \[0, 0, 1\], expected each axis once/);
        checkThrows(() => fast.softmax(cube, 3), /softmax: axis is 3, expected a whole number in \[-3, 3\)/);
      }),
  },
  {
    name: 'logSumExp over any axes, as the function of TensorFlow.js has it',
    run: (context) =>
      registered(context, () => {
        const { tf } = context;
        const shape = [2, 3, 1, 4, 2, 2];
        const x = tf.tensor(numbers(96), shape);
        for (const axis of [[], [0], [1, 3], [-1, 0], [5, 1, 3], [0, 1, 3, 4], [0, 2, 4], null]) {
          for (const keepDims of [false, true]) {
            const before = tf.memory().numTensors;
            const result = x.logSumExp(axis as number[], keepDims);
            checkEqual(tf.memory().numTensors, before + 1);
            const expected = tf.logSumExp(x, axis as number[], keepDims);
            checkEqual(result.shape, expected.shape);
            checkClose(result, expected.dataSync());
            const gradient = tf.grad((x) => x.logSumExp(axis as number[], keepDims));
            const other = tf.grad((x) => tf.logSumExp(x, axis as number[], keepDims));
            checkClose(gradient(x), other(x).dataSync());
          }
        }
      }),
  },
  {
    name: 'temperature, masks and causal',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const data = numbers(24);
        const x = tf.tensor(data, [2, 3, 4]);
        const warm = alongAxis(data, [2, 3, 4], -1, (row) => softmaxOf(row.map((value) => value / 3)));
        checkClose(fast.softmax(x, -1, { temperature: 3 }), warm);
        const masked = (row: number[]) => softmaxOf(row.map((value, j) => (j < 2 ? value : -Infinity)));
        for (const dtype of ['bool', 'int32'] as const) {
          const mask = tf.tensor([1, 1, 0, 0], [4], dtype);
          checkClose(fast.softmax(x, -1, { mask }), alongAxis(data, [2, 3, 4], -1, masked));
          checkClose(fast.softmax(x, -1, { mask }), Array.from(fast.logSoftmax(x, -1, { mask }).exp().dataSync()));
        }
        const causal = fast.softmax(tf.zeros([3, 3]), -1, { causal: true });
        checkClose(causal, [1, 0, 0, 1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3]);
        checkThrows(
          () => fast.softmax(x, -1, { mask: x }),
          /softmax: mask is a float32 tensor, expected bool or int32/,
        );
        checkThrows(() => fast.softmax(x, -1, { temperature: 0 }), /temperature is 0/);
        checkThrows(
          () => fast.softmax(x, -1, { tau: 2 } as object),
          /unknown option "tau", the name is temperature here/,
        );
      }),
  },
  {
    name: 'argMax, topk and sigmoid beside what they were',
    run: (context) => {
      const { tf } = context;
      const results = () =>
        SHAPES.flatMap((shape) => {
          const x = tf.tensor(
            numbers(shape.reduce((a, b) => a * b, 1)).map((value) => Math.round(value * 8) / 8),
            [...shape],
          );
          const n = shape.at(-1)!;
          return [
            ...shape.map((_, axis) => x.argMax(axis)),
            ...[1, Math.min(3, n), n].flatMap((k) => Object.values(tf.topk(x, k))),
            x.sigmoid(),
          ].map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, data: Array.from(tensor.dataSync()) }));
        });
      tf.tidy(() => {
        const before = results();
        registered(context, () => {
          results().forEach(({ shape, dtype, data }, i) => {
            checkEqual([shape, dtype], [before[i]!.shape, before[i]!.dtype]);
            checkClose(tf.tensor(data), before[i]!.data, 5e-7);
          });
        });
      });
    },
  },
  {
    name: 'what is left to TensorFlow.js: other dtypes, k = 0, NaN among the largest, no elements',
    run: (context) => {
      const { tf } = context;
      const results = () => {
        const nan = tf.tensor([NaN, 1, 2, 1, NaN, 2, 3, 2, NaN], [3, 3]).tile([200, 2]);
        return [
          tf.tensor([3, 1, 2], [3], 'int32').argMax(),
          tf.topk(tf.tensor([3, 1, 2], [3], 'int32'), 2).values,
          tf.topk(tf.tensor([3, 1, 2]), 0).values,
          tf.topk(tf.tensor([3, NaN, 2]), 2).indices,
          tf.tensor([3, NaN, 2]).argMax(),
          tf.tensor(1).sigmoid(),
          nan.argMax(1),
          nan.argMax(0),
          ...Object.values(tf.topk(nan, 4)),
          tf.softmax(tf.zeros([0, 3])),
          tf.softmax(tf.zeros([2, 0])),
          tf.losses.softmaxCrossEntropy(tf.zeros([2, 3]), tf.zeros([2, 3], 'int32')),
        ].map((tensor) => [tensor.shape, tensor.dtype, Array.from(tensor.dataSync())]);
      };
      tf.tidy(() => {
        const before = results();
        registered(context, () => checkEqual(results(), before));
      });
    },
  },
  {
    name: 'gradients of softmax, logSoftmax and logSumExp along every axis',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const shape = [2, 3, 5];
        const data = numbers(30);
        const x = tf.tensor(data, shape);
        const weight = tf.tensor(numbers(30).reverse(), shape);
        const maps = [fast.softmax, fast.logSoftmax, (x: Tensor, axis: number) => fast.logSumExp(x, axis, true)];
        for (const map of maps) {
          for (let axis = 0; axis < 3; axis++) {
            const f = (x: Tensor) => map(x, axis).mul(weight).sum();
            checkClose(tf.grad(f)(x), differences(tf, f, data, shape), 5e-3);
          }
        }
        const options = { temperature: 2, mask: tf.tensor([1, 0, 1, 1, 0], [5], 'bool') };
        const warm = (x: Tensor) => fast.softmax(x, -1, options).mul(weight).sum();
        checkClose(tf.grad(warm)(x), differences(tf, warm, data, shape), 5e-3);
        // An element that a mask sets to −∞ has no gradient, whatever dy is there.
        const keeps = { mask: (_: number, j: number) => j % 3 !== 1, causal: (i: number, j: number) => j <= i + 2 };
        const dy = weight.dataSync();
        for (const [name, keep] of Object.entries(keeps)) {
          const given = name === 'causal' ? { causal: true } : { mask: tf.tensor([1, 0, 1, 1, 0], [5], 'int32') };
          const expected = Array.from({ length: 6 }, (_, row) => {
            const at = (j: number) => row * 5 + j;
            const kept = [0, 1, 2, 3, 4].map((j) => keep(row % 3, j));
            const p = softmaxOf(kept.map((isKept, j) => (isKept ? data[at(j)]! : -Infinity)));
            const sum = kept.reduce((total, isKept, j) => total + (isKept ? dy[at(j)]! : 0), 0);
            return kept.map((isKept, j) => (isKept ? dy[at(j)]! - p[j]! * sum : 0));
          });
          checkClose(tf.grad((x) => fast.logSoftmax(x, -1, given))(x, weight), expected.flat());
        }
        const own = (x: Tensor) => tf.softmax(x).mul(weight).sum();
        checkClose(tf.grad(own)(x), differences(tf, own, data, shape), 5e-3);
      }),
  },
  {
    name: 'the gradient of the gradient of softmax is what it was',
    run: (context) => {
      const { tf } = context;
      const x = tf.tensor(numbers(3000), [3, 1000]);
      const f = (x: Tensor) => tf.softmax(x).square().sum();
      const twice = () =>
        tf
          .grad((x) => tf.grad(f)(x).square().sum())(x)
          .dataSync();
      tf.tidy(() => {
        const before = twice();
        registered(context, () => checkClose(tf.tensor(twice()), before));
      });
      x.dispose();
    },
  },
  {
    name: 'gradients of gradients of our own functions',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const shape = [2, 3];
        const data = numbers(6, 1);
        const x = tf.tensor(data, shape);
        const mask = tf.tensor([1, 1, 0, 0, 1, 1], shape, 'bool');
        const maps: ((x: Tensor) => Tensor)[] = [
          (x) => fast.softmax(x, 0, { temperature: 0.5 }),
          (x) => fast.softmax(x, 1, { mask }),
          (x) => x.softmax(),
          (x) => fast.logSoftmax(x, 0, { temperature: 2 }),
          (x) => tf.where(mask, fast.logSoftmax(x, 1, { mask }), 0),
          (x) => fast.logSumExp(x, 0),
        ];
        for (const map of maps) {
          const f = (x: Tensor) => map(x).square().sum();
          const slope = (x: Tensor) => tf.grad(f)(x).square().sum().mul(0.1);
          checkClose(tf.grad(slope)(x), differences(tf, slope, data, shape), 5e-3);
          const curvature = (x: Tensor) => tf.grad(slope)(x).square().sum().mul(0.1);
          checkClose(tf.grad(curvature)(x), differences(tf, curvature, data, shape), 5e-3);
        }
      }),
  },
  {
    name: 'tf.losses: all reductions, weights, label smoothing, dtypes of labels, gradients of both arguments',
    run: (context) => {
      const { tf } = context;
      const logits = tf.tensor(numbers(ROWS * CLASSES), [ROWS, CLASSES]);
      const labels = tf.tensor(oneHot(TARGETS, CLASSES), [ROWS, CLASSES]);
      const perRow = tf.tensor(numbers(ROWS).map((value, i) => (i % 5 === 0 ? 0 : Math.abs(value))));
      const results = () => {
        const losses: Tensor[] = [];
        for (const dtype of ['float32', 'int32', 'bool'] as const) {
          for (const reduction of Object.values(tf.Reduction).filter((value) => typeof value === 'number')) {
            for (const smoothing of [0, 0.1]) {
              for (const [name, weights] of [
                ['softmaxCrossEntropy', undefined],
                ['softmaxCrossEntropy', perRow],
                ['sigmoidCrossEntropy', undefined],
                ['sigmoidCrossEntropy', perRow.reshape([ROWS, 1])],
              ] as const) {
                const loss = (y: Tensor, x: Tensor) =>
                  tf.losses[name](y, x, weights, smoothing, reduction as tfjs.Reduction) as Tensor;
                losses.push(loss(labels.cast(dtype), logits));
                if (dtype !== 'float32') continue;
                const [labelGradient, logitGradient] = tf.grads(loss)([labels, logits]) as [Tensor, Tensor];
                losses.push(logitGradient, labelGradient);
              }
            }
          }
        }
        return losses.map((loss) => ({ shape: loss.shape, data: Array.from(loss.dataSync()) }));
      };
      tf.tidy(() => {
        const before = tf.tidy(results);
        registered(context, () => {
          results().forEach(({ shape, data }, i) => {
            checkEqual(shape, before[i]!.shape);
            checkClose(tf.tensor(data), before[i]!.data, 5e-6);
          });
        });
      });
      tf.dispose([logits, labels, perRow]);
    },
  },
  {
    name: 'each function makes one tensor, no more, without a tidy around it',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const x = tf.tensor(numbers(24), [2, 3, 4]);
        const labels = tf.ones([2, 3, 4], 'bool');
        const calls: (() => Tensor)[] = [
          () => fast.softmax(x, 1),
          () => fast.softmax(x, -1, { mask: labels }),
          () => fast.logSoftmax(x, 1),
          () => fast.logSumExp(x),
          () => fast.logSumExp(x, 1),
          () => fast.logSumExp(x, [0, 1], true),
          () => x.logSumExp(-1, true),
          () => fast.softmaxCrossEntropy(labels, x),
          () => fast.sigmoidCrossEntropy(labels, x, { posWeight: [1, 2, 3, 4] }),
          () => tf.losses.softmaxCrossEntropy(labels, x, undefined, 0.1),
          () => tf.losses.sigmoidCrossEntropy(labels, x, x),
        ];
        for (const call of calls) {
          const before = tf.memory().numTensors;
          const result = call();
          checkEqual(tf.memory().numTensors, before + 1);
          result.dispose();
          checkEqual(tf.memory().numTensors, before);
        }
      }),
  },
  {
    name: 'softmaxCrossEntropy: indices, ignoreIndex, class weights, label smoothing, temperature, reductions',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const data = numbers(ROWS * CLASSES);
        const logits = tf.tensor(data, [ROWS, CLASSES]);
        const rows = Array.from({ length: ROWS }, (_, row) =>
          Array.from(data.subarray(row * CLASSES, (row + 1) * CLASSES)),
        );
        const losses = rows.map((row, i) => -logSoftmaxOf(row)[TARGETS[i]!]!);
        const indices = tf.tensor(TARGETS, [ROWS], 'int32');
        checkClose(fast.softmaxCrossEntropy(indices, logits, { reduction: 'none' }), losses);
        checkClose(fast.softmaxCrossEntropy(indices, logits, { reduction: 'sum' }), [meanOf(losses) * ROWS]);
        for (const labels of [indices, indices.reshape([ROWS, 1]), indices.cast('float32').reshape([ROWS, 1])]) {
          checkClose(fast.softmaxCrossEntropy(labels, logits), [meanOf(losses)]);
        }
        const probabilities = tf.tensor(oneHot(TARGETS, CLASSES), [ROWS, CLASSES]);
        for (const labels of [probabilities, probabilities.cast('int32'), probabilities.cast('bool')]) {
          checkClose(fast.softmaxCrossEntropy(labels, logits), [meanOf(losses)]);
        }
        const counted = losses.filter((_, i) => TARGETS[i] !== 7);
        checkClose(fast.softmaxCrossEntropy(indices, logits, { ignoreIndex: 7 }), [meanOf(counted)]);
        const weight = tf.tensor(numbers(CLASSES).map(Math.abs));
        const weights = TARGETS.map((target) => weight.dataSync()[target]!);
        const weighted = losses.reduce((sum, loss, i) => sum + loss * weights[i]!, 0) / (meanOf(weights) * ROWS);
        checkClose(fast.softmaxCrossEntropy(indices, logits, { weight }), [weighted]);
        checkClose(fast.softmaxCrossEntropy(indices, logits, { weight: Array.from(weight.dataSync()) }), [weighted]);
        const smoothed = rows.map((row, i) => 0.9 * losses[i]! - 0.1 * meanOf(logSoftmaxOf(row)));
        checkClose(fast.softmaxCrossEntropy(indices, logits, { labelSmoothing: 0.1 }), [meanOf(smoothed)]);
        const cold = rows.map((row, i) => -logSoftmaxOf(row.map((x) => x / 0.5))[TARGETS[i]!]!);
        checkClose(fast.softmaxCrossEntropy(indices, logits, { temperature: 0.5 }), [meanOf(cold)], 4e-6);

        const loss = (x: Tensor) => fast.softmaxCrossEntropy(indices, x, { reduction: 'none' });
        const dy = tf.tensor(numbers(ROWS));
        const gradient = rows.flatMap((row, i) =>
          softmaxOf(row).map((p, j) => dy.dataSync()[i]! * (p - (j === TARGETS[i] ? 1 : 0))),
        );
        checkClose(tf.grad(loss)(logits, dy), gradient);
        const twice = (x: Tensor) => fast.softmaxCrossEntropy(indices, x).mul(2);
        const mean = rows.flatMap((row, i) =>
          softmaxOf(row).map((p, j) => (2 / ROWS) * (p - (j === TARGETS[i] ? 1 : 0))),
        );
        checkClose(tf.grad(twice)(logits), mean);
      }),
  },
  {
    name: 'softmaxCrossEntropy: the gradient of class probabilities',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const shape = [2, 3];
        const logits = tf.tensor(numbers(6), shape);
        const probabilities = Float32Array.of(0.5, 0.25, 0.25, 0, 0.75, 0.25);
        const labels = tf.tensor(probabilities, shape);
        for (const options of [
          {},
          { reduction: 'sum', temperature: 2 },
          { labelSmoothing: 0.25, weight: tf.tensor([1, 2, 0.5]) },
          { weight: [1, 2, 0.5] },
        ] as const) {
          const loss = (y: Tensor) => fast.softmaxCrossEntropy(y, logits, options);
          checkClose(tf.grad(loss)(labels), differences(tf, loss, probabilities, shape), 5e-4);
        }
        const each = (y: Tensor) => fast.softmaxCrossEntropy(y, logits, { reduction: 'none' });
        const expected = tf.logSoftmax(logits).mul(tf.tensor([[-1], [3]]));
        checkClose(tf.grad(each)(labels, tf.tensor([1, -3])), expected.dataSync());
      }),
  },
  {
    name: 'sigmoidCrossEntropy: weights of labels, reductions, gradients',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        const [x, y] = [numbers(30), Float32Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 1 : 0))];
        const [logits, labels] = [tf.tensor(x, [6, 5]), tf.tensor(y, [6, 5])];
        const posWeight = tf.tensor([1, 2, 3, 4, 5]);
        const losses = Array.from(x, (value, i) => {
          const p = 1 / (1 + Math.exp(-value));
          return y[i] === 1 ? -(1 + (i % 5)) * Math.log(p) : -Math.log(1 - p);
        });
        checkClose(fast.sigmoidCrossEntropy(labels, logits, { posWeight, reduction: 'none' }), losses);
        checkClose(fast.sigmoidCrossEntropy(labels.cast('bool'), logits, { posWeight }), [meanOf(losses)]);
        const f = (x: Tensor) =>
          fast.sigmoidCrossEntropy(labels, x, { posWeight, weight: [5, 4, 3, 2, 1], reduction: 'sum' });
        checkClose(tf.grad(f)(logits), differences(tf, f, x, [6, 5]), 5e-3);
        const ofLabels = (y: Tensor) => fast.sigmoidCrossEntropy(y, logits, { posWeight, weight: [5, 4, 3, 2, 1] });
        checkClose(tf.grad(ofLabels)(labels), differences(tf, ofLabels, y, [6, 5]), 5e-3);
        const eachLabel = (y: Tensor) => fast.sigmoidCrossEntropy(y, logits, { reduction: 'none' });
        const dy = tf.tensor(numbers(30, 2), [6, 5]);
        const slopes = dy.dataSync().map((value, i) => -value * x[i]!);
        checkClose(tf.grad(eachLabel)(labels, dy), slopes);
      }),
  },
  {
    name: 'tf.losses: a single row with label smoothing stays what it was',
    run: (context) => {
      const { tf } = context;
      const attempt = () => {
        try {
          const loss = tf.losses.softmaxCrossEntropy(
            tf.tensor1d([0, 1]),
            tf.tensor1d([2, 1]),
            undefined,
            0.1,
          ) as Tensor;
          return Array.from(loss.dataSync());
        } catch (error) {
          return (error as Error).message;
        }
      };
      tf.tidy(() => {
        const before = attempt();
        registered(context, () => checkEqual(attempt(), before));
      });
    },
  },
  {
    name: 'argMax of axes of one element',
    run: (context) =>
      registered(context, () => {
        const { tf } = context;
        for (const shape of [
          [3, 1, 2],
          [2, 1, 3],
          [1, 1, 5],
        ]) {
          tf.tidy(() => {
            const indices = tf.argMax(tf.ones(shape), 1);
            const neighbour = tf.ones([1]);
            checkEqual(Array.from(indices.dataSync()), Array(shape[0]! * shape[2]!).fill(0));
            checkEqual(Array.from(neighbour.dataSync()), [1]);
          });
        }
      }),
  },
  {
    name: 'rows of nothing but −∞, +∞, NaN, and large numbers',
    run: (context) =>
      registered(context, (fast) => {
        const { tf } = context;
        checkClose(fast.logSumExp(tf.tensor([-Infinity, -Infinity])), [-Infinity]);
        checkClose(fast.softmax(tf.tensor([NaN, 1])), [NaN, NaN]);
        checkClose(fast.softmax(tf.tensor([1e30, -1e30, -Infinity])), [1, 0, 0]);
        const [labels, logits] = [tf.tensor([0, 1], [1, 2]), tf.tensor([-Infinity, 3], [1, 2])];
        checkClose(fast.softmaxCrossEntropy(labels, logits), [0]);
        checkClose(tf.losses.softmaxCrossEntropy(labels, logits), [0]);
      }),
  },
  {
    name: 'matrix products with transposed operands, of all proportions',
    run: (context) =>
      registered(context, () => {
        const { tf } = context;
        const matrix = (data: Float32Array, rows: number, columns: number) => tf.tensor2d(data, [rows, columns]);
        for (const [m, k, n] of PRODUCTS) {
          const [a, b] = [numbers(m * k), numbers(k * n, 2)];
          const [A, B] = [matrix(a, m, k), matrix(b, k, n)];
          const expected = productOf(a, b, m, k, n);
          for (const [transposeA, transposeB] of [
            [false, false],
            [true, false],
            [false, true],
            [true, true],
          ] as const) {
            const before = tf.engine().backend.numDataIds();
            const given = [transposeA ? tf.transpose(A) : A, transposeB ? tf.transpose(B) : B] as const;
            const product = tf.matMul(...given, transposeA, transposeB);
            checkEqual(product.shape, [m, n]);
            checkClose(product, expected, k * 2 ** -24);
            tf.dispose([product, ...given.filter((one) => one !== A && one !== B)]);
            checkEqual(tf.engine().backend.numDataIds(), before);
          }
        }
        const x = matrix(numbers(40 * 50), 40, 50);
        checkThrows(() => tf.matMul(x, x, true, true), /inner shapes \(40\) and \(50\)/);
        const two = numbers(2 * 40 * 50);
        const ofTwo = tf.matMul(tf.tensor3d(two, [2, 40, 50]), tf.tensor3d(two, [2, 40, 50]), true, false);
        checkEqual(ofTwo.shape, [2, 50, 50]);
        const one = x.reshape([1, 1, 40, 50]);
        const ofOne = tf.matMul(one, one, true, false);
        checkEqual(ofOne.shape, [1, 1, 50, 50]);
        checkClose(ofOne, tf.matMul(x, x, true, false).dataSync());
        checkEqual(tf.matMul(one, one, false, true).shape, [1, 1, 40, 40]);
      }),
  },
  {
    name: 'matrix products are transposed where that pays, on wasm, unless told not to',
    run: (context) => {
      const { tf, backend } = context;
      const [large, small] = [tf.ones<Rank2>([64, 64]), tf.ones<Rank2>([4, 4])];
      const transposes = countCalls(tf, 'Transpose', backend);
      const transposesOf = (x: tfjs.Tensor2D, transposeA: boolean, transposeB: boolean) => {
        const before = transposes.count();
        tf.matMul(x, x, transposeA, transposeB);
        return transposes.count() - before;
      };
      const counts = () => [
        transposesOf(large, false, true),
        transposesOf(large, true, true),
        transposesOf(large, false, false),
        transposesOf(small, true, false),
      ];
      registered(context, () => checkEqual(counts(), backend === 'wasm' ? [1, 1, 0, 0] : [0, 0, 0, 0]));
      registered(context, () => checkEqual(counts(), [0, 0, 0, 0]), { matMul: false });
      transposes.restore();
      tf.dispose([large, small]);
    },
  },
  {
    name: 'wrong arguments: errors, no tensors, no elements left behind',
    run: (context) => {
      const { tf, backend, register } = context;
      registered(context, (fast) => {
        const x = tf.zeros([2, 3]);
        const outside = tf.tensor([0, 3], [2], 'int32');
        const elements = () => tf.engine().backend.numDataIds();
        const before = elements();
        checkThrows(() => fast.softmaxCrossEntropy(outside, x), /targets\[1\] is 3/);
        checkEqual(elements(), before);
        checkThrows(() => fast.softmax([1, 2] as never), /softmax: x is an array of 2, expected a tf.Tensor/);
        checkThrows(() => fast.softmax(tf.zeros([2], 'int32')), /softmax: x is a int32 tensor, expected float32/);
        checkThrows(() => fast.softmaxCrossEntropy(x, tf.zeros([2, 4])), /labels has shape \[2, 3\], expected \[2\]/);
        checkThrows(
          () => fast.sigmoidCrossEntropy(x, tf.zeros([2, 4])),
          /labels has shape \[2, 3\], expected \[2, 4\]/,
        );
        checkThrows(() => register(tf), /registered already/);
        const disposed = tf.zeros([3]);
        disposed.dispose();
        checkThrows(() => fast.softmax(disposed), /disposed/);
      });
      checkThrows(() => register({} as never), /register: tf is an object, expected what import/);
      checkThrows(() => register(tf, { backend: 'webgl' as never }), /backend is "webgl", expected "wasm" or "cpu"/);
      checkThrows(
        () => register(tf, { backend, kernels: ['Relu' as never] }),
        /kernels is "Relu", expected some of "Softmax"/,
      );
      checkThrows(() => register(tf, { kernel: [] } as never), /unknown option "kernel"/);
    },
  },
  {
    name: 'a build of TensorFlow.js without losses',
    run: ({ tf, register }) => {
      const build = { ...tf, losses: undefined };
      const fast = register<Tensor>(build);
      const sum = tf.tidy(
        () =>
          fast
            .softmax(tf.tensor([1, 2, 3]))
            .sum()
            .dataSync()[0]!,
      );
      fast.unregister();
      check(Math.abs(sum - 1) < TOLERANCE, `the sum is ${sum}`);
    },
  },
  {
    name: 'unregister makes everything what it was',
    run: ({ tf, backend, register }) => {
      const names = ['Softmax', 'Sigmoid', 'ArgMax', 'TopK'];
      const state = () => [
        ...(backend === 'wasm' ? [...names, 'BatchMatMul'] : names).map(
          (name) => tf.getKernel(name, backend).kernelFunc,
        ),
        tf.getGradient('Softmax').gradFunc,
        tf.losses.softmaxCrossEntropy,
        tf.losses.sigmoidCrossEntropy,
        tf.Tensor.prototype.softmax,
        tf.Tensor.prototype.logSoftmax,
        tf.Tensor.prototype.logSumExp,
      ];
      const kernels = () => tf.getKernelsForBackend(backend).length;
      const [before, count] = [state(), kernels()];
      const fast = register(tf);
      checkEqual(
        fast.info.map(({ kernel }) => kernel),
        names,
      );
      check(
        state().every((value, i) => value !== before[i]),
        'something was not replaced',
      );
      fast.unregister();
      fast.unregister();
      check(
        state().every((value, i) => value === before[i]),
        'something is not what it was',
      );
      checkEqual(kernels(), count);
      const nothing = { gradients: false, matMul: false, losses: false, methods: false };
      const some = register(tf, { ...nothing, kernels: ['ArgMax'] });
      checkEqual(
        state()
          .map((value, i) => value === before[i])
          .filter((same) => !same).length,
        1,
      );
      // Again, now beside a later registration.
      fast.unregister();
      checkThrows(() => register(tf), /it is registered already/);
      some.unregister();
    },
  },
  {
    name: 'ten thousand training steps leave no tensor and no memory behind',
    run: (context) =>
      registered(context, (fast) => {
        const { tf, backend } = context;
        const x = tf.tensor(numbers(32 * 10), [32, 10]);
        const indices = tf.tensor(
          TARGETS.slice(0, 32).map((target) => target % 10),
          [32],
          'int32',
        );
        const labels = tf.oneHot(indices as tfjs.Tensor1D, 10);
        const weights = tf.tensor2d(numbers(10 * 40), [10, 40]);
        const step = () =>
          tf.tidy(() => {
            tf.grads((x, weights) => tf.matMul(x, weights).softmax())([x, weights]);
            tf.grad((x) => fast.softmaxCrossEntropy(indices, x))(x);
            tf.grad((x) => tf.losses.softmaxCrossEntropy(labels, x))(x);
            tf.grad((x) => fast.softmax(x, 0).mul(x).sum())(x);
            x.logSoftmax().argMax(1);
          });
        for (let i = 0; i < 100; i++) step();
        const state = () => [tf.memory().numTensors, tf.engine().backend.numDataIds(), memoryOf(tf, backend)];
        const before = state();
        for (let i = 0; i < 10_000; i++) step();
        checkEqual(state(), before);
      }),
  },
  {
    name: 'tensors of another backend come over, and memory may grow at any time',
    run: async (context) => {
      const { tf, backend } = context;
      const data = numbers(3000);
      const other = backend === 'wasm' ? 'cpu' : 'wasm';
      await tf.setBackend(other);
      const x = tf.tensor(data, [3, 1000]);
      await tf.setBackend(backend);
      const expected = alongAxis(data, [3, 1000], -1, softmaxOf);
      const kept: Tensor[] = [];
      const fast = context.register<Tensor>(tf);
      for (let i = 0; i < 20; i++) {
        kept.push(tf.zeros([2 ** 20]));
        tf.tidy(() => {
          checkClose(tf.softmax(x), expected);
          checkEqual(tf.argMax(x, 1).dataSync().length, 3);
          // Rows that do not fit into the scratch, so that the call allocates memory.
          const wide = tf.tensor(numbers(2 * 9000 * 3), [2, 9000, 3]);
          checkClose(fast.softmax(wide, 1), alongAxis(wide.dataSync(), [2, 9000, 3], 1, softmaxOf));
          checkEqual(tf.topk(tf.tensor(numbers(60_000)), 50_000).values.shape, [50_000]);
        });
      }
      await tf.setBackend(other);
      checkThrows(() => fast.softmax(x), /the backend is "/);
      checkClose(x.softmax(), expected);
      await tf.setBackend(backend);
      fast.unregister();
      tf.dispose([x, ...kept]);
    },
  },
];

export const cases: readonly Case[] = all;

/** The size of the wasm backend's memory in bytes. */
function memoryOf(tf: TensorFlowJs, backend: string): number {
  if (backend !== 'wasm') return 0;
  return (tf.engine().backend as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
}

/** The gradient of f by central differences in float32: accurate to about three digits. */
function differences(tf: TensorFlowJs, f: (x: Tensor) => Tensor, data: Float32Array, shape: number[]): number[] {
  const h = 2 ** -7;
  const at = (i: number, step: number) =>
    tf.tidy(() => {
      const moved = data.slice();
      moved[i]! += step;
      return f(tf.tensor(moved, shape)).sum().dataSync()[0]!;
    });
  return Array.from(data, (_, i) => (at(i, h) - at(i, -h)) / (2 * h));
}
