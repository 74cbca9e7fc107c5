// npm run bench:ceilings -- [--quick] [--json FILE]
//
// How far each operation is from two upper bounds, measured in turns in the same process. One is the speed of a copy.
// The other is the time that the operation's vector instructions would take at the highest rate: that of the
// instructions of a softmax without dependencies between them. Inputs and outputs are tensors of 256 × 1024 float32.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createKernels } from 'softmax-wasm';
import { runWithRelaxedSimd } from '../../scripts/relaxed-simd.mjs';
import { parseCommand, saveJson } from '../command.mjs';
import { BACKENDS } from '../contenders.mjs';
import { logits } from '../harness.mjs';
import { describeMachine, machineLine } from '../machine.mjs';
import { bestOf, takeTurns } from '../rounds.mjs';
import { Stopwatch } from '../stopwatch.mjs';
import { progress } from '../table.mjs';
import { instructionsOf } from './instructions.mjs';

runWithRelaxedSimd();

const SHAPE = [256, 1024];
const ELEMENTS = SHAPE[0] * SHAPE[1];
const { options, rounds: ROUNDS, roundMilliseconds } = parseCommand();
const machine = describeMachine();
console.log(machineLine(machine));
console.log(
  `${SHAPE.join(' × ')} float32 in linear memory, G elements/s, the best of ${ROUNDS.least} to ${ROUNDS.most} rounds.`,
);

const results = [];
for (const backend of BACKENDS) results.push(...(await timeBackend(backend)));
if (options.json !== undefined) saveJson(options.json, { machine, date: new Date().toISOString(), results });

/** The loops that set the bounds, compiled for a backend into a module of their own. */
function ceilings(backend) {
  const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const file = `build/ceilings-${backend}.wasm`;
  const entry = 'assembly/checks/ceilings.ts';
  const text = file.replace('.wasm', '.wat');
  const command = [asc, entry, '--config', 'asconfig.json', '--target', backend, '--outFile', file, '--textFile', text];
  execFileSync(process.execPath, command, { stdio: 'pipe' });
  const memory = new WebAssembly.Memory({ initial: 64 });
  const module = new WebAssembly.Module(readFileSync(file));
  const { mixOfSoftmax, copy, staticEnd } = /** @type {any} */ (new WebAssembly.Instance(module, { env: { memory } }))
    .exports;
  const x = 2 ** 16;
  const y = x + ELEMENTS * 4;
  new Float32Array(memory.buffer, x, ELEMENTS).set(logits(ELEMENTS));
  const z = y + ELEMENTS * 4;
  return {
    "softmax's instructions": () => mixOfSoftmax(x, y, z, ELEMENTS, staticEnd()),
    copy: () => copy(x, y, ELEMENTS),
  };
}

/** Operations whose result has as many elements as the input, or a number for each row. */
function operations(backend) {
  const kernels = createKernels({ backend });
  const x = kernels.tensor(logits(ELEMENTS), SHAPE);
  const out = kernels.zeros(SHAPE);
  const rows = kernels.zeros([SHAPE[0]]);
  const probabilities = kernels.softmax(x);
  const classes = Int32Array.from({ length: SHAPE[0] }, (_, row) => (row * 37) % SHAPE[1]);
  const labels = kernels.tensor(
    logits(ELEMENTS, 2).map((value) => (value > 0 ? 1 : 0)),
    SHAPE,
  );
  const indices = new Int32Array(SHAPE[0]);
  return {
    softmax: () => kernels.softmax(x, { out }),
    logSoftmax: () => kernels.logSoftmax(x, { out }),
    logSumExp: () => kernels.logSumExp(x, { out: rows }),
    softmaxBackward: () => kernels.softmaxBackward(probabilities, x, { out }),
    crossEntropyWithGrad: () => kernels.crossEntropyWithGrad(x, classes, { out }),
    bceWithLogitsWithGrad: () => kernels.bceWithLogitsWithGrad(x, labels, { out }),
    distillationWithGrad: () => kernels.distillationWithGrad(x, labels, { out }),
    sigmoid: () => kernels.sigmoid(x, { out }),
    logSigmoid: () => kernels.logSigmoid(x, { out }),
    argmax: () => kernels.argmax(x, { out: indices }),
  };
}

async function timeBackend(backend) {
  const tasks = Object.entries({ ...ceilings(backend), ...operations(backend) });
  const timed = tasks.map(([name, run]) => {
    return { name, watch: new Stopwatch(run), rounds: /** @type {number[]} */ ([]) };
  });
  const measure = ({ name, watch }, round) => {
    progress(`${backend}, round ${round}: ${name}`);
    return watch.measure(roundMilliseconds);
  };
  await takeTurns(timed, measure, ROUNDS);
  progress('');
  const speeds = timed.map(({ rounds }) => ELEMENTS / bestOf(rounds).nanoseconds);
  const texts = ['ceilings-', ''].map((prefix) => readFileSync(`build/${prefix}${backend}.wat`, 'utf8'));
  const counts = tasks.map(([name], i) => instructionsOf(name, texts[Math.min(i, 1)]));
  const [rate, copy] = [counts[0] * speeds[0], speeds[1]];
  printLine([backend, 'G el/s', 'instructions', 'of their limit', 'of a copy']);
  return tasks.map(([name], i) => {
    const [speed, count] = [speeds[i], counts[i]];
    const limit = count === undefined ? ['', ''] : [count.toFixed(1), formatShare(speed, rate / count)];
    printLine([name, speed.toFixed(2), ...limit, formatShare(speed, copy)]);
    return { backend, name, elementsPerSecond: speed * 1e9, instructions: count };
  });
}

function formatShare(speed, limit) {
  return `${((100 * speed) / limit).toFixed(0)} %`;
}

function printLine([name, ...cells]) {
  console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(16)).join(''));
}
