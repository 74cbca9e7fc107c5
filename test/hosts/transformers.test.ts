import { GPT2LMHeadModel, LogitsProcessor, Tensor } from '@huggingface/transformers';
import { describe, expect, test } from 'vitest';
import { argmax, logSumExp, sample, softmax } from '../../src/index.js';
import { type SamplingOptions, samplingProcessor } from '../../src/transformers/index.js';
import { documentedExamples, runDocumented } from '../support/documentation.js';

const VOCABULARY = 50;
const PROMPT = [
  [3, 1, 4],
  [1, 5, 9],
];

/** Logits of a text's next token: any function of the text. */
function logitsAfter(tokens: readonly number[]): Float32Array {
  const last = tokens.at(-1)!;
  return Float32Array.from({ length: VOCABULARY }, (_, i) => 3 * Math.sin((last + 1) * (i + 1) + tokens.length));
}

/** A model of transformers.js with a forward pass of ours; the rest of generate is the library's. */
function fakeModel() {
  const config = { model_type: 'gpt2', is_encoder_decoder: false };
  const model = new GPT2LMHeadModel(config as never, { model: { inputNames: [] } }, { generation_config: {} });
  const texts = PROMPT.map((): number[] => []);
  return Object.assign(model, {
    // It gets the whole prompt, and then the token that was generated last.
    forward: async ({ input_ids: ids }: { input_ids: { tolist(): bigint[][] } }) => {
      const steps = ids.tolist();
      for (const [row, tokens] of steps.entries()) texts[row]!.push(...tokens.map(Number));
      const [rows, length] = [steps.length, steps[0]!.length];
      const data = new Float32Array(rows * length * VOCABULARY);
      for (let row = 0; row < rows; row++) {
        data.set(logitsAfter(texts[row]!), ((row + 1) * length - 1) * VOCABULARY);
      }
      return { logits: new Tensor('float32', data, [rows, length, VOCABULARY]) };
    },
  });
}

/** The texts that generate makes. */
async function generate(processor: LogitsProcessor, count: number, options: object = {}): Promise<number[][]> {
  const ids = new Tensor('int64', BigInt64Array.from(PROMPT.flat(), BigInt), [2, 3]);
  const sequences = await fakeModel().generate({
    inputs: ids,
    max_new_tokens: count,
    logits_processor: [processor] as never,
    ...options,
  });
  return (sequences as Tensor).tolist().map((row: bigint[]) => row.map(Number));
}

/** The same with sample alone, on logits divided by `own`. */
function expected(count: number, options: SamplingOptions & { seed: number }, own = 1): number[][] {
  const texts = PROMPT.map((prompt) => [...prompt]);
  for (let i = 0; i < count; i++) {
    const step = texts[0]!.length;
    for (const [row, text] of texts.entries()) {
      text.push(
        sample(
          logitsAfter(text).map((logit) => logit / own),
          { ...options, step, firstRow: row },
        ),
      );
    }
  }
  return texts;
}

const COUNT = 40;

describe.each([{}, { do_sample: true }, { do_sample: true, top_k: 5 }])('generate with %o', (mode) => {
  test.each<SamplingOptions>([
    {},
    { temperature: 0.7 },
    { topK: 3 },
    { topP: 0.6 },
    { minP: 0.3 },
    { temperature: 1.5, topK: 20, topP: 0.9, minP: 0.01, temperatureLast: true },
    { temperature: 0 },
  ])('draws what sample draws with %o', async (options) => {
    const seeded = { ...options, seed: 7 };
    const isTempered = 'temperature' in mode;
    // transformers.js divides by its own temperature first, which would give another distribution.
    if (isTempered && options.temperature !== 0) return;
    expect(await generate(samplingProcessor(LogitsProcessor, seeded), COUNT, mode)).toEqual(expected(COUNT, seeded));
  });
});

test('a temperature of the generation config divides first, where it samples', async () => {
  const processor = samplingProcessor(LogitsProcessor, { seed: 7, topP: 0.9 });
  const texts = await generate(processor, COUNT, { do_sample: true, temperature: 0.5 });
  expect(texts).toEqual(expected(COUNT, { seed: 7, topP: 0.9 }, 0.5));
  expect(texts).not.toEqual(expected(COUNT, { seed: 7, topP: 0.9 }));
});

test('a seed draws the same in every use, another one something else', async () => {
  const processor = samplingProcessor(LogitsProcessor, { seed: 1 });
  const texts = await generate(processor, COUNT);
  expect(await generate(processor, COUNT)).toEqual(texts);
  expect(await generate(samplingProcessor(LogitsProcessor, { seed: 2 }), COUNT)).not.toEqual(texts);
  const fresh = samplingProcessor(LogitsProcessor);
  expect(await generate(fresh, COUNT)).not.toEqual(await generate(fresh, COUNT));
});

test('random is called for each row, and never beforehand', async () => {
  let calls = 0;
  const random = () => [0.1, 0.9][calls++ % 2]!;
  const processor = samplingProcessor(LogitsProcessor, { random });
  expect(calls).toBe(0);
  await generate(processor, COUNT);
  expect(calls).toBe(2 * COUNT);
});

test('the frequencies are those of the distribution', () => {
  const logits = Float32Array.of(2, 1, 0.1, -1);
  const draws = 20_000;
  const rows = Float32Array.from({ length: 4 * draws }, (_, i) => logits[i % 4]!);
  const tensor = new Tensor('float32', rows, [draws, 4]);
  const out = samplingProcessor(LogitsProcessor, { seed: 3, temperature: 0.8 })([[0n]], tensor) as Tensor;
  const counts = [0, 0, 0, 0];
  for (const [i, value] of (out.data as Float32Array).entries()) if (value === 0) counts[i % 4]!++;
  const p = softmax(logits, { temperature: 0.8 });
  const chiSquared = counts.reduce((sum, n, i) => sum + (n - draws * p[i]!) ** 2 / (draws * p[i]!), 0);
  // The 99.9th percentile with three degrees of freedom.
  expect(chiSquared).toBeLessThan(16.27);
});

test("a model's float16 logits go in as they are", () => {
  // 1, 2 and 3.
  const halves = new Tensor('float16', Uint16Array.of(0x3c00, 0x4000, 0x4200) as never, [1, 3]);
  expect(logSumExp(halves as never)).toEqual({ data: Float32Array.of(logSumExp([1, 2, 3])), shape: [1] });
  expect(argmax(halves as never)).toEqual({ data: Int32Array.of(2), shape: [1] });
});

test('is a LogitsProcessor, and says at once what is wrong', () => {
  expect(samplingProcessor(LogitsProcessor)).toBeInstanceOf(LogitsProcessor);
  const wrong: [unknown, unknown, string][] = [
    [undefined, {}, 'samplingProcessor: LogitsProcessor is undefined, expected the class of transformers.js'],
    [LogitsProcessor, { top_p: 0.9 }, 'the name is topP here'],
    [LogitsProcessor, { shape: [3] }, 'samplingProcessor: '],
    [LogitsProcessor, { topP: 2 }, 'sample: topP is 2, expected a number in [0, 1]'],
    [LogitsProcessor, { temperature: -1 }, 'sample: temperature is -1'],
    [LogitsProcessor, { random: 1 }, 'sample: random is 1, expected a function'],
    [LogitsProcessor, { seed: 0.5 }, 'sample: seed is 0.5'],
    [LogitsProcessor, { seed: 1, random: Math.random }, 'sample: seed is 1, expected none beside random'],
  ];
  for (const [Class, options, message] of wrong) {
    expect(() => samplingProcessor(Class as typeof LogitsProcessor, options as SamplingOptions)).toThrow(message);
  }
});

const examples = await documentedExamples('transformers');

test.each(examples)('the example $name', async (example) => {
  for (const { told, got } of await runDocumented(example, { LogitsProcessor, Tensor, samplingProcessor })) {
    expect(got).toBe(told);
  }
});
