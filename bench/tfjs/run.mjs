// npm run bench:tfjs [-- --backend wasm|cpu] [--only TEXT] [--quick] [--json FILE]
//
// Times TensorFlow.js alone and registered with softmax-wasm, each in a process of its own, in rounds that take turns. The
// results are compared before anything is timed.
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { install } from '../../scripts/install.mjs';
import { bestOf, saveJson } from '../command.mjs';
import { flagsOf } from '../contenders.mjs';
import { describeMachine } from '../machine.mjs';
import { formatRatio, formatTime, progress } from '../table.mjs';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true, default: ['wasm', 'cpu'] },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const ROUNDS = options.quick ? 2 : 5;
const MILLISECONDS = options.quick ? 20 : 100;
/** Both compute in float32, each in its own order. */
const TOLERANCE = 1e-4;
const COLUMNS = [58, 12, 16, 9, 9];

class Host {
  constructor(backend, mode) {
    this.child = fork(new URL('worker.mjs', import.meta.url), [backend, mode], {
      execArgv: flagsOf(process.versions.node),
      serialization: 'advanced',
    });
    this.ready = this.#answer();
  }

  async ask(request) {
    await this.ready;
    this.child.send(request);
    return this.#answer();
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`ended with ${code}`));
      this.child.once('exit', ended);
      this.child.once('message', (/** @type {any} */ { error, answer }) => {
        this.child.off('exit', ended);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
    });
  }

  stop() {
    this.child.kill();
  }
}

const printLine = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i]))).join(''));

function demandEqual(name, alone, registered) {
  const scale = Math.max(...alone.map(Math.abs), 1e-6);
  const isFar = (value, i) => !(Math.abs(value - registered[i]) <= TOLERANCE * scale);
  if (alone.length !== registered.length || alone.some(isFar)) throw new Error(`${name}: the results differ`);
}

async function compare(hosts, name) {
  const [alone, registered] = [
    await hosts[0].ask({ do: 'prepare', name }),
    await hosts[1].ask({ do: 'prepare', name }),
  ];
  demandEqual(name, alone, registered);
  const rounds = hosts.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, host] of hosts.entries()) {
      rounds[i].push(await host.ask({ do: 'measure', milliseconds: MILLISECONDS }));
    }
  }
  const [before, after] = rounds.map(bestOf);
  return {
    case: name,
    alone: before.nanoseconds,
    registered: after.nanoseconds,
    ratio: before.nanoseconds / after.nanoseconds,
    spread: Math.max(before.spread, after.spread),
  };
}

install('test/tfjs');
const machine = describeMachine();
console.log(`${machine.cpu}, ${machine.platform}, Node ${machine.node} (V8 ${machine.v8}); best of ${ROUNDS} rounds`);
const results = [];
for (const backend of options.backend) {
  const hosts = [new Host(backend, 'alone'), new Host(backend, 'registered')];
  const { names, memory } = await hosts[1].ask({ do: 'start' });
  console.log('');
  printLine([`${backend}, memory ${memory}`, 'tfjs', 'and softmax-wasm', 'ratio', 'spread']);
  const wanted = names.filter((name) => name.includes(options.only));
  for (const [i, name] of wanted.entries()) {
    progress(`${name}: ${i + 1} of ${wanted.length}`);
    const line = await compare(hosts, name);
    progress('');
    results.push({ backend, memory, ...line });
    const times = [formatTime(line.alone), formatTime(line.registered)];
    printLine([name, ...times, `${formatRatio(line.ratio)} ×`, `${(100 * line.spread).toFixed(0)} %`]);
  }
  for (const host of hosts) host.stop();
}
if (options.json !== undefined)
  saveJson(options.json, { machine, date: new Date().toISOString(), quick: options.quick, results });
