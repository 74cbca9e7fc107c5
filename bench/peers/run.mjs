// npm run bench:peers -- [operation …] [--peer NAME …] [--node 20|22|24|26] [--quick] [--json FILE] [--svg FILE]
//
// Times the library beside others that do the same. Each runs in a process of its own with its inputs where it likes
// them best; a result is compared with one in float64 before it is timed, and rounds take turns.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { demandKnown, medianOf, save, saveJson } from '../command.mjs';
import { describeMachine } from '../machine.mjs';
import { progress } from '../table.mjs';
import { exactResult, GRID, labelOf, largestError } from './cases.mjs';
import { drawChart } from './chart.mjs';
import { findNode, OURS, PEERS, Peer } from './peers.mjs';
import { printCase, printHeader, printTargets } from './report.mjs';
import { judgeTargets } from './targets.mjs';

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string', multiple: true, default: PEERS },
    node: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
});
const ROUNDS = options.quick ? 2 : 7;
const ROUND_MILLISECONDS = options.quick ? 20 : 150;
/** The first round goes uncounted: some peers are slow until the engine has optimized all that they consist of. */
const WARM_UP_MILLISECONDS = options.quick ? 100 : 500;
const NODES = ['20', '22', '24', '26'];
/** Elements that a quick run leaves cases above out for. */
const QUICK_ELEMENTS = 300_000;

const operations = wanted.length > 0 ? wanted : Object.keys(GRID);
demandKnown('operation', operations, Object.keys(GRID));
demandKnown('peer', options.peer, PEERS);
if (options.node !== undefined) demandKnown('Node', [options.node], NODES);

installPeers();
const node = findNode(options.node);
const machine = { ...describeMachine(), node: node.node, v8: node.v8 };
console.log(`${machine.cpu}, ${machine.platform}, Node ${machine.node} (V8 ${machine.v8})`);
console.log(`float32, one thread. Median of ${ROUNDS} rounds; spread: how far the rounds lie apart.`);
console.log('Ratio: the time of a peer over ours. Error: the largest, relative to the result in float64.');
const [load] = loadavg();
if (load > 1) console.log(`The machine has other work (load ${load.toFixed(1)}): calls of milliseconds look too slow.`);

const versions = {};
/** Peers that cannot run here, and why. */
const absent = {};
const results = [];
for (const operation of operations) await runOperation(operation);

const targets = judgeTargets(results, Number.parseInt(machine.node, 10));
printTargets(targets, machine.node);
const date = new Date().toISOString();
const report = { machine, date, quick: options.quick, versions, absent, results, targets };
if (options.json !== undefined) saveJson(options.json, report);
if (options.svg !== undefined) save(options.svg, drawChart(report));

async function runOperation(/** @type {string} */ operation) {
  const peers = await startPeers();
  printHeader(operation);
  const shapes = GRID[operation].filter(([rows, n]) => !options.quick || rows * n <= QUICK_ELEMENTS);
  for (const [done, shape] of shapes.entries()) {
    const label = labelOf(shape);
    const say = (what) => progress(`${operation} ${done + 1}/${shapes.length}: ${label}, ${what}`);
    const exact = exactResult({ operation, shape });
    const lines = [];
    for (const peer of peers) {
      say(`checking ${peer.name}`);
      const line = { operation, shape, peer: peer.name, error: NaN, rounds: /** @type {number[]} */ ([]), problem: '' };
      lines.push({ peer, line });
      await attempt(line, async () => {
        const result = await peer.prepare({ operation, shape });
        if (result === undefined) return lines.pop();
        line.error = largestError(result, exact);
        say(`warming ${peer.name} up`);
        await peer.measure(WARM_UP_MILLISECONDS);
      });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { peer, line } of lines) {
        if (line.problem) continue;
        say(`round ${round + 1} of ${ROUNDS}, ${peer.name}`);
        await attempt(line, async () => {
          line.rounds.push(await peer.measure(ROUND_MILLISECONDS));
        });
      }
    }
    progress('');
    const figures = summarize(lines.map(({ line }) => line));
    printCase(label, figures);
    results.push(...figures);
  }
  for (const peer of peers) peer.stop();
}

/** Does a step for a line; what keeps the peer from it becomes the line's problem. */
async function attempt(line, step) {
  try {
    await step();
  } catch (error) {
    line.problem = error.message;
  }
}

/** Of each line its median, spread and ratios to ours. */
function summarize(lines) {
  const time = (name) => {
    const ours = lines.find(({ peer, problem }) => peer === name && !problem);
    return ours && medianOf(ours.rounds);
  };
  const ours = OURS.map((name) => ({ name, nanoseconds: time(name) })).filter((it) => it.nanoseconds !== undefined);
  return lines.map((line) => {
    if (line.problem) return line;
    const nanoseconds = medianOf(line.rounds);
    const spread = (Math.max(...line.rounds) - Math.min(...line.rounds)) / nanoseconds;
    const ratios = Object.fromEntries(ours.map((it) => [it.name, nanoseconds / it.nanoseconds]));
    return { ...line, nanoseconds, spread, ratios };
  });
}

/** Those that can run here; what cannot is named once. */
async function startPeers() {
  const started = [];
  for (const name of [...OURS, ...PEERS.filter((peer) => options.peer.includes(peer))]) {
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

/** Installs the peers into their own folder unless they are there; those that are missing then say so themselves. */
function installPeers() {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
  if (modified(`${folder}node_modules/.package-lock.json`) >= modified(`${folder}package-lock.json`)) return;
  console.error('installing the peers into bench/peers (some 800 MB) …');
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) console.error('that failed: going on with what is there');
}
