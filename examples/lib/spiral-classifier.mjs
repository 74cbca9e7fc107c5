import { accuracy, crossEntropyWithGrad, softmax } from 'softmax-wasm';
import { batches, rowsOf } from './batches.mjs';
import { Network } from './network.mjs';
import { createRandom } from './random.mjs';
import { makeSpirals } from './spirals.mjs';

export const CLASSES = 3;
export const POINTS = 900;
export const BATCH = 60;
const RATE = 0.05;
const SEED = 7;

/** A small network that learns to tell three spirals apart, with its data. Every run gives the same results. */
export class SpiralClassifier {
  epoch = 0;
  #epochs;
  #random = createRandom(SEED);
  training = makeSpirals(POINTS, CLASSES, this.#random);
  /** Points that are not used for training. */
  unseen = makeSpirals(POINTS, CLASSES, this.#random);
  #network = new Network([2, 48, 48, CLASSES], this.#random);

  /** @param {number} epochs how many epochs the training takes: the learning rate falls towards the end */
  constructor(epochs) {
    this.#epochs = epochs;
  }

  get isDone() {
    return this.epoch === this.#epochs;
  }

  /** Learns from every point once, batch by batch. @returns {number} the mean loss */
  trainEpoch() {
    this.epoch++;
    const rate = RATE * (1 - this.epoch / (this.#epochs + 1));
    const { points, labels } = this.training;
    let total = 0;
    for (const batch of batches(POINTS, BATCH, this.#random)) {
      const shape = [batch.length, CLASSES];
      const logits = this.#network.forward(rowsOf(points, 2, batch), batch.length);
      const { loss, grad } = crossEntropyWithGrad(logits, rowsOf(labels, 1, batch), { shape });
      this.#network.learn(grad, batch.length, rate);
      total += loss * batch.length;
    }
    return total / POINTS;
  }

  /** The probability of each class for each point. @returns {Float32Array<ArrayBuffer>} */
  classify(points) {
    const rows = points.length / 2;
    const logits = this.#network.forward(points, rows);
    return softmax(logits, { shape: [rows, CLASSES], out: logits });
  }

  /** The share of unseen points whose most probable class is the right one. */
  accuracy() {
    const { points, labels } = this.unseen;
    return accuracy(this.#network.forward(points, POINTS), labels, { shape: [POINTS, CLASSES] });
  }
}
