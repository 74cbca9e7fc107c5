import { sample, softmax, topK } from 'softmax-wasm';
import { type Bar, type MarkedBar, makeBar, makeMarkedBar } from '../lib/bar.js';
import { announcer, make, part, sectionOf, slider } from '../lib/dom.js';
import { TemperatureSlider } from '../lib/temperature.js';

const TOKENS = ['mat', 'sofa', 'floor', 'bed', 'chair', 'roof', 'table', 'keyboard', 'moon', 'idea'];
const LOGITS = Float64Array.of(3.2, 2.4, 2.1, 1.9, 1.3, 0.8, 0.6, 0.1, -1.2, -2.5);
const DRAWS = 1000;

interface Filters {
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/** Which classes the filters keep. Only the table needs this, because `sample` applies the filters itself. */
function keptClasses(p: Float64Array, filters: Filters): boolean[] {
  const { values, indices } = topK(p, filters.topK);
  const total = values.reduce((sum, value) => sum + value, 0);
  const kept = new Array<boolean>(p.length).fill(false);
  let before = 0;
  indices.forEach((index, rank) => {
    const value = values[rank]!;
    kept[index] = rank === 0 || (before < filters.topP * total && value >= filters.minP * values[0]!);
    before += value;
  });
  return kept;
}

export function showSampling(): void {
  const section = sectionOf('sampling');
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const seed = part(section, 'seed', HTMLInputElement);
  const temperature = new TemperatureSlider(section, clear);
  const topKOf = slider(section, 'topK', clear, 0);
  const topPOf = slider(section, 'topP', clear);
  const minPOf = slider(section, 'minP', clear);
  const rows = TOKENS.map(makeRow);
  part(section, 'rows', HTMLTableSectionElement).append(...rows.map(({ row }) => row));
  const counts = new Int32Array(TOKENS.length);
  let step = 0;

  function clear(): void {
    counts.fill(0);
    step = 0;
    update();
  }

  function draw(): void {
    // Each draw is a row of the batch, and each press of the button a step of the seed.
    const logits = new Float64Array(DRAWS * TOKENS.length);
    for (let row = 0; row < DRAWS; row++) logits.set(LOGITS, row * TOKENS.length);
    const shape = [DRAWS, TOKENS.length];
    const options = { shape, temperature: temperature.value, ...filters(), seed: Number(seed.value), step };
    for (const token of sample(logits, options)) counts[token]!++;
    step++;
    update();
  }

  function filters(): Filters {
    return { topK: topKOf(), topP: topPOf(), minP: minPOf() };
  }

  function update(): void {
    const p = softmax(LOGITS, { temperature: temperature.value });
    const kept = keptClasses(p, filters());
    const from = softmax(LOGITS, { temperature: temperature.value, mask: kept });
    const draws = step * DRAWS;
    rows.forEach(({ row, bars }, token) => {
      row.classList.toggle('left-out', !kept[token]);
      bars[0].show(p[token]!);
      bars[1].show(from[token]!);
      bars[2].mark(from[token]!);
      bars[2].show(draws === 0 ? 0 : counts[token]! / draws);
    });
    const left = kept.filter(Boolean).length;
    announce(`${left} of ${TOKENS.length} tokens are left; ${draws} draws. ${differenceOf(from, draws)}`);
  }

  /** How far the shares are from the probabilities, in words. */
  function differenceOf(from: Float64Array, draws: number): string {
    if (draws === 0) return '';
    const largest = Math.max(...from.map((p, token) => Math.abs(p - counts[token]! / draws)));
    return `No share is further than ${largest.toFixed(4)} from its probability.`;
  }

  seed.addEventListener('input', () => {
    // Without a valid seed the button is disabled.
    drawButton.disabled = !seed.checkValidity() || seed.value === '';
    clear();
  });
  const drawButton = part(section, 'draw', HTMLButtonElement);
  drawButton.addEventListener('click', draw);
  part(section, 'clear', HTMLButtonElement).addEventListener('click', clear);
  update();
}

function makeRow(token: string): { row: HTMLTableRowElement; bars: readonly [Bar, Bar, MarkedBar] } {
  const bars = [makeBar(), makeBar(), makeMarkedBar()] as const;
  return { row: make('tr', {}, make('th', { scope: 'row' }, token), ...bars.map(({ cell }) => cell)), bars };
}
