// npm run bench:scale -- [--quick] [--json FILE] [--svg FILE]
//
// Softmax of a thousand to a billion elements, streamed from typed arrays: the time per element and the size of linear
// memory; and for comparison, up to a limit, JavaScript written by hand.
import { freemem } from 'node:os';
import { createKernels } from 'softmax-wasm';
import { parseCommand, save, saveJson } from '../command.mjs';
import { PLAIN } from '../contender.mjs';
import { BACKENDS, startContenders } from '../contenders.mjs';
import { checkResult } from '../harness.mjs';
import { describeMachine, machineLine } from '../machine.mjs';
import { bestOf, takeTurns } from '../rounds.mjs';
import { progress } from '../table.mjs';
import { drawChart } from './chart.mjs';
import { printCase, printHeader } from './report.mjs';
import bench from './softmax.bench.mjs';

const { options, rounds: ROUNDS, roundMilliseconds } = parseCommand({ svg: { type: 'string' } });
const CONTENDERS = [PLAIN, ...BACKENDS];
/** Plain JavaScript, and a quick run, get no more elements than this: larger cases would take too long. */
const SLOW_LIMIT = 1e7;
/** How many elements the reference computes at most: the input repeats after that. */
const REFERENCE_ELEMENTS = 1e6;
/** The share of the free memory that the arrays of the backends may take. */
const MEMORY_SHARE = 0.85;

const machine = describeMachine();
console.log(machineLine(machine));
console.log('Softmax of float32 in rows of 1000, typed arrays in and out, one thread: nanoseconds for an element,');
console.log(`the best of ${ROUNDS.least} to ${ROUNDS.most} rounds.`);

const cases = chooseCases();
const workers = await startContenders(CONTENDERS, 'scale/softmax');
printHeader(workers.map(({ name }) => name));
const results = [];
for (const example of cases) await runCase(example);
for (const worker of workers) worker.stop();

const report = { machine, date: new Date().toISOString(), quick: options.quick, results };
if (options.json !== undefined) saveJson(options.json, report);
if (options.svg !== undefined) save(options.svg, drawChart(report));

/** The cases whose arrays fit into free memory, in a process for each backend; the largest may take several calls. */
function chooseCases() {
  const bytes = ({ held }) => BACKENDS.length * 2 * Float32Array.BYTES_PER_ELEMENT * held;
  const fits = (example) => bytes(example) <= MEMORY_SHARE * freemem();
  const inParts = ({ elements, held }) => held < elements;
  const whole = bench.cases.filter((example) => !inParts(example) && fits(example));
  const largest = Math.max(...whole.map(({ elements }) => elements));
  const parts = bench.cases.filter((example) => inParts(example) && example.elements > largest && fits(example));
  return [...whole, ...parts].filter(({ elements }) => !options.quick || elements <= SLOW_LIMIT);
}

async function runCase(example) {
  const { label, elements } = example;
  const index = bench.cases.indexOf(example);
  const say = (what) => progress(`${label} elements: ${what}`);
  const contenders = workers.filter(({ name }) => name !== PLAIN || elements <= SLOW_LIMIT);
  const held = Math.min(example.held, REFERENCE_ELEMENTS);
  const reference = bench.ours(createKernels({ backend: 'reference' }), { elements: held, held });
  reference.run();
  for (const worker of contenders) {
    say(`checking ${worker.name}`);
    const result = await worker.ask('prepare', { index });
    checkResult(`${worker.name}: ${label} elements`, result, reference.result(), bench.floor);
  }
  const timed = contenders.map((worker) => ({ worker, rounds: /** @type {number[]} */ ([]) }));
  const measure = ({ worker }, round) => {
    say(`round ${round}, ${worker.name}`);
    return worker.ask('measure', { milliseconds: roundMilliseconds });
  };
  await takeTurns(timed, measure, ROUNDS);
  const lines = [];
  for (const { worker, rounds } of timed) {
    const { nanoseconds, spread } = bestOf(rounds);
    const figures = { nanosecondsPerElement: nanoseconds / elements, spread, linearMemory: await worker.ask('memory') };
    lines.push({ case: label, elements, held: example.held, contender: worker.name, ...figures });
  }
  progress('');
  printCase(
    label,
    workers.map(({ name }) => lines.find(({ contender }) => contender === name)),
  );
  results.push(...lines);
}
