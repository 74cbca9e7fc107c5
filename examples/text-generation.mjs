// Trains a small network to predict the next character of a text, then lets it write at several temperatures, with and
// without topP. crossEntropyWithGrad computes the loss and its gradient, and sample draws each character.
//
//     node examples/text-generation.mjs [--quick]
import { crossEntropyWithGrad, sample } from 'softmax-wasm';
import { batches, rowsOf } from './lib/batches.mjs';
import { Network } from './lib/network.mjs';
import { createRandom } from './lib/random.mjs';

const QUICK = process.argv.includes('--quick');
/** How many characters the network sees, and how many it writes. */
const CONTEXT = 7;
const LENGTH = 150;
const EPOCHS = QUICK ? 6 : 24;
const BATCH = 32;
const SEED = 3;

// The beginning of Lewis Carroll's Alice's Adventures in Wonderland, 1865.
const TEXT = `
alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or twice
she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "and what is the use
of a book," thought alice "without pictures or conversations?" so she was considering in her own mind (as well as she
could, for the hot day made her feel very sleepy and stupid), whether the pleasure of making a daisy-chain would be worth
the trouble of getting up and picking the daisies, when suddenly a white rabbit with pink eyes ran close by her. there was
nothing so very remarkable in that; nor did alice think it so very much out of the way to hear the rabbit say to itself,
"oh dear! oh dear! i shall be late!" (when she thought it over afterwards, it occurred to her that she ought to have
wondered at this, but at the time it all seemed quite natural); but when the rabbit actually took a watch out of its
waistcoat-pocket, and looked at it, and then hurried on, alice started to her feet, for it flashed across her mind that she
had never before seen a rabbit with either a waistcoat-pocket, or a watch to take out of it, and burning with curiosity, she
ran across the field after it, and fortunately was just in time to see it pop down a large rabbit-hole under the hedge. in
another moment down went alice after it, never once considering how in the world she was to get out again. the rabbit-hole
went straight on like a tunnel for some way, and then dipped suddenly down, so suddenly that alice had not a moment to
think about stopping herself before she found herself falling down a very deep well.`
  .trim()
  .replaceAll('\n', ' ');

const CHARACTERS = [...new Set(TEXT)].sort();
const CLASSES = CHARACTERS.length;
const TOKENS = Int32Array.from(TEXT, (character) => CHARACTERS.indexOf(character));

/** The tokens before a place, in one-hot encoding. */
function encode(tokens, end, to = new Float32Array(CONTEXT * CLASSES)) {
  for (let i = 1; i <= CONTEXT; i++) to[(i - 1) * CLASSES + tokens[end - i]] = 1;
  return to;
}

/** An example for every place of the text with enough characters before it. */
function makeExamples() {
  const count = TOKENS.length - CONTEXT;
  const contexts = new Float32Array(count * CONTEXT * CLASSES);
  for (let i = 0; i < count; i++) {
    encode(TOKENS, CONTEXT + i, contexts.subarray(i * CONTEXT * CLASSES, (i + 1) * CONTEXT * CLASSES));
  }
  return { count, contexts, next: TOKENS.slice(CONTEXT) };
}

function trainEpoch(network, { count, contexts, next }, rate, random) {
  let total = 0;
  for (const batch of batches(count, BATCH, random)) {
    const logits = network.forward(rowsOf(contexts, CONTEXT * CLASSES, batch), batch.length);
    const { loss, grad } = crossEntropyWithGrad(logits, rowsOf(next, 1, batch), { shape: [batch.length, CLASSES] });
    network.learn(grad, batch.length, rate);
    total += loss * batch.length;
  }
  return total / count;
}

/**
 * Continues a text: each character is drawn from the network's prediction for the ones before it.
 * @param {Network} network
 * @param {string} prompt
 * @param {{ temperature: number, topP?: number }} options
 */
function write(network, prompt, options) {
  const tokens = Array.from(prompt, (character) => CHARACTERS.indexOf(character));
  for (let step = 0; step < LENGTH; step++) {
    const logits = /** @type {Float32Array} */ (network.forward(encode(tokens, tokens.length), 1));
    tokens.push(sample(logits, { ...options, seed: SEED, step }));
  }
  return tokens.map((token) => CHARACTERS[token]).join('');
}

const random = createRandom(7);
const examples = makeExamples();
const network = new Network([CONTEXT * CLASSES, 64, CLASSES], random);

console.log(
  `${TEXT.length} characters, ${CLASSES} of them different; the network sees ${CONTEXT} and guesses the next\n`,
);
console.log('epoch   loss   characters it wavers between');
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  const loss = trainEpoch(network, examples, 0.12 * 0.93 ** epoch, random);
  if (epoch % (EPOCHS / 6) !== 0) continue;
  console.log(`${String(epoch).padStart(5)}  ${loss.toFixed(3)}  ${Math.exp(loss).toFixed(1).padStart(27)}`);
}

const PROMPT = 'the rabbit';
const WAYS = [
  { temperature: 0 },
  { temperature: 0.5 },
  { temperature: 1 },
  { temperature: 1, topP: 0.9 },
  { temperature: 2 },
  { temperature: 2, topP: 0.9 },
];
for (const options of WAYS) {
  const title = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  console.log(`\n${title.join(', ')}\n  ${write(network, PROMPT, options)}`);
}

const [once, again] = [1, 2].map(() => write(network, PROMPT, { temperature: 1 }));
console.log(`\nThe same seed and steps, the same text: ${once === again ? 'yes' : 'no'}`);
