// npm run bench:paired -- --against CHECKOUT [operation …] [--backend NAME] [--passes N] [--quick] [--json FILE]
//
// Compares this checkout with another one that has been built, both running the benchmarks of this one. A pass starts a
// process for each, and their rounds take turns. Where its memory happens to lie makes a process faster or slower for
// its whole life, so a few passes tell more than many rounds.
import { demandKnown, parseCommand, saveJson } from './command.mjs';
import { BACKENDS, startContender } from './contenders.mjs';
import { describeMachine, machineLine } from './machine.mjs';
import { bestOf, medianOf, takeTurns } from './rounds.mjs';
import { formatTime, progress } from './table.mjs';

const { options, operations, isWanted } = parseCommand({
  against: { type: 'string' },
  backend: { type: 'string', default: 'simd128' },
  passes: { type: 'string', default: '5' },
});
if (options.against === undefined) {
  console.error('name the checkout to compare with: npm run bench:paired -- --against CHECKOUT');
  process.exit(1);
}
demandKnown('backend', [options.backend], BACKENDS);
const PASSES = Number(options.passes);
/** How many rounds a case gets at least and at most in a pass. */
const ROUNDS = { least: 4, most: 12 };
const ROUND_MILLISECONDS = 40;
/** Ratios further from 1 than this are marked as slower or faster. */
const NOTABLE = 0.02;

const machine = describeMachine();
console.log(`${machineLine(machine)}, ${options.backend}, float32`);
console.log(
  `Here ÷ there, the best of ${ROUNDS.least} to ${ROUNDS.most} rounds each: the median of ${PASSES} pairs of processes (least to most).`,
);

const results = [];
for (const operation of operations) await compareOperation(operation);
if (options.json !== undefined) saveJson(options.json, { machine, date: new Date().toISOString(), results });

async function compareOperation(operation) {
  const { default: bench } = await import(`./${operation}.bench.mjs`);
  const lines = bench.cases
    .map((example, index) => ({ example, index, pairs: /** @type {number[][]} */ ([]) }))
    .filter(({ example }) => isWanted(example));
  for (let pass = 0; pass < PASSES; pass++) {
    const workers = await startWorkers(operation, pass);
    for (const { example, index, pairs } of lines) {
      progress(`${operation}, ${example.label}: pass ${pass + 1} of ${PASSES}`);
      pairs.push(await timePair(workers, index));
    }
    for (const { worker } of workers) worker.stop();
  }
  progress('');
  for (const { example, pairs } of lines) {
    const ratios = pairs.map(([here, there]) => here / there);
    const best = (i) => Math.min(...pairs.map((pair) => pair[i]));
    const line = { operation, case: example.label, here: best(0), there: best(1), ratio: medianOf(ratios), ratios };
    results.push(line);
    printLine(line);
  }
}

/** Starts a pair. `place` is 0 for this checkout, 1 for the other; which runs first alternates from pass to pass. */
async function startWorkers(operation, pass) {
  const workers = [
    { place: 0, worker: await startContender(options.backend, operation) },
    { place: 1, worker: await startContender(options.backend, operation, options.against) },
  ];
  return pass % 2 === 0 ? workers : workers.reverse();
}

/** The best times of this checkout and of the other. */
async function timePair(workers, index) {
  for (const { worker } of workers) await worker.ask('prepare', { index });
  const timed = workers.map((one) => ({ ...one, rounds: /** @type {number[]} */ ([]) }));
  await takeTurns(timed, ({ worker }) => worker.ask('measure', { milliseconds: ROUND_MILLISECONDS }), ROUNDS);
  const inPlace = timed.sort((a, b) => a.place - b.place);
  return inPlace.map(({ rounds }) => bestOf(rounds).nanoseconds);
}

function printLine({ operation, case: label, here, there, ratio, ratios }) {
  const mark = ratio > 1 + NOTABLE ? 'slower' : ratio < 1 - NOTABLE ? 'faster' : '';
  const times = `${formatTime(there).padStart(8)} → ${formatTime(here).padStart(8)}`;
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((value) => value.toFixed(2));
  console.log(`${operation.padEnd(20)}${label.padEnd(30)}${times}  ${ratio.toFixed(3)} (${least} to ${most})  ${mark}`);
}
