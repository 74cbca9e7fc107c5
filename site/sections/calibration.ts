import { calibrationError, createRandom, fitTemperature, reliabilityDiagram, sample } from 'softmax-wasm';
import { announcer, onNumberedButtons, part, sectionOf, slider } from '../lib/dom.js';
import { TemperatureSlider } from '../lib/temperature.js';

const ROWS = 4000;
const CLASSES = 5;
const SHAPE = [ROWS, CLASSES] as const;
const SPREAD = 4;
const SEED = 1;

/** Logits, and labels drawn from their softmax: a classifier with these logits is calibrated. */
function makeExamples(): { logits: Float32Array; labels: Int32Array } {
  const random = createRandom(SEED);
  const logits = Float32Array.from({ length: ROWS * CLASSES }, () => SPREAD * (random() - 0.5));
  return { logits, labels: sample(logits, { shape: SHAPE, seed: SEED }) };
}

export function showCalibration(): void {
  const section = sectionOf('calibration');
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const temperature = new TemperatureSlider(section, update);
  const factor = slider(section, 'factor', update);
  const examples = makeExamples();
  function classifierLogits(): Float32Array {
    return examples.logits.map((z) => factor() * z);
  }

  function update(): void {
    const logits = classifierLogits();
    const before = show('before', calibrationError(logits, examples.labels, { shape: SHAPE }));
    const after = show(
      'after',
      calibrationError(logits, examples.labels, { shape: SHAPE, temperature: temperature.value }),
    );
    announce(`ECE ${before} at temperature 1, ${after} at ${temperature.text}.`);
  }

  /** Shows the diagram and the figures of one temperature. @returns its ECE in digits */
  function show(when: 'before' | 'after', error: ReturnType<typeof calibrationError>): string {
    const ece = error.ece.toFixed(4);
    part(section, `ece-${when}`, HTMLTableCellElement).textContent = ece;
    part(section, `nll-${when}`, HTMLTableCellElement).textContent = error.nll.toFixed(4);
    const diagram = part(section, `diagram-${when}`, HTMLImageElement);
    diagram.src = `data:image/svg+xml,${encodeURIComponent(reliabilityDiagram(error))}`;
    diagram.alt = `Reliability diagram of ${ROWS} predictions, ECE ${ece}`;
    return ece;
  }

  part(section, 'fit', HTMLButtonElement).addEventListener('click', () => {
    temperature.goTo(fitTemperature(classifierLogits(), examples.labels, { shape: SHAPE }).temperature);
  });
  onNumberedButtons(section, 'data-temperature', (value) => temperature.goTo(value));
  update();
}
