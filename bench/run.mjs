// npm run bench -- [operation …] [--quick] [--json FILE]
//
// Times every operation that has a file here, on every backend and against JavaScript written by hand. Each of them
// runs in a process of its own, so that none spoils what the engine has learned for another; rounds take turns, and a
// result is compared with the reference before it is timed.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { createKernels } from 'softmax-wasm';
import { CONTENDERS, PLAIN, Worker } from './contenders.mjs';
import { checkResult, describeMachine } from './harness.mjs';
import { printCase, printHeader, progress } from './table.mjs';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const ROUNDS = options.quick ? 2 : 5;
const ROUND_MILLISECONDS = options.quick ? 20 : 120;
/** Elements that a quick run leaves cases above out for. */
const QUICK_ELEMENTS = 300_000;

const operations = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.bench.mjs'))
  .map((file) => file.slice(0, -'.bench.mjs'.length));
const unknown = wanted.filter((name) => !operations.includes(name));
if (unknown.length > 0) throw new Error(`no benchmark of ${unknown.join(', ')}; there are ${operations.join(', ')}`);

const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.platform}, Node ${machine.node} (V8 ${machine.v8})`);
console.log(`The best of ${ROUNDS} rounds, each the median of its samples; spread: how far the rounds lie apart.`);
console.log('float32, one thread.');

const results = [];
for (const operation of wanted.length > 0 ? wanted : operations) await runOperation(operation);
if (options.json !== undefined) {
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify({ machine, date: new Date().toISOString(), results }, null, 1)}\n`);
  console.log(`\nwritten to ${options.json}`);
}

async function runOperation(operation) {
  const { default: bench } = await import(`./${operation}.bench.mjs`);
  const cases = bench.cases.filter(({ elements }) => !options.quick || elements <= QUICK_ELEMENTS);
  const workers = await startWorkers(operation);
  printHeader(operation);
  for (const [done, example] of cases.entries()) {
    const { label, elements } = example;
    const say = (what) => progress(`${operation} ${done + 1}/${cases.length}: ${label}, ${what}`);
    const reference = bench.ours(createKernels({ backend: 'reference' }), example);
    reference.run();
    for (const worker of workers) {
      say(`checking ${worker.name}`);
      const result = await worker.prepare(bench.cases.indexOf(example));
      checkResult(`${worker.name}: ${operation} ${label}`, result, reference.result(), bench.floor);
    }
    const rounds = workers.map(() => /** @type {number[]} */ ([]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, worker] of workers.entries()) {
        say(`round ${round + 1} of ${ROUNDS}, ${worker.name}`);
        rounds[i].push(await worker.measure(ROUND_MILLISECONDS));
      }
    }
    progress('');
    // The best round: what else the machine does only ever adds time, most of all to the slowest.
    const plain = Math.min(...rounds[workers.findIndex(({ name }) => name === PLAIN)]);
    const lines = workers.map(({ name }, i) => {
      const nanoseconds = Math.min(...rounds[i]);
      const spread = (Math.max(...rounds[i]) - Math.min(...rounds[i])) / nanoseconds;
      const contender = { contender: name, nanoseconds, ratio: plain / nanoseconds, spread };
      return { operation, case: label, elements, ...contender, elementsPerSecond: (elements / nanoseconds) * 1e9 };
    });
    printCase(label, lines);
    results.push(...lines);
  }
  for (const worker of workers) worker.stop();
}

/** Those that can run here; what cannot is named once. */
async function startWorkers(operation) {
  const workers = [];
  for (const name of CONTENDERS) {
    const worker = new Worker(name);
    const problem = await worker.start(operation);
    if (problem === undefined) workers.push(worker);
    else console.log(`${name} does not run here: ${problem}`);
  }
  return workers;
}
