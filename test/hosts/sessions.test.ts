import { createRequire } from 'node:module';
import type * as Ort from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import { crossEntropy, sample, softmax, topK } from '../../src/index.js';
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

  test('gives float16 logits, which are refused with the line that converts them', async () => {
    const { ort, logits } = await run(name, 'float16');
    const tag = logits.data.constructor.name;
    const halves = 'Float32Array.from(new Float16Array(x.data.buffer, x.data.byteOffset, x.data.length))';
    const hint =
      tag === 'Float16Array'
        ? '(convert float16 with Float32Array.from)'
        : `(convert the bits of float16 with ${halves}, where the engine has Float16Array)`;
    for (const call of [() => softmax(logits), () => crossEntropy(logits, TARGETS), () => topK(logits, 2)]) {
      expect(call).toThrow(TypeError);
      expect(call).toThrow(
        `is ${tag}(12), expected number[], Float32Array, Float64Array, Float16Array, a tensor-like object or a Tensor`,
      );
    }
    expect(() => softmax(logits)).toThrow(hint);
    if (tag !== 'Float16Array' && 'Float16Array' in globalThis) {
      const converted = new Function('x', `return ${halves}`)(logits) as Float32Array;
      expect([...converted]).toEqual(LOGITS);
    }
    if (tag === 'Float16Array') expect([...Float32Array.from(logits.data as never)]).toEqual(LOGITS);
    expect(ort.Tensor).toBeDefined();
  });
});
