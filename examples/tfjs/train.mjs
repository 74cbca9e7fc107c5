// Trains a tf.layers model that predicts the next of 10 000 words, first with TensorFlow.js alone, then with two more
// lines of code that register softmax-wasm. It installs TensorFlow.js into test/tfjs/ (some 300 MB).
//
//     node examples/tfjs/train.mjs [--quick]
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { register } from 'softmax-wasm/tfjs';
import { install } from '../../scripts/install.mjs';
import { createRandom } from '../lib/random.mjs';
import { table } from '../lib/table.mjs';

const QUICK = process.argv.includes('--quick');
const WORDS = 10_000;
/** How many features describe a word, and how many words may follow it. */
const FEATURES = 64;
const SUCCESSORS = 4;
const BATCH = 64;
const STEPS = QUICK ? 15 : 60;
const WARM_UP = 5;

install('test/tfjs');
// In a project of your own: import * as tf from '@tensorflow/tfjs'; import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
const home = new URL('../../test/tfjs/', import.meta.url);
const require = createRequire(home);
const tf = /** @type {any} */ (require('@tensorflow/tfjs'));
const { setWasmPaths } = /** @type {any} */ (require('@tensorflow/tfjs-backend-wasm'));
setWasmPaths(fileURLToPath(new URL('node_modules/@tensorflow/tfjs-backend-wasm/dist/', home)));
await tf.setBackend('wasm');
await tf.ready();

/** A batch of words, the same in every run: the features of each, and the word that follows it. */
function drawBatch(random) {
  const words = Int32Array.from({ length: BATCH }, () => Math.floor(random() * 50));
  const following = words.map((word) => (word * 131 + Math.floor(random() * SUCCESSORS)) % WORDS);
  const features = Float32Array.from({ length: BATCH * FEATURES }, (_, i) => {
    const word = words[Math.floor(i / FEATURES)];
    return Math.sin((word + 1) * ((i % FEATURES) + 1));
  });
  return { x: tf.tensor(features, [BATCH, FEATURES]), y: tf.oneHot(tf.tensor1d(following, 'int32'), WORDS) };
}

function makeModel() {
  const weights = () => tf.initializers.randomNormal({ seed: 1, stddev: 0.1 });
  const hidden = { units: 64, inputShape: [FEATURES], activation: 'relu', kernelInitializer: weights() };
  const logits = { units: WORDS, kernelInitializer: weights() };
  const model = tf.sequential({ layers: [tf.layers.dense(hidden), tf.layers.dense(logits)] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: (y, x) => tf.losses.softmaxCrossEntropy(y, x) });
  return model;
}

/** Trains a new model. Returns the loss of the first and of the last step, and the milliseconds of a step. */
async function train() {
  const random = createRandom(1);
  const model = makeModel();
  const losses = [];
  let start = 0;
  for (let step = 0; step < WARM_UP + STEPS; step++) {
    if (step === WARM_UP) start = performance.now();
    const { x, y } = drawBatch(random);
    losses.push(await model.trainOnBatch(x, y));
    tf.dispose([x, y]);
  }
  const milliseconds = (performance.now() - start) / STEPS;
  model.dispose();
  return { first: losses[0], last: losses.at(-1), milliseconds };
}

const alone = await train();
const fast = register(tf);
const registered = await train();
fast.unregister();

const line = (name, { first, last, milliseconds }) => [
  name,
  first.toFixed(4),
  last.toFixed(4),
  `${milliseconds.toFixed(1)} ms`,
  `${(alone.milliseconds / milliseconds).toFixed(2)} ×`,
];
console.log(`${FEATURES} → 64 → ${WORDS} words, batches of ${BATCH}, ${STEPS} steps on TensorFlow.js's wasm backend\n`);
console.log(
  table([
    ['', 'first loss', 'last loss', 'a step', 'speed'],
    line('TensorFlow.js', alone),
    line('and softmax-wasm', registered),
  ]),
);
console.log("\nThe two lines: import { register } from 'softmax-wasm/tfjs'; register(tf);");
