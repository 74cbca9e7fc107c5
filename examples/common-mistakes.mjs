// Shows common mistakes with softmax and the losses, and their effect on the numbers. docs/common-mistakes.md explains
// them with the tables that this program prints.
//
//     node examples/common-mistakes.mjs
import {
  argmax,
  bceWithLogitsWithGrad,
  crossEntropy,
  crossEntropyWithGrad,
  inspectLogits,
  logSoftmax,
  nllLoss,
  sigmoid,
  softmax,
} from 'softmax-wasm';
import { short, table } from './lib/table.mjs';

const list = (/** @type {Iterable<number>} */ values) => Array.from(values, short).join(', ');

function show(title, lines) {
  console.log(`${title}\n\n${table(lines)}\n`);
}

/** The gradient with respect to softmax's input, from the gradient with respect to its output p. */
function throughSoftmax(p, gradient) {
  const mean = p.reduce((sum, value, i) => sum + value * gradient[i], 0);
  return p.map((value, i) => value * (gradient[i] - mean));
}

show('Softmax before crossEntropy', [
  ['logits, the first class is right', 'loss', 'gradient', 'loss after softmax', 'gradient'],
  ...[
    [10, 0, 0],
    [2, 0, 0],
    [0, 0, 0],
    [-10, 0, 0],
  ].map((logits) => {
    const right = crossEntropyWithGrad(logits, 0);
    const p = softmax(logits);
    const twice = crossEntropyWithGrad(p, 0);
    return [
      logits.join(', '),
      short(right.loss),
      short(right.grad[0]),
      short(twice.loss),
      short(throughSoftmax(p, twice.grad)[0]),
    ];
  }),
]);

show('Sigmoid before bceWithLogits', [
  ['logit', 'target', 'loss', 'gradient', 'loss after sigmoid', 'gradient'],
  ...[
    [10, 1],
    [-10, 0],
    [-10, 1],
    [10, 0],
  ].map(([logit, target]) => {
    const right = bceWithLogitsWithGrad([logit], [target]);
    const [p] = sigmoid([logit]);
    const twice = bceWithLogitsWithGrad([p], [target]);
    return [
      logit,
      target,
      short(right.loss),
      short(right.grad[0]),
      short(twice.loss),
      short(twice.grad[0] * p * (1 - p)),
    ];
  }),
]);

const labels = [4, 4, 4, -4];
show('Softmax for labels that do not exclude each other', [
  ['logits of four labels, the first three apply', labels.join(', '), 'above 0.5'],
  ...[
    { name: 'sigmoid', values: sigmoid(labels) },
    { name: 'softmax', values: softmax(labels) },
  ].map(({ name, values }) => [name, list(values), values.filter((value) => value > 0.5).length]),
]);

const batch = [2, 1, 0, 5, 1, 0];
show('The wrong axis', [
  ['two examples of three classes', 'probabilities of the first', 'their sum', 'of the second', 'their sum'],
  ...[-1, 0].map((axis) => {
    const p = softmax(batch, { shape: [2, 3], axis });
    const examples = [p.subarray(0, 3), p.subarray(3)];
    return [`axis ${axis}`, ...examples.flatMap((q) => [list(q), short(q.reduce((a, b) => a + b))])];
  }),
]);

show('Softmax before argmax', [
  ['logits', 'argmax', 'softmax, float32', 'argmax of softmax'],
  ...[
    [1, 3, 2],
    [0, 1e-8, 0],
    [-200, -190, 3],
  ].map((logits) => {
    const p = softmax(logits);
    return [logits.join(', '), argmax(logits), list(p), argmax(p)];
  }),
]);

show('Logits taken for probabilities', [
  ['logits, the first class is right', 'nllLoss(logSoftmax(x))', 'nllLoss(x)', '-log x'],
  ...[
    [2, 1, 0.1],
    [20, 10, 1],
    [-2, 1, 0.1],
  ].map((logits) => [
    logits.join(', '),
    short(nllLoss(logSoftmax(logits), 0)),
    short(nllLoss(logits, 0)),
    short(-Math.log(logits[0])),
  ]),
]);

show('The logarithm of softmax', [
  ['logits, the first class is right', 'crossEntropy', '-log of softmax, float32'],
  ...[
    [0, 2],
    [20, 0],
    [0, 60],
    [0, 120],
  ].map((logits) => [
    logits.join(', '),
    short(crossEntropy(logits, 0)),
    short(Math.fround(-Math.log(softmax(logits)[0]))),
  ]),
]);

console.log('What inspectLogits says\n');
const shape = [2, 3];
console.log(`softmax(x): ${inspectLogits(softmax(batch, { shape }), { shape }).warnings}\n`);
console.log(`sigmoid(x): ${inspectLogits(sigmoid(labels.concat(labels)), { shape: [2, 4] }).warnings}\n`);
console.log(`logSoftmax(x): ${inspectLogits(logSoftmax(batch, { shape }), { shape }).warnings}`);
