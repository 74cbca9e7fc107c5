import { bceWithLogitsWithGrad, crossEntropyWithGrad, softmax, softmaxBackward } from 'softmax-wasm';
import { type Bar, makeBar, makeSignedBar } from '../lib/bar.js';
import { announcer, make, part, sectionOf, slider } from '../lib/dom.js';
import { LineChart } from '../lib/line-chart.js';

const INITIAL = [-2, 4, 1];
const LARGEST = 10;
const LINE = Float64Array.from({ length: 161 }, (_, i) => (i - 80) / 10);

interface Row {
  readonly element: HTMLTableRowElement;
  readonly right: HTMLInputElement;
  readonly logit: HTMLInputElement;
  readonly digits: HTMLOutputElement;
  readonly bars: readonly [p: Bar, gradient: Bar, twice: Bar];
}

export function showLosses(): void {
  const section = sectionOf('losses');
  showCrossEntropy(section);
  showBinary(section);
}

function showCrossEntropy(section: HTMLElement): void {
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const smoothing = slider(section, 'smoothing', update);
  const rows = INITIAL.map((logit, index) => makeRow(logit, index, update));
  part(section, 'rows', HTMLTableSectionElement).append(...rows.map(({ element }) => element));

  function update(): void {
    const logits = Float64Array.from(rows, ({ logit }) => Number(logit.value));
    const target = rows.findIndex(({ right }) => right.checked);
    const options = { labelSmoothing: smoothing() };
    const p = softmax(logits);
    const { loss, grad } = crossEntropyWithGrad(logits, target, options);
    const twice = crossEntropyWithGrad(p, target, options);
    const columns = [p, grad, softmaxBackward(p, twice.grad)] as const;
    rows.forEach(({ digits, bars }, i) => {
      digits.value = logits[i]!.toFixed(1);
      bars.forEach((bar, c) => {
        bar.show(columns[c]![i]!);
      });
    });
    announce(`The loss is ${loss.toFixed(4)}; with softmax twice ${twice.loss.toFixed(4)}.`);
  }

  update();
}

function makeRow(value: number, index: number, onChange: () => void): Row {
  const name = String.fromCharCode('A'.charCodeAt(0) + index);
  const right = make('input', { type: 'radio', name: 'right-class', checked: index === 0 });
  const logit = make('input', { type: 'range', min: String(-LARGEST), max: String(LARGEST), step: '0.1' });
  logit.value = String(value);
  logit.setAttribute('aria-label', `Logit of class ${name}`);
  for (const input of [right, logit]) input.addEventListener('input', onChange);
  const digits = make('output', { ariaLive: 'off' });
  const bars = [makeBar(), makeSignedBar(), makeSignedBar()] as const;
  const element = make(
    'tr',
    {},
    make('th', { scope: 'row' }, make('label', {}, right, ` ${name}`)),
    make('td', { className: 'logit' }, logit, digits),
    ...bars.map(({ cell }) => cell),
  );
  return { element, right, logit, digits, bars };
}

function showBinary(section: HTMLElement): void {
  const announce = announcer(part(section, 'binary', HTMLParagraphElement));
  const z = slider(section, 'z', update, 1);
  const y = slider(section, 'y', update);
  const chart = new LineChart(
    part(section, 'chart', HTMLDivElement),
    [
      { label: 'logit z', range: [-8, 8] },
      { label: 'loss and slope', range: [-1.5, 8.5] },
    ],
    [
      { label: 'loss', colour: '--accent' },
      { label: 'slope', colour: '--wrong', dash: [6, 4] },
      { label: 'loss at z', colour: '--ink', points: true },
    ],
    [LINE, LINE, LINE, LINE],
  );

  function update(): void {
    const { loss, grad } = bceWithLogitsWithGrad(LINE, new Float64Array(LINE.length).fill(y()), { reduction: 'none' });
    const here = bceWithLogitsWithGrad(Float64Array.of(z()), Float64Array.of(y()));
    const mark = Array.from(LINE, (x) => (Math.abs(x - z()) < 0.01 ? here.loss : null));
    chart.show([LINE, loss, grad, mark]);
    announce(`At z = ${z().toFixed(1)} the loss is ${here.loss.toFixed(4)}, its slope ${here.grad[0]!.toFixed(4)}.`);
  }

  update();
}
