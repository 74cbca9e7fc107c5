import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { widen } from '../../src/half.js';
import { crossEntropy, sample, softmax, topK, zeros } from '../../src/index.js';
import { linearModel } from './onnx.js';

const require = createRequire(import.meta.url);
const ROWS = 3;
const X = Float32Array.of(1, 0, 0, 1, 1, -1);
const WEIGHTS = Float32Array.of(1, 2, 3, 4, -1, 0, 1, -2);
const BIAS = Float32Array.of(0.5, 0, -0.5, 0.25);
/** X · WEIGHTS + BIAS: exact in float16 too. */
const LOGITS = [1.5, 2, 2.5, 4.25, -0.5, 0, 0.5, -1.75, 2.5, 2, 1.5, 6.25];
const TARGETS = [3, 2, 0];

/** The classifier in ONNX Runtime: its logits as the session returns them. */
async function run(name: string, type: 'float32' | 'float16') {
  const ort = require(name) as typeof Ort;
  const isWeb = name === 'onnxruntime-web';
  if (isWeb) ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(linearModel(WEIGHTS, BIAS, ROWS, type), {
    executionProviders: [isWeb ? 'wasm' : 'cpu'],
  });
  const outputs = await session.run({ x: new ort.Tensor('float32', X, [ROWS, 2]) });
  return { ort, outputs, logits: outputs.logits! };
}

describe.each(['onnxruntime-web', 'onnxruntime-node'])('a session of %s', (name) => {
  test('gives logits that go straight in', async () => {
    const { ort, outputs, logits } = await run(name, 'float32');
    const shape = [ROWS, 4];
    const plain = Float32Array.from(LOGITS);
    expect(Array.from(logits.data as Float32Array)).toEqual(LOGITS);
    const y = softmax(logits);
    expect(y).toEqual({ data: softmax(plain, { shape }), shape });
    expect(crossEntropy(logits, TARGETS)).toBe(crossEntropy(plain, TARGETS, { shape }));
    const targets = new ort.Tensor('int64', BigInt64Array.from(TARGETS, BigInt), [ROWS]);
    expect(crossEntropy(logits, targets)).toBe(crossEntropy(plain, TARGETS, { shape }));
    const best = topK(logits, 2);
    expect(best.values).toEqual({ data: Float32Array.of(4.25, 2.5, 0.5, 0, 6.25, 2.5), shape: [ROWS, 2] });
    expect([...best.indices.data]).toEqual([3, 2, 2, 1, 3, 0]);
    expect([...sample(logits, { temperature: 0 }).data]).toEqual([3, 2, 3]);
    // In place, over what the session returned.
    const { data } = logits;
    expect(softmax(logits, { out: data as Float32Array })).toBe(data);
    expect(data).toEqual(y.data);
    const back = new ort.Tensor('float32', y.data as Float32Array, y.shape);
    expect([back.dims, back.data]).toEqual([shape, y.data]);
    expect(() => softmax(outputs as never)).toThrow(/an object, expected .* \(pass x\.logits\)$/);
  });

  test('gives float16 logits that go straight in, and results are float16', async () => {
    const { ort, logits } = await run(name, 'float16');
    const shape = [ROWS, 4];
    // A Uint16Array of bits, or a Float16Array if the engine has that.
    expect(logits.data.constructor.name).toBe('Float16Array' in globalThis ? 'Float16Array' : 'Uint16Array');
    const plain = Float32Array.from(LOGITS);
    expect(crossEntropy(logits, TARGETS)).toBe(crossEntropy(plain, TARGETS, { shape }));
    const best = topK(logits, 2);
    expect([...best.indices.data]).toEqual([3, 2, 2, 1, 3, 0]);
    expect([...sample(logits, { temperature: 0 }).data]).toEqual([3, 2, 3]);
    const y = softmax(logits);
    const expected = softmax(plain, { shape });
    const back = new ort.Tensor('float16', y.data as never, y.shape);
    expect([back.dims, back.type]).toEqual([shape, 'float16']);
    using tensor = zeros(shape);
    softmax(logits, { out: tensor });
    expect([...tensor]).toEqual([...expected]);
    const values = Array.from(y.data as Uint16Array, (value) =>
      'Float16Array' in globalThis ? value : widen('float16', value),
    );
    for (const [i, p] of values.entries())
      expect(Math.abs(p - expected[i]!)).toBeLessThanOrEqual(2 ** -11 * expected[i]!);
    // In place, over what the session returned.
    softmax(logits, { out: logits as never });
    expect(logits.data).toEqual(y.data);
  });
});
