import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { argmax, crossEntropy, penalize, softmax, type TensorLike, tensor, topK } from '../../src/index.js';
import { programsIn, runDocumented } from '../support/documentation.js';
import { readText } from '../support/platform.js';

const require = createRequire(import.meta.url);
const load = (name: string) => import(require.resolve(name));

const ROWS = [
  [2, 1, 0.25],
  [1, 2, 3],
];
const NUMBERS = ROWS.flat();
const SHAPE = [2, 3];
const TARGETS = [0, 2];

// biome-ignore lint/suspicious/noExplicitAny: what these libraries give has no type in common
type Any = any;

/** The exports of a library, by the names that its documentation uses. */
interface Names {
  [name: string]: Any;
}

/** A library's tensor. */
interface Case {
  readonly name: string;
  readonly page: 'onnxruntime' | 'transformers' | 'others';
  names(): Promise<Names> | Names;
  /** The tensor: ROWS, or all their numbers as a row. */
  make(names: Names): unknown;
  /** The expression to pass instead of x, if x itself is refused. */
  readonly line?: string;
  /** The expression that makes the library's own tensor from a result y. */
  readonly back: string;
  /** The expression for that tensor's numbers. */
  numbers(back: Any): Iterable<number> | Promise<Iterable<number>>;
}

const onnxruntime = (name: string) => ({ ort: require(name) });
const ofTensor = (t: { data: Float32Array }) => t.data;
const matrices = async () => ({ math: await load('mathjs') });

const CASES: Case[] = [
  ...['onnxruntime-web', 'onnxruntime-node'].map(
    (name): Case => ({
      name,
      page: 'onnxruntime',
      names: () => onnxruntime(name),
      make: ({ ort }) => new ort.Tensor('float32', Float32Array.from(NUMBERS), SHAPE),
      back: "new ort.Tensor('float32', y.data, y.shape)",
      numbers: ofTensor,
    }),
  ),
  {
    name: 'onnxruntime-web, on the GPU',
    page: 'onnxruntime',
    names: () => onnxruntime('onnxruntime-web'),
    make: ({ ort }) => {
      const download = async () => Float32Array.from(NUMBERS);
      return ort.Tensor.fromGpuBuffer({}, { dataType: 'float32', dims: SHAPE, download });
    },
    line: '{ data: await x.getData(), shape: x.dims }',
    back: "new ort.Tensor('float32', y.data, y.shape)",
    numbers: ofTensor,
  },
  {
    name: 'transformers.js',
    page: 'transformers',
    names: () => load('@huggingface/transformers'),
    make: ({ Tensor }) => new Tensor('float32', Float32Array.from(NUMBERS), SHAPE),
    back: "new Tensor('float32', y.data, y.shape)",
    numbers: ofTensor,
  },
  ...[
    { name: 'ndarray', make: (ndarray: Any) => ndarray(Float32Array.from(NUMBERS), SHAPE) },
    { name: 'ndarray of float64', make: (ndarray: Any) => ndarray(Float64Array.from(NUMBERS), SHAPE) },
    {
      name: 'ndarray, rows of a larger one',
      make: (ndarray: Any) =>
        ndarray(Float32Array.of(9, 9, 9, ...NUMBERS, 9, 9, 9), [4, 3])
          .lo(1, 0)
          .hi(2, 3),
    },
    {
      name: 'ndarray, picked',
      make: (ndarray: Any) => ndarray(Float32Array.of(9, 9, 9, 9, 9, 9, ...NUMBERS), [2, 2, 3]).pick(1),
    },
    {
      name: 'ndarray, transposed',
      make: (ndarray: Any) => {
        const columns = [0, 1, 2].flatMap((i) => ROWS.map((row) => row[i]!));
        return ndarray(Float32Array.from(columns), [3, 2]).transpose(1, 0);
      },
      line: '{ data: ndarrayUnpack(x).flat(Infinity), shape: x.shape }',
    },
  ].map(
    ({ name, make, line }): Case => ({
      name,
      page: 'others',
      names: () => ({ ndarray: require('ndarray'), ndarrayUnpack: require('ndarray-unpack') }),
      make: ({ ndarray }) => make(ndarray),
      ...(line && { line }),
      back: 'ndarray(y.data, y.shape)',
      numbers: ofTensor,
    }),
  ),
  ...['Float32', 'Float64'].map(
    (type): Case => ({
      name: `Arrow, a vector of ${type}`,
      page: 'others',
      names: () => load('apache-arrow'),
      make: (arrow) => arrow.vectorFromArray(NUMBERS, new arrow[type]()),
      line: 'x.toArray()',
      back: 'makeVector(y)',
      numbers: (vector) => vector.toArray(),
    }),
  ),
  {
    name: 'Arrow, a vector of chunks',
    page: 'others',
    names: () => load('apache-arrow'),
    make: (arrow) => {
      const chunks = ROWS.map((row) => arrow.makeVector(Float32Array.from(row)));
      return chunks[0].concat(chunks[1]);
    },
    line: 'x.toArray()',
    back: 'makeVector(y)',
    numbers: (vector) => vector.toArray(),
  },
  {
    name: 'Arrow, a vector of lists, sliced',
    page: 'others',
    names: () => load('apache-arrow'),
    make: (arrow) => {
      const list = new arrow.FixedSizeList(3, new arrow.Field('logit', new arrow.Float32()));
      return arrow.vectorFromArray([[9, 9, 9], ...ROWS, [9, 9, 9]], list).slice(1, 3);
    },
    line: '{ data: x.getChildAt(0).toArray(), shape: [x.length, x.stride] }',
    back: 'makeVector(y.data)',
    numbers: (vector) => vector.toArray(),
  },
  ...['dense', 'sparse'].map(
    (storage): Case => ({
      name: `math.js, ${storage}`,
      page: 'others',
      names: matrices,
      make: ({ math }) => math.matrix(ROWS, storage),
      line: 'tensor(x.toArray())',
      back: 'math.reshape(math.matrix([...y.data]), [...y.shape])',
      numbers: (matrix) => matrix.toArray().flat(),
    }),
  ),
  {
    name: 'ml-matrix',
    page: 'others',
    names: () => load('ml-matrix'),
    make: ({ Matrix }) => new Matrix(ROWS),
    line: '{ data: Float64Array.from(x.to1DArray()), shape: [x.rows, x.columns] }',
    back: 'Matrix.from1DArray(...y.shape, y.data)',
    numbers: (matrix) => matrix.to1DArray(),
  },
  {
    name: 'jax-js',
    page: 'others',
    names: async () => {
      const { defaultDevice, init, numpy: np } = await load('@jax-js/jax');
      await init('wasm');
      defaultDevice('wasm');
      return { np };
    },
    make: ({ np }) => np.array(NUMBERS).reshape(SHAPE),
    line: '{ data: x.dataSync(), shape: x.shape }',
    back: 'np.array(y.data).reshape(y.shape)',
    numbers: (array) => array.data(),
  },
  {
    name: 'arrays of typed rows',
    page: 'others',
    names: () => ({}),
    make: () => ROWS.map((row) => Float32Array.from(row)),
    line: 'tensor(x)',
    back: 'Array.from({ length: y.shape[0] }, (_, i) => y.data.slice(i * y.shape[1], (i + 1) * y.shape[1]))',
    numbers: (rows) => rows.flatMap((row: Float32Array) => [...row]),
  },
];

/** The value of an expression from the documentation. */
function evaluate(expression: string, names: Names): Promise<Any> {
  const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => (...given: Any[]) => Promise<Any>;
  const usable = Object.entries(names).filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && name !== 'default');
  const run = new AsyncFunction(...usable.map(([name]) => name), `return (${expression});`);
  return run(...usable.map(([, value]) => value));
}

/** The expression that an error message suggests. */
function lineIn(error: unknown): string {
  const { message } = error as Error;
  const told = message.match(/expected numbers in memory: (.*)$/) ?? message.match(/\(pass (.*)\)$/);
  if (told) return told[1]!;
  // For nested arrays, the message names only the function.
  if (message.endsWith('(nested arrays: tensor() takes them)')) return 'tensor(x)';
  throw new Error(`no line in: ${message}`);
}

const OPERATIONS: Record<string, (x: TensorLike, options: object) => unknown> = {
  softmax: (x, options) => softmax(x, options),
  crossEntropy: (logits, options) => crossEntropy(logits, TARGETS, options),
  topK: (x, options) => topK(x, 2, options),
};

describe.each(CASES)('$name', ({ page, names: namesOf, make, line, back, numbers }) => {
  const shaped = { shape: SHAPE };

  test.each(Object.entries(OPERATIONS))('into %s', async (_, operation) => {
    const names = { ...(await namesOf()), tensor };
    // jax-js frees an array when it is read, so each use needs its own.
    let usable = make(names) as TensorLike;
    if (line !== undefined) {
      let told = '';
      try {
        operation(make(names) as TensorLike, {});
      } catch (error) {
        told = lineIn(error).replaceAll('logits', 'x');
      }
      expect(told).toBe(line);
      usable = await evaluate(told, { ...names, x: make(names) });
    }
    const isDouble = ArrayBuffer.isView(usable)
      ? usable instanceof Float64Array
      : (usable.data as unknown) instanceof Float64Array;
    const plain = isDouble ? Float64Array.from(NUMBERS) : Float32Array.from(NUMBERS);
    const expected = operation(plain as never, shaped);
    const got = operation(usable, shaped);
    expect(JSON.stringify(flat(got))).toBe(JSON.stringify(flat(expected)));
  });

  test('and back', async () => {
    const names = { ...(await namesOf()), tensor };
    const x = line === undefined ? make(names) : await evaluate(line, { ...names, x: make(names) });
    const y = softmax(x as TensorLike);
    const own = await evaluate(back, { ...names, y });
    const data = (ArrayBuffer.isView(y) ? y : y.data) as Float32Array;
    expect(Array.from(await numbers(own))).toEqual(Array.from(data));
  });

  test('as its page says', async () => {
    const text = await readText(`docs/${page}.md`);
    if (line !== undefined) expect(text).toContain(line);
    expect(text).toContain(back);
  });
});

/** The numbers of a result of any kind. */
function flat(result: Any): unknown {
  if (typeof result === 'number') return result;
  if (ArrayBuffer.isView(result)) return Array.from(result as Float32Array);
  if ('indices' in result) return [flat(result.values), flat(result.indices)];
  return flat(result.data);
}

test('Arrow: float16 is said to be bits, and missing numbers are 0', async () => {
  const { Float16, Float32, vectorFromArray } = await load('apache-arrow');
  const halves = vectorFromArray(NUMBERS, new Float16());
  expect(() => softmax(halves)).toThrow('(pass x.toArray())');
  const bits = halves.toArray();
  expect(() => softmax(bits)).toThrow("pass bits of float16 as { data: x, shape, type: 'float16' }");
  expect(argmax({ data: bits, shape: [bits.length], type: 'float16' })).toEqual(
    argmax({ data: NUMBERS, shape: [NUMBERS.length] }),
  );
  expect([...vectorFromArray([1, null, 3], new Float32()).toArray()]).toEqual([1, 0, 3]);
});

test('brain.js: what a network returns by name', () => {
  const { NeuralNetwork } = require('brain.js');
  const network = new NeuralNetwork({ hiddenLayers: [2] });
  network.train(
    [
      { input: [0, 1], output: { a: 1 } },
      { input: [1, 0], output: { b: 1 } },
    ],
    { iterations: 10 },
  );
  const x = network.run([0, 1]);
  expect(() => softmax(x)).toThrow('softmax: x is an object, expected number[], Float32Array');
  expect(softmax(Object.values(x) as number[])).toHaveLength(2);
});

test('web-llm: the logit processor of docs/others.md', async () => {
  const [program] = programsIn(await readText('docs/others.md'));
  const logits = Float32Array.of(2, 1, -1);
  const lines = [...program!.lines, 'use(processor);'];
  const use = (processor: Record<string, (given?: unknown) => unknown>) => {
    expect(processor.processLogits!(logits)).toBe(logits);
    expect([...logits]).toEqual([2, 1, -1]);
    processor.processSampledToken!(0);
    processor.processLogits!(logits);
    expect([...logits]).toEqual([Math.fround(2 / 1.1), 1, -1]);
    processor.resetState!();
    processor.processLogits!(logits);
    expect([...logits]).toEqual([Math.fround(2 / 1.1), 1, -1]);
  };
  await runDocumented({ name: 'web-llm', lines }, { penalize, use });
});
