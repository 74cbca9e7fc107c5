// Compiled against the packed declarations: what a program may write, and what types it gets.
import {
  argmax,
  type CrossEntropyOptions,
  createKernels,
  crossEntropy,
  crossEntropyWithGrad,
  type HalfBits,
  type Input,
  init,
  type Kernels,
  logSumExp,
  OutOfMemoryError,
  type Settings,
  type SoftmaxOptions,
  softmax,
  Tensor,
  type TensorResult,
  tensor,
  topK,
} from 'softmax-wasm';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const isTrue = <T extends true>(value?: T) => value;

const f32 = new Float32Array(4);
const f64 = new Float64Array(4);
const x: Tensor = tensor([[1, 2]]);

export const row: Float32Array = softmax([1, 2]);
export const wide: Float64Array = softmax(f64, { shape: [2, 2], axis: 0, mask: [true, false] });
export const resident: Tensor = softmax(x, { temperature: 2, causal: true });
export const like: TensorResult<Float32Array> = softmax({ data: f32, shape: [2, 2] });
export const total: number = logSumExp(f32);
export const totals: Float32Array = logSumExp(f32, { shape: [2, 2] });
export const index: number = argmax(f64);
export const { values, indices }: { values: Float32Array; indices: Int32Array } = topK(f32, 2);
export const { loss, grad }: { loss: number; grad: Float32Array } = crossEntropyWithGrad(f32, 0, { out: f32 });
export const losses: Float32Array = crossEntropy(f32, [0, 1], { shape: [2, 2], reduction: 'none' });

const bits = { data: new Uint16Array(4), dims: [2, 2], type: 'float16' } as const;
export const halves: Uint16Array = softmax(bits).data;
export const halfTotals: Float32Array = logSumExp(bits).data;
export const inPlace: typeof bits = softmax(bits, { out: bits });

export function wrap(options: CrossEntropyOptions, maybe?: SoftmaxOptions, shape?: readonly number[]) {
  const result = crossEntropy(f32, 0, options);
  isTrue<Equal<typeof result, number | Float32Array | Float64Array | Tensor>>();
  const sum = logSumExp(f64, { shape, axis: undefined });
  const probabilities = softmax(x, maybe);
  isTrue<Equal<typeof probabilities, Tensor | Float32Array | Float64Array | HalfBits>>();
  return [result, sum, probabilities];
}

export function generic<X extends Input>(input: X) {
  return softmax(input);
}

export const settings: Settings = { backend: 'auto', maxMemory: 2 ** 28 };
export const set: Kernels = createKernels(settings);
export const started: Promise<{ name: string }> = init();
export const error: RangeError = new OutOfMemoryError('');

// @ts-expect-error: the option is called axis
softmax(f32, { dim: 0 });
// @ts-expect-error: a temperature is a number
softmax(f32, { temperature: '2' });
// @ts-expect-error: tensors are made by tensor()
new Tensor();
