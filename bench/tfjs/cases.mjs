// What is timed in TensorFlow.js: single functions on four shapes, and whole training steps. A function returns a
// tensor, of which its caller disposes; a training step returns a promise of an array of numbers.

const SHAPES = [
  [32, 10],
  [4096, 10],
  [256, 1024],
  [8, 32768],
];

/** The same numbers in every process, between -4 and 4. */
function numbers(count) {
  return Float32Array.from({ length: count }, (_, i) => 4 * Math.sin(i * 12.9898 + 1) * Math.cos(i * 0.37));
}

/** `fast` is the result of register, or undefined for TensorFlow.js alone. @param {number[]} shape */
function functionsOf(tf, fast, shape) {
  const [rows, classes] = shape;
  const x = tf.tensor(numbers(rows * classes), [rows, classes]);
  const targets = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes);
  const indices = tf.tensor(targets, [rows], 'int32');
  const oneHot = tf.oneHot(indices, classes).cast('float32');
  const gradientOf = (loss) => () => tf.grad(loss)(x);
  const transposed = () => tf.transpose(tf.softmax(tf.transpose(x)));
  const [hidden, weights] = [
    tf.tensor(numbers(rows * 64), [rows, 64]),
    tf.tensor(numbers(64 * classes), [64, classes]),
  ];
  // The gradients of a dense layer with respect to its inputs and its weights.
  const gradientsOfProduct = () => {
    const [ofInputs, ofWeights] = tf.grads(tf.matMul)([hidden, weights], x);
    return tf.concat([ofInputs.flatten(), ofWeights.flatten()]);
  };
  return {
    softmax: () => tf.softmax(x),
    'softmax, axis 0': fast === undefined ? transposed : () => fast.softmax(x, 0),
    logSoftmax: () => x.logSoftmax(),
    logSumExp: () => x.logSumExp(1),
    sigmoid: () => tf.sigmoid(x),
    argMax: () => tf.argMax(x, 1),
    'topk, 10': () => tf.topk(x, 10).values,
    'gradient of softmax': gradientOf((x) => tf.softmax(x).mul(x).sum()),
    'cross-entropy with gradient, one-hot': gradientOf((x) => tf.losses.softmaxCrossEntropy(oneHot, x)),
    'cross-entropy with gradient, indices': gradientOf(
      fast === undefined
        ? (x) => tf.losses.softmaxCrossEntropy(tf.oneHot(indices, classes), x)
        : (x) => fast.softmaxCrossEntropy(indices, x),
    ),
    'gradients of matMul, 64 inputs': gradientsOfProduct,
    'binary cross-entropy with gradient': gradientOf((x) => tf.losses.sigmoidCrossEntropy(oneHot, x)),
  };
}

/** Steps of a model with one hidden layer of 64: rows × inputs → classes. */
function stepOf(tf, [rows, inputs, classes], activation, loss) {
  const units = { useBias: true, kernelInitializer: tf.initializers.randomNormal({ seed: 7, stddev: 0.1 }) };
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ ...units, units: 64, inputShape: [inputs], activation: 'relu' }),
      tf.layers.dense({ ...units, units: classes, activation }),
    ],
  });
  model.compile({ optimizer: tf.train.sgd(0.01), loss });
  const x = tf.tensor(numbers(rows * inputs), [rows, inputs]);
  const indices = tf.tensor(
    Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes),
    [rows],
    'int32',
  );
  const labels = tf.oneHot(indices, classes).cast('float32');
  return async () => [await model.trainOnBatch(x, labels)];
}

function stepsOf(tf, fast, shape) {
  const probabilities = () => stepOf(tf, shape, 'softmax', 'categoricalCrossentropy');
  return {
    'step, categoricalCrossentropy': probabilities,
    'step, tf.losses.softmaxCrossEntropy': () =>
      stepOf(tf, shape, 'linear', (y, x) => tf.losses.softmaxCrossEntropy(y, x)),
    // For a program that can be changed: the fused loss of `register` replaces softmax and categoricalCrossentropy.
    'step, categoricalCrossentropy → fused': () =>
      fast === undefined ? probabilities() : stepOf(tf, shape, 'linear', (y, x) => fast.softmaxCrossEntropy(y, x)),
  };
}

const STEPS = [
  [32, 784, 10],
  [64, 64, 10_000],
];

/** The shapes for the slow backend in plain JavaScript, whose speed depends little on the shape. */
const CPU_SHAPES = SHAPES.filter(([rows]) => rows === 32 || rows === 256);

/** The cases by name: calling one sets it up and returns the function to time. @returns {Map<string, () => any>} */
export function casesOf(tf, fast) {
  const cases = new Map();
  for (const shape of tf.getBackend() === 'cpu' ? CPU_SHAPES : SHAPES) {
    const functions = Object.keys(functionsOf(tf, fast, [1, 10]));
    for (const name of functions) {
      cases.set(`${name}: ${shape.join(' × ')}`, () => functionsOf(tf, fast, shape)[name]);
    }
  }
  for (const shape of STEPS) {
    const [rows, inputs, classes] = shape;
    for (const [name, setUp] of Object.entries(stepsOf(tf, fast, shape))) {
      cases.set(`${name}: ${rows} × ${inputs} → ${classes}`, setUp);
    }
  }
  return cases;
}
