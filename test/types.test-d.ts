import { describe, expectTypeOf, test } from 'vitest';
import {
  accuracy,
  accuracyState,
  argmax,
  type BackendInfo,
  type Calibration,
  type CrossEntropyState,
  calibrationError,
  calibrationState,
  createKernels,
  createRandom,
  crossEntropyState,
  crossEntropyWithGrad,
  type EvaluationState,
  type FloatArray,
  fitTemperature,
  type Input,
  init,
  type Kernels,
  type LogSumExpState,
  logProbs,
  logSigmoid,
  logSoftmax,
  logSoftmaxBackward,
  logSumExp,
  logSumExpState,
  type MemoryUsage,
  memoryUsage,
  type nllState,
  OutOfMemoryError,
  penalize,
  perplexity,
  reliabilityDiagram,
  sample,
  sigmoid,
  softmax,
  softmaxBackward,
  type Tensor,
  type TensorResult,
  tensor,
  topK,
  zeros,
} from '../src/index.js';

declare const numbers: number[];
declare const frozen: readonly number[];
declare const f32: Float32Array;
declare const f64: Float64Array;
declare const floats: FloatArray;
declare const t: Tensor;
declare const like32: { data: Float32Array; shape: number[] };
declare const like64: { data: Float64Array; dims: readonly number[] };
declare const bits: { data: Uint16Array; dims: number[]; type: 'float16' };
declare const typed64: { data: unknown; dtype: 'float64'; shape: number[] };
declare const unknownLike: { data: unknown; shape: number[] };
declare const input: Input;
declare const labels: Int32Array;

describe('an element for an element', () => {
  test('by input', () => {
    expectTypeOf(softmax(numbers)).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(frozen)).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax([1, 2, 3])).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax([1, 2] as const)).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(f32)).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(f64)).toEqualTypeOf<Float64Array>();
    expectTypeOf(logSoftmax(f64, { axis: 0 })).toEqualTypeOf<Float64Array>();
    expectTypeOf(softmax(floats)).toExtend<FloatArray>();
    expectTypeOf(softmax(t)).toEqualTypeOf<Tensor>();
    expectTypeOf(softmax(like32)).toEqualTypeOf<TensorResult<Float32Array>>();
    expectTypeOf(softmax(like64)).toEqualTypeOf<TensorResult<Float64Array>>();
    expectTypeOf(softmax(typed64)).toEqualTypeOf<TensorResult<Float64Array>>();
    expectTypeOf(softmax(unknownLike)).toEqualTypeOf<TensorResult<FloatArray | Uint16Array>>();
    expectTypeOf(softmax(f64, { shape: [2, 2] })).toEqualTypeOf<Float64Array>();
    expectTypeOf(sigmoid(numbers)).toEqualTypeOf<Float32Array>();
    expectTypeOf(logSigmoid(like64)).toEqualTypeOf<TensorResult<Float64Array>>();
    expectTypeOf(sigmoid(t, { out: f32 })).toEqualTypeOf<Float32Array>();
  });

  test('out decides', () => {
    expectTypeOf(softmax(numbers, { out: f32 })).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(t, { out: f32 })).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmax(like64, { out: f64 })).toEqualTypeOf<Float64Array>();
    expectTypeOf(softmax(f32, { shape: [2, 2], out: t })).toEqualTypeOf<Tensor>();
  });

  test('by the first of two', () => {
    expectTypeOf(softmaxBackward(numbers, f32)).toEqualTypeOf<Float32Array>();
    expectTypeOf(softmaxBackward(f64, numbers, { shape: [2, 2] })).toEqualTypeOf<Float64Array>();
    expectTypeOf(softmaxBackward(t, like32)).toEqualTypeOf<Tensor>();
    expectTypeOf(logSoftmaxBackward(like64, f64)).toEqualTypeOf<TensorResult<Float64Array>>();
    expectTypeOf(logSoftmaxBackward(t, t, { out: f32 })).toEqualTypeOf<Float32Array>();
    // @ts-expect-error: the gradient that comes in is missing
    softmaxBackward(f32);
    // @ts-expect-error: the backward operations take no mask: what it hid has probability 0
    softmaxBackward(f32, f32, { mask: [true] });
  });

  test('a union of inputs gives a union of results', () => {
    expectTypeOf(softmax(input)).toExtend<FloatArray | Tensor | TensorResult<FloatArray | Uint16Array>>();
  });
});

describe('a number for a row', () => {
  test('plain rows are numbers, shaped ones arrays', () => {
    expectTypeOf(logSumExp(numbers)).toEqualTypeOf<number>();
    expectTypeOf(logSumExp(f64)).toEqualTypeOf<number>();
    expectTypeOf(logSumExp(f64, {})).toEqualTypeOf<number>();
    expectTypeOf(logSumExp(f64, { axis: 0, temperature: 2 })).toEqualTypeOf<number>();
    expectTypeOf(logSumExp(numbers, { shape: [2, 2] })).toEqualTypeOf<Float32Array>();
    expectTypeOf(logSumExp(f64, { shape: frozen, keepDims: true })).toEqualTypeOf<Float64Array>();
  });

  test('tensors stay tensors', () => {
    expectTypeOf(logSumExp(t)).toEqualTypeOf<Tensor>();
    expectTypeOf(logSumExp(like32)).toEqualTypeOf<TensorResult<Float32Array>>();
    expectTypeOf(logSumExp(t, { out: f64 })).toEqualTypeOf<Float64Array>();
  });
});

describe('draws', () => {
  test('an index for a row, as argmax gives it', () => {
    expectTypeOf(sample(numbers)).toEqualTypeOf<number>();
    expectTypeOf(sample(f64, { topK: 5, seed: 1n })).toEqualTypeOf<number>();
    expectTypeOf(sample(f32, { shape: [2, 2], random: Math.random })).toEqualTypeOf<Int32Array>();
    expectTypeOf(sample(t, { mask: { bits: new Int32Array(1) }, logProbs: t })).toEqualTypeOf<
      TensorResult<Int32Array>
    >();
    expectTypeOf(createRandom(1n)()).toEqualTypeOf<number>();
    // @ts-expect-error: the name is topP
    sample(f32, { top_p: 0.9 });
    // @ts-expect-error: words are integers
    sample(f32, { mask: { bits: f32 } });
  });

  test('penalties keep the kind of the logits', () => {
    expectTypeOf(penalize(numbers, [1])).toEqualTypeOf<Float32Array>();
    expectTypeOf(penalize(f64, [[1], [2]], { shape: [2, 2], bias: new Map([[1, 2]]) })).toEqualTypeOf<Float64Array>();
    expectTypeOf(penalize(t, new Int32Array(1), { bias: { 3: -1 } })).toEqualTypeOf<Tensor>();
    expectTypeOf(
      penalize(t, { data: new BigInt64Array(1), dims: [1, 1] }, { bias: [[1, 2]], out: t }),
    ).toEqualTypeOf<Tensor>();
    // @ts-expect-error: tokens are integers
    penalize(f32, f32);
  });
});

describe('an index for a row', () => {
  test('plain rows are numbers, shaped ones int32 arrays, tensors data and shape', () => {
    expectTypeOf(argmax(numbers)).toEqualTypeOf<number>();
    expectTypeOf(argmax(f64, { axis: 0 })).toEqualTypeOf<number>();
    expectTypeOf(argmax(f64, { shape: [2, 2] })).toEqualTypeOf<Int32Array>();
    expectTypeOf(argmax(t)).toEqualTypeOf<TensorResult<Int32Array>>();
    expectTypeOf(argmax(like64)).toEqualTypeOf<TensorResult<Int32Array>>();
    expectTypeOf(argmax(t, { out: new Int32Array(1) })).toExtend<Int32Array>();
    // @ts-expect-error: indices are int32
    argmax(t, { out: f32 });
  });
});

describe('of targets', () => {
  test('a number, or one for each row', () => {
    expectTypeOf(accuracy(t, [1], { k: 2 })).toEqualTypeOf<number>();
    expectTypeOf(logProbs(f64, 1)).toEqualTypeOf<number>();
    expectTypeOf(logProbs(f64, [1, 0], { shape: [2, 2] })).toEqualTypeOf<Float64Array>();
    expectTypeOf(logProbs(t, [1])).toEqualTypeOf<Tensor>();
    // @ts-expect-error: indices only
    accuracy(f32, f32);
  });
});

describe('values and indices', () => {
  test('by input, or as out has them', () => {
    expectTypeOf(topK(numbers, 2)).toEqualTypeOf<{ values: Float32Array; indices: Int32Array }>();
    expectTypeOf(topK(f64, 2, { shape: [2, 2] }).values).toEqualTypeOf<Float64Array>();
    expectTypeOf(topK(t, 2).values).toEqualTypeOf<Tensor>();
    expectTypeOf(topK(t, 2).indices).toEqualTypeOf<TensorResult<Int32Array>>();
    expectTypeOf(topK(like64, 2).values).toEqualTypeOf<TensorResult<Float64Array>>();
    expectTypeOf(topK(f32, 1, { out: { values: t, indices: new Int32Array(1) } }).values).toEqualTypeOf<Tensor>();
    // @ts-expect-error: both are needed
    topK(f32, 1, { out: { values: f32 } });
  });
});

describe('what is refused', () => {
  test('inputs', () => {
    // @ts-expect-error: no numbers
    softmax('abc');
    // @ts-expect-error: one number is no row
    softmax(3);
    // @ts-expect-error: nothing
    softmax();
    // @ts-expect-error: nested arrays are for tensor()
    softmax([[1, 2]]);
    // @ts-expect-error: no data
    softmax({ shape: [3] });
  });

  test('options', () => {
    // @ts-expect-error: axis is a number
    softmax(f32, { axis: '0' });
    // @ts-expect-error: out is a float array or a Tensor
    softmax(f32, { out: new Int32Array(3) });
    // @ts-expect-error: an array of sizes
    softmax(f32, { shape: 3 });
    // @ts-expect-error: keepDims is a boolean
    logSumExp(f32, { keepDims: 1 });
  });

  test('settings', () => {
    // @ts-expect-error: no such backend
    createKernels({ backend: 'webgpu' });
    // @ts-expect-error: a shape is an array
    zeros(3);
    // @ts-expect-error: no such dtype
    tensor([1], [1], { dtype: 'int32' });
  });

  test('what is read-only', () => {
    // @ts-expect-error: a tensor keeps its shape
    t.shape = [1];
    // @ts-expect-error: also its sizes
    t.shape[0] = 1;
  });
});

describe('tensors and sets', () => {
  test('Tensor', () => {
    expectTypeOf(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ).toEqualTypeOf<Tensor>();
    expectTypeOf(tensor([[[1]]], [1], { dtype: 'float64' })).toEqualTypeOf<Tensor>();
    expectTypeOf(tensor(like32)).toEqualTypeOf<Tensor>();
    expectTypeOf(zeros(frozen)).toEqualTypeOf<Tensor>();
    expectTypeOf(softmax(bits)).toEqualTypeOf<TensorResult<Uint16Array> & { dtype: 'float16' | 'bfloat16' }>();
    expectTypeOf(softmax({ data: [1, 2], shape: [2], dtype: 'float64' }).data).toEqualTypeOf<Float32Array>();
    expectTypeOf(logSumExp(bits)).toEqualTypeOf<TensorResult<Float32Array>>();
    expectTypeOf(topK(bits, 1).values.data).toEqualTypeOf<Uint16Array>();
    expectTypeOf(crossEntropyWithGrad(bits, [1]).grad.data).toEqualTypeOf<Uint16Array>();
    expectTypeOf(t.data).toEqualTypeOf<FloatArray>();
    expectTypeOf(t.toArray()).toEqualTypeOf<FloatArray>();
    expectTypeOf(t.copyTo(f32)).toEqualTypeOf<Float32Array>();
    expectTypeOf(t.shape).toEqualTypeOf<readonly number[]>();
    expectTypeOf(t.dtype).toEqualTypeOf<'float16' | 'float32' | 'float64'>();
    expectTypeOf(t.disposed).toEqualTypeOf<boolean>();
    expectTypeOf(t).toExtend<Disposable>();
  });

  test('states', () => {
    expectTypeOf(logSumExpState()).toEqualTypeOf<LogSumExpState<number>>();
    expectTypeOf(logSumExpState().add(f32).value).toEqualTypeOf<number>();
    expectTypeOf(logSumExpState({ rows: 2 }).add(input).value).toEqualTypeOf<Float64Array>();
    const read = logSumExpState.from(logSumExpState().toJSON());
    expectTypeOf(read.value).toEqualTypeOf<number | Float64Array>();
    expectTypeOf(logSumExpState().merge(read).value).toEqualTypeOf<number>();
    const losses = crossEntropyState({ rows: 2, reduction: 'none' });
    expectTypeOf(losses).toEqualTypeOf<CrossEntropyState<Float64Array>>();
    expectTypeOf(crossEntropyState({ rows: 2 }).value).toEqualTypeOf<number>();
    expectTypeOf(losses.gradient(f32, { offset: 0 })).toEqualTypeOf<Float32Array>();
    expectTypeOf(losses.gradient(t, { offset: 0 })).toEqualTypeOf<Tensor>();
  });

  test('Kernels have the functions with their types', () => {
    const set = createKernels({ backend: 'simd128' });
    expectTypeOf(set).toEqualTypeOf<Kernels>();
    expectTypeOf(set.softmax).toEqualTypeOf<typeof softmax>();
    expectTypeOf(set.logSumExp(f64)).toEqualTypeOf<number>();
    expectTypeOf(set).not.toHaveProperty('init');
    expectTypeOf(set).not.toHaveProperty('createKernels');
    expectTypeOf(init()).toEqualTypeOf<Promise<BackendInfo>>();
    expectTypeOf(memoryUsage()).toEqualTypeOf<MemoryUsage>();
    expectTypeOf(new OutOfMemoryError('')).toExtend<RangeError>();
  });
});

describe('evaluations', () => {
  test('by function', () => {
    expectTypeOf(perplexity(f32, 0)).toEqualTypeOf<number>();
    expectTypeOf(
      calibrationError(like32, labels, { from: 'probabilities', scheme: 'mass' }),
    ).toEqualTypeOf<Calibration>();
    expectTypeOf(fitTemperature(t, [0, 1]).reason).toEqualTypeOf<string | undefined>();
    expectTypeOf(reliabilityDiagram(calibrationState().value, { width: 300 })).toEqualTypeOf<string>();
    // @ts-expect-error: probabilities are given by from
    calibrationError(f32, labels, { probabilities: true });
    // @ts-expect-error: a scheme there is not
    calibrationError(f32, labels, { scheme: 'quantile' });
    // @ts-expect-error: targets are class indices
    perplexity(f32, f32);
  });

  test('states', () => {
    const state = accuracyState({ k: 2 });
    expectTypeOf(state).toEqualTypeOf<EvaluationState<number>>();
    expectTypeOf(
      state.add(f32, labels, { shape: [2, 2] }).merge(accuracyState.from(state.toJSON())).value,
    ).toBeNumber();
    expectTypeOf(calibrationState({ bins: 3 }).value).toEqualTypeOf<Calibration>();
    expectTypeOf(createKernels().nllState.from).toEqualTypeOf<typeof nllState.from>();
    // @ts-expect-error: a calibration is no accuracy
    state.merge(calibrationState());
    // @ts-expect-error: the options of a state are given when it is made
    state.add(f32, labels, { ignoreIndex: 0 });
  });
});
