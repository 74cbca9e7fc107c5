// Softmax of rows of a thousand, from one row to a million: typed arrays of JavaScript in and out, so that all of it
// streams through the library's scratch.
import { logits } from '../harness.mjs';
import { softmaxRow } from '../softmax.bench.mjs';

const N = 1000;
const ELEMENTS = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9];
/** An array for machines without the memory for a billion elements: the call is repeated on it. */
const PART = 2.5e8;
/** The numbers repeat after so many. */
const PERIOD = 1e6;

const cases = ELEMENTS.map((elements) => ({
  label: elements.toExponential(0).replace('+', ''),
  elements,
  held: elements,
}));
cases.push({ label: `1e9 in ${1e9 / PART} calls`, elements: 1e9, held: PART });

/** The same two arrays for all cases, made anew where they are too short. */
let x = new Float32Array(0);
let out = x;

function arraysOf({ held }) {
  if (x.length < held) {
    x = new Float32Array(held);
    out = new Float32Array(held);
    x.set(logits(Math.min(held, PERIOD)));
    for (let filled = PERIOD; filled < held; filled *= 2) x.copyWithin(filled, 0, Math.min(filled, held - filled));
  }
  return { x: x.subarray(0, held), out: out.subarray(0, held) };
}

/** Of what may be gigabytes the first row and the last. */
const sampleOf = (array) => Float32Array.of(...array.subarray(0, N), ...array.subarray(-N));

export default {
  cases,
  floor: 0,

  plain(example) {
    const arrays = arraysOf(example);
    const run = () => {
      for (let start = 0; start < example.held; start += N) softmaxRow(arrays.x, arrays.out, start, N, 1);
    };
    return { run, result: () => sampleOf(arrays.out) };
  },

  ours(kernels, example) {
    const arrays = arraysOf(example);
    const options = { shape: [example.held / N, N], out: arrays.out };
    const run = () => {
      for (let done = 0; done < example.elements; done += example.held) kernels.softmax(arrays.x, options);
    };
    return { run, result: () => sampleOf(arrays.out) };
  },
};
