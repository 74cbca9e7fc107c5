import { SpiralClassifier } from '../../examples/lib/spiral-classifier.mjs';

export const EPOCHS = 80;
/** The number of places, across and down, at which the regions are computed. */
export const GRID = 96;

export interface Progress {
  readonly epoch: number;
  /** The mean over the epoch's batches. */
  readonly loss: number;
  /** The accuracy on points that were not used for training. */
  readonly accuracy: number;
  /** The probability of each class in each place, of shape [GRID, GRID, CLASSES], beginning at the upper left. */
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

/** Trains the classifier of `npm start`, epoch by epoch, and reports what it has learned. */
export class Trainer {
  readonly #classifier = new SpiralClassifier(EPOCHS);
  readonly #grid = makeGrid();

  get isDone(): boolean {
    return this.#classifier.isDone;
  }

  trainEpoch(): Progress {
    const loss = this.#classifier.trainEpoch();
    const { epoch } = this.#classifier;
    return { epoch, loss, accuracy: this.#classifier.accuracy(), regions: this.#classifier.classify(this.#grid) };
  }
}
