// The functions that the pipelines' workers run. Beam sends a function to workers by its name if its module is
// registered, as this one is at its end. Otherwise it sends the source, which cannot work for the functions of a
// library. The module is CommonJS because Beam loads registered modules with require; Node 20.19, 22.12 and later can
// require softmax-wasm.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { requireForSerialization } = require('apache-beam/serialization');
const {
  accuracyState,
  calibrationState,
  crossEntropyState,
  nllState,
  perplexityState,
  reliabilityDiagram,
} = require('softmax-wasm');
const { readNpy, writeNpy } = require('./npy.cjs');

/** The figures of a classifier's evaluation, each with the function that makes its state. */
const FIGURES = {
  loss: nllState,
  perplexity: perplexityState,
  accuracy: accuracyState,
  top5: () => accuracyState({ k: 5 }),
  calibration: calibrationState,
};

/** Evaluates the logits and labels of a shard: a state for each figure, as plain JSON. */
function evaluateShard({ logits, labels }) {
  const { data, shape } = readNpy(logits);
  const targets = readNpy(labels).data;
  const evaluate = (create) => create().add(data, targets, { shape }).toJSON();
  return Object.fromEntries(Object.entries(FIGURES).map(([name, create]) => [name, evaluate(create)]));
}

/** A combiner that merges states; its accumulators have to be plain JSON. */
function merging({ from }, extractOutput) {
  const merge = (total, json) => (total === null ? json : from(total).merge(from(json)).toJSON());
  return {
    createAccumulator: () => null,
    addInput: merge,
    mergeAccumulators: (totals) => [...totals].filter((total) => total !== null).reduce(merge, null),
    extractOutput,
  };
}

const mergeLoss = merging(nllState, (json) => nllState.from(json).value);
const mergePerplexity = merging(perplexityState, (json) => perplexityState.from(json).value);
const mergeAccuracy = merging(accuracyState, (json) => accuracyState.from(json).value);
const mergeCalibration = merging(calibrationState, (json) => calibrationState.from(json).value);
/** Its output is the merged state, from which come the loss and the gradient of each chunk. */
const mergeCrossEntropy = merging(crossEntropyState, (json) => json);

/** Writes the merged figures and the reliability diagram. */
function writeReport(report, { folder }) {
  writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
  writeFileSync(join(folder, 'reliability.svg'), reliabilityDiagram(report.calibration));
  return report;
}

/** Adds the logits of some classes of every row: a state of the cross-entropy, as plain JSON. */
function addClasses({ logits, offset, targets }) {
  const { data, shape } = readNpy(logits);
  const state = crossEntropyState({ rows: shape[0] });
  return { state: state.add(data, { shape, offset, targets: readNpy(targets).data }).toJSON() };
}

/** Writes the gradient of a chunk, computed from the merged state, next to the chunk's logits. */
function writeGradient({ logits, gradient, offset }, { whole }) {
  const { data, shape } = readNpy(logits);
  const state = crossEntropyState.from(whole.lookup().state);
  writeNpy(gradient, state.gradient(data, { shape, offset }), shape);
  return { gradient, loss: state.value };
}

function writeLoss({ state }, { folder }) {
  const { value } = crossEntropyState.from(state);
  writeFileSync(join(folder, 'loss.json'), JSON.stringify(value));
  return value;
}

module.exports = {
  FIGURES,
  evaluateShard,
  mergeLoss,
  mergePerplexity,
  mergeAccuracy,
  mergeCalibration,
  mergeCrossEntropy,
  writeReport,
  addClasses,
  writeGradient,
  writeLoss,
};

requireForSerialization(join(__dirname, 'functions.cjs'), module.exports);
