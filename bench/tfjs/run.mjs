// npm run bench:tfjs [-- --backend wasm|cpu] [--only TEXT] [--pairs 5] [--quick] [--json FILE] [--again] [--no-matmul]
//
// Times TensorFlow.js alone and registered with softmax-wasm, each in a process of its own, in rounds that take turns.
// Where its memory happens to lie makes a process faster or slower for its whole life, so several pairs of processes
// tell more than many rounds. The results are compared before anything is timed. `--again` times only those cases of
// FILE whose pairs lie far apart. `--no-matmul` leaves matrix products to TensorFlow.js, which shows what softmax and
// the losses alone contribute to a training step.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { install } from '../../scripts/install.mjs';
import { saveJson } from '../command.mjs';
import { Worker } from '../contenders.mjs';
import { describeMachine, machineLine } from '../machine.mjs';
import { bestOf, MOST_SPREAD, medianOf, ratioSpread, summarize, takeTurns } from '../rounds.mjs';
import { formatRatio, formatTime, progress } from '../table.mjs';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true, default: ['wasm', 'cpu'] },
    only: { type: 'string', default: '' },
    pairs: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    again: { type: 'boolean', default: false },
    'no-matmul': { type: 'boolean', default: false },
  },
});
const PROGRAM = new URL('worker.mjs', import.meta.url);
const PAIRS = options.quick ? 1 : Number(options.pairs);
/** How many rounds a case gets at least and at most in a pair. */
const ROUNDS = { least: 3, most: options.quick ? 3 : 9 };
const MILLISECONDS = options.quick ? 20 : 50;
/** Both compute in float32, each in its own order. */
const TOLERANCE = 1e-4;
const COLUMNS = [58, 12, 18, 9, 14];

const printLine = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i]))).join(''));

function demandEqual(name, alone, registered) {
  const scale = Math.max(...alone.map(Math.abs), 1e-6);
  const isFar = (value, i) => !(Math.abs(value - registered[i]) <= TOLERANCE * scale);
  if (alone.length !== registered.length || alone.some(isFar)) throw new Error(`${name}: the results differ`);
}

/** Nanoseconds of one call alone and registered: the best of the rounds of this pair of processes. */
async function timePair(workers, name) {
  const results = [];
  for (const worker of workers) results.push(await worker.ask('prepare', { name }));
  demandEqual(name, results[0], results[1]);
  const timed = workers.map((worker) => ({ worker, rounds: /** @type {number[]} */ ([]) }));
  await takeTurns(timed, ({ worker }) => worker.ask('measure', { milliseconds: MILLISECONDS }), ROUNDS);
  return timed.map(({ rounds }) => bestOf(rounds).nanoseconds);
}

const REGISTERED = options['no-matmul'] ? 'registered without matMul' : 'registered';
const startWorker = (backend, mode) => new Worker(mode, PROGRAM, [backend, mode]);
const startPair = (backend) => ['alone', REGISTERED].map((mode) => startWorker(backend, mode));

/** The names of the cases, and in which memory softmax-wasm computes. */
async function describeBackend(backend) {
  const worker = startWorker(backend, REGISTERED);
  const started = await worker.ask('start');
  worker.stop();
  return started;
}

/**
 * Groups the cases that share a pair of processes: all functions are together, but each training step is alone, because
 * a program that trains calls little else, and the engine optimizes for that.
 */
function groupByProcess(names) {
  const steps = names.filter((name) => name.startsWith('step'));
  const functions = names.filter((name) => !steps.includes(name));
  return [functions, ...steps.map((name) => [name])].filter(({ length }) => length > 0);
}

/** The figures of a case over its pairs of processes: medians, and the interquartile range of the ratios. */
function summary(name, pairs) {
  const [alone, registered] = [0, 1].map((i) => medianOf(pairs.map((pair) => pair[i])));
  return { case: name, alone, registered, ...summarize(pairs.map((pair) => pair[0] / pair[1])) };
}

install('test/tfjs');
const machine = describeMachine();
console.log(`${machineLine(machine)}; medians of ${PAIRS} pairs of processes`);
/** Whether the line of an earlier run is kept. */
const isSettled = (line) => !options.backend.includes(line.backend) || ratioSpread(line) <= MOST_SPREAD;
const kept = options.again ? JSON.parse(readFileSync(String(options.json), 'utf8')).results.filter(isSettled) : [];
const isWanted = (backend, name) => !kept.some((line) => line.backend === backend && line.case === name);

const results = [...kept];
for (const backend of options.backend) {
  const { memory, names } = await describeBackend(backend);
  const wanted = names.filter((name) => name.includes(options.only) && isWanted(backend, name));
  const pairsOf = new Map(wanted.map((name) => [name, []]));
  for (let pass = 0; pass < PAIRS; pass++) {
    for (const group of groupByProcess(wanted)) {
      const workers = startPair(backend);
      for (const name of group) {
        progress(`${backend}, ${name}: pair ${pass + 1} of ${PAIRS}`);
        pairsOf.get(name).push(await timePair(workers, name));
      }
      for (const worker of workers) worker.stop();
    }
  }
  progress('');
  console.log('');
  printLine([`${backend}, memory ${memory}`, 'tfjs', 'and softmax-wasm', 'ratio', 'middle half']);
  for (const [name, pairs] of pairsOf) {
    const line = summary(name, pairs);
    results.push({ backend, memory, ...line });
    const times = [formatTime(line.alone), formatTime(line.registered)];
    printLine([name, ...times, `${formatRatio(line.ratio)} ×`, `${formatRatio(line.from)} to ${formatRatio(line.to)}`]);
  }
}
if (options.json !== undefined)
  saveJson(options.json, { machine, date: new Date().toISOString(), quick: options.quick, results });
