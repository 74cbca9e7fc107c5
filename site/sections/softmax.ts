import { entropy, sigmoid, softmax } from 'softmax-wasm';
import { type Bar, formatProbability, makeBar } from '../lib/bar.js';
import { announcer, make, onNumberedButtons, part, sectionOf } from '../lib/dom.js';
import { TemperatureSlider } from '../lib/temperature.js';

const INITIAL = [2, 1, 0.1, -1];
const MOST = 10;
const LARGEST = 10;

interface Row {
  readonly slider: HTMLInputElement;
  readonly digits: HTMLOutputElement;
  readonly bars: readonly [softmax: Bar, naive: Bar, sigmoid: Bar];
}

/** Softmax by its formula, without subtracting the maximum. */
function naiveSoftmax(logits: Float64Array, temperature: number): Float64Array {
  const exponentials = logits.map((z) => Math.exp(z / temperature));
  const sum = exponentials.reduce((total, e) => total + e, 0);
  return exponentials.map((e) => e / sum);
}

export function showSoftmax(): void {
  const section = sectionOf('softmax');
  const body = part(section, 'rows', HTMLTableSectionElement);
  const fewer = part(section, 'fewer', HTMLButtonElement);
  const more = part(section, 'more', HTMLButtonElement);
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const temperature = new TemperatureSlider(section, update);
  const sums = [make('td'), make('td'), make('td')] as const;
  const sumName = make('th', { scope: 'row', colSpan: 2 }, 'Sum');
  part(section, 'sums', HTMLTableSectionElement).append(make('tr', {}, sumName, ...sums));
  const rows: Row[] = [];
  let shift = 0;

  function addRow(logit: number): void {
    const name = String.fromCharCode('A'.charCodeAt(0) + rows.length);
    const slider = make('input', { type: 'range', min: String(-LARGEST), max: String(LARGEST), step: '0.1' });
    slider.value = String(logit);
    slider.setAttribute('aria-label', `Logit of class ${name}`);
    slider.addEventListener('input', update);
    const row: Row = { slider, digits: make('output', { ariaLive: 'off' }), bars: [makeBar(), makeBar(), makeBar()] };
    rows.push(row);
    const logitCell = make('td', { className: 'logit' }, slider, row.digits);
    body.append(make('tr', {}, make('th', { scope: 'row' }, name), logitCell, ...row.bars.map(({ cell }) => cell)));
  }

  function reset(): void {
    rows.length = 0;
    shift = 0;
    body.replaceChildren();
    INITIAL.forEach(addRow);
    temperature.goTo(1);
  }

  function update(): void {
    const logits = Float64Array.from(rows, ({ slider }) => Number(slider.value) + shift);
    const columns = [
      softmax(logits, { temperature: temperature.value }),
      naiveSoftmax(logits, temperature.value),
      sigmoid(logits),
    ] as const;
    rows.forEach(({ slider, digits, bars }, i) => {
      digits.value = logits[i]!.toFixed(1);
      slider.setAttribute('aria-valuetext', digits.value);
      bars.forEach((bar, c) => {
        bar.show(columns[c]![i]!);
      });
    });
    columns.forEach((column, c) => {
      sums[c]!.textContent = formatProbability(column.reduce((total, p) => total + p, 0));
    });
    fewer.disabled = rows.length === 2;
    more.disabled = rows.length === MOST;
    announce(summarize(columns[0], entropy(logits, { temperature: temperature.value })));
  }

  onNumberedButtons(section, 'data-temperature', (value) => temperature.goTo(value));
  onNumberedButtons(section, 'data-shift', (value) => {
    shift += value;
    update();
  });
  fewer.addEventListener('click', () => {
    rows.pop();
    body.lastElementChild!.remove();
    update();
  });
  more.addEventListener('click', () => {
    addRow(0);
    update();
  });
  part(section, 'reset', HTMLButtonElement).addEventListener('click', reset);
  reset();
}

function summarize(p: Float64Array, nats: number): string {
  const largest = p.indexOf(Math.max(...p));
  const name = String.fromCharCode('A'.charCodeAt(0) + largest);
  return `${name} is the most probable, ${formatProbability(p[largest]!)}; the entropy is ${nats.toFixed(3)} nats.`;
}
