// Shared by the benchmarks of all operations. A benchmark is a file <operation>.bench.mjs whose default export has
//   cases                     what to time: { label, elements, … }
//   floor                     errors are relative to the result, or to this where the result is smaller
//   plain(example)            JavaScript written by hand
//   ours(kernels, example)    the library, on one backend
// Both return { run, result }: run() does the work once, and result() returns the array that it has written.

/** The shapes on which every operation along an axis is timed, as tensors in linear memory. */
const TENSORS = [
  { shape: [1, 1] },
  { shape: [1, 10] },
  { shape: [1024, 3] },
  { shape: [4096, 10] },
  { shape: [1024, 128] },
  { shape: [256, 1024] },
  { shape: [8, 32768] },
  { shape: [64, 131072] },
  { shape: [1, 128000] },
  { shape: [1024, 256], axis: 0 },
  { shape: [128, 1024], axis: 0 },
  { shape: [16, 1024, 16], axis: 1 },
  { shape: [8, 1000, 2], axis: 1 },
  { shape: [8, 1000, 3], axis: 1 },
];
/** The shapes that are timed as typed arrays, in and out. */
const ARRAYS = [
  [1, 1],
  [1, 4],
  [1, 10],
  [1, 1000],
  [1, 10000],
  [256, 1024],
];

export const ALONG_AXIS = [
  ...TENSORS.map(({ shape, axis = shape.length - 1 }) => {
    const place = axis === shape.length - 1 ? '' : `, axis ${axis}`;
    return describe({ label: `${shape.join(' × ')}${place}`, shape, axis, resident: true });
  }),
  ...ARRAYS.map((shape) => {
    return describe({ label: `${shape.join(' × ')}, typed arrays`, shape, axis: 1, resident: false });
  }),
];

/**
 * Logits as at temperature 0.1: rows need the max-shifted form, and many probabilities are too small for a normal
 * float32.
 */
const LARGE = describe({
  label: '256 × 1024, logits × 10',
  shape: [256, 1024],
  axis: 1,
  resident: true,
  scale: 10,
});

function describe(example) {
  const { shape, axis } = example;
  const size = (sizes) => sizes.reduce((a, b) => a * b, 1);
  return {
    ...example,
    elements: size(shape),
    outer: size(shape.slice(0, axis)),
    n: shape[axis],
    inner: size(shape.slice(axis + 1)),
  };
}

/**
 * The benchmark of an operation along an axis.
 * @param operation its name
 * @param plain (x, y, start, n, stride, at): computes the row x[start], x[start + stride], … by hand, into y
 * @param {object} [options]
 * @param {boolean} [options.reduces] whether a row is reduced to one number, y[at], or is mapped element by element
 * @param {boolean} [options.indices] whether the results are indices
 * @param {number} [options.floor] errors of results smaller than this are relative to it
 */
export function alongAxis(operation, plain, { reduces = false, indices = false, floor = 1e-30 } = {}) {
  const Results = indices ? Int32Array : Float32Array;
  return {
    cases: indices ? ALONG_AXIS : [...ALONG_AXIS, LARGE],
    floor,

    plain({ elements, outer, n, inner, scale = 1 }) {
      const x = logits(elements).map((each) => scale * each);
      const y = new Results(reduces ? outer * inner : elements);
      const run = () => {
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) plain(x, y, o * n * inner + i, n, inner, o * inner + i);
        }
      };
      return { run, result: () => y };
    },

    ours(kernels, { elements, shape, axis, outer, inner, resident, scale = 1 }) {
      const x = logits(elements).map((each) => scale * each);
      if (!resident) {
        const out = new Results(reduces ? outer : elements);
        // A single row needs no shape, and programs would not pass one.
        const options = reduces || outer > 1 ? { shape, out } : { out };
        return { run: () => kernels[operation](x, options), result: () => out };
      }
      const input = kernels.tensor(x, shape);
      if (indices) {
        const out = new Int32Array(outer * inner);
        return { run: () => kernels[operation](input, { axis, out }), result: () => out };
      }
      const out = kernels.zeros(reduces ? [outer * inner] : shape);
      const options = { axis, out };
      return { run: () => kernels[operation](input, options), result: () => out.toArray() };
    },
  };
}

/** The cases on which every elementwise operation is timed: tensors and typed arrays. */
const ELEMENT_WISE = [
  ...[
    [1, 10],
    [4096, 10],
    [256, 1024],
    [64, 131072],
  ].map((shape) => {
    return describe({ label: shape.join(' × '), shape, axis: 1, resident: true });
  }),
  ...[
    [1, 10],
    [1, 1000],
    [256, 1024],
  ].map((shape) => {
    return describe({ label: `${shape.join(' × ')}, typed arrays`, shape, axis: 1, resident: false });
  }),
];

/**
 * The benchmark of an elementwise operation.
 * @param operation its name
 * @param plain (x, y): all elements by hand
 */
export function elementWise(operation, plain) {
  return {
    cases: ELEMENT_WISE,
    floor: 1e-30,

    plain({ elements }) {
      const x = logits(elements);
      const y = new Float32Array(elements);
      return { run: () => plain(x, y), result: () => y };
    },

    ours(kernels, { elements, shape, resident }) {
      const x = logits(elements);
      const input = resident ? kernels.tensor(x, shape) : x;
      const out = resident ? kernels.zeros(shape) : new Float32Array(elements);
      const options = { out };
      return { run: () => kernels[operation](input, options), result: () => (resident ? out.toArray() : out) };
    },
  };
}

/** Numbers like a network's logits: bell-shaped, with a standard deviation of 3, and the same in every process. */
export function logits(count, seed = 1) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => 6 * (uniform() + uniform() + uniform() - 1.5));
}

/**
 * @param {number} floor errors of numbers below it are relative to it
 * @param {number} [bound] the largest relative error: by default enough for float32 results that round differently
 * @throws Error unless the numbers agree
 */
export function checkResult(what, actual, expected, floor, bound = 4e-6) {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} numbers, expected ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= bound * Math.max(Math.abs(expected[i]), floor))) {
      throw new Error(`${what}: [${i}] is ${actual[i]}, expected ${expected[i]}`);
    }
  }
}
