// Trains a small classifier on three spirals, batch by batch: loss and gradient come from crossEntropyWithGrad,
// probabilities from softmax. Then it draws what was learned, and times softmax against plain JavaScript.
//
//     node examples/train-classifier.mjs [--quick]
import { accuracy, argmax, backendInfo, crossEntropyWithGrad, softmax } from 'softmax-wasm';
import { batches, rowsOf } from './lib/batches.mjs';
import { Network } from './lib/network.mjs';
import { drawRegions } from './lib/picture.mjs';
import { createRandom } from './lib/random.mjs';
import { compareWithPlain } from './lib/speed.mjs';
import { makeSpirals } from './lib/spirals.mjs';

const QUICK = process.argv.includes('--quick');
const CLASSES = 3;
const POINTS = 900;
const BATCH = 60;
const EPOCHS = QUICK ? 20 : 80;
const NAMES = ['A', 'B', 'C'];

function trainEpoch(network, { points, labels }, rate, random) {
  let total = 0;
  for (const batch of batches(POINTS, BATCH, random)) {
    const logits = network.forward(rowsOf(points, 2, batch), batch.length);
    const { loss, grad } = crossEntropyWithGrad(logits, rowsOf(labels, 1, batch), { shape: [batch.length, CLASSES] });
    network.learn(grad, batch.length, rate);
    total += loss * batch.length;
  }
  return total / POINTS;
}

/** The probability of each class for each point. */
function classify(network, points) {
  const rows = points.length / 2;
  return softmax(network.forward(points, rows), { shape: [rows, CLASSES] });
}

/** The share of points whose likeliest class is their own. */
function share(network, { points, labels }) {
  return accuracy(network.forward(points, POINTS), labels, { shape: [POINTS, CLASSES] });
}

const random = createRandom(7);
const training = makeSpirals(POINTS, CLASSES, random);
const unseen = makeSpirals(POINTS, CLASSES, random);
const network = new Network([2, 48, 48, CLASSES], random);

console.log(`Three spirals of ${POINTS / CLASSES} points, batches of ${BATCH}, softmax on ${backendInfo().name}\n`);
console.log('epoch    loss   accuracy on unseen points');
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  const loss = trainEpoch(network, training, 0.05 * (1 - epoch / (EPOCHS + 1)), random);
  if (epoch > 3 && epoch % (EPOCHS / 10) > 0) continue;
  const percent = (100 * share(network, unseen)).toFixed(1);
  console.log(`${String(epoch).padStart(5)}${loss.toFixed(4).padStart(8)}${percent.padStart(8)} %`);
}

console.log('\nA few unseen points, and what the classifier says');
const probabilities = classify(network, unseen.points);
const predicted = argmax(probabilities, { shape: [POINTS, CLASSES] });
for (let i = 0; i < 6; i++) {
  const [x, y] = unseen.points.subarray(2 * i, 2 * i + 2);
  const chances = NAMES.map((name, c) => `${name} ${(100 * probabilities[i * CLASSES + c]).toFixed(1).padStart(5)} %`);
  const verdict = predicted[i] === unseen.labels[i] ? 'right' : `wrong, it is ${NAMES[unseen.labels[i]]}`;
  console.log(`  (${x.toFixed(2).padStart(5)}, ${y.toFixed(2).padStart(5)})   ${chances.join('   ')}   ${verdict}`);
}

console.log('\nThe plane as it sees it');
const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
console.log(drawRegions((points) => classify(network, points), CLASSES, { colour }));

console.log('\nSoftmax of float32 logits: microseconds a call, best of many, both results checked equal first');
console.log(
  compareWithPlain(
    [
      [1, 10],
      [BATCH, CLASSES],
      [256, 1024],
      [8, 32768],
    ],
    QUICK ? 100 : 400,
  ),
);
