import { createRandom, entropy, softmax } from 'softmax-wasm';
import { announcer, make, part, sectionOf } from '../lib/dom.js';
import { TemperatureSlider } from '../lib/temperature.js';

const PAD = '–';
const WORDS = ['the', 'cat', 'saw', 'the', 'dog', 'and', 'hid', PAD];
const COUNT = WORDS.length;
const SHAPE = [COUNT, COUNT];
const SIZE = 16;
const SEED = 3;

/** Each query times each key. Both are the word's vector here, so that a word attends to equal words. */
function makeScores(): Float32Array {
  const random = createRandom(SEED);
  const vocabulary = new Map([...new Set(WORDS)].map((word) => [word, makeVector(random)]));
  const vectors = WORDS.map((word) => vocabulary.get(word)!);
  const product = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return Float32Array.from(vectors.flatMap((query) => vectors.map((key) => product(query, key))));
}

/** A vector of elements with variance 1. */
function makeVector(random: () => number): number[] {
  return Array.from({ length: SIZE }, () => Math.sqrt(12) * (random() - 0.5));
}

export function showAttention(): void {
  const section = sectionOf('attention');
  const announce = announcer(part(section, 'summary', HTMLParagraphElement));
  const causal = part(section, 'causal', HTMLInputElement);
  const padding = part(section, 'padding', HTMLInputElement);
  const temperature = new TemperatureSlider(section, update);
  const scores = makeScores();
  const isWord = { data: WORDS.map((word) => word !== PAD), shape: [COUNT] };
  const cells = WORDS.flatMap(() => WORDS.map(makeCell));
  part(section, 'keys', HTMLTableSectionElement).append(
    make('tr', {}, make('td'), ...WORDS.map((word) => make('th', { scope: 'col' }, word))),
  );
  part(section, 'rows', HTMLTableSectionElement).append(
    ...WORDS.map((word, query) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, word),
        ...cells.slice(query * COUNT, (query + 1) * COUNT).map(({ cell }) => cell),
      ),
    ),
  );

  function update(): void {
    const mask = padding.checked ? isWord : undefined;
    const options = { shape: SHAPE, temperature: temperature.value, causal: causal.checked, mask };
    const weights = softmax(scores, options);
    cells.forEach(({ square, digits }, i) => {
      square.style.opacity = String(weights[i]!);
      digits.textContent = weights[i]!.toFixed(2);
    });
    const last = WORDS.indexOf('hid');
    const nats = entropy(weights.map(Math.log), { shape: SHAPE });
    announce(
      `The weights of “hid” have an entropy of ${nats[last]!.toFixed(3)} nats, at most ${Math.log(COUNT).toFixed(3)}.`,
    );
  }

  for (const box of [causal, padding]) box.addEventListener('change', update);
  update();
}

function makeCell() {
  const square = make('span', { className: 'square' });
  const digits = make('span');
  return { cell: make('td', {}, square, digits), square, digits };
}
