import { typedArrayTag } from '../arrays.js';
import { type OptionNames, readOptions } from '../call/options.js';
import { typeError } from '../errors.js';
import { SAMPLE_HINTS, type SampleOptions, sample } from '../ops/sample.js';
import type { TensorLike } from '../types.js';

/** Options of {@link samplingProcessor}: those of {@link sample} that hold for a whole text. */
export type SamplingOptions = Pick<
  SampleOptions,
  'temperature' | 'topK' | 'topP' | 'minP' | 'temperatureLast' | 'seed' | 'random'
>;

const OPTIONS: OptionNames<SamplingOptions> = {
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  temperatureLast: true,
  seed: true,
  random: true,
};

/**
 * Makes a logits processor for `generate` of transformers.js that draws the next token with {@link sample}. It sets
 * every other logit to -∞, so that transformers.js takes that token, with or without `do_sample`.
 *
 * It has to be the last processor. With a `seed`, the draw of a token depends only on its place in the text and its row
 * in the batch: the same prompt gives the same text each time.
 *
 * @param LogitsProcessor the class of transformers.js that the processor extends.
 * @returns a LogitsProcessor, for the option `logits_processor` of `generate`.
 * @throws TypeError for something other than a class or for an unknown option; TypeError or RangeError for a wrong
 * value, as {@link sample} does.
 *
 * @example
 * // import { LogitsProcessor } from '@huggingface/transformers'; import { samplingProcessor } from 'softmax-wasm/transformers';
 * const processor = samplingProcessor(LogitsProcessor, { temperature: 0.8, topP: 0.95, seed: 42 });
 * // await model.generate({ ...inputs, max_new_tokens: 100, logits_processor: [processor] });
 * processor([[1n]], new Tensor('float32', Float32Array.of(2, 1, 0.1), [1, 3])).data; // Float32Array [0, -Infinity, -Infinity]
 */
export function samplingProcessor<P extends object>(LogitsProcessor: new () => P, options?: SamplingOptions): P {
  if (typeof LogitsProcessor !== 'function') {
    throw typeError('samplingProcessor', 'LogitsProcessor', LogitsProcessor, 'the class of transformers.js');
  }
  const read = readOptions<SamplingOptions>('samplingProcessor', options, OPTIONS, undefined, SAMPLE_HINTS);
  // Each is read once; one that is inherited counts, which spreading would leave out.
  const given: SamplingOptions = Object.fromEntries(
    Object.keys(OPTIONS).map((name) => [name, read[name as keyof SamplingOptions]]),
  );
  // Draws from no row, but checks the options now instead of in the middle of `generate`.
  sample([], { ...given, shape: [0, 1] });

  class SamplingProcessor extends (LogitsProcessor as new () => object) {
    _call(inputIds: readonly (readonly bigint[])[], logits: TensorLike): TensorLike {
      const step = given.seed === undefined ? {} : { step: inputIds[0]!.length };
      keepDrawn(logits, sample(logits, { ...given, ...step }).data);
      return logits;
    }
  }
  return new SamplingProcessor() as P;
}

/** -∞ in floats of 16 bits. */
const LEAST_BITS = { float16: 0xfc00, bfloat16: 0xff80 };

/** Makes every logit -∞ but that of the class drawn for its row. */
function keepDrawn({ data, type, dtype = type }: TensorLike, draws: Int32Array): void {
  const logits = data as Float32Array;
  const n = logits.length / draws.length;
  const areBits = typedArrayTag(data) === 'Uint16Array';
  logits.fill(areBits ? LEAST_BITS[dtype as keyof typeof LEAST_BITS] : Number.NEGATIVE_INFINITY);
  for (const [row, token] of draws.entries()) logits[row * n + token] = 0;
}
