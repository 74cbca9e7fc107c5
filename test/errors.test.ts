import { describe, expect, test } from 'vitest';
import { createKernels, init, type Kernels } from '../src/index.js';
import { operations } from './operations/index.js';
import { sets } from './support/backends.js';
import { any } from './support/failures.js';
import { type Call, callsOf, type Operation, outFor, run, runBy, takes } from './support/operation.js';

/** A call that must fail: its arguments, the class of the error and its whole message. */
type Row = [call: (kernels: Kernels, out: Float32Array) => unknown, type: typeof Error, message: string];

const EXPECTED = 'number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor';
const X4 = () => new Float32Array([1, 2, 3, 4]);

/** What messages say about numbers that may be the bits of float16. */
const orBits = (name: string) =>
  `(convert integers with Float32Array.from, pass bits of float16 as { data: ${name}, shape, type: 'float16' })`;

function detached(): Float32Array<ArrayBuffer> {
  const array = new Float32Array(4);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const arguments_: Row[] = [
  [(k, out) => k.softmax(any(undefined), { out }), TypeError, `softmax: x is undefined, expected ${EXPECTED}`],
  [(k, out) => k.softmax(any(null), { out }), TypeError, `softmax: x is null, expected ${EXPECTED}`],
  [(k, out) => k.softmax(any(3), { out }), TypeError, `softmax: x is 3, expected ${EXPECTED}`],
  [(k, out) => k.logSumExp(any('abc'), { out }), TypeError, `logSumExp: x is "abc", expected ${EXPECTED}`],
  [(k, out) => k.softmax(any(10n), { out }), TypeError, `softmax: x is 10n, expected ${EXPECTED}`],
  [
    (k, out) => k.softmax(any(10n ** 10_000n), { out }),
    TypeError,
    `softmax: x is 1${'0'.repeat(39)}…n, expected ${EXPECTED}`,
  ],
  [
    (k, out) =>
      k.softmax(
        any(() => 1),
        { out },
      ),
    TypeError,
    `softmax: x is a function, expected ${EXPECTED}`,
  ],
  [(k, out) => k.softmax(any(Symbol('s')), { out }), TypeError, `softmax: x is a symbol, expected ${EXPECTED}`],
  [(k, out) => k.softmax(any({}), { out }), TypeError, `softmax: x is an object, expected ${EXPECTED}`],
  [
    (k, out) => k.softmax(any('x'.repeat(100)), { out }),
    TypeError,
    `softmax: x is "${'x'.repeat(40)}…", expected ${EXPECTED}`,
  ],
  [
    (k, out) => k.softmax(any(new Int32Array(4)), { out }),
    TypeError,
    `softmax: x is Int32Array(4), expected ${EXPECTED} (convert integers with Float32Array.from)`,
  ],
  [
    (k, out) => k.logSoftmax(any(new Uint16Array(4)), { out }),
    TypeError,
    `logSoftmax: x is Uint16Array(4), expected ${EXPECTED} ${orBits('x')}`,
  ],
  [
    (k, out) => k.softmax({ data: any(new Int8Array(4)), dims: [4], type: 'float16' }, { out }),
    TypeError,
    `softmax: x.data is Int8Array(4), expected ${EXPECTED} (convert integers with Float32Array.from)`,
  ],
  [
    (k, out) => k.softmax({ data: any({}), dims: [4] }, { out }),
    TypeError,
    `softmax: x.data is an object, expected ${EXPECTED}`,
  ],
  [
    (k, out) => k.softmax({ data: new Uint16Array(5), dims: [4], type: 'float16' }, { out }),
    RangeError,
    'softmax: x has 5 elements, expected 4 for shape [4]',
  ],
  [
    (k) => k.softmax({ data: new Uint16Array(4), dims: [4], type: 'bfloat16' }, { out: any(new Int16Array(4)) }),
    TypeError,
    "softmax: out is Int16Array(4), expected { data: Uint16Array, shape, type: 'bfloat16' }, a Float32Array or a Tensor",
  ],
  [
    (k) => k.softmax({ data: new Uint16Array(4), dims: [4], type: 'float16' }, { out: new Float64Array(4) }),
    TypeError,
    "softmax: out is Float64Array(4), expected a Float16Array, { data: Uint16Array, shape, type: 'float16' }, " +
      'a Float32Array or a Tensor',
  ],
  [
    (k) => k.softmax(X4(), { out: k.zeros([4], { dtype: 'float16' }) }),
    TypeError,
    'softmax: out is a float16 tensor, expected float32',
  ],
  [
    (k) => k.softmax(k.zeros([4], { dtype: 'float16' }), { out: k.zeros([4], { dtype: 'float64' }) }),
    TypeError,
    'softmax: out is a float64 tensor, expected float16 or float32',
  ],
  [
    (k) => k.logSumExp({ data: new Uint16Array(4), dims: [1, 4], type: 'float16' }, { out: any(new Uint16Array(1)) }),
    TypeError,
    'logSumExp: out is Uint16Array(1), expected a Float32Array or a Tensor',
  ],
  [
    (k, out) => k.softmax(any({ data: new Uint16Array(4), shape: [4], dtype: 'uint16' }), { out }),
    TypeError,
    `softmax: x.data is Uint16Array(4), expected ${EXPECTED} ${orBits('x.data')}`,
  ],
  [
    (k, out) => k.softmax(any(new BigInt64Array(4)), { out }),
    TypeError,
    `softmax: x is BigInt64Array(4), expected ${EXPECTED}`,
  ],
  [
    (k, out) => k.softmax(any([1, 2, '3', 4]), { out }),
    TypeError,
    'softmax: x[2] is "3", expected a number (nested arrays: tensor() takes them)',
  ],
  [
    (k, out) => k.softmax(any([[1, 2, 3, 4]]), { out }),
    TypeError,
    'softmax: x[0] is an array of 4, expected a number (nested arrays: tensor() takes them)',
  ],
  [
    (k, out) => k.softmax(any([1, 2, 3, undefined]), { out }),
    TypeError,
    'softmax: x[3] is undefined, expected a number (nested arrays: tensor() takes them)',
  ],
  [
    (k, out) => k.softmax(detached(), { out }),
    TypeError,
    'softmax: x is detached, expected an array whose buffer is alive',
  ],
  [
    (k) => k.softmax([1, 2, 3, 4], { out: detached() }),
    TypeError,
    `softmax: out is detached, expected an array whose buffer is alive`,
  ],
];

/** Objects that newcomers pass, the name that the message gives them, and what it suggests instead. */
const strangers: Row[] = (
  [
    [Promise.resolve(X4()), 'a Promise', 'pass await x'],
    [{ logits: { data: X4(), dims: [4] } }, 'an object', 'pass x.logits'],
    [{ n: 1, a: {}, b: {}, c: {}, d: {} }, 'an object', 'pass x.a or x.b or x.c'],
    [new DataView(new ArrayBuffer(16)), 'a DataView', 'pass new Float32Array(x.buffer)'],
    [new Map([[1, 2]]), 'a Map', 'pass Array.from(x)'],
    [[1, 2].values(), 'an Array Iterator', 'pass Array.from(x)'],
    [new Proxy(new Float32Array(2), {}), 'a Float32Array', 'pass Array.from(x)'],
    [Object.assign(Object.create(Float64Array.prototype), { 0: 1 }), 'a Float64Array', 'pass Array.from(x)'],
    [new (class Matrix {})(), 'a Matrix', ''],
    [new ArrayBuffer(16), 'an ArrayBuffer', 'pass new Float32Array(x)'],
    [Object.create(null), 'an object', ''],
    [new (class {})(), 'an object', ''],
    [{ [Symbol.toStringTag]: 3 }, 'an object', ''],
    // By these properties objects of math.js, ml-matrix and Apache Arrow are recognized; test/hosts/ tests real ones.
    [{ isMatrix: true }, 'an object', 'pass tensor(x.toArray())'],
    [
      { to1DArray: () => [] },
      'an object',
      'pass { data: Float64Array.from(x.to1DArray()), shape: [x.rows, x.columns] }',
    ],
    [{ numChildren: 1 }, 'an object', 'pass { data: x.getChildAt(0).toArray(), shape: [x.length, x.stride] }'],
    [{ numChildren: 0 }, 'an object', 'pass x.toArray()'],
  ] as const
).map(([x, what, hint]): Row => {
  const message = `softmax: x is ${what}, expected ${EXPECTED}${hint === '' ? '' : ` (${hint})`}`;
  return [(k, out) => k.softmax(any(x), { out }), TypeError, message];
});

/** The same for later arguments, which the message names. */
const tf = { dataSync: () => X4(), data: () => X4(), shape: [4] };
const others: Row[] = [
  [
    (k) => k.crossEntropy(X4(), any(tf)),
    TypeError,
    'crossEntropy: targets is a tensor of another library, expected numbers in memory: ' +
      '{ data: targets.dataSync(), shape: targets.shape }',
  ],
  [
    (k, out) => {
      using mask = k.zeros([4]);
      return k.softmax(X4(), { mask: any(mask), out });
    },
    TypeError,
    'softmax: mask is an object, expected booleans or integers, anything but 0 keeps ' +
      '(of an additive mask: Uint8Array.from(mask, (m) => m === 0))',
  ],
  [
    (k, out) => k.softmax(X4(), { mask: any(tf), out }),
    TypeError,
    'softmax: mask is a tensor of another library, expected numbers in memory: ' +
      '{ data: mask.dataSync(), shape: mask.shape }',
  ],
  [
    (k) => k.crossEntropyWithGrad(X4(), 0, { weight: any(tf) }),
    TypeError,
    'crossEntropyWithGrad: weight is a tensor of another library, expected numbers in memory: ' +
      '{ data: weight.dataSync(), shape: weight.shape }',
  ],
  [
    (k) => k.crossEntropy(X4(), any(Promise.resolve(0))),
    TypeError,
    `crossEntropy: targets is a Promise, expected ${EXPECTED} (pass await targets)`,
  ],
  [
    (k) => k.crossEntropy(new Float32Array(6), new Float32Array([0, 1]), { shape: [2, 3] }),
    TypeError,
    'crossEntropy: targets is Float32Array(2), expected class indices as integers, or class probabilities, as many as ' +
      'logits',
  ],
  [
    (k) => k.bceWithLogits(X4(), [0, 1, 2, 0]),
    RangeError,
    'bceWithLogits: targets[2] is 2, expected a number in [0, 1]',
  ],
  [
    (k) => k.bceWithLogits(X4(), [0, -0.5, 1, 0]),
    RangeError,
    'bceWithLogits: targets[1] is -0.5, expected a number in [0, 1]',
  ],
  [
    (k) => k.klDiv(X4(), X4(), { reduction: 'batchMean' }),
    RangeError,
    'klDiv: reduction is "batchMean", expected shape, whose first axis is the batch',
  ],
];

const STRIDED = 'a strided view, expected numbers in memory: { data: ndarrayUnpack(x).flat(Infinity), shape: x.shape }';

const tensorLikes: Row[] = [
  [
    (k, out) => k.softmax({ data: X4() }, { out }),
    TypeError,
    `softmax: x is an object, expected ${EXPECTED} (pass x.data)`,
  ],
  [
    (k, out) => k.softmax({ data: X4(), shape: [5] }, { out }),
    RangeError,
    'softmax: x has 4 elements, expected 5 for shape [5]',
  ],
  [
    (k, out) => k.softmax({ data: X4(), shape: any('abc') }, { out }),
    TypeError,
    'softmax: x.shape is "abc", expected an array of sizes',
  ],
  [
    (k, out) => k.softmax({ data: X4(), shape: [2, 2] }, { shape: [4], out }),
    RangeError,
    'softmax: shape is [4], expected [2, 2], the shape of x itself',
  ],
  [
    (k, out) => k.softmax({ data: new Int32Array(4), shape: [4] }, { out }),
    TypeError,
    `softmax: x.data is Int32Array(4), expected ${EXPECTED} (convert integers with Float32Array.from)`,
  ],
  [
    (k, out) => k.softmax({ data: ['a'], shape: [1] }, { out }),
    TypeError,
    'softmax: x.data[0] is "a", expected a number (nested arrays: tensor() takes them)',
  ],
  [
    (k, out) => k.softmax(any({ dataSync: () => X4(), data: () => X4(), shape: [4] }), { out }),
    TypeError,
    'softmax: x is a tensor of another library, expected numbers in memory: { data: x.dataSync(), shape: x.shape }',
  ],
  [
    (k, out) => k.softmax(any({ data: () => X4(), shape: [4] }), { out }),
    TypeError,
    'softmax: x is a tensor of another library, expected numbers in memory: { data: await x.data(), shape: x.shape }',
  ],
  [
    (k, out) => k.softmax(any({ data: Promise.resolve(X4()), shape: [4] }), { out }),
    TypeError,
    `softmax: x.data is a Promise, expected ${EXPECTED} (pass await x.data)`,
  ],
  [
    (k, out) => k.softmax(any({ data: X4(), dims: [4], location: 'gpu-buffer' }), { out }),
    TypeError,
    'softmax: x is a tensor on "gpu-buffer", expected numbers in memory: { data: await x.getData(), shape: x.dims }',
  ],
  [
    (k, out) => k.softmax(any({ data: X4(), dims: [4], location: 'g'.repeat(1e5) }), { out }),
    TypeError,
    `softmax: x is a tensor on "${'g'.repeat(40)}…", expected numbers in memory: { data: await x.getData(), shape: x.dims }`,
  ],
  ...[{ stride: [1, 2] }, { strides: [1, 2] }, { strides: Int32Array.of(1, 2) }].map((strided): Row => {
    const view = any({ data: X4(), shape: [2, 2], ...strided });
    return [(k, out) => k.softmax(view, { out }), TypeError, `softmax: x is ${STRIDED}`];
  }),
  ...[1, -1, 0.5, 2 ** 32, Number.NaN].map((offset): Row => {
    const view = any({ data: X4(), shape: [4], stride: [1], offset });
    return [(k, out) => k.softmax(view, { out }), TypeError, `softmax: x is ${STRIDED}`];
  }),
  [
    (k, out) => k.softmax(any({ data: [1, 2, 3, 4, 5], shape: [4], stride: [1], offset: 1 }), { out }),
    TypeError,
    `softmax: x is ${STRIDED}`,
  ],
  [
    (k) => k.softmax(any({ data: detached(), shape: [0, 4], stride: [4, 1], offset: 0 })),
    TypeError,
    'softmax: x is detached, expected an array whose buffer is alive',
  ],
  [
    (k, out) => k.softmax(any({ data: new Float32Array(3), shape: [4], stride: [1], offset: 0 }), { out }),
    RangeError,
    'softmax: x has 3 elements, expected 4 for shape [4]',
  ],
];

const options: Row[] = [
  [(k) => k.softmax(X4(), any(null)), TypeError, 'softmax: options is null, expected an object'],
  [(k) => k.softmax(X4(), any(-1)), TypeError, 'softmax: options is -1, expected an object: { axis: -1 }'],
  [
    (k) => k.softmax(X4(), any([2, 2])),
    TypeError,
    'softmax: options is an array of 2, expected an object: { shape: […] }',
  ],
  ...Object.entries({
    dim: 'axis',
    dims: 'axis',
    axes: 'axis',
    Axis: 'axis',
    is_causal: 'causal',
    isCausal: 'causal',
    masks: 'mask',
    tau: 'temperature',
    T: 'temperature',
    attn_mask: 'mask',
    output: 'out',
  }).map(([name, ours]): Row => {
    return [
      (k, out) => k.softmax(X4(), any({ [name]: 1, out })),
      TypeError,
      `softmax: unknown option "${name}", the name is ${ours} here`,
    ];
  }),
  [
    (k, out) => k.softmax(X4(), any({ scale: 0.5, out })),
    TypeError,
    'softmax: unknown option "scale", expected temperature, which divides: 1 / scale',
  ],
  [
    (k) => k.logSumExp(X4(), any({ weight: 1 })),
    TypeError,
    'logSumExp: unknown option "weight", the name is weights here',
  ],
  [
    (k) => k.crossEntropy(X4(), 0, any({ weights: 1 })),
    TypeError,
    'crossEntropy: unknown option "weights", the name is weight here',
  ],
  [
    (k) => k.crossEntropy(X4(), 0, any({ class_weight: 1 })),
    TypeError,
    'crossEntropy: unknown option "class_weight", the name is weight here',
  ],
  [(k) => k.accuracy(X4(), 0, any({ topK: 1 })), TypeError, 'accuracy: unknown option "topK", the name is k here'],
  [
    (k) => k.softmax(X4(), any({ toString: 1 })),
    TypeError,
    'softmax: unknown option "toString", expected one of shape, axis, temperature, mask, causal, out',
  ],
  [(k) => k.topK(X4(), 2, any(0)), TypeError, 'topK: options is 0, expected an object: { axis: 0 }'],
  [(k) => k.sigmoid(X4(), any(0)), TypeError, 'sigmoid: options is 0, expected an object'],
  [(k) => k.logSumExpState(any([4])), TypeError, 'logSumExpState: options is an array of 1, expected an object'],
  [(k) => k.sigmoid(X4(), any({ scale: 2 })), TypeError, 'sigmoid: unknown option "scale", expected one of shape, out'],
  ...['keepdim', 'keepdims', 'keep_dims'].map((name): Row => {
    return [
      (k, out) => k.logSumExp(X4(), any({ [name]: true, out })),
      TypeError,
      `logSumExp: unknown option "${name}", the name is keepDims here`,
    ];
  }),
  [
    (k, out) => k.softmax(X4(), any({ keepDims: true, out })),
    TypeError,
    'softmax: unknown option "keepDims", expected one of shape, axis, temperature, mask, causal, out',
  ],
  [
    (k, out) => k.logSumExp(X4(), any({ top_p: 1, out })),
    TypeError,
    'logSumExp: unknown option "top_p", expected one of shape, axis, keepDims, temperature, weights, mask, out',
  ],
  [
    (k, out) => k.softmax(X4(), any({ constructor: 1, out })),
    TypeError,
    'softmax: unknown option "constructor", expected one of shape, axis, temperature, mask, causal, out',
  ],
  [
    (k, out) => k.logSumExp(X4(), { shape: [1, 4], keepDims: any(1), out }),
    TypeError,
    'logSumExp: keepDims is 1, expected true or false',
  ],
];

const shapes: Row[] = [
  [(k, out) => k.softmax(X4(), { shape: any(4), out }), TypeError, 'softmax: shape is 4, expected an array of sizes'],
  [
    (k, out) => k.softmax(X4(), { shape: any('4'), out }),
    TypeError,
    'softmax: shape is "4", expected an array of sizes',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: any(['4']), out }),
    TypeError,
    'softmax: shape[0] is "4", expected a whole number',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [2, 2.5], out }),
    RangeError,
    'softmax: shape[1] is 2.5, expected a whole number, 0 or more',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [-4], out }),
    RangeError,
    'softmax: shape[0] is -4, expected a whole number, 0 or more',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [-2, -2], out }),
    RangeError,
    'softmax: shape[0] is -2, expected a whole number, 0 or more',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [NaN], out }),
    RangeError,
    'softmax: shape[0] is NaN, expected a whole number, 0 or more',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [2, 3], out }),
    RangeError,
    'softmax: x has 4 elements, expected 6 for shape [2, 3]',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: new Array(10_000).fill(3), out }),
    RangeError,
    'softmax: x has 4 elements, expected Infinity for shape [3, 3, 3, … 9997 more]',
  ],
  [
    (k, out) => k.softmax(k.zeros([1, 1, 1, 1, 4]), { shape: [2, 2, 1, 1, 1, 1, 1, 1], out }),
    RangeError,
    'softmax: shape is [2, 2, 1, 1, 1, 1, 1, 1], expected [1, 1, 1, 1, 4], the shape of x itself',
  ],
  [
    (k) => k.argmax(k.zeros(new Array(10_000).fill(1)), { axis: 10_000 }),
    RangeError,
    'argmax: axis is 10000, expected a whole number in [-10000, 10000)',
  ],
  [
    (k) =>
      k.crossEntropy(k.zeros([...new Array(9).fill(1), 2, 3]), {
        data: new Int32Array(2),
        shape: [2, ...new Array(9).fill(1)],
      }),
    RangeError,
    'crossEntropy: targets has shape [2, 1, 1, … 7 more], expected [1, 1, 1, … 7 more], the shape without its axis',
  ],
  [
    (k) => k.softmax(k.zeros([2, 3]), { mask: { data: new Uint8Array(2), shape: [2, ...new Array(11).fill(1)] } }),
    RangeError,
    'softmax: mask has shape [2, 1, 1, … 9 more], expected one that broadcasts to [2, 3]',
  ],
  [(k, out) => k.softmax(X4(), { shape: [], out }), RangeError, 'softmax: x has 4 elements, expected 1 for shape []'],
  [(k) => k.softmax([1], { shape: [] }), RangeError, 'softmax: axis is -1, expected a shape with an axis'],
  [(k) => k.softmax(k.zeros([])), RangeError, 'softmax: axis is -1, expected a shape with an axis'],
  [
    (k, out) => k.softmax(X4(), { shape: [2, 2], axis: 2, out }),
    RangeError,
    'softmax: axis is 2, expected a whole number in [-2, 2)',
  ],
  [
    (k, out) => k.softmax(X4(), { shape: [2, 2], axis: -3, out }),
    RangeError,
    'softmax: axis is -3, expected a whole number in [-2, 2)',
  ],
  [(k, out) => k.softmax(X4(), { axis: 1, out }), RangeError, 'softmax: axis is 1, expected a whole number in [-1, 1)'],
  [
    (k, out) => k.softmax(X4(), { shape: [2, 2], axis: 0.5, out }),
    RangeError,
    'softmax: axis is 0.5, expected a whole number in [-2, 2)',
  ],
  [(k, out) => k.softmax(X4(), { axis: any('0'), out }), TypeError, 'softmax: axis is "0", expected a whole number'],
  [(k, out) => k.softmax(X4(), { axis: any(null), out }), TypeError, 'softmax: axis is null, expected a whole number'],
];

const temperatures: Row[] = [
  ...[0, -1, NaN, Infinity, 2 ** 101, 2 ** -101].map((temperature): Row => {
    return [
      (k, out) => k.softmax(X4(), { temperature, out }),
      RangeError,
      `softmax: temperature is ${temperature}, expected a number in [2^-100, 2^100]${temperature === 0 ? ' (for 0 take argmax, or sample)' : ''}`,
    ];
  }),
  ...[2 ** 901, 2 ** -901].map((temperature): Row => {
    const message = `logSumExp: temperature is ${temperature}, expected a number in [2^-900, 2^900]`;
    return [(k) => k.logSumExp(new Float64Array(4), { temperature }), RangeError, message];
  }),
  [
    (k) => k.sample([1, 2], { temperature: any('1') }),
    TypeError,
    'sample: temperature is "1", expected a positive number or 0',
  ],
  [
    (k, out) => k.logSoftmax(X4(), { temperature: any('1'), out }),
    TypeError,
    'logSoftmax: temperature is "1", expected a positive number',
  ],
  [
    (k, out) => k.logSoftmax(X4(), { temperature: any(null), out }),
    TypeError,
    'logSoftmax: temperature is null, expected a positive number',
  ],
];

const outs: Row[] = [
  [
    (k) => k.softmax(X4(), { out: any([]) }),
    TypeError,
    'softmax: out is an array of 0, expected a Float32Array or a Tensor',
  ],
  [(k) => k.softmax(X4(), { out: any(null) }), TypeError, 'softmax: out is null, expected a Float32Array or a Tensor'],
  [
    (k) => k.softmax(X4(), { out: new Float64Array(4) }),
    TypeError,
    'softmax: out is Float64Array(4), expected a Float32Array or a Tensor',
  ],
  [
    (k) => k.softmax(new Float64Array(4), { out: X4() }),
    TypeError,
    'softmax: out is Float32Array(4), expected a Float64Array or a Tensor',
  ],
  [
    (k) => k.softmax(X4(), { out: k.zeros([4], { dtype: 'float64' }) }),
    TypeError,
    'softmax: out is a float64 tensor, expected float32',
  ],
  [(k) => k.softmax(X4(), { out: new Float32Array(5) }), RangeError, 'softmax: out has 5 elements, expected 4'],
  [(k) => k.softmax(X4(), { out: k.zeros([2]) }), RangeError, 'softmax: out has 2 elements, expected 4'],
  [
    (k) => k.logSumExp(X4(), { shape: [2, 2], out: new Float32Array(4) }),
    RangeError,
    'logSumExp: out has 4 elements, expected 2',
  ],
  [
    (k) => {
      const buffer = new Float32Array(8).fill(1);
      return k.softmax(buffer.subarray(0, 4), { out: buffer.subarray(1, 5) });
    },
    RangeError,
    'softmax: out is Float32Array(4), expected the very range of x or one apart from it',
  ],
  [
    (k) => {
      const buffer = new Float32Array(8).fill(1);
      return k.softmax(buffer.subarray(3, 7), { out: buffer.subarray(0, 4) });
    },
    RangeError,
    'softmax: out is Float32Array(4), expected the very range of x or one apart from it',
  ],
  [
    (k) => {
      const x = k.zeros([8]);
      return k.softmax(x.data.subarray(0, 4) as Float32Array, { out: x.data.subarray(2, 6) });
    },
    RangeError,
    'softmax: out is Float32Array(4), expected the very range of x or one apart from it',
  ],
  [
    (k) => {
      const x = k.zeros([4]);
      return k.logSumExp(x, { out: x.data.subarray(0, 1) });
    },
    RangeError,
    'logSumExp: out is Float32Array(1), expected the very range of x or one apart from it',
  ],
  [
    (k) => {
      const x = k.zeros([4]);
      return k.softmax(x.data.subarray(0, 2) as Float32Array, { shape: [2], out: any(x) });
    },
    RangeError,
    'softmax: out has 4 elements, expected 2',
  ],
];

const masks: Row[] = (['softmax', 'logSoftmax'] as const).map((name): Row => {
  const message = `${name}: out is Float32Array(4), expected a range apart from mask`;
  return [(k, out) => k[name](X4(), { mask: new Uint8Array(out.buffer, 4, 4), out }), RangeError, message];
});

const tensors: Row[] = [
  [
    (k, out) => k.softmax(createKernels({ backend: 'reference' }).zeros([4]), { out }),
    TypeError,
    'softmax: x is a tensor of another set of kernels, expected one of the same set',
  ],
  [
    (k) => k.softmax(X4(), { out: createKernels({ backend: 'reference' }).zeros([4]) }),
    TypeError,
    'softmax: out is a tensor of another set of kernels, expected one of the same set',
  ],
  [
    (k, out) => k.softmax(k.zeros([2, 2]), { shape: [4], out }),
    RangeError,
    'softmax: shape is [4], expected [2, 2], the shape of x itself',
  ],
  [
    (k) => k.tensor(any(undefined)),
    TypeError,
    'tensor: data is undefined, expected numbers (nested arrays too), a float array or a tensor-like object',
  ],
  [(k) => k.tensor(any(['a'])), TypeError, 'tensor: data[0] is "a", expected a number'],
  [(k) => k.tensor([[1, 2], [3]]), RangeError, 'tensor: data[1] is an array of 1, expected an array of 2'],
  [(k) => k.tensor([[1, 2], 3]), TypeError, 'tensor: data[1] is 3, expected an array of 2'],
  [(k) => k.tensor([1, [2]]), TypeError, 'tensor: data[1] is an array of 1, expected a number'],
  [(k) => k.tensor([1, 2, 3], [2]), RangeError, 'tensor: data has 3 elements, expected 2 for shape [2]'],
  [
    (k) => k.tensor(any(new Uint8Array(3))),
    TypeError,
    `tensor: data is Uint8Array(3), expected ${EXPECTED} (convert integers with Float32Array.from)`,
  ],
  [
    (k) => k.tensor([1], [1], { dtype: any('int32') }),
    TypeError,
    'tensor: dtype is "int32", expected "float16", "float32" or "float64"',
  ],
  [(k) => k.tensor([1], [1], any({ type: 1 })), TypeError, 'tensor: unknown option "type", expected one of dtype'],
  [(k) => k.tensor(detached()), TypeError, 'tensor: data is detached, expected an array whose buffer is alive'],
  [(k) => k.zeros(any(3)), TypeError, 'zeros: shape is 3, expected an array of sizes'],
  [(k) => k.zeros([-1]), RangeError, 'zeros: shape[0] is -1, expected a whole number, 0 or more'],
  [
    (k) => k.zeros([2 ** 40, 2 ** 40]),
    RangeError,
    'zeros: shape is [1099511627776, 1099511627776], expected fewer than 2^53 elements',
  ],
  [(k) => k.zeros([2 ** 53]), RangeError, 'zeros: shape is [9007199254740992], expected fewer than 2^53 elements'],
  [
    (k) => k.softmax([1], { shape: [2 ** 53] }),
    RangeError,
    'softmax: x has 1 element, expected 9007199254740992 for shape [9007199254740992]',
  ],
];

const elements: Row[] = [
  [(k, out) => k.sigmoid(any('1'), { out }), TypeError, `sigmoid: x is "1", expected ${EXPECTED}`],
  [
    (k, out) => k.logSigmoid(any(new Int32Array(4)), { out }),
    TypeError,
    `logSigmoid: x is Int32Array(4), expected ${EXPECTED} (convert integers with Float32Array.from)`,
  ],
  [(k) => k.sigmoid(X4(), any(null)), TypeError, 'sigmoid: options is null, expected an object'],
  [
    (k, out) => k.sigmoid(X4(), any({ axis: 0, out })),
    TypeError,
    'sigmoid: unknown option "axis", expected one of shape, out',
  ],
  [(k, out) => k.sigmoid(X4(), { shape: [5], out }), RangeError, 'sigmoid: x has 4 elements, expected 5 for shape [5]'],
  [
    (k, out) => k.logSigmoid(X4(), any({ output: out })),
    TypeError,
    'logSigmoid: unknown option "output", the name is out here',
  ],
  [
    (k) => k.sigmoid(X4(), { out: new Float64Array(4) }),
    TypeError,
    'sigmoid: out is Float64Array(4), expected a Float32Array or a Tensor',
  ],
  [(k) => k.logSigmoid(X4(), { out: new Float32Array(5) }), RangeError, 'logSigmoid: out has 5 elements, expected 4'],
  [
    (k) => k.sigmoid(X4(), { out: detached() }),
    TypeError,
    'sigmoid: out is detached, expected an array whose buffer is alive',
  ],
  [
    (k, out) => k.sigmoid({ data: X4(), shape: [5] }, { out }),
    RangeError,
    'sigmoid: x has 4 elements, expected 5 for shape [5]',
  ],
  [
    (k) => {
      const buffer = new Float32Array(8).fill(1);
      return k.logSigmoid(buffer.subarray(0, 4), { out: buffer.subarray(1, 5) });
    },
    RangeError,
    'logSigmoid: out is Float32Array(4), expected the very range of x or one apart from it',
  ],
];

const tables = {
  arguments: arguments_,
  strangers,
  others,
  'tensor-likes': tensorLikes,
  options,
  shapes,
  temperatures,
  outs,
  masks,
  elements,
  tensors,
};

describe.each(sets)('$name', ({ kernels }) => {
  for (const [name, rows] of Object.entries(tables)) {
    test.each(rows)(`${name} %#: %s`, (call, type, message) => {
      const out = new Float32Array(4).fill(7);
      let thrown: unknown;
      try {
        call(kernels, out);
      } catch (error) {
        thrown = error;
      }
      expect((thrown as Error | undefined)?.message).toBe(message);
      expect((thrown as Error).constructor).toBe(type);
      expect([...out]).toEqual([7, 7, 7, 7]);
      expect([...kernels.softmax([0, 0])]).toEqual([0.5, 0.5]);
    });
  }

  test('out is untouched if only its overlap is wrong', () => {
    const buffer = new Float32Array(8).map((_, i) => i);
    expect(() => kernels.softmax(buffer.subarray(0, 4), { out: buffer.subarray(2, 6) })).toThrow(RangeError);
    expect([...buffer]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('adjacent ranges are allowed', () => {
    const buffer = new Float32Array(8);
    kernels.softmax(buffer.subarray(0, 4), { out: buffer.subarray(4, 8) });
    kernels.softmax(buffer.subarray(4, 8), { out: buffer.subarray(0, 4) });
    const x = kernels.zeros([8]);
    kernels.softmax(x.data.subarray(0, 4) as Float32Array, { out: x.data.subarray(4, 8) });
    kernels.logSumExp(x.data.subarray(0, 4) as Float32Array, { out: x.data.subarray(4, 5) });
    expect(buffer[7]).toBe(0.25);
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Wrong options for every operation that takes them, where x has shape [3, 4], and a part of the message. */
const WRONG_OPTIONS: Readonly<
  Record<string, readonly (readonly [options: object, type: typeof Error, says: string])[]>
> = {
  shape: [
    [{ shape: 4 }, TypeError, 'shape is 4, expected an array of sizes'],
    [{ shape: [3, -4] }, RangeError, 'shape[1] is -4, expected a whole number, 0 or more'],
    [{ shape: [3, 5] }, RangeError, 'has 12 elements, expected 15 for shape [3, 5]'],
  ],
  axis: [
    ...[2, 3, -3, Infinity, 0.5].map((axis) => {
      return [{ axis }, RangeError, `axis is ${axis}, expected a whole number in [-2, 2)`] as const;
    }),
    [{ axis: '0' }, TypeError, 'axis is "0", expected a whole number'],
    [{ dim: 0 }, TypeError, 'unknown option "dim", the name is axis here'],
  ],
  temperature: [
    ...[0, -1, NaN, Infinity, 2 ** 101, 2 ** -101].map((temperature) => {
      return [
        { temperature },
        RangeError,
        `temperature is ${temperature}, expected a number in [2^-100, 2^100]`,
      ] as const;
    }),
    [{ temperature: '1' }, TypeError, 'temperature is "1", expected a positive number'],
    [{ tau: 1 }, TypeError, 'unknown option "tau", the name is temperature here'],
  ],
  keepDims: [[{ keepDims: 1 }, TypeError, 'keepDims is 1, expected true or false']],
  weights: [
    [{ weights: new Float32Array(5) }, RangeError, 'weights has 5 elements, expected 1, 4 (the last axis) or 12'],
    [{ weights: new Int32Array(4) }, TypeError, 'weights is Int32Array(4), expected number[], Float32Array'],
    [{ weights: { data: new Float32Array(3), shape: [3] } }, RangeError, 'weights has shape [3], expected one that'],
    [{ b: [1, 2, 3, 4] }, TypeError, 'the name is weights here'],
  ],
  mask: [
    [
      { mask: new Float32Array(12) },
      TypeError,
      'mask is Float32Array(12), expected booleans or integers, anything but 0 keeps (of an additive mask: Uint8Array.from(mask, (m) => m === 0))',
    ],
    [{ mask: new DataView(new ArrayBuffer(12)) }, TypeError, 'mask is a DataView'],
    [
      { mask: { data: new Uint16Array(12), dims: [3, 4], type: 'float16' } },
      TypeError,
      'mask holds float16, expected booleans or integers, anything but 0 keeps (of an additive mask: Uint8Array.from(mask.data, (m) => (m & 0x7fff) === 0))',
    ],
    [{ mask: [true, 2] }, TypeError, 'mask[1] is 2, expected true or false, 1 or 0'],
    [{ mask: 1 }, TypeError, 'mask is 1, expected booleans or integers'],
    [{ mask: null }, TypeError, 'mask is null, expected booleans or integers'],
    [{ mask: {} }, TypeError, 'mask is an object, expected booleans or integers'],
    [{ mask: new Uint8Array(5) }, RangeError, 'mask has 5 elements, expected 1, 4 (the last axis) or 12'],
    [
      { mask: { data: new Uint8Array(3), shape: [3] } },
      RangeError,
      'mask has shape [3], expected one that broadcasts to [3, 4]',
    ],
    [
      { mask: { data: new Uint8Array(12), shape: [1, 3, 4] } },
      RangeError,
      'mask has shape [1, 3, 4], expected one that broadcasts to [3, 4]',
    ],
    [{ mask: { data: new Uint8Array(3), shape: [4] } }, RangeError, 'mask has 3 elements, expected 4 for shape [4]'],
  ],
  causal: [
    [{ causal: 1 }, TypeError, 'causal is 1, expected true or false'],
    [{ causal: true, axis: 0 }, RangeError, 'axis is 0, expected -1 when causal is true'],
    [
      { causal: true, shape: [12], axis: -1, mask: undefined },
      RangeError,
      'causal is true, expected a shape with two axes or more',
    ],
    [{ is_causal: true }, TypeError, 'the name is causal here'],
  ],
  reduction: [[{ reduction: 'avg' }, TypeError, 'reduction is "avg", expected one of "']],
  out: [
    [{ out: null }, TypeError, 'out is null, expected '],
    [{ output: null }, TypeError, 'unknown option "output", the name is out here'],
  ],
};

describe.each(sets)('$name: every operation', ({ kernels }) => {
  test.each(operations)('$name', (operation) => {
    for (const call of callsOf(operation, { dtype: 'float32', shape: [3, 4], axis: 1 })) {
      const expectError = (replaced: object, type: typeof Error, says: string) => {
        expectRefusal(kernels, call, replaced as Record<string, unknown>, type, says);
      };
      for (const name of operation.options) {
        for (const [options, type, says] of WRONG_OPTIONS[name] ?? []) {
          // Temperature 0 is allowed: it takes the largest.
          if (operation.name === 'sample' && 'temperature' in options && options.temperature === 0) continue;
          // The error about causal comes first if the axis is not the last.
          const isFree = name === 'axis' && takes(operation, 'causal');
          expectError({ ...(isFree && { causal: false }), ...options }, type, says);
        }
      }
      // The record and the library have the same options.
      const names = operation.options.join(', ');
      expectError({ nonsense: 1 }, TypeError, `unknown option "nonsense", expected one of ${names}`);
      const [first] = operation.arguments;
      expectError({ [first]: undefined }, TypeError, `${first} is undefined, expected ${EXPECTED}`);
      expectError({ [first]: new Int32Array(12) }, TypeError, `${first} is Int32Array(12), expected ${EXPECTED}`);
      expectError({ [first]: detached() }, TypeError, `${first} is detached, expected an array whose buffer is alive`);
      const foreign = createKernels({ backend: 'reference' }).zeros([3, 4]);
      expectError({ [first]: foreign }, TypeError, `${first} is a tensor of another set of kernels`);
      const given = Object.values(call.arguments);
      expect(() => runBy(kernels, operation.name, ...given, null)).toThrow('options is null, expected an object');
      if (operation.out !== undefined) expectWrongOuts(operation, call, expectError);
    }
  });
});

/** Expects the call to fail with this error and to leave `out` unchanged. */
function expectRefusal(
  kernels: Kernels,
  call: Call,
  replaced: Readonly<Record<string, unknown>>,
  type: typeof Error,
  says: string,
): void {
  const { name } = call.operation;
  const out = outFor(call);
  const results = ArrayBuffer.isView(out) ? [out] : Object.values((out as object | undefined) ?? {});
  for (const result of results) result.fill(7);
  const thrown = caught(() => run(kernels, call, { ...(out !== undefined && { out }), ...replaced })) as
    | Error
    | undefined;
  expect(thrown?.message.startsWith(`${name}: `), `${name}: ${says}; ${thrown}`).toBe(true);
  expect(thrown?.message).toContain(says);
  expect(thrown?.constructor, says).toBe(type);
  for (const result of results)
    expect(
      result.every((value: number) => value === 7),
      says,
    ).toBe(true);
}

type ExpectError = (replaced: object, type: typeof Error, says: string) => void;

function expectWrongOuts(operation: Operation, call: Call, expectError: ExpectError): void {
  const isRanking = operation.out === 'ranking';
  const right = outFor(call) as { values: Float32Array; indices: Int32Array } & Float32Array;
  const results = isRanking ? right : { out: right };
  for (const [part, result] of Object.entries(results)) {
    const name = isRanking ? `out.${part}` : 'out';
    const wrong = (value: unknown) => ({ out: isRanking ? { ...right, [part]: value } : value });
    const own = result.constructor as Float32ArrayConstructor;
    expectError(wrong(new own(result.length + 1)), RangeError, `${name} has ${result.length + 1} elements, expected`);
    expectError(
      wrong(new Float64Array(result.length)),
      TypeError,
      `${name} is Float64Array(${result.length}), expected`,
    );
    const gone = new own(result.length);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expectError(wrong(gone), TypeError, `${name} is detached, expected an array whose buffer is alive`);
  }
}

describe('settings', () => {
  const rows: [unknown, typeof Error, (operation: string) => string][] = [
    [
      { backend: 'webgpu' },
      TypeError,
      (o) => `${o}: backend is "webgpu", expected "auto", "relaxed-simd", "simd128" or "reference"`,
    ],
    [{ backend: 3 }, TypeError, (o) => `${o}: backend is 3, expected "auto", "relaxed-simd", "simd128" or "reference"`],
    [{ module: {} }, TypeError, (o) => `${o}: module is an object, expected a WebAssembly.Module`],
    [{ module: new Uint8Array(3) }, TypeError, (o) => `${o}: module is Uint8Array(3), expected a WebAssembly.Module`],
    [{ maxMemory: '1' }, TypeError, (o) => `${o}: maxMemory is "1", expected a number of bytes`],
    [{ maxMemory: 10 }, RangeError, (o) => `${o}: maxMemory is 10, expected at least 2^20 bytes`],
    [{ maxMemory: NaN }, RangeError, (o) => `${o}: maxMemory is NaN, expected at least 2^20 bytes`],
    [{ threads: 2 }, TypeError, (o) => `${o}: unknown option "threads", expected one of backend, module, maxMemory`],
    [null, TypeError, (o) => `${o}: options is null, expected an object`],
    ['simd128', TypeError, (o) => `${o}: options is "simd128", expected an object`],
  ];
  test.each(rows)('%o', async (settings, type, message) => {
    expect(() => createKernels(any(settings))).toThrow(new type(message('createKernels')));
    await expect(init(any(settings))).rejects.toThrow(new type(message('init')));
  });
});

test.each(sets)('$name: a mask of bits is for sample alone', ({ kernels }) => {
  expect(() => kernels.softmax([1, 2], { mask: { bits: new Int32Array(1) } as never })).toThrow(
    'softmax: mask is { bits }, which sample takes, expected booleans or integers',
  );
});
