// Computes the attention weights of a batch: two sentences of different lengths, and two heads. A single call of
// softmax turns all scores into weights, in place. A mask of one byte for each key of each sentence leaves out the
// padding, and `causal` keeps each word from looking ahead.
//
//     node examples/attention.mjs
import { softmax } from 'softmax-wasm';
import { drawShades } from './lib/picture.mjs';
import { createRandom, normal } from './lib/random.mjs';

const SENTENCES = ['the cat that the dog chased hid where the dog never looks', 'a rose is a rose is a rose'];
const WORDS = SENTENCES.map((sentence) => sentence.split(' '));
const HEADS = ['the same word', 'the word before'];
const SIZE = 16;
const LENGTH = Math.max(...WORDS.map((words) => words.length));
const SHAPE = [WORDS.length, HEADS.length, LENGTH, LENGTH];

/** A vector for each distinct word. */
function makeVocabulary(random) {
  const vectors = new Map();
  for (const word of WORDS.flat()) {
    if (!vectors.has(word)) {
      vectors.set(
        word,
        Array.from({ length: SIZE }, () => normal(random)),
      );
    }
  }
  return vectors;
}

/** A vector for a place in a sentence: waves of several lengths, as in positional encodings. */
function placeVector(place) {
  return Array.from({ length: SIZE }, (_, i) => 2.5 * Math.cos(place / 1.5 ** (i >> 1) - (i % 2 ? Math.PI / 2 : 0)));
}

/** A word's query and key in a head, which a network would have learned. Padding has no word, and NaN as its key. */
function queryAndKey(head, word, place, vocabulary) {
  if (word === undefined) return { query: Array(SIZE).fill(0), key: Array(SIZE).fill(NaN) };
  const vector = vocabulary.get(word);
  return head === 0 ? { query: vector, key: vector } : { query: placeVector(place - 1), key: placeVector(place) };
}

/** Scores of shape [sentences, heads, queries, keys]: the dot product of each query and key. */
function makeScores(vocabulary) {
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const places = Array.from({ length: LENGTH }, (_, place) => place);
  const scores = WORDS.flatMap((words) =>
    HEADS.flatMap((_, head) => {
      const vectors = places.map((place) => queryAndKey(head, words[place], place, vocabulary));
      return vectors.flatMap(({ query }) => vectors.map(({ key }) => dot(query, key)));
    }),
  );
  return Float32Array.from(scores);
}

const scores = makeScores(makeVocabulary(createRandom(4)));
const isWord = Uint8Array.from({ length: WORDS.length * LENGTH }, (_, i) =>
  Number(i % LENGTH < WORDS[Math.floor(i / LENGTH)].length),
);

const weights = softmax(scores, {
  shape: SHAPE,
  temperature: Math.sqrt(SIZE),
  mask: { data: isWord, shape: [WORDS.length, 1, 1, LENGTH] },
  causal: true,
  out: scores,
});

/** The weights of a sentence and a head, with a row for each query. */
function rowsOf(sentence, head) {
  const start = (sentence * HEADS.length + head) * LENGTH;
  return Array.from({ length: LENGTH }, (_, i) => weights.subarray((start + i) * LENGTH, (start + i + 1) * LENGTH));
}

const isLeftOut = (words, i, j) => j >= words.length || j > i;

/** @throws Error unless the row sums to 1 and the weights of what is left out are exactly 0 */
function checkRow(words, row, i) {
  const sum = row.reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - 1) < 1e-6)) throw new Error(`row ${i} of "${words.join(' ')}" sums to ${sum}`);
  if (row.some((weight, j) => isLeftOut(words, i, j) && weight !== 0)) {
    throw new Error(`row ${i} of "${words.join(' ')}" looks at what is left out`);
  }
}

const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const margin = Math.max(...WORDS.flat().map((word) => word.length)) + 2;
for (const [sentence, words] of WORDS.entries()) {
  const heads = HEADS.map((_, head) => rowsOf(sentence, head));
  for (const rows of heads) for (const [i, row] of rows.entries()) checkRow(words, row, i);
  console.log(' '.repeat(margin) + HEADS[0].padEnd(2 * LENGTH + 4) + HEADS[1]);
  for (const [i, word] of words.entries()) {
    const shown = heads.map((rows) => Array.from(rows[i], (weight, j) => (isLeftOut(words, i, j) ? null : weight)));
    console.log((word.padEnd(margin) + shown.map((row) => drawShades(row, { colour })).join('    ')).trimEnd());
  }
  console.log('');
}
console.log(
  `A row is a word, its columns the words it looks at; · is left out: what comes later, and the padding of the shorter
sentence. The first head finds each word again where it stood before, the second one looks one place back.

Checked: all ${weights.length / LENGTH} rows sum to 1, and what is left out is exactly 0, though the keys of the padding hold no numbers.`,
);
