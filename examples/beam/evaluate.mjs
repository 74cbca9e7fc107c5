// Evaluates a classifier over many files of logits and labels: loss, perplexity, accuracy, calibration and a
// reliability diagram. Each shard becomes a few states, which the runner merges in any order.
//
//     node make-shards.mjs && node evaluate.mjs [--runner=direct] [--folder=work]
//
// The options go to Beam's runner. Then the same is computed in one call on all rows, and both are printed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as beam from 'apache-beam';
import { createRunner } from 'apache-beam/runners/runner';
import { accuracy, calibrationError, crossEntropy, perplexity } from 'softmax-wasm';
import functions from './functions.cjs';
import npy from './npy.cjs';
import { readOptions } from './options.mjs';

const { folder, ...runnerOptions } = readOptions();
const shards = readdirSync(join(folder, 'shards'))
  .filter((name) => name.endsWith('.logits.npy'))
  .map((name) => join(folder, 'shards', name))
  .map((logits) => ({ logits, labels: logits.replace('.logits.', '.labels.') }));

await createRunner(runnerOptions).run((root) => {
  root
    .apply(beam.create(shards))
    .map(functions.evaluateShard)
    .apply(
      beam
        .groupGlobally()
        .combining('loss', functions.mergeLoss, 'loss')
        .combining('perplexity', functions.mergePerplexity, 'perplexity')
        .combining('accuracy', functions.mergeAccuracy, 'accuracy')
        .combining('top5', functions.mergeAccuracy, 'top5')
        .combining('calibration', functions.mergeCalibration, 'calibration'),
    )
    .map(functions.writeReport, { folder });
});

const merged = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
const whole = inOneCall();
const compared = {
  loss: [merged.loss, whole.loss],
  perplexity: [merged.perplexity, whole.perplexity],
  accuracy: [merged.accuracy, whole.accuracy],
  'top-5 accuracy': [merged.top5, whole.top5],
  ECE: [merged.calibration.ece, whole.calibration.ece],
  MCE: [merged.calibration.mce, whole.calibration.mce],
  'Brier score': [merged.calibration.brier, whole.calibration.brier],
};

console.log(`${shards.length} shards, ${whole.rows} rows\n`);
console.log(['', 'pipeline', 'one call'].map((text, i) => text.padEnd(i === 0 ? 16 : 24)).join(''));
for (const [name, values] of Object.entries(compared)) {
  console.log(name.padEnd(16) + values.map((value) => String(value).padEnd(24)).join(''));
  expectSame(name, ...values);
}
merged.calibration.bins.forEach((bin, i) => {
  const other = whole.calibration.bins[i];
  expectSame(`bin ${i}: count`, bin.count, other.count, 0);
  // An empty bin has no confidence and no accuracy.
  if (bin.count === 0) return;
  expectSame(`bin ${i}: confidence`, bin.confidence, other.confidence);
  expectSame(`bin ${i}: accuracy`, bin.accuracy, other.accuracy);
});
console.log(`${merged.calibration.bins.length} bins the same; the diagram: ${join(folder, 'reliability.svg')}`);

/** The same figures, computed in one call on all rows. */
function inOneCall() {
  const parts = shards.map(({ logits, labels }) => ({ logits: npy.readNpy(logits), labels: npy.readNpy(labels) }));
  const [{ logits: first }] = parts;
  const classes = first.shape[1];
  const rows = parts.reduce((sum, { labels }) => sum + labels.data.length, 0);
  const x = new Float32Array(rows * classes);
  const targets = new Int32Array(rows);
  let row = 0;
  for (const { logits, labels } of parts) {
    x.set(logits.data, row * classes);
    targets.set(labels.data, row);
    row += labels.data.length;
  }
  const options = { shape: [rows, classes] };
  return {
    rows,
    loss: crossEntropy(x, targets, options),
    perplexity: perplexity(x, targets, options),
    accuracy: accuracy(x, targets, options),
    top5: accuracy(x, targets, { ...options, k: 5 }),
    calibration: calibrationError(x, targets, options),
  };
}

/** @throws Error unless both are the same up to the rounding of float64 sums */
function expectSame(what, actual, expected, tolerance = 1e-12) {
  if (!(Math.abs(actual - expected) <= tolerance * Math.abs(expected))) {
    throw new Error(`${what}: ${actual} in the pipeline, ${expected} in one call`);
  }
}
