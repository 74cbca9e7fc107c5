// Computes the cross-entropy over a vocabulary that is split between workers: each file has the logits of some classes
// of every row. Each worker adds its slice to a state. The merged state gives the loss, and each worker computes from
// it the gradient of its own slice.
//
//     node make-shards.mjs && node vocabulary.mjs [--runner=direct] [--folder=work]
//
// The options go to Beam's runner. Then the same is computed in one call on all classes, and both are compared.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as beam from 'apache-beam';
import { createRunner } from 'apache-beam/runners/runner';
import { singletonSideInput } from 'apache-beam/transforms/pardo';
import { crossEntropyWithGrad } from 'softmax-wasm';
import functions from './functions.cjs';
import npy from './npy.cjs';
import { readOptions } from './options.mjs';

const { folder, ...runnerOptions } = readOptions();
const targets = join(folder, 'slices', 'targets.npy');
const slices = readdirSync(join(folder, 'slices'))
  .filter((name) => name.endsWith('.logits.npy'))
  .map((name) => {
    const logits = join(folder, 'slices', name);
    // A file's name begins with the first class of its slice.
    return { logits, targets, gradient: logits.replace('.logits.', '.gradient.'), offset: Number.parseInt(name, 10) };
  });

await createRunner(runnerOptions).run((root) => {
  const chunks = root.apply(beam.create(slices));
  const merged = chunks
    .map(functions.addClasses)
    .apply(beam.groupGlobally().combining('state', functions.mergeCrossEntropy, 'state'));
  merged.map(functions.writeLoss, { folder });
  chunks.map(functions.writeGradient, { whole: singletonSideInput(merged) });
});

const whole = inOneCall();
const loss = JSON.parse(readFileSync(join(folder, 'loss.json'), 'utf8'));
console.log(`${slices.length} slices of ${whole.classes / slices.length} classes, ${whole.rows} rows\n`);
console.log(`loss in the pipeline   ${loss}`);
console.log(`loss in one call       ${whole.loss}`);
expectClose('loss', loss, whole.loss, 1e-6 * whole.loss);

let worst = 0;
for (const { gradient, offset } of slices) {
  const { data, shape } = npy.readNpy(gradient);
  data.forEach((value, at) => {
    const expected = whole.grad[Math.floor(at / shape[1]) * whole.classes + offset + (at % shape[1])];
    worst = Math.max(worst, Math.abs(value - expected) / Math.abs(expected));
  });
}
console.log(`gradients are within ${worst.toExponential(1)} of those in one call, relative to their size`);
expectClose('the worst gradient', worst, 0, 1e-6);

/** The loss and its gradient, computed in one call on all classes. */
function inOneCall() {
  const parts = slices.map(({ logits, offset }) => ({ ...npy.readNpy(logits), offset }));
  const rows = parts[0].shape[0];
  const classes = parts.reduce((sum, { shape }) => sum + shape[1], 0);
  const x = new Float32Array(rows * classes);
  for (const { data, shape, offset } of parts) {
    for (let row = 0; row < rows; row++) {
      x.set(data.subarray(row * shape[1], (row + 1) * shape[1]), row * classes + offset);
    }
  }
  const options = { shape: [rows, classes] };
  return { rows, classes, ...crossEntropyWithGrad(x, npy.readNpy(targets).data, options) };
}

/** @throws Error unless both are within a tolerance: that of float32, the type of logits and gradients */
function expectClose(what, actual, expected, tolerance) {
  if (!(Math.abs(actual - expected) <= tolerance)) throw new Error(`${what} is ${actual}, expected ${expected}`);
}
