// npm run bench:float16 -- [--quick] [--json FILE]
//
// Times operations on float16 logits beside the same operations on float32, and beside what a program would do without
// support of float16: convert in JavaScript, then run the operation on float32. All run in one process, in turns, after
// their results were compared.
import { createKernels } from 'softmax-wasm';
import { runWithRelaxedSimd } from '../scripts/relaxed-simd.mjs';
import { parseCommand, saveJson } from './command.mjs';
import { BACKENDS } from './contenders.mjs';
import { logits } from './harness.mjs';
import { describeMachine, machineLine } from './machine.mjs';
import { bestOf, MOST_SPREAD, ratioSpread, summarize } from './rounds.mjs';
import { Stopwatch } from './stopwatch.mjs';
import { formatRatio, formatTime, progress } from './table.mjs';

runWithRelaxedSimd();

const { options } = parseCommand();
const [ROUNDS, MILLISECONDS] = options.quick ? [2, 20] : [15, 40];
const VOCABULARY = 152_000;
const COLUMNS = [30, 14, 12, 12, 16, 14, 14];
const machine = describeMachine();
console.log(machineLine(machine));
console.log(`Arrays of JavaScript in and out; the best of ${ROUNDS} rounds, and medians of their ratios.\n`);
printLine(['', '', 'float16', 'float32', 'and conversion', 'of float32', 'of conversion']);

const Float16 = /** @type {any} */ (globalThis).Float16Array;

/** The value of every float16, by its bits. */
const TABLE = Float32Array.from({ length: 2 ** 16 }, (_, bits) => {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const magnitude =
    exponent === 31
      ? fraction
        ? NaN
        : Infinity
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
});

/** The fastest conversion in JavaScript: the engine's Float16Array if it has one, else a table. */
const convert =
  Float16 === undefined
    ? (bits, floats) => {
        for (let i = 0; i < bits.length; i++) floats[i] = TABLE[bits[i]];
      }
    : (bits, floats) => floats.set(new Float16(bits.buffer));

/** The same numbers in both types, all exact in float16. */
function numbers(kernels, count) {
  const x = kernels.tensor(logits(count), [count], { dtype: 'float16' });
  const bits = new Uint16Array(x.data.buffer.slice(x.data.byteOffset, x.data.byteOffset + 2 * count));
  x.dispose();
  return { bits, floats: Float32Array.from(bits, (each) => TABLE[each]) };
}

const halfOf = (count) => ({ data: new Uint16Array(count), dims: [count], type: 'float16' });

/** @throws Error unless the results are the same up to the rounding of float16 */
function demandClose(operation, actual, expected) {
  if (expected.indices !== undefined) return demandClose(operation, actual.values, expected.values);
  const got = actual.data === undefined ? actual : Float32Array.from(actual.data, (bits) => TABLE[bits]);
  const isFar = (value, i) => Math.abs(value - got[i]) > 2 ** -11 * Math.abs(value) + 2 ** -25;
  if (got.length !== expected.length || expected.some(isFar)) throw new Error(`${operation}: the results differ`);
}

/**
 * An operation on both types.
 * @param given the arguments after x, for an `out`
 * @param results makes `out`, with a function that makes an array of the input's type
 * @param what describes the options, for the label
 */
function contest(kernels, operation, shape, given, results, what = '') {
  const { bits, floats } = numbers(kernels, shape[0] * shape[1]);
  const converted = new Float32Array(floats.length);
  const half = { data: bits, dims: shape, type: 'float16' };
  const wide = { data: floats, dims: shape };
  const call = (x, out) => kernels[operation](x, ...given(out));
  const [out16, out32] = [results(halfOf), results((count) => new Float32Array(count))];
  demandClose(operation, call(half, out16), call(wide, out32));
  return {
    label: `${operation} ${shape.join(' × ')}${what}`,
    run16: () => call(half, out16),
    run32: () => call(wide, out32),
    runConverted: () => {
      convert(bits, converted);
      return call({ data: converted, dims: shape }, out32);
    },
  };
}

function contests(kernels) {
  const row = [1, VOCABULARY];
  const indices = () => new Int32Array(1);
  return [
    contest(
      kernels,
      'softmax',
      [256, 1024],
      (out) => [{ out }],
      (make) => make(256 * 1024),
    ),
    contest(
      kernels,
      'softmax',
      row,
      (out) => [{ out }],
      (make) => make(VOCABULARY),
    ),
    contest(kernels, 'argmax', row, (out) => [{ out }], indices),
    contest(
      kernels,
      'topK',
      row,
      (out) => [50, { out }],
      (make) => ({ values: make(50), indices: new Int32Array(50) }),
    ),
    contest(kernels, 'sample', row, (out) => [{ out, topK: 50, seed: 1 }], indices, ', topK 50'),
    contest(kernels, 'sample', row, (out) => [{ out, topP: 0.9, seed: 1 }], indices, ', topP 0.9'),
    contest(
      kernels,
      'logSumExp',
      row,
      (out) => [{ out }],
      () => new Float32Array(1),
    ),
    conversion(kernels),
  ];
}

/** Conversion into a float32 tensor, beside a copy of as many float32 elements and the conversion in JavaScript. */
function conversion(kernels) {
  const { bits, floats } = numbers(kernels, VOCABULARY);
  const y = kernels.zeros([VOCABULARY]);
  const half = { data: bits, dims: [VOCABULARY], type: 'float16' };
  return {
    label: `conversion alone ${VOCABULARY}`,
    run16: () => kernels.tensor(half, undefined, { dtype: 'float32' }).dispose(),
    run32: () => kernels.tensor(floats).dispose(),
    runConverted: () => convert(bits, y.data),
  };
}

/** How often a case is timed at most, as long as its rounds lie too far apart. */
const MOST_ATTEMPTS = options.quick ? 1 : 5;

const results = [];
for (const backend of BACKENDS) {
  for (const { label, run16, run32, runConverted } of contests(
    createKernels({ backend: /** @type {any} */ (backend) }),
  )) {
    const watches = [run16, run32, runConverted].map((run) => new Stopwatch(run));
    let rounds = await timeInTurns(watches, `${backend}, ${label}`);
    for (
      let i = 1;
      i < MOST_ATTEMPTS && Object.values(ratiosOf(rounds)).some((one) => ratioSpread(one) > MOST_SPREAD);
      i++
    ) {
      rounds = await timeInTurns(watches, `${backend}, ${label}, again`);
    }
    progress('');
    const { ofFloat32, ofConversion } = ratiosOf(rounds);
    results.push({ backend, label, ofFloat32, ofConversion });
    const times = rounds.map((each) => formatTime(bestOf(each).nanoseconds));
    printLine([label, backend, ...times, ...[ofFloat32, ofConversion].map(({ ratio }) => `${formatRatio(ratio)} ×`)]);
  }
}
if (options.json !== undefined)
  saveJson(options.json, { machine, date: new Date().toISOString(), quick: options.quick, results });

async function timeInTurns(watches, what) {
  const rounds = watches.map(() => /** @type {number[]} */ ([]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, watch] of watches.entries()) {
      progress(`${what}: round ${round + 1} of ${ROUNDS}`);
      rounds[i].push(await watch.measure(MILLISECONDS));
    }
  }
  return rounds;
}

function ratiosOf([float16, float32, converted]) {
  const to16 = (times) => summarize(times.map((time, round) => time / float16[round]));
  return { ofFloat32: to16(float32), ofConversion: to16(converted) };
}

function printLine(cells) {
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i]))).join(''));
}
