import { CLASSES, SpiralClassifier } from '../../examples/lib/spiral-classifier.mjs';
import { announcer, make, part, sectionOf } from '../lib/dom.js';
import { LineChart } from '../lib/line-chart.js';
import { EPOCHS, GRID, type Progress } from '../lib/trainer.js';
import type { Command } from './training-worker.js';

/** Colours of Okabe and Ito, which colour-blind readers can tell apart. */
const COLOURS = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
] as const;
const RADIUS = 3;

/** Draws the plane: each place in the mixed colours of its probabilities, and the points on top. */
class Plane {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #small = make('canvas', { width: GRID, height: GRID });
  readonly #spirals: SpiralClassifier['training'];

  constructor(canvas: HTMLCanvasElement, spirals: SpiralClassifier['training']) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d')!;
    this.#spirals = spirals;
  }

  draw(regions: Float32Array | undefined): void {
    const { width, height } = this.#canvas;
    this.#context.clearRect(0, 0, width, height);
    if (regions !== undefined) {
      this.#small.getContext('2d')!.putImageData(mix(regions), 0, 0);
      this.#context.drawImage(this.#small, 0, 0, width, height);
    }
    const { points, labels } = this.#spirals;
    labels.forEach((label, i) => {
      this.#dot((width * (1 + points[2 * i]!)) / 2, (height * (1 - points[2 * i + 1]!)) / 2, label);
    });
  }

  #dot(x: number, y: number, label: number): void {
    const context = this.#context;
    context.beginPath();
    context.arc(x, y, RADIUS, 0, 2 * Math.PI);
    context.fillStyle = `rgb(${COLOURS[label]!.join(' ')})`;
    context.strokeStyle = '#fff';
    context.fill();
    context.stroke();
  }
}

/** The mean of the colours of the classes, weighted with their probabilities. */
function mix(regions: Float32Array): ImageData {
  const image = new ImageData(GRID, GRID);
  for (let place = 0; place < GRID * GRID; place++) {
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0;
      for (let c = 0; c < CLASSES; c++) sum += regions[place * CLASSES + c]! * COLOURS[c]![channel]!;
      image.data[4 * place + channel] = sum;
    }
    image.data[4 * place + 3] = 255;
  }
  return image;
}

export function showTraining(): void {
  const section = sectionOf('training');
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const figures = ['epoch', 'loss', 'accuracy'].map((id) => part(section, id, HTMLElement));
  const plane = new Plane(part(section, 'canvas', HTMLCanvasElement), new SpiralClassifier(EPOCHS).training);
  const chart = new LineChart(
    part(section, 'chart', HTMLDivElement),
    [
      { label: 'epoch', range: [0, EPOCHS] },
      { label: 'loss', range: [0, 1.2] },
    ],
    [{ label: 'loss', colour: '--accent' }],
    [[], []],
  );
  const epochs: number[] = [];
  const losses: number[] = [];
  let worker: Worker | undefined;

  function show({ epoch, loss, accuracy, regions }: Progress): void {
    epochs.push(epoch);
    losses.push(loss);
    const texts = [String(epoch), loss.toFixed(4), `${(100 * accuracy).toFixed(1)} %`];
    texts.forEach((text, i) => {
      figures[i]!.textContent = text;
    });
    plane.draw(regions);
    chart.show([epochs, losses]);
    announce(`Epoch ${texts[0]}: the loss is ${texts[1]}, ${texts[2]} of unseen points are right.`);
  }

  function makeWorker(): Worker {
    const made = new Worker(new URL('./training-worker.ts', import.meta.url), { type: 'module' });
    made.addEventListener('message', ({ data }: MessageEvent<Progress>) => {
      // Messages of a terminated worker may still arrive.
      if (made === worker) show(data);
    });
    return made;
  }

  function command(text: Command): void {
    worker ??= makeWorker();
    worker.postMessage(text);
  }

  function reset(): void {
    worker?.terminate();
    worker = undefined;
    epochs.length = 0;
    losses.length = 0;
    for (const [i, text] of ['0', '–', '–'].entries()) figures[i]!.textContent = text;
    plane.draw(undefined);
    chart.show([[], []]);
  }

  part(section, 'start', HTMLButtonElement).addEventListener('click', () => command('start'));
  part(section, 'pause', HTMLButtonElement).addEventListener('click', () => command('pause'));
  part(section, 'reset', HTMLButtonElement).addEventListener('click', () => {
    reset();
    announce('Nothing has been learned.');
  });
  reset();
}
