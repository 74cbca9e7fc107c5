// Distils a network into a smaller one. The teacher has seen thousands of labelled digits. The student gets only a few
// pictures: once with their labels, and once with the teacher's logits, by distillationWithGrad. A label says what a
// picture is; the logits also say what else it resembles, so that the student learns more from them.
//
//     node examples/distillation.mjs [--quick]
import { accuracy, crossEntropyWithGrad, distillationWithGrad, softmax } from 'softmax-wasm';
import { batches, rowsOf } from './lib/batches.mjs';
import { DIGITS, drawDigit, makeDigits, PIXELS } from './lib/digits.mjs';
import { Network } from './lib/network.mjs';
import { createRandom } from './lib/random.mjs';
import { table } from './lib/table.mjs';

const QUICK = process.argv.includes('--quick');
const SEEDS = QUICK ? 2 : 5;
const EXAMPLES = [50, 100, 200, 400];
const TEACHER = { sizes: [PIXELS, 64, DIGITS], examples: 3000, epochs: QUICK ? 6 : 15, rate: 0.05 };
const STUDENT = { sizes: [PIXELS, 16, DIGITS], steps: QUICK ? 200 : 500, rate: 0.05 };
const TEMPERATURE = 4;
const NOISE = 0.3;
const BATCH = 50;

/** @param lossOf (logits, indices) → { loss, grad } of a batch */
function train(network, pictures, epochs, rate, random, lossOf) {
  const count = pictures.length / PIXELS;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const batch of batches(count, BATCH, random)) {
      const logits = network.forward(rowsOf(pictures, PIXELS, batch), batch.length);
      network.learn(lossOf(logits, batch).grad, batch.length, rate * (1 - epoch / epochs));
    }
  }
  return network;
}

const fromLabels = (labels) => (logits, batch) =>
  crossEntropyWithGrad(logits, rowsOf(labels, 1, batch), { shape: [batch.length, DIGITS] });

const fromTeacher = (teacherLogits) => (logits, batch) =>
  distillationWithGrad(logits, rowsOf(teacherLogits, DIGITS, batch), {
    shape: [batch.length, DIGITS],
    temperature: TEMPERATURE,
  });

/** The share of the pictures that a network classifies correctly. */
function shareRead(network, { pictures, labels }) {
  return accuracy(network.forward(pictures, labels.length), labels, { shape: [labels.length, DIGITS] });
}

/**
 * Trains a teacher and its students. Returns the accuracy of each, with a pair of students for each number of examples.
 */
function run(seed) {
  const random = createRandom(seed);
  const training = makeDigits(TEACHER.examples, NOISE, random);
  const unseen = makeDigits(2000, NOISE, random);
  const teacher = new Network(TEACHER.sizes, random);
  train(teacher, training.pictures, TEACHER.epochs, TEACHER.rate, random, fromLabels(training.labels));

  const students = EXAMPLES.map((count) => {
    const pictures = training.pictures.subarray(0, count * PIXELS);
    const epochs = Math.ceil((STUDENT.steps * BATCH) / count);
    // Both start from the same weights and see the same batches.
    const [labelled, distilled] = [fromLabels(training.labels), fromTeacher(teacher.forward(pictures, count))].map(
      (lossOf) => {
        const same = createRandom(1000 * seed + count);
        return shareRead(train(new Network(STUDENT.sizes, same), pictures, epochs, STUDENT.rate, same, lossOf), unseen);
      },
    );
    return { labelled, distilled };
  });
  return { teacher, unseen, teacherAccuracy: shareRead(teacher, unseen), students };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

console.log(`Noisy digits: a teacher of ${TEACHER.sizes.join(' → ')}, students of ${STUDENT.sizes.join(' → ')}\n`);
const runs = Array.from({ length: SEEDS }, (_, i) => {
  const result = run(i + 1);
  const last = result.students[EXAMPLES.length - 1];
  console.log(
    `run ${i + 1} of ${SEEDS}: the teacher reads ${percent(result.teacherAccuracy)} of unseen digits, students from ` +
      `${EXAMPLES.at(-1)} examples ${percent(last.labelled)} and ${percent(last.distilled)}`,
  );
  return result;
});

const { teacher, unseen } = runs[0];
const picture = unseen.pictures.subarray(0, PIXELS);
const soft = softmax(/** @type {Float32Array} */ (teacher.forward(picture, 1)), { temperature: TEMPERATURE });
console.log(`\nA digit, it is ${unseen.labels[0]}, and what the teacher says of it at temperature ${TEMPERATURE}\n`);
console.log(drawDigit(picture));
console.log(Array.from(soft, (p, digit) => `${digit}: ${percent(p)}`).join('  '));

console.log(`\nUnseen digits that a student reads, mean of ${SEEDS} runs\n`);
console.log(
  table([
    ['examples', 'from labels', 'from the teacher', 'gained', 'in how many runs'],
    ...EXAMPLES.map((count, i) => {
      const pairs = runs.map(({ students }) => students[i]);
      const labelled = mean(pairs.map((pair) => pair.labelled));
      const distilled = mean(pairs.map((pair) => pair.distilled));
      const better = pairs.filter((pair) => pair.distilled > pair.labelled).length;
      const gained = `${(100 * (distilled - labelled)).toFixed(1)} points`;
      return [count, percent(labelled), percent(distilled), gained, `${better} of ${SEEDS}`];
    }),
  ]),
);
