// Trains a network on labels that do not exclude each other: a point may lie in several regions of the plane, or in
// none. bceWithLogitsWithGrad treats every label as a question of its own, and posWeight compensates for rare labels.
//
//     node examples/multi-label.mjs [--quick]
import { bceWithLogitsWithGrad, sigmoid } from 'softmax-wasm';
import { batches, rowsOf } from './lib/batches.mjs';
import { Network } from './lib/network.mjs';
import { createRandom, normal } from './lib/random.mjs';
import { table } from './lib/table.mjs';

const QUICK = process.argv.includes('--quick');
const POINTS = 2000;
const BATCH = 50;
const EPOCHS = QUICK ? 10 : 40;

/** The labels, from common to rare. */
const REGIONS = [
  { name: 'left', holds: (x) => x < 0 },
  { name: 'ring', holds: (x, y) => Math.abs(Math.hypot(x, y) - 0.7) < 0.15 },
  { name: 'disc', holds: (x, y) => Math.hypot(x - 0.4, y - 0.3) < 0.35 },
  { name: 'spot', holds: (x, y) => Math.hypot(x + 0.3, y + 0.4) < 0.2 },
];
const LABELS = REGIONS.length;

/** Points in the square from -1 to 1, with noise: a label belongs to the point before its noise was added. */
function makePoints(random) {
  const points = new Float32Array(POINTS * 2);
  const labels = new Uint8Array(POINTS * LABELS);
  for (let i = 0; i < POINTS; i++) {
    const place = [2 * random() - 1, 2 * random() - 1];
    points.set(
      place.map((value) => value + 0.08 * normal(random)),
      2 * i,
    );
    labels.set(
      REGIONS.map(({ holds }) => Number(holds(...place))),
      LABELS * i,
    );
  }
  return { points, labels };
}

function trainEpoch(network, { points, labels }, rate, random, posWeight) {
  let total = 0;
  for (const batch of batches(POINTS, BATCH, random)) {
    const logits = network.forward(rowsOf(points, 2, batch), batch.length);
    const { loss, grad } = bceWithLogitsWithGrad(logits, rowsOf(labels, LABELS, batch), {
      shape: [batch.length, LABELS],
      posWeight,
    });
    network.learn(grad, batch.length, rate);
    total += loss * batch.length;
  }
  return total / POINTS;
}

/** The precision and the recall of each label, and the share of the points that have it. */
function scores(network, { points, labels }) {
  const logits = network.forward(points, POINTS);
  return REGIONS.map((_, label) => {
    let predicted = 0;
    let positive = 0;
    let both = 0;
    for (let at = label; at < logits.length; at += LABELS) {
      // A logit above 0 means a probability above one half.
      if (logits[at] > 0) predicted++;
      if (labels[at]) positive++;
      if (logits[at] > 0 && labels[at]) both++;
    }
    return { share: positive / POINTS, precision: predicted > 0 ? both / predicted : 1, recall: both / positive };
  });
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

const random = createRandom(3);
const training = makePoints(random);
const unseen = makePoints(random);
const shareOf = (label) => training.labels.filter((_, at) => at % LABELS === label).reduce((a, b) => a + b) / POINTS;
// The square root of the ratio of negatives to positives: the whole ratio would cost too much precision.
const posWeight = REGIONS.map((_, label) => Math.sqrt(1 / shareOf(label) - 1));

/** @param weights the posWeight of each label, or undefined */
function train(weights) {
  const same = createRandom(5);
  const network = new Network([2, 32, 32, LABELS], same);
  console.log(
    `\n${weights ? `posWeight ${weights.map((w) => w.toFixed(1)).join(', ')}` : 'Without posWeight'}\nepoch    loss`,
  );
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    const loss = trainEpoch(network, training, 0.1 * (1 - epoch / (EPOCHS + 1)), same, weights);
    if (epoch === 1 || epoch % (EPOCHS / 5) === 0)
      console.log(`${String(epoch).padStart(5)}${loss.toFixed(4).padStart(8)}`);
  }
  return network;
}

console.log(`${POINTS} points, each with some of the labels ${REGIONS.map(({ name }) => name).join(', ')}, or none`);
const plain = train(undefined);
const weighted = train(posWeight);

console.log('\nOn unseen points\n');
const pairs = [plain, weighted].map((network) => scores(network, unseen));
console.log(
  table([
    ['label', 'points', 'precision', 'recall', 'with posWeight: precision', 'recall'],
    ...REGIONS.map(({ name }, label) => [
      name,
      percent(pairs[0][label].share),
      ...pairs.flatMap((result) => [percent(result[label].precision), percent(result[label].recall)]),
    ]),
  ]),
);

console.log('\nA few unseen points, and what the network with posWeight says\n');
/** @type {Float32Array} */
const logits = weighted.forward(unseen.points, POINTS);
const few = Array.from({ length: POINTS }, (_, i) => i)
  .filter((i) => unseen.labels[i * LABELS + LABELS - 1])
  .slice(0, 2);
console.log(
  table([
    ['point', ...REGIONS.map(({ name }) => name), 'it has'],
    ...[0, 1, 2, 3, ...few].map((i) => {
      const [x, y] = unseen.points.subarray(2 * i, 2 * i + 2);
      const row = logits.subarray(LABELS * i, LABELS * (i + 1));
      const names = REGIONS.filter((_, label) => unseen.labels[LABELS * i + label]).map(({ name }) => name);
      return [`(${x.toFixed(2)}, ${y.toFixed(2)})`, ...Array.from(sigmoid(row), percent), names.join(' ') || 'none'];
    }),
  ]),
);
