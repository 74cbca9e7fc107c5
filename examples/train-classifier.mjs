// Trains a small classifier on three spirals, batch by batch (lib/spiral-classifier.mjs): crossEntropyWithGrad computes
// the loss and its gradient, softmax the probabilities. Then it draws what the classifier has learned, and times
// softmax against plain JavaScript.
//
//     node examples/train-classifier.mjs [--quick]
import { argmax, backendInfo } from 'softmax-wasm';
import { drawRegions } from './lib/picture.mjs';
import { compareWithPlain } from './lib/speed.mjs';
import { BATCH, CLASSES, POINTS, SpiralClassifier } from './lib/spiral-classifier.mjs';

const QUICK = process.argv.includes('--quick');
const EPOCHS = QUICK ? 20 : 80;
const NAMES = ['A', 'B', 'C'];

const classifier = new SpiralClassifier(EPOCHS);

console.log(`Three spirals of ${POINTS / CLASSES} points, batches of ${BATCH}, softmax on ${backendInfo().name}\n`);
console.log('epoch    loss   accuracy on unseen points');
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  const loss = classifier.trainEpoch();
  if (epoch > 3 && epoch % (EPOCHS / 10) > 0) continue;
  const percent = (100 * classifier.accuracy()).toFixed(1);
  console.log(`${String(epoch).padStart(5)}${loss.toFixed(4).padStart(8)}${percent.padStart(8)} %`);
}

console.log('\nA few unseen points, and what the classifier says');
const { unseen } = classifier;
const probabilities = classifier.classify(unseen.points);
const predicted = argmax(probabilities, { shape: [POINTS, CLASSES] });
for (let i = 0; i < 6; i++) {
  const [x, y] = unseen.points.subarray(2 * i, 2 * i + 2);
  const chances = NAMES.map((name, c) => `${name} ${(100 * probabilities[i * CLASSES + c]).toFixed(1).padStart(5)} %`);
  const verdict = predicted[i] === unseen.labels[i] ? 'right' : `wrong, it is ${NAMES[unseen.labels[i]]}`;
  console.log(`  (${x.toFixed(2).padStart(5)}, ${y.toFixed(2).padStart(5)})   ${chances.join('   ')}   ${verdict}`);
}

console.log('\nThe plane as it sees it');
const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
console.log(drawRegions((points) => classifier.classify(points), CLASSES, { colour }));

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
