// Calibrates a classifier. A network is trained on noisy digits, some with wrong labels, until it has memorized them,
// and is then far too confident. fitTemperature finds the temperature for its logits on held-out digits. Reliability
// diagrams of unseen digits, before and after, are written into two SVG files.
//
//     node examples/calibration.mjs [--quick] [FOLDER]
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accuracy, calibrationError, crossEntropyWithGrad, fitTemperature, reliabilityDiagram } from 'softmax-wasm';
import { batches, rowsOf } from './lib/batches.mjs';
import { DIGITS, makeDigits, PIXELS } from './lib/digits.mjs';
import { Network } from './lib/network.mjs';
import { createRandom } from './lib/random.mjs';
import { table } from './lib/table.mjs';

const QUICK = process.argv.includes('--quick');
const FOLDER = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? tmpdir();
const NOISE = 0.3;
const WRONG = 0.15;
const TRAINING = 600;
const EPOCHS = QUICK ? 60 : 150;
const HELD_OUT = 2000;
const UNSEEN = 4000;
const BATCH = 50;

/** Digits, with a label drawn at random for some of them. */
function makeData(count, random) {
  const { pictures, labels } = makeDigits(count, NOISE, random);
  return { pictures, labels: labels.map((label) => (random() < WRONG ? Math.floor(DIGITS * random()) : label)) };
}

function train(network, { pictures, labels }, random) {
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (const batch of batches(labels.length, BATCH, random)) {
      const logits = network.forward(rowsOf(pictures, PIXELS, batch), batch.length);
      const { grad } = crossEntropyWithGrad(logits, rowsOf(labels, 1, batch), { shape: [batch.length, DIGITS] });
      network.learn(grad, batch.length, 0.05 * (1 - epoch / EPOCHS));
    }
  }
}

const random = createRandom(3);
const training = makeData(TRAINING, random);
const heldOut = makeData(HELD_OUT, random);
const unseen = makeData(UNSEEN, random);
const network = new Network([PIXELS, 64, DIGITS], random);
train(network, training, random);

const logitsOf = ({ pictures, labels }) => network.forward(pictures, labels.length);
const shapeOf = ({ labels }) => [labels.length, DIGITS];
const share = (data) => accuracy(logitsOf(data), data.labels, { shape: shapeOf(data) });
const percent = (value) => `${(100 * value).toFixed(1)} %`;
console.log(
  `${percent(WRONG)} of the labels are drawn at random. The network is right about ${percent(share(training))} of`,
);
console.log(`the ${TRAINING} labels it was trained on, and ${percent(share(unseen))} of the unseen ones.\n`);

const fit = fitTemperature(logitsOf(heldOut), heldOut.labels, { shape: shapeOf(heldOut) });
if (!fit.converged) throw new Error(fit.reason);
console.log(`Temperature ${fit.temperature.toFixed(3)}, found on ${HELD_OUT} others in ${fit.iterations} steps.\n`);

const [before, after] = [1, fit.temperature].map((temperature) => {
  return calibrationError(logitsOf(unseen), unseen.labels, { shape: shapeOf(unseen), temperature });
});
const figures = ({ ece, mce, nll, brier }) => [ece, mce, nll, brier].map((figure) => figure.toFixed(4));
console.log(
  table([
    ['unseen digits', 'ECE', 'MCE', 'NLL', 'Brier'],
    ['before', ...figures(before)],
    ['after', ...figures(after)],
  ]),
);

for (const [name, calibration] of Object.entries({ before, after })) {
  const file = join(FOLDER, `reliability-${name}.svg`);
  writeFileSync(file, reliabilityDiagram(calibration, { title: `Unseen digits, ${name} temperature scaling` }));
  console.log(`\n${file}`);
}
