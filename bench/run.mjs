// npm run bench -- [operation …] [--case TEXT …] [--quick] [--json FILE]
//
// Times every operation that has a file here, on every backend, and compares it with JavaScript written by hand. Each
// contender runs in a process of its own, so that none changes what the engine has optimized for another. Their rounds
// take turns, and results are compared with the reference before anything is timed. The time of a program's first call
// comes last.
import { createKernels } from 'softmax-wasm';
import { parseCommand, saveJson } from './command.mjs';
import { PLAIN } from './contender.mjs';
import { BACKENDS, CONTENDERS, firstCall, startContenders } from './contenders.mjs';
import { checkResult } from './harness.mjs';
import { describeMachine, machineLine } from './machine.mjs';
import { bestOf, medianOf, takeTurns } from './rounds.mjs';
import { printCase, printFirstCall, printGlance, printGlanceHeader, printHeader, progress } from './table.mjs';

const { options, operations, isGlance, rounds: ROUNDS, roundMilliseconds, isWanted } = parseCommand();
/** The case of each operation that the overview shows; if an operation lacks it, its first case is shown. */
const GLANCE = '256 × 1024';
const FIRST_CALLS = options.quick ? 3 : 15;

const machine = describeMachine();
console.log(machineLine(machine));
console.log(
  `The best of ${ROUNDS.least} to ${ROUNDS.most} rounds, each the median of its samples; spread: how far the next best is.`,
);
console.log('float32, one thread.');
if (isGlance) printGlanceHeader(CONTENDERS);

const results = [];
for (const operation of operations) await runOperation(operation);
const firstCalls = timeFirstCalls();
printFirstCall(firstCalls, FIRST_CALLS);
if (options.json !== undefined) {
  saveJson(options.json, { machine, date: new Date().toISOString(), quick: options.quick, results, firstCalls });
}

async function runOperation(operation) {
  const { default: bench } = await import(`./${operation}.bench.mjs`);
  const cases = isGlance
    ? [bench.cases.find(({ label }) => label === GLANCE) ?? bench.cases[0]]
    : bench.cases.filter(isWanted);
  const workers = await startContenders(CONTENDERS, operation);
  if (!isGlance) printHeader(operation);
  for (const [done, example] of cases.entries()) {
    const { label, elements } = example;
    const say = (what) => progress(`${operation} ${done + 1}/${cases.length}: ${label}, ${what}`);
    const reference = bench.ours(createKernels({ backend: 'reference' }), example);
    reference.run();
    for (const worker of workers) {
      say(`checking ${worker.name}`);
      const result = await worker.ask('prepare', { index: bench.cases.indexOf(example) });
      checkResult(`${worker.name}: ${operation} ${label}`, result, reference.result(), bench.floor);
    }
    const timed = workers.map((worker) => ({ worker, rounds: /** @type {number[]} */ ([]) }));
    const measure = ({ worker }, round) => {
      say(`round ${round}, ${worker.name}`);
      return worker.ask('measure', { milliseconds: roundMilliseconds });
    };
    await takeTurns(timed, measure, ROUNDS, ({ worker }) => worker.name === PLAIN);
    progress('');
    const best = timed.map(({ rounds }) => bestOf(rounds));
    const plain = best[workers.findIndex(({ name }) => name === PLAIN)].nanoseconds;
    const lines = workers.map(({ name }, i) => {
      const { nanoseconds, spread } = best[i];
      const contender = { contender: name, nanoseconds, ratio: plain / nanoseconds, spread };
      return { operation, case: label, elements, ...contender, elementsPerSecond: (elements / nanoseconds) * 1e9 };
    });
    if (isGlance) printGlance(operation, label, lines);
    else printCase(label, lines);
    results.push(...lines);
  }
  for (const worker of workers) worker.stop();
}

/** Milliseconds of the first call on each backend: the median and the extremes of calls in new processes. */
function timeFirstCalls() {
  return BACKENDS.map((backend) => {
    const times = Array.from({ length: FIRST_CALLS }, (_, i) => {
      progress(`first call on ${backend}, ${i + 1} of ${FIRST_CALLS}`);
      return firstCall(backend);
    });
    progress('');
    const calls = times.map(({ call }) => call);
    return {
      backend,
      median: medianOf(calls),
      least: Math.min(...calls),
      most: Math.max(...calls),
      import: medianOf(times.map((time) => time.import)),
    };
  });
}
