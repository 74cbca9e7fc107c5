// Evaluates a large classifier's logits on all cores, with a worker for each, which has a set of kernels of its own.
// Each worker takes blocks of rows from shared memory until none are left, and sends back its states, which the main
// thread merges.
//
//     node examples/evaluate-in-workers.mjs [--quick]
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { accuracyState, calibrationError, calibrationState, createKernels, perplexityState } from 'softmax-wasm';
import { createRandom } from './lib/random.mjs';
import { table } from './lib/table.mjs';

const QUICK = process.argv.includes('--quick');
const CLASSES = 1000;
const BLOCK = 64;
const ROWS = QUICK ? 4096 : 49_152;
/** How often each evaluation goes over all rows, so that it takes long enough to be timed. */
const PASSES = QUICK ? 1 : 5;
/** How often each number of workers is timed; the best time counts. */
const ROUNDS = QUICK ? 1 : 3;
const BLOCKS = (ROWS / BLOCK) * PASSES;

/** Shared memory: the logits, the labels, and the number of the next block to take. */
function makeShared() {
  return {
    logits: new Float32Array(new SharedArrayBuffer(ROWS * CLASSES * 4)),
    labels: new Int32Array(new SharedArrayBuffer(ROWS * 4)),
    next: new Int32Array(new SharedArrayBuffer(4)),
  };
}

/** Fills a block with logits that more or less predict the label: the same in every run, whichever worker does it. */
function fillBlock({ logits, labels }, block) {
  const random = createRandom(block + 1);
  const first = block * BLOCK;
  for (let row = first; row < first + BLOCK; row++) {
    for (let i = row * CLASSES; i < (row + 1) * CLASSES; i++) logits[i] = 6 * random();
    labels[row] = Math.floor(CLASSES * random());
    logits[row * CLASSES + labels[row]] += 8 * random();
  }
}

/** Takes blocks until none are left, and calls `work` with each. */
function takeBlocks(next, count, work) {
  for (let block = Atomics.add(next, 0, 1); block < count; block = Atomics.add(next, 0, 1)) work(block);
}

/** Runs in a worker: does what each message asks for, and answers when no blocks are left. */
function runWorker(shared) {
  const kernels = createKernels();
  const evaluate = () => {
    const states = [kernels.perplexityState(), kernels.accuracyState(), kernels.calibrationState()];
    takeBlocks(shared.next, BLOCKS, (block) => {
      const first = (block % (ROWS / BLOCK)) * BLOCK;
      const logits = shared.logits.subarray(first * CLASSES, (first + BLOCK) * CLASSES);
      const labels = shared.labels.subarray(first, first + BLOCK);
      for (const state of states) state.add(logits, labels, { shape: [BLOCK, CLASSES] });
    });
    return states.map((state) => state.toJSON());
  };
  parentPort?.on('message', (what) => {
    if (what === 'fill') takeBlocks(shared.next, ROWS / BLOCK, (block) => fillBlock(shared, block));
    parentPort?.postMessage(what === 'evaluate' ? evaluate() : undefined);
  });
}

/** Sends all workers a message, and shows how many blocks have been taken. Returns their answers. */
async function askAll(workers, shared, what, count) {
  shared.next[0] = 0;
  const timer = setInterval(() => drawBar(what, Math.min(shared.next[0] / count, 1)), 100);
  const answers = await Promise.all(workers.map((worker) => ask(worker, what)));
  clearInterval(timer);
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  return answers;
}

function ask(worker, what) {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(what);
  });
}

function drawBar(what, done) {
  if (!process.stdout.isTTY) return;
  const bar = '█'.repeat(Math.round(40 * done)).padEnd(40, '░');
  process.stdout.write(`\r${what} with ${bar} ${Math.round(100 * done)} %`);
}

/** Evaluates with these workers. Returns the merged figures and the seconds that it took. */
async function evaluateWith(workers, shared) {
  const start = performance.now();
  const answers = await askAll(workers, shared, 'evaluate', BLOCKS);
  const merged = ({ from }, i) => answers.map((states) => from(states[i])).reduce((total, state) => total.merge(state));
  const [perplexity, accuracy, calibration] = [perplexityState, accuracyState, calibrationState].map(merged);
  const seconds = (performance.now() - start) / 1000;
  if (accuracy.count !== ROWS * PASSES) {
    throw new Error(`${accuracy.count} rows were evaluated, expected ${ROWS * PASSES}`);
  }
  return { seconds, figures: [perplexity.value, accuracy.value, calibration.value.ece] };
}

async function main() {
  const shared = makeShared();
  const workers = Array.from({ length: availableParallelism() }, () => {
    return new Worker(new URL(import.meta.url), { workerData: shared, argv: process.argv.slice(2) });
  });
  await askAll(workers, shared, 'fill', ROWS / BLOCK);
  // Without timing, so that every worker's engine compiles its code first.
  await askAll(workers, shared, 'evaluate', BLOCKS);

  const lines = [['workers', 'seconds', 'rows each second', 'speed-up', 'perplexity', 'accuracy', 'ECE']];
  let alone;
  for (let count = 1; count <= workers.length; count++) {
    let seconds = Infinity;
    let figures = [];
    for (let round = 0; round < ROUNDS; round++) {
      const found = await evaluateWith(workers.slice(0, count), shared);
      seconds = Math.min(seconds, found.seconds);
      ({ figures } = found);
    }
    alone ??= seconds;
    const speed = [seconds.toFixed(2), Math.round((ROWS * PASSES) / seconds), `${(alone / seconds).toFixed(2)} ×`];
    lines.push([count, ...speed, ...figures.map((figure) => figure.toFixed(4))]);
  }
  for (const worker of workers) worker.terminate();
  console.log(`${ROWS} rows of ${CLASSES} classes, ${PASSES} times; the best of ${ROUNDS}\n`);
  console.log(table(lines));
  const { ece } = calibrationError(shared.logits, shared.labels, { shape: [ROWS, CLASSES] });
  console.log(`\nECE of all rows in one call: ${ece.toFixed(4)}`);
}

if (isMainThread) await main();
else runWorker(workerData);
