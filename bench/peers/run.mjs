// npm run bench:peers -- [operation …] [--peer NAME …] [--node 20|22|24|26] [--quick] [--json FILE] [--svg FILE]
// [--again]
//
// Times the library beside others that do the same. Each runs in a process of its own, with its inputs where it is
// fastest. Errors are measured against float64 before anything is timed, and rounds take turns. `--again` repeats only
// the named operations or, if none is named, those with lines whose rounds lie far apart, and keeps the other lines of
// FILE.
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { createKernels } from '../../dist/index.js';
import { install } from '../../scripts/install.mjs';
import { demandKnown, save, saveJson } from '../command.mjs';
import { describeMachine, machineLine } from '../machine.mjs';
import { MOST_SPREAD, takeTurns } from '../rounds.mjs';
import { progress } from '../table.mjs';
import { exactResult, findBenchmark, GRID, labelOf, largestError } from './cases.mjs';
import { drawChart } from './chart.mjs';
import { findNode, OURS, PEERS, Peer } from './peers.mjs';
import { printCase, printHeader, printTargets } from './report.mjs';
import { summarizeCase } from './summary.mjs';
import { judgeStart, judgeTargets, OPERATIONS, ownLabels, peersOf } from './targets.mjs';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', multiple: true, default: PEERS },
    node: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    svg: { type: 'string' },
    again: { type: 'boolean', default: false },
  },
});
/** How many rounds a case gets at least and at most. */
const ROUNDS = options.quick ? { least: 2, most: 2 } : { least: 7, most: 14 };
const ROUND_MILLISECONDS = options.quick ? 20 : 150;
/** A first round is not counted: some peers are slow until the engine has optimized all of their code. */
const WARM_UP_MILLISECONDS = options.quick ? 100 : 500;
const FIRST_CALLS = options.quick ? 3 : 15;
const NODES = ['20', '22', '24', '26'];
/** The most elements of a case that a quick run includes. */
const QUICK_ELEMENTS = 300_000;

const earlier = options.again ? JSON.parse(readFileSync(String(options.json), 'utf8')) : { versions: {}, results: [] };
const far = earlier.results.filter(({ problem, spread }) => !problem && !(spread <= MOST_SPREAD));
const isFar = (name) => far.some(({ operation }) => operation === name);
const operations = wanted.length > 0 ? wanted : OPERATIONS.filter((name) => !options.again || isFar(name));
demandKnown('operation', operations, OPERATIONS);
demandKnown('peer', options.peer, PEERS);
if (options.node !== undefined) demandKnown('Node', [options.node], NODES);

installPeers();
const node = findNode(options.node);
const machine = { ...describeMachine(), node: node.node, v8: node.v8 };
console.log(machineLine(machine));
console.log(
  `float32, one thread. The best of ${ROUNDS.least} to ${ROUNDS.most} rounds, which take turns; spread: how far the next best is.`,
);
console.log('Ratio: the time of a peer over ours.');
console.log('Error: the largest, relative to the result in float64.');
const [load] = loadavg();
if (load > 1) console.log(`The machine has other work (load ${load.toFixed(1)}): calls of milliseconds look too slow.`);

const { versions } = earlier;
/** Why peers cannot run here, by their names. */
const absent = {};
const results = earlier.results.filter(({ operation }) => !operations.includes(operation));
for (const operation of operations) await runOperation(operation);
results.sort((a, b) => OPERATIONS.indexOf(a.operation) - OPERATIONS.indexOf(b.operation));

const targets = [...judgeTargets(results, node), ...(await judgeStart(node, FIRST_CALLS))];
printTargets(targets, machine.node);
const date = new Date().toISOString();
const report = { machine, date, quick: options.quick, versions, absent, results, targets };
if (options.json !== undefined) saveJson(options.json, report);
if (options.svg !== undefined) save(options.svg, drawChart(report));

async function runOperation(/** @type {string} */ operation) {
  const cases = await casesOf(operation);
  const peers = await startPeers(PEERS.filter((name) => cases.some(({ taking }) => taking.includes(name))));
  printHeader(operation);
  for (const [done, { shape, label, elements, taking }] of cases.entries()) {
    const say = (what) => progress(`${operation} ${done + 1}/${cases.length}: ${label}, ${what}`);
    const exact = await expectedResult({ operation, label, shape });
    const lines = [];
    for (const peer of peers.filter(({ name }) => taking.includes(name))) {
      say(`checking ${peer.name}`);
      const figures = { error: NaN, rounds: /** @type {number[]} */ ([]), problem: '' };
      const line = { operation, label, shape, elements, peer: peer.name, ...figures };
      lines.push(line);
      await attempt(line, async () => {
        const result = await peer.prepare({ operation, label, shape });
        if (result === undefined) return lines.pop();
        line.error = largestError(result, exact);
        say(`warming ${peer.name} up`);
        await peer.measure(WARM_UP_MILLISECONDS);
      });
    }
    const measure = (line, round) => {
      say(`round ${round}, ${line.peer}`);
      return /** @type {Peer} */ (peers.find(({ name }) => name === line.peer)).measure(ROUND_MILLISECONDS);
    };
    await takeTurns(lines, measure, ROUNDS, ({ peer }) => OURS.includes(peer));
    const figures = summarizeCase(lines);
    progress('');
    printCase(label, figures);
    results.push(...figures);
  }
  for (const peer of peers) peer.stop();
}

/**
 * The cases of an operation, with the peers that may run them. Those of the grid have a shape and are for every peer;
 * those of `npm run bench` are for the peers that a target names, and hand-written JavaScript.
 */
async function casesOf(operation) {
  const shared = (GRID[operation] ?? []).map((shape) => {
    return { shape, label: labelOf(shape), elements: shape[0] * shape[1], taking: [...OURS, ...PEERS] };
  });
  const own = ownLabels(operation).map(async (label) => {
    const { elements } = (await findBenchmark({ operation, label })).example;
    return { shape: undefined, label, elements, taking: [...OURS, ...peersOf(operation, label)] };
  });
  const cases = [...shared, ...(await Promise.all(own))];
  return cases.filter(({ elements }) => !options.quick || elements <= QUICK_ELEMENTS);
}

/** The expected result: computed in float64 for cases of the grid, otherwise by our reference backend. */
async function expectedResult({ operation, label, shape }) {
  if (shape !== undefined) return exactResult({ operation, shape });
  const { bench, example } = await findBenchmark({ operation, label });
  const task = bench.ours(createKernels({ backend: 'reference' }), example);
  task.run();
  return { result: task.result(), floor: bench.floor };
}

/** Does a step for a line. The reason of a failure becomes the line's problem. */
async function attempt(line, step) {
  try {
    await step();
  } catch (error) {
    line.problem = error.message;
  }
}

/** Starts the peers that can run here, and reports the others once. */
async function startPeers(/** @type {string[]} */ names) {
  const started = [];
  for (const name of [...OURS, ...names.filter((peer) => options.peer.includes(peer))]) {
    if (name in absent) continue;
    progress(`starting ${name}`);
    const peer = new Peer(name, node);
    try {
      versions[name] = await peer.start();
      started.push(peer);
    } catch (error) {
      peer.stop();
      absent[name] = error.message.split('\n')[0];
      progress('');
      console.log(`${name} does not run here: ${absent[name]}`);
    }
  }
  progress('');
  return started;
}

/** Installs the peers unless they are there. If that fails, starting a missing one reports it. */
function installPeers() {
  try {
    install('bench/peers');
  } catch (error) {
    console.error(`${error.message}: going on with what is there`);
  }
}
