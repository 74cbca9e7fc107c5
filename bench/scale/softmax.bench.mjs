// Softmax of one to a million rows of 1000 elements. Typed arrays in and out, so that all elements are staged through
// linear memory.
import { logits } from '../harness.mjs';
import { softmaxRow } from '../softmax.bench.mjs';

const N = 1000;
const ELEMENTS = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9];
/** The elements of a smaller array, on which the call is repeated if memory does not suffice for a billion elements. */
const PART = 2.5e8;
/** The input repeats after this many elements. */
const PERIOD = 1e6;

const cases = ELEMENTS.map((elements) => ({
  label: elements.toExponential(0).replace('+', ''),
  elements,
  held: elements,
}));
cases.push({ label: `1e9 in ${1e9 / PART} calls`, elements: 1e9, held: PART });

/** All cases share two arrays, which are replaced if they are too short. */
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

/** The first and the last row: the whole result may be gigabytes. */
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
