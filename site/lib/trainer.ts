import { accuracy, crossEntropyWithGrad, softmax } from 'softmax-wasm';
import { batches, rowsOf } from '../../examples/lib/batches.mjs';
import { Network } from '../../examples/lib/network.mjs';
import { createRandom } from '../../examples/lib/random.mjs';
import { makeSpirals } from '../../examples/lib/spirals.mjs';

export const POINTS = 900;
export const CLASSES = 3;
export const EPOCHS = 80;
/** The regions are looked at in so many places across and down. */
export const GRID = 96;
const BATCH = 60;
const RATE = 0.05;
/** Its first points are those that are learned from. */
export const SEED = 7;

export interface Progress {
  readonly epoch: number;
  /** The mean over the epoch's batches. */
  readonly loss: number;
  /** On points that were not learned from. */
  readonly accuracy: number;
  /** The probability of each class, of shape [GRID, GRID, CLASSES], from the upper left. */
  readonly regions: Float32Array<ArrayBuffer>;
}

/** The places of the grid, in the square from −1 to 1. */
function makeGrid(): Float32Array {
  const at = (i: number) => (2 * (i + 0.5)) / GRID - 1;
  return Float32Array.from({ length: GRID * GRID * 2 }, (_, k) => {
    const place = k >> 1;
    return k % 2 === 0 ? at(place % GRID) : -at(Math.floor(place / GRID));
  });
}

/** The classifier of three spirals that `npm start` trains, epoch by epoch. */
export class Trainer {
  readonly #random = createRandom(SEED);
  readonly #training = makeSpirals(POINTS, CLASSES, this.#random);
  readonly #unseen = makeSpirals(POINTS, CLASSES, this.#random);
  readonly #network = new Network([2, 48, 48, CLASSES], this.#random);
  readonly #grid = makeGrid();
  #epoch = 0;

  get isDone(): boolean {
    return this.#epoch === EPOCHS;
  }

  trainEpoch(): Progress {
    this.#epoch++;
    const rate = RATE * (1 - this.#epoch / (EPOCHS + 1));
    let total = 0;
    for (const batch of batches(POINTS, BATCH, this.#random)) {
      const logits: Float32Array = this.#network.forward(rowsOf(this.#training.points, 2, batch), batch.length);
      const labels: Int32Array = rowsOf(this.#training.labels, 1, batch);
      const { loss, grad } = crossEntropyWithGrad(logits, labels, { shape: [batch.length, CLASSES] });
      this.#network.learn(grad, batch.length, rate);
      total += loss * batch.length;
    }
    return { epoch: this.#epoch, loss: total / POINTS, accuracy: this.#accuracy(), regions: this.#regions() };
  }

  #accuracy(): number {
    const logits: Float32Array = this.#network.forward(this.#unseen.points, POINTS);
    return accuracy(logits, this.#unseen.labels, { shape: [POINTS, CLASSES] });
  }

  #regions(): Float32Array<ArrayBuffer> {
    const logits: Float32Array<ArrayBuffer> = this.#network.forward(this.#grid, GRID * GRID);
    softmax(logits, { shape: [GRID * GRID, CLASSES], out: logits });
    return logits;
  }
}
