import { calibrationError, createRandom, fitTemperature, reliabilityDiagram, sample } from 'softmax-wasm';
import { announcer, onNumberedButtons, part, sectionOf, slider } from '../lib/dom.js';
import { TemperatureSlider } from '../lib/temperature.js';

const ROWS = 4000;
const CLASSES = 5;
const SHAPE = [ROWS, CLASSES] as const;
const SPREAD = 4;
const SEED = 1;

/** Logits, and labels that are drawn from their softmax: a classifier that gives these logits is calibrated. */
function makeExamples(): { logits: Float32Array; labels: Int32Array } {
  const random = createRandom(SEED);
  const logits = Float32Array.from({ length: ROWS * CLASSES }, () => SPREAD * (random() - 0.5));
  return { logits, labels: sample(logits, { shape: SHAPE, seed: SEED }) };
}

export function showCalibration(): void {
  const section = sectionOf('calibration');
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const diagram = part(section, 'diagram', HTMLImageElement);
  const temperature = new TemperatureSlider(section, update);
  const factor = slider(section, 'factor', update);
  const examples = makeExamples();
  const cells = Object.fromEntries(
    ['before', 'after', 'nll-before', 'nll-after'].map((id) => [id, part(section, id, HTMLTableCellElement)]),
  );

  function classifierLogits(): Float32Array {
    return examples.logits.map((z) => factor() * z);
  }

  function update(): void {
    const logits = classifierLogits();
    const before = calibrationError(logits, examples.labels, { shape: SHAPE });
    const after = calibrationError(logits, examples.labels, { shape: SHAPE, temperature: temperature.value });
    const shown = { before: before.ece, after: after.ece, 'nll-before': before.nll, 'nll-after': after.nll };
    for (const [id, value] of Object.entries(shown)) cells[id]!.textContent = value.toFixed(4);
    diagram.src = `data:image/svg+xml,${encodeURIComponent(reliabilityDiagram(after))}`;
    diagram.alt = `Reliability diagram of ${ROWS} predictions, ECE ${after.ece.toFixed(4)}`;
    announce(`ECE ${before.ece.toFixed(4)} at temperature 1, ${after.ece.toFixed(4)} at ${temperature.text}.`);
  }

  part(section, 'fit', HTMLButtonElement).addEventListener('click', () => {
    temperature.goTo(fitTemperature(classifierLogits(), examples.labels, { shape: SHAPE }).temperature);
  });
  onNumberedButtons(section, 'data-temperature', (value) => temperature.goTo(value));
  update();
}
